"""HTTP clients, one bounded request, and httpx's errors as failures, classified by what may be done about them."""

from __future__ import annotations

import os
import re
import socket
import ssl
from collections.abc import Mapping
from typing import cast
from urllib.parse import urlsplit

import certifi
import httpx

from incident_gate import __version__
from incident_gate.datahub.connection import Connection, Proxy
from incident_gate.datahub.failure import TransientFailure
from incident_gate.datahub.parallel import Deadline
from incident_gate.datahub.response import CONNECTION_PATIENCE, Received
from incident_gate.errors import Hint, RefusedError, SettingError, UnreachableError
from incident_gate.text import Redactor

CONNECT_SECONDS = 10.0
_PROBE_SECONDS = 2.0


def open_client(connection: Connection, *, connections: int) -> httpx.Client:
    """Open the client for DataHub, with its token; so many connections are kept open for further requests.

    Raises:
        SettingError: A file of certificates cannot be used.
    """
    headers = {"Accept": "application/json", "Content-Type": "application/json", **connection.headers}
    if connection.token:
        headers["Authorization"] = f"Bearer {connection.token}"
    trust = _trust(connection, encrypted=connection.address.is_encrypted)
    return _open(connection, connection.proxy, trust, headers, connections)


def open_service_client(connection: Connection, proxy: Proxy) -> httpx.Client:
    """Open a client for another service than DataHub: with the same certificates, and with none of its secrets.

    Raises:
        SettingError: A file of certificates cannot be used.
    """
    return _open(connection, proxy, _trust(connection, encrypted=True), {}, 1)


def _open(
    connection: Connection, proxy: Proxy, trust: ssl.SSLContext, headers: Mapping[str, str], connections: int
) -> httpx.Client:
    # An answer is small, and one that inflates beyond its size cannot come.
    own = {"Accept-Encoding": "identity", "User-Agent": f"datahub-incident-gate/{__version__}"}
    proxy_trust = _public_trust(connection) if proxy.url.startswith("https:") else None
    return httpx.Client(
        headers={**own, **headers},
        verify=trust,
        proxy=httpx.Proxy(proxy.url, ssl_context=proxy_trust) if proxy.url else None,
        # Proxy and certificates are settings.
        trust_env=False,
        # The token would go along.
        follow_redirects=False,
        # Not bounded: a request that is given up keeps its connection, and must not block the next one.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=connections),
    )


def _trust(connection: Connection, *, encrypted: bool) -> ssl.SSLContext:
    # Loading the public CAs takes as long as a request. Without TLS they are not needed: the context that is left
    # trusts nobody, should anything use it after all.
    context = _public_trust(connection) if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    if connection.ca_bundle:
        try:
            context.load_verify_locations(cafile=connection.ca_bundle)
        except (OSError, ssl.SSLError) as error:
            raise SettingError(
                f"{connection.named('ca-bundle')} {connection.ca_bundle.name} cannot be used: {_reason(error)}.",
                hint="It must be a file of PEM certificates.",
            ) from None
    return context


def _public_trust(connection: Connection) -> ssl.SSLContext:
    file, folder = connection.certificate_file, connection.certificate_folder
    if not file and not folder:
        file = certifi.where()  # OpenSSL 3.0 takes 14 ms to load it
    try:
        if folder and not os.path.isdir(folder):  # noqa: PTH112 - OpenSSL ignores a folder that does not exist
            raise SettingError("SSL_CERT_DIR is not a folder.", hint="It must be a folder of hashed certificates.")
        return ssl.create_default_context(cafile=file or None, capath=folder or None)
    except (OSError, ssl.SSLError) as error:
        raise SettingError(
            f"SSL_CERT_FILE cannot be used: {_reason(error)}.", hint="It must be a file of PEM certificates."
        ) from None


def _reason(error: OSError) -> str:
    return error.strerror if error.strerror and not isinstance(error, ssl.SSLError) else str(error)


class TooLargeError(Exception):
    """An answer has more bytes than are read."""


def send(  # noqa: PLR0913 - all but the first three are named
    http: httpx.Client,
    method: str,
    url: str,
    *,
    body: bytes | None,
    deadline: Deadline,
    most: int,
    headers: Mapping[str, str] | None = None,
) -> Received:
    """Send one request and read its answer to its end, or raise httpx's error or `TooLargeError`."""
    timeout = httpx.Timeout(deadline.remaining, connect=min(CONNECT_SECONDS, deadline.remaining))
    with http.stream(method, url, headers=headers, content=body, timeout=timeout) as response:
        content = bytearray()
        try:
            _read(response, content, deadline, most)
        except BaseException:
            # The failure is kept, with its traceback, which keeps this frame.
            content.clear()
            raise
        return Received(response.status_code, response.headers, content)


def _read(response: httpx.Response, content: bytearray, deadline: Deadline, most: int) -> None:
    # As it comes over the wire: what a content encoding inflates to has no bound.
    for chunk in cast("httpx.SyncByteStream", response.stream):
        content += chunk
        if len(content) > most:
            raise TooLargeError
        if deadline.passed:
            raise httpx.ReadTimeout("")


PORT_HINT = Hint("Check {datahub-url}: another service may listen at that port.")
# A longer timeout alone does not help there.
_CONNECTION_HINT = Hint(
    "Check that DataHub is up and reachable from this runner. "
    "Connecting is tried for {0} s at most, and no longer than `{timeout}`.",
    round(CONNECTION_PATIENCE),
)
# What a name server answers for a name that does not exist. Its failure to answer is EAI_AGAIN.
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def timed_out(host: str) -> TransientFailure:
    """The failure of a server that is too slow."""
    return TransientFailure(f"{host} does not answer in time", may_have_executed=True, slow=True)


def transport_failure(  # noqa: PLR0911 - a table
    error: Exception, host: str, redact: Redactor
) -> TransientFailure | RefusedError:
    """Classify what httpx raised."""
    reason = _phrase(redact(str(error))) or type(error).__name__
    cause = _root_cause(error)
    match error:
        case httpx.ProxyError() if reason.startswith("5"):
            # The proxy is up and reports a failure between it and the server.
            return _broken(f"The proxy does not reach {host}: {reason}", may_have_executed=False)
        case httpx.ProxyError():
            return RefusedError(
                f"The proxy does not let {host} through: {reason}.",
                hint="Check HTTPS_PROXY and NO_PROXY of this runner.",
            )
        case httpx.ConnectError() if isinstance(cause, ssl.SSLCertVerificationError):
            return RefusedError(
                f"The certificate of {host} does not verify: {redact(cause.verify_message).rstrip('.')}.",
                hint=Hint("If your organisation has a CA of its own, give its PEM file as {ca-bundle|SSL_CERT_FILE}."),
            )
        case httpx.ConnectError() if _is_tls_error(cause):
            return RefusedError(
                f"The TLS handshake with {host} failed: {reason}.", hint=Hint("Check http or https in {datahub-url}.")
            )
        case httpx.ConnectError() if isinstance(cause, socket.gaierror) and cause.errno in _NO_SUCH_NAME:
            return RefusedError(
                f"Cannot connect to {host}: the host name does not exist.",
                hint=Hint("Check {datahub-url}, and the proxy if there is one. A VPN that is down looks the same."),
            )
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return _broken(f"Cannot connect to {host}: {reason}", may_have_executed=False)
        case httpx.TimeoutException():
            return timed_out(host)
        case httpx.RemoteProtocolError() if not reason.startswith(("server disconnected", "peer closed")):
            # Not quoted: it repeats what was received, and a service of another kind may repeat the request.
            return _broken(f"{host} answers with something that is not HTTP", may_have_executed=True, foreign=True)
        case httpx.TransportError() | httpx.DecodingError():
            return _broken(f"The connection to {host} broke: {reason}", may_have_executed=True, is_silent=True)
        case _:
            return RefusedError(f"No request to {host} is possible: {reason}.", hint=Hint("Check {datahub-url}."))


def _broken(
    message: str, *, may_have_executed: bool, foreign: bool = False, is_silent: bool = False
) -> TransientFailure:
    return TransientFailure(
        message,
        may_have_executed=may_have_executed,
        patience=CONNECTION_PATIENCE,
        ends_as=RefusedError if foreign else UnreachableError,
        hint=PORT_HINT if foreign else _CONNECTION_HINT,
        is_silent=is_silent,
    )


def _phrase(text: str) -> str:
    """What the operating system says, without its number, as a part of a sentence."""
    if "WRONG_VERSION_NUMBER" in text:
        return "the server does not speak TLS on this port"  # OpenSSL reads a plain answer as a version
    text = re.sub(r"^\[Errno -?\d+\] ", "", text)
    return f"{text[0].lower()}{text[1:]}" if text[1:2].islower() else text


def _root_cause(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _is_tls_error(cause: BaseException) -> bool:
    # A connection that ends during the handshake is a broken connection.
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)


def speaks_http(url: str) -> bool:
    """Whether the first bytes may be those of an HTTP answer; True where none come. Nothing secret is sent."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    try:
        with socket.create_connection((host, parts.port or 80), timeout=_PROBE_SECONDS) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            return b"HTTP/".startswith(connection.recv(len(b"HTTP/")))
    except OSError:
        return True
