"""The HTTP client that carries the token, and httpx's errors as failures, classified by what may be done about them."""

from __future__ import annotations

import os
import re
import socket
import ssl

import certifi
import httpx

from incident_gate import __version__
from incident_gate.datahub.connection import Connection, Proxy
from incident_gate.datahub.failure import TransientFailure
from incident_gate.datahub.response import CONNECTION_PATIENCE
from incident_gate.errors import Hint, RefusedError, SettingError, UnreachableError
from incident_gate.text import Redactor


def open_client(connection: Connection, *, connections: int) -> httpx.Client:
    """Open the client for one server.

    It reads no environment: proxy and certificates are settings. Redirects are never followed, because the token would
    go along.

    Args:
        connection: The server, and what is sent with every request.
        connections: How many are kept open for further requests.

    Raises:
        SettingError: A file of certificates cannot be used.
    """
    headers = {
        "Accept": "application/json",
        # An answer is small, and one that inflates beyond its size cannot come.
        "Accept-Encoding": "identity",
        "Content-Type": "application/json",
        "User-Agent": f"datahub-incident-gate/{__version__}",
        **connection.headers,
    }
    if connection.token:
        headers["Authorization"] = f"Bearer {connection.token}"
    return httpx.Client(
        headers=headers,
        verify=_trust(connection),
        proxy=_proxy(connection.proxy, connection),
        trust_env=False,
        follow_redirects=False,
        # Not bounded: a request that is given up keeps its connection, and must not block the next one.
        limits=httpx.Limits(max_connections=None, max_keepalive_connections=connections),
    )


def open_service_client(connection: Connection, proxy: Proxy) -> httpx.Client:
    """Open a client for another service than DataHub: with the same certificates, and with none of its secrets.

    Raises:
        SettingError: A file of certificates cannot be used.
    """
    context = _with_bundle(_public_trust(connection), connection)
    return httpx.Client(
        headers={"Accept-Encoding": "identity", "User-Agent": f"datahub-incident-gate/{__version__}"},
        verify=context,
        proxy=_proxy(proxy, connection),
        trust_env=False,
        follow_redirects=False,
    )


def _proxy(proxy: Proxy, connection: Connection) -> httpx.Proxy | None:
    if not proxy.url:
        return None
    return httpx.Proxy(proxy.url, ssl_context=_public_trust(connection) if proxy.url.startswith("https:") else None)


def _trust(connection: Connection) -> ssl.SSLContext:
    # Loading the public CAs takes as long as a request. Without TLS they are not needed: the context that is left
    # trusts nobody, should anything use it after all.
    encrypted = connection.address.is_encrypted
    context = _public_trust(connection) if encrypted else ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    return _with_bundle(context, connection)


def _with_bundle(context: ssl.SSLContext, connection: Connection) -> ssl.SSLContext:
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


_START = b"HTTP/"


def speaks_http(host: str, port: int, seconds: float) -> bool:
    """Whether the first bytes may be those of an HTTP answer; True where none come. Nothing secret is sent."""
    try:
        with socket.create_connection((host, port), timeout=seconds) as connection:
            connection.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
            received = connection.recv(len(_START))
    except OSError:
        return True
    return _START.startswith(received[: len(_START)])
