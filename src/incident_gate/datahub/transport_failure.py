"""httpx's errors as failures of ours, classified by what may be done about them."""

from __future__ import annotations

import socket
import ssl

import httpx

from incident_gate.datahub.failure import TransientFailure
from incident_gate.datahub.response import CONNECTION_PATIENCE
from incident_gate.errors import Hint, RefusedError, UnreachableError
from incident_gate.text import Redactor

PORT_HINT = Hint("Check {datahub-url}: another service may listen at that port.")
# A longer timeout alone does not help there.
_CONNECTION_HINT = Hint(
    "Check that DataHub is up and reachable from this runner. "
    "Connecting is tried for {0} s at most, and no longer than `{timeout}`.",
    round(CONNECTION_PATIENCE),
)
# What a name server answers for a name that does not exist. Its failure to answer is EAI_AGAIN.
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


def late(host: str) -> TransientFailure:
    """The failure of a server that is too slow."""
    return TransientFailure(f"{host} does not answer in time", may_have_executed=True, slow=True)


def transport_failure(  # noqa: PLR0911 - a table
    error: Exception, host: str, redact: Redactor
) -> TransientFailure | RefusedError:
    """Classify what httpx raised.

    Args:
        error: Its exception; `UnicodeError` as well, which it raises for some host names.
        host: The server's name in messages.
        redact: Applied to what the error says.

    Returns:
        A failure that another attempt may not meet, or an error for which a setting is wrong.
    """
    reason = redact(str(error)) or type(error).__name__
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
                f"No connection to {host}: the host name does not exist.",
                hint=Hint("Check {datahub-url}, and the proxy if there is one. A VPN that is down looks the same."),
            )
        case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
            return _broken(f"No connection to {host}: {reason}", may_have_executed=False)
        case httpx.TimeoutException():
            return late(host)
        case httpx.RemoteProtocolError() if not reason.startswith(("Server disconnected", "peer closed")):
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


def _root_cause(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _is_tls_error(cause: BaseException) -> bool:
    # A connection that ends during the handshake is a broken connection.
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
