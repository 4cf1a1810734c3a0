"""One GraphQL request to DataHub: the POST, its errors and its retries."""

from __future__ import annotations

import json
import random
import socket
import ssl
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, NamedTuple, cast
from urllib.parse import urlsplit

import httpx

from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.failure import Answer, Failure, RequestFailure, TransientFailure
from incident_gate.datahub.parallel import run_all
from incident_gate.datahub.probe import speaks_http
from incident_gate.datahub.response import CONNECTION_PATIENCE, Received, read_response, size_limit
from incident_gate.errors import DataHubError, RefusedError, UnreachableError
from incident_gate.text import Redactor

if TYPE_CHECKING:
    from tenacity import RetryCallState

# Seconds that one request may take; the rest of the deadline is for asking again, or for less.
REQUEST_SECONDS = 45.0
CONNECT_SECONDS = 10.0
FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0
PROBE_SECONDS = 2.0
_PORT_HINT = "Check datahub-url: another service may listen at that port."
_DOWN_HINT = "Check that DataHub is up and reachable from this runner; `timeout` sets how long to try."
# A longer timeout alone does not help there.
_CONNECTION_HINT = (
    "Check that DataHub is up and reachable from this runner. "
    f"Connecting is tried for {CONNECTION_PATIENCE:.0f} s at most, and no longer than `timeout`."
)
# What a name server answers for a name that does not exist. Its failure to answer is EAI_AGAIN.
_NO_SUCH_NAME = {socket.EAI_NONAME, getattr(socket, "EAI_NODATA", socket.EAI_NONAME)}


class Operation(NamedTuple):
    """A GraphQL document and its operation's name, on which servers may key rate limits."""

    name: str
    text: str


class Exchange(NamedTuple):
    """One request for the debug log; holds no header and no value. `seconds` is until the answer was read."""

    operation: str
    assets: int
    attempt: int
    seconds: float
    status: int | None
    result: str


class Client:
    """Sends GraphQL requests to one endpoint until the deadline.

    Args:
        http: Carries the token; its settings are `connection.open_client`'s.
        url: The GraphQL endpoint.
        deadline: After it no request is begun, and none is waited for.
        on_exchange: Called with every request, for the debug log.
        secrets: What was sent and may not come back in any text.
        is_plain: Whether the connection goes to the server itself, without TLS.
    """

    def __init__(  # noqa: PLR0913 - all but the first three are named
        self,
        http: httpx.Client,
        url: str,
        deadline: Deadline,
        *,
        on_exchange: Callable[[Exchange], None] | None = None,
        secrets: Sequence[str] = (),
        is_plain: bool = False,
    ) -> None:
        self.deadline = deadline
        self.redact = Redactor(tuple(secrets))
        self._http = http
        self._url = url
        self._host = urlsplit(url).netloc
        self._on_exchange = on_exchange
        self._is_plain = is_plain
        # Decoding takes several times an answer's size for a moment, so threads take turns.
        self._decoding = threading.Lock()

    def within(self, seconds: float) -> Client:
        """The same server, for what is worth no more than these seconds."""
        return Client(
            self._http,
            self._url,
            self.deadline.earlier(seconds),
            on_exchange=self._on_exchange,
            secrets=self.redact.secrets,
            is_plain=self._is_plain,
        )

    def execute(
        self,
        operation: Operation,
        variables: Mapping[str, object],
        *,
        repeatable: bool = True,
        divisible: bool = False,
        assets: int = 1,
    ) -> Answer:
        """Send a request, and again as far as that is safe and there is time.

        Args:
            operation: Constant GraphQL text.
            variables: Every value of the request.
            repeatable: False for a write that would happen twice: then only what certainly did not arrive is repeated.
            divisible: The request can be halved, so a server that is too slow for it does not get it again.
            assets: How many assets it is about, which bounds the answer; 0 for the schema.

        Returns:
            The answer; partial if it has `errors`.

        Raises:
            RequestFailure: The server refuses this request; on a write see `may_have_executed`.
            TransientFailure: Only where not `repeatable`: it is unknown whether the write was carried out.
            UnreachableError: Nothing usable came in time.
            RefusedError: Token, address, proxy or certificate are wrong.
        """
        body = json.dumps({"query": operation.text, "variables": variables, "operationName": operation.name}).encode()

        def ask(attempt: int) -> Answer:
            return self._attempt(body, operation.name, attempt, assets)

        try:
            return ask(1)
        except TransientFailure as failure:
            if divisible and failure.slow and not self.deadline.passed:
                raise RequestFailure(failure.message, status=504) from None
            if not repeatable and failure.may_have_executed:
                raise
            return self._ask_again(ask, failure, repeatable=repeatable)

    def _ask_again(self, ask: Callable[[int], Answer], first: TransientFailure, *, repeatable: bool) -> Answer:
        # Imported at the first failure: it takes 50 ms, and nearly every run has no failure.
        from tenacity import Retrying, retry_if_exception, stop_before_delay, wait_random_exponential  # noqa: PLC0415

        backoff = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT, min=FIRST_WAIT / 2)

        cause = first

        def wait(state: RetryCallState) -> float:
            nonlocal cause
            failure = state.outcome.exception() if state.outcome else None
            if isinstance(failure, TransientFailure) and not self.deadline.passed:
                cause = failure
            if isinstance(failure, TransientFailure) and failure.retry_after is not None:
                # A little later, and not at the same moment as a hundred other gates that got the same answer.
                later = failure.retry_after + random.uniform(FIRST_WAIT / 2, FIRST_WAIT)  # noqa: S311 - no secret
                return max(later, backoff(state))
            return backoff(state)

        def again(error: BaseException) -> bool:
            return isinstance(error, TransientFailure) and (repeatable or not error.may_have_executed)

        def attempt() -> Answer:
            number = retrying.statistics["attempt_number"]
            if number == 1 or self.deadline.passed:  # sent already, or the wait before has used up the time
                raise cause
            return ask(number)

        patience = first.patience if first.patience is not None else self.deadline.remaining
        retrying = Retrying(
            stop=stop_before_delay(min(patience, self.deadline.remaining)),
            wait=wait,
            retry=retry_if_exception(again),
            reraise=True,
        )
        try:
            return retrying(attempt)
        except TransientFailure as failure:
            if not repeatable and failure.may_have_executed:
                raise
            if failure.answer:
                return failure.answer
            raise self._given_up(cause, retrying.statistics["attempt_number"]) from None

    def _given_up(self, cause: TransientFailure, tries: int) -> DataHubError:
        # A last attempt that the deadline cut short has no reason of its own: the one before has.
        if cause.is_silent and self._is_plain and not self._speaks_http():
            return RefusedError(f"{self._host} answers with something that is not HTTP.", hint=_PORT_HINT)
        return cause.ends_as(
            f"{cause.message}; gave up after {tries} {'try' if tries == 1 else 'tries'}.",
            hint=cause.hint or _DOWN_HINT,
        )

    def _attempt(self, body: bytes, operation: str, attempt: int, assets: int) -> Answer:
        started = time.monotonic()
        status, outcome = self._outcome(body, assets)
        if self._on_exchange:
            result = str(outcome) if isinstance(outcome, Exception) else "ok"
            if isinstance(outcome, Answer) and outcome.errors:
                result = f"partial: {outcome.errors[0]}"
            self._on_exchange(
                Exchange(
                    operation=operation,
                    assets=assets,
                    attempt=attempt,
                    seconds=time.monotonic() - started,
                    status=status,
                    result=result,
                )
            )
        if isinstance(outcome, Exception):
            raise outcome
        return outcome

    def _outcome(self, body: bytes, assets: int) -> tuple[int | None, Answer | Failure | DataHubError]:
        """Send once. A failure is returned without its frames, which would keep the response in memory."""
        status = None
        try:
            received = self._post(body, size_limit(assets))
            status = received.status
            with self._decoding:
                return status, read_response(
                    received,
                    url=self._url,
                    anonymous="authorization" not in self._http.headers,
                    redact=self.redact,
                    assets=assets,
                )
        except (Failure, DataHubError) as failure:
            failure.__cause__ = failure.__context__ = None
            return status, failure.with_traceback(None)

    def _post(self, body: bytes, most: int) -> Received:
        limit = self.deadline.earlier(REQUEST_SECONDS)
        if limit.passed:
            raise UnreachableError(f"The time for asking {self._host} is up.", hint="Raise `timeout`, in seconds.")
        # In a thread of its own, because no timeout of httpx bounds a name look-up that hangs, or headers of which a
        # byte arrives every second.
        [received] = run_all([partial(self._send, body, limit, most)], threads=1, deadline=limit)
        if received is None:
            raise self._late()
        if isinstance(received, Exception):
            raise received
        return received

    def _send(self, body: bytes, limit: Deadline, most: int) -> Received | Failure | DataHubError:
        timeout = httpx.Timeout(limit.remaining, connect=min(CONNECT_SECONDS, limit.remaining))
        try:
            with self._http.stream("POST", self._url, content=body, timeout=timeout) as response:
                content = bytearray()
                # As it comes over the wire: what a content encoding inflates to has no bound.
                for chunk in cast("httpx.SyncByteStream", response.stream):
                    content += chunk
                    if len(content) > most:
                        size = f"{most / (1 << 20):.0f} MiB"
                        return RequestFailure(f"{self._host} sends more than {size} in one answer", status=413)
                    if limit.passed:
                        return self._late()
                return Received(response.status_code, response.headers, content)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return self._translated(error)

    def _late(self) -> TransientFailure:
        return TransientFailure(f"{self._host} does not answer in time", may_have_executed=True, slow=True)

    def _translated(self, error: Exception) -> Failure | DataHubError:  # noqa: PLR0911 - a table
        """An httpx error as one of ours, by what may be done about it."""
        reason = self.redact(str(error)) or type(error).__name__
        cause = _root_cause(error)
        match error:
            case httpx.ProxyError() if reason.startswith("5"):
                # The proxy is up and reports a failure between it and the server.
                return self._broken(f"The proxy does not reach {self._host}: {reason}", may_have_executed=False)
            case httpx.ProxyError():
                return RefusedError(
                    f"The proxy does not let {self._host} through: {reason}.",
                    hint="Check HTTPS_PROXY and NO_PROXY of this runner.",
                )
            case httpx.ConnectError() if isinstance(cause, ssl.SSLCertVerificationError):
                return RefusedError(
                    f"The certificate of {self._host} does not verify: "
                    f"{self.redact(cause.verify_message).rstrip('.')}.",
                    hint="If your organisation has a CA of its own, give its PEM file as ca-bundle or SSL_CERT_FILE.",
                )
            case httpx.ConnectError() if _is_tls_error(cause):
                return RefusedError(
                    f"The TLS handshake with {self._host} failed: {reason}.", hint="Check http or https in datahub-url."
                )
            case httpx.ConnectError() if isinstance(cause, socket.gaierror) and cause.errno in _NO_SUCH_NAME:
                return RefusedError(
                    f"No connection to {self._host}: the host name does not exist.",
                    hint="Check datahub-url, and the proxy if there is one. A VPN that is down looks the same.",
                )
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
                return self._broken(f"No connection to {self._host}: {reason}", may_have_executed=False)
            case httpx.TimeoutException():
                return self._late()
            case httpx.RemoteProtocolError() if not reason.startswith(("Server disconnected", "peer closed")):
                # Not quoted: it repeats what was received, and a service of another kind may repeat the request.
                return self._broken(
                    f"{self._host} answers with something that is not HTTP", may_have_executed=True, foreign=True
                )
            case httpx.TransportError() | httpx.DecodingError():
                return self._broken(
                    f"The connection to {self._host} broke: {reason}", may_have_executed=True, is_silent=True
                )
            case _:
                return RefusedError(f"No request to {self._host} is possible: {reason}.", hint="Check datahub-url.")

    def _speaks_http(self) -> bool:
        parts = urlsplit(self._url)
        return speaks_http(parts.hostname or "", parts.port or 80, PROBE_SECONDS)

    def _broken(
        self, message: str, *, may_have_executed: bool, foreign: bool = False, is_silent: bool = False
    ) -> TransientFailure:
        return TransientFailure(
            message,
            may_have_executed=may_have_executed,
            patience=CONNECTION_PATIENCE,
            ends_as=RefusedError if foreign else UnreachableError,
            hint=_PORT_HINT if foreign else _CONNECTION_HINT,
            is_silent=is_silent,
        )


def _root_cause(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _is_tls_error(cause: BaseException) -> bool:
    # A connection that ends during the handshake is a broken connection.
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
