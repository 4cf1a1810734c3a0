"""What each error of the transport means for the next attempt and for a write."""

import socket
import ssl
import traceback

import httpx
import pytest

from incident_gate.datahub.failure import TransientFailure
from incident_gate.datahub.parallel import Deadline
from incident_gate.datahub.transport import TooLargeError, send, timed_out, transport_failure
from incident_gate.errors import DataHubError, RefusedError, UnreachableError
from incident_gate.text import Redactor

HOST = "datahub.example:8080"
SECRET = "s3cr3t-t0ken"
REDACT = Redactor((SECRET,))


def caused(error: Exception, *causes: Exception) -> Exception:
    """The error as httpx raises it: from httpcore's, which has the system's as its context."""
    outer = error
    for depth, cause in enumerate(causes):
        if depth % 2:
            outer.__context__ = cause
        else:
            outer.__cause__ = cause
        outer = cause
    return error


def certificate_error(message: str) -> ssl.SSLCertVerificationError:
    error = ssl.SSLCertVerificationError(1, "certificate verify failed")
    error.verify_message = message
    return error


@pytest.mark.parametrize(
    ("error", "message", "may_have_executed"),
    [
        (httpx.ProxyError("502 Bad Gateway"), f"The proxy does not reach {HOST}: 502 Bad Gateway", False),
        (
            httpx.ConnectError("[Errno 111] Connection refused"),
            f"Cannot connect to {HOST}: connection refused",
            False,
        ),
        (httpx.ConnectTimeout(""), f"Cannot connect to {HOST}: ConnectTimeout", False),
        (httpx.PoolTimeout("full"), f"Cannot connect to {HOST}: full", False),
        (httpx.ReadError("reset"), f"The connection to {HOST} broke: reset", True),
        (httpx.WriteError("pipe"), f"The connection to {HOST} broke: pipe", True),
        (httpx.DecodingError("zlib"), f"The connection to {HOST} broke: zlib", True),
        (
            httpx.RemoteProtocolError("Server disconnected without sending a response."),
            f"The connection to {HOST} broke: server disconnected without sending a response.",
            True,
        ),
        (
            httpx.RemoteProtocolError("peer closed connection without sending complete message body"),
            f"The connection to {HOST} broke: peer closed connection without sending complete message body",
            True,
        ),
        (
            caused(httpx.ConnectError("EAI_AGAIN"), OSError(), socket.gaierror(socket.EAI_AGAIN, "again")),
            f"Cannot connect to {HOST}: EAI_AGAIN",
            False,
        ),
        (
            caused(httpx.ConnectError("EOF"), OSError(), ssl.SSLEOFError(8, "EOF")),
            f"Cannot connect to {HOST}: EOF",
            False,
        ),
        (
            caused(httpx.ConnectError("closed"), OSError(), ssl.SSLZeroReturnError(6, "closed")),
            f"Cannot connect to {HOST}: closed",
            False,
        ),
    ],
)
def test_connection_that_fails_is_tried_again_for_a_while(
    error: Exception, message: str, *, may_have_executed: bool
) -> None:
    failure = transport_failure(error, HOST, REDACT)

    assert isinstance(failure, TransientFailure)
    assert failure.message == message
    assert failure.may_have_executed is may_have_executed
    assert (failure.patience, failure.slow, failure.ends_as) == (30, False, UnreachableError)
    assert failure.hint.startswith("Check that DataHub is up and reachable")
    assert failure.is_silent is ("broke" in message)


@pytest.mark.parametrize("error", [httpx.ReadTimeout("read"), httpx.WriteTimeout("write")])
def test_server_that_is_too_slow_is_waited_for_until_the_deadline(error: Exception) -> None:
    failure = transport_failure(error, HOST, REDACT)

    assert isinstance(failure, TransientFailure)
    assert vars(failure) == vars(timed_out(HOST))
    assert failure.message == f"{HOST} does not answer in time"
    assert (failure.may_have_executed, failure.slow, failure.patience) == (True, True, None)


def test_answer_that_is_not_http_is_a_wrong_address_and_not_quoted() -> None:
    failure = transport_failure(httpx.RemoteProtocolError(f"illegal status line: {SECRET}"), HOST, REDACT)

    assert isinstance(failure, TransientFailure)
    assert failure.message == f"{HOST} answers with something that is not HTTP"
    assert (failure.may_have_executed, failure.ends_as, failure.is_silent) == (True, RefusedError, False)
    assert failure.hint == "Check datahub-url: another service may listen at that port."


@pytest.mark.parametrize(
    ("error", "message", "hint"),
    [
        (
            httpx.ProxyError("407 Proxy Authentication Required"),
            f"The proxy does not let {HOST} through: 407 Proxy Authentication Required.",
            "NO_PROXY",
        ),
        (
            caused(httpx.ConnectError("tls"), OSError(), certificate_error("self-signed certificate.")),
            f"The certificate of {HOST} does not verify: self-signed certificate.",
            "ca-bundle",
        ),
        (
            caused(
                httpx.ConnectError("[SSL: WRONG_VERSION_NUMBER] wrong version number (_ssl.c:1006)"),
                OSError(),
                ssl.SSLError(1, "wrong version"),
            ),
            f"The TLS handshake with {HOST} failed: the server does not speak TLS on this port.",
            "http or https",
        ),
        (
            caused(httpx.ConnectError("no name"), OSError(), socket.gaierror(socket.EAI_NONAME, "no name")),
            f"Cannot connect to {HOST}: the host name does not exist.",
            "VPN",
        ),
        (httpx.InvalidURL("no host"), f"No request to {HOST} is possible: no host.", "datahub-url"),
        (UnicodeError("label too long"), f"No request to {HOST} is possible: label too long.", "datahub-url"),
    ],
)
def test_wrong_setting_is_refused_at_once(error: Exception, message: str, hint: str) -> None:
    failure = transport_failure(error, HOST, REDACT)

    assert isinstance(failure, RefusedError)
    assert failure.message == message
    assert hint in failure.hint


@pytest.mark.parametrize(
    "error",
    [
        httpx.ProxyError(f"407 {SECRET}"),
        httpx.ConnectError(SECRET),
        httpx.ReadError(SECRET),
        caused(httpx.ConnectError("tls"), OSError(), certificate_error(SECRET)),
        caused(httpx.ConnectError(SECRET), OSError(), ssl.SSLError(1, "wrong version")),
        httpx.InvalidURL(SECRET),
    ],
)
def test_secret_is_in_no_message(error: Exception) -> None:
    failure: TransientFailure | DataHubError = transport_failure(error, HOST, REDACT)

    assert SECRET not in f"{failure.message} {failure.hint}"


def test_failure_keeps_nothing_of_the_answer() -> None:
    answer = httpx.MockTransport(lambda _: httpx.Response(200, content=b"x" * 100))
    with httpx.Client(transport=answer) as http, pytest.raises(TooLargeError) as failed:
        send(http, "POST", "http://datahub.example", body=b"", deadline=Deadline.after(10), most=99)

    values = [value for frame, _ in traceback.walk_tb(failed.tb) for value in frame.f_locals.values()]
    assert [value for value in values if isinstance(value, bytearray)] == [bytearray()] * 2
