"""Certificates, proxies and headers against real servers on loopback, and whom the token reaches."""

import os
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import trustme

from incident_gate.errors import ExitCode, SettingError
from incident_gate.report.model import Report
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.gating import check, verdicts
from tests.helpers.loopback import Proxy, listening, tls_front

CANARY = "canary-7d1f-token"


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in os.environ:
        if name.upper().endswith("_PROXY") or name.startswith("SSL_CERT"):
            monkeypatch.delenv(name)


@pytest.fixture(scope="module")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture
def bundle(authority: trustme.CA, tmp_path: Path) -> Path:
    """The authority's certificate in a file."""
    path = tmp_path / "ca.pem"
    path.write_bytes(authority.cert_pem.bytes())
    return path


@pytest.fixture
def server() -> Iterator[Sandbox]:
    with Sandbox.start(tokens=[CANARY]) as server:
        server.store.add_asset(ORDERS)
        yield server


@pytest.fixture
def secure(server: Sandbox, authority: trustme.CA) -> Iterator[str]:
    """The stand-in over TLS."""
    with tls_front(server.url, authority, "localhost") as port:
        yield f"https://localhost:{port}"


def refusal(result: Report) -> str:
    assert result.exit_code is ExitCode.DATAHUB
    assert verdicts(result) == ["unknown"]
    return str(result.failure)


def test_certificate_of_an_unknown_authority_is_refused_at_once(secure: str, server: Sandbox) -> None:
    told = refusal(check(secure, ORDERS, datahub_token=CANARY, on_unknown="warn"))

    assert "The certificate of localhost" in told
    assert "does not verify: unable to get local issuer certificate." in told
    assert "ca-bundle or SSL_CERT_FILE" in told
    assert " attempts in " not in told
    assert len(server.requests) == 0


@pytest.mark.parametrize("setting", ["ca-bundle", "SSL_CERT_FILE", "SSL_CERT_DIR", "ca-bundle beside SSL_CERT_FILE"])
def test_authority_that_is_named_is_trusted(
    secure: str, bundle: Path, setting: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if setting == "SSL_CERT_DIR":
        # As `openssl rehash` names it: by the hash of the subject.
        command = ["openssl", "x509", "-noout", "-subject_hash", "-in", str(bundle)]
        name = subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
        bundle.rename(bundle.with_name(f"{name}.0"))
        monkeypatch.setenv("SSL_CERT_DIR", str(bundle.parent))
    elif "SSL_CERT_FILE" in setting:
        other = bundle.with_name("other.pem")
        other.write_bytes(trustme.CA().cert_pem.bytes())
        monkeypatch.setenv("SSL_CERT_FILE", str(bundle if setting == "SSL_CERT_FILE" else other))
    given = str(bundle) if "ca-bundle" in setting else ""

    assert verdicts(check(secure, ORDERS, datahub_token=CANARY, ca_bundle=given)) == ["healthy"]


def test_certificate_of_another_host_is_refused(server: Sandbox, authority: trustme.CA, bundle: Path) -> None:
    with tls_front(server.url, authority, "datahub.example.com") as port:
        told = refusal(check(f"https://localhost:{port}", ORDERS, datahub_token=CANARY, ca_bundle=str(bundle)))

    assert "Hostname mismatch, certificate is not valid for 'localhost'." in told
    assert len(server.requests) == 0


def test_https_to_a_plain_server_is_told(server: Sandbox) -> None:
    told = refusal(check(server.url.replace("http:", "https:"), ORDERS, datahub_token=CANARY, on_unknown="warn"))

    assert "The TLS handshake with" in told
    assert "Check http or https in datahub-url." in told


UNREADABLE = {
    "ca-bundle": r"ca-bundle broken\.pem cannot be used",
    "SSL_CERT_FILE": r"SSL_CERT_FILE cannot be used: No such file or directory\.",
    "SSL_CERT_DIR": "SSL_CERT_DIR is not a folder",
}


@pytest.mark.parametrize(
    ("setting", "content"),
    [("ca-bundle", b""), ("ca-bundle", b"no certificate"), ("SSL_CERT_FILE", None), ("SSL_CERT_DIR", None)],
)
def test_authority_that_cannot_be_read_is_an_error(
    secure: str, bundle: Path, setting: str, content: bytes | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = bundle.with_name("broken.pem")
    if content is not None:
        path.write_bytes(content)
    if setting != "ca-bundle":
        monkeypatch.setenv(setting, str(path))

    with pytest.raises(SettingError, match=UNREADABLE[setting]):
        check(secure, ORDERS, ca_bundle=str(path) if setting == "ca-bundle" else "")


def test_ca_bundle_that_is_missing_is_an_error_without_tls_too(server: Sandbox) -> None:
    with pytest.raises(SettingError, match=r"ca-bundle none\.pem cannot be used: No such file or directory\."):
        check(server.url, ORDERS, ca_bundle="none.pem")


# Proxies


def test_https_proxy_gets_a_tunnel_and_no_token(secure: str, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    with proxy.running() as address:
        monkeypatch.setenv("HTTPS_PROXY", address.replace("://", "://ana:proxy-password@"))

        result = check(secure, ORDERS, datahub_token=CANARY, ca_bundle=str(bundle), headers="X-Access: header-secret")

    assert verdicts(result) == ["healthy"]
    [head] = proxy.heads
    assert head.startswith(f"CONNECT {secure.removeprefix('https://')} HTTP/1.1")
    assert "Proxy-Authorization: Basic " in head
    assert CANARY not in head
    assert "header-secret" not in head


def test_no_proxy_goes_past_the_proxy(secure: str, bundle: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    with proxy.running() as address:
        monkeypatch.setenv("HTTPS_PROXY", address)
        monkeypatch.setenv("NO_PROXY", "localhost")

        result = check(secure, ORDERS, datahub_token=CANARY, ca_bundle=str(bundle))

    assert verdicts(result) == ["healthy"]
    assert proxy.heads == []


def test_http_proxy_is_used_for_plain_http(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy()
    with proxy.running() as address:
        monkeypatch.setenv("HTTP_PROXY", address)

        assert verdicts(check(server.url, ORDERS, datahub_token=CANARY)) == ["healthy"]

    assert proxy.heads[0].startswith(f"POST {server.url}/api/graphql HTTP/1.1")


@pytest.mark.parametrize("status", ["403 Forbidden", "407 Proxy Authentication Required"])
def test_proxy_that_forbids_is_refused_at_once(secure: str, status: str, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(refuses=status)
    with proxy.running() as address:
        monkeypatch.setenv("HTTPS_PROXY", address)

        told = refusal(check(secure, ORDERS, datahub_token=CANARY, on_unknown="warn"))

    assert f"The proxy does not let localhost:{secure.rpartition(':')[2]} through: {status}." in told
    assert "HTTPS_PROXY and NO_PROXY" in told
    assert len(proxy.heads) == 1


def test_proxy_that_does_not_apply_does_not_matter(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    monkeypatch.setenv("no_proxy", "10.0.0.0/99, 127.0.0.1")

    result = check(server.url, ORDERS, datahub_token=CANARY)

    assert verdicts(result) == ["healthy"]
    assert "no_proxy has entries that cannot be used: 10.0.0.0/99." in result.notices


def test_proxy_of_the_user_with_a_password_is_a_secret(server: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    proxy = Proxy(refuses="403 ana:proxy-password YW5hOnByb3h5LXBhc3N3b3Jk")
    with proxy.running() as address:
        monkeypatch.setenv("HTTPS_PROXY", address.replace("://", "://ana:proxy-password@"))

        result = check(server.url.replace("http:", "https:"), ORDERS, datahub_token=CANARY)

    assert proxy.heads
    assert "proxy-password" not in str(result.failure)
    assert "YW5hOnByb3h5LXBhc3N3b3Jk" not in str(result.failure)


# Whom the token reaches


@pytest.mark.parametrize("same_host", [True, False])
def test_token_is_not_carried_along_a_redirect(server: Sandbox, *, same_host: bool) -> None:
    with Sandbox.start() as elsewhere:
        location = "/api/graphql?again" if same_host else f"{elsewhere.url}/api/graphql"
        server.faults = Faults(rules=(Fault(kind=FaultKind.REDIRECT, location=location),))

        refusal(check(server.url, ORDERS, datahub_token=CANARY))

        assert len(server.requests) == 1
        assert len(elsewhere.requests) == 0


def test_netrc_is_not_read(server: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    netrc = tmp_path / ".netrc"
    netrc.write_text("machine 127.0.0.1 login ana password netrc-secret\n", encoding="utf-8")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("HOME", str(tmp_path))

    check(server.url, ORDERS, datahub_token="")

    [request] = server.requests
    assert "authorization" not in request.headers


# Connections that do not come about


def test_look_up_that_hangs_ends_with_the_deadline(monkeypatch: pytest.MonkeyPatch) -> None:
    over = threading.Event()
    monkeypatch.setattr("socket.getaddrinfo", lambda *_args, **_options: over.wait())

    told = refusal(check("http://datahub.example.com", ORDERS, timeout="1"))
    over.set()

    assert "datahub.example.com does not answer in time" in told


def test_headers_that_trickle_end_with_the_deadline() -> None:
    def serve(client: socket.socket) -> None:
        client.recv(65_536)
        client.sendall(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            client.sendall(b"a")
            time.sleep(0.1)

    with listening(serve) as port:
        told = refusal(check(f"http://127.0.0.1:{port}", ORDERS, timeout="1"))

    assert "does not answer in time" in told


def test_tls_context_for_plain_http_trusts_nobody() -> None:
    """The shortcut that spares loading the CAs must not become a hole."""
    from incident_gate.datahub.connection import Connection, parse_address  # noqa: PLC0415
    from incident_gate.datahub.transport import _trust  # noqa: PLC0415

    address = parse_address("http://datahub:8080", setting="datahub-url")
    context = _trust(Connection(address=address, token=""), encrypted=address.is_encrypted)

    assert (context.verify_mode, context.check_hostname) == (ssl.CERT_REQUIRED, True)
    assert context.cert_store_stats()["x509_ca"] == 0
