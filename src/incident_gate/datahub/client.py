"""One GraphQL question to DataHub and its answer: the wire, its errors and their retries."""

from __future__ import annotations

import json
import random
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

import httpx

from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.failure import Answer, Failure, Rejection, RequestFailure, TransientFailure
from incident_gate.datahub.parallel import run_all
from incident_gate.datahub.queries import Operation, idle
from incident_gate.datahub.response import CONNECTION_PATIENCE, read_response
from incident_gate.errors import DataHubError, RefusedError, UnreachableError

if TYPE_CHECKING:
    from tenacity import RetryCallState

# Seconds that one request may take; the rest of the deadline is for asking again, or for less.
REQUEST_SECONDS = 45.0
CONNECT_SECONDS = 10.0
# A batch of 250 assets with 100 incidents each stays far below; more is not DataHub.
MAX_ANSWER_BYTES = 32 * 1024 * 1024
FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Exchange:
    """One request for the debug log; holds no header and no value. `seconds` is until the answer was read."""

    operation: str
    assets: int
    attempt: int
    seconds: float
    status: int | None
    result: str


class _Received(NamedTuple):
    """An HTTP response, read to its end."""

    status: int
    headers: Mapping[str, str]
    body: bytearray


class Client:
    """Asks one endpoint, and nothing else, until the deadline.

    Args:
        http: Carries the token; its settings are `connection.open_client`'s.
        url: The GraphQL endpoint.
        deadline: After it no request is begun, and none is waited for.
        on_exchange: Told of every request, for the debug log.
        secrets: What was sent and must not come back: an error that quotes the request would carry it into reports.
    """

    def __init__(
        self,
        http: httpx.Client,
        url: str,
        deadline: Deadline,
        *,
        on_exchange: Callable[[Exchange], None] | None = None,
        secrets: Sequence[str] = (),
    ) -> None:
        self.deadline = deadline
        self._http = http
        self._url = url
        self._host = urlsplit(url).netloc
        self._on_exchange = on_exchange
        self._secrets = secrets

    def within(self, seconds: float) -> Client:
        """The same server, for what is worth no more than these seconds."""
        return Client(
            self._http,
            self._url,
            self.deadline.earlier(seconds),
            on_exchange=self._on_exchange,
            secrets=self._secrets,
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
        """Ask once, and again as far as that is safe and there is time.

        Args:
            operation: Constant GraphQL text.
            variables: Every value of the question.
            repeatable: False for a write that would happen twice: then only what certainly did not arrive is repeated.
            divisible: The question can be halved, so a server that is too slow for it is not asked it again.
            assets: How many assets it is about, for the debug log.

        Returns:
            The answer; partial if its `errors` say so.

        Raises:
            RequestFailure: The server refuses this question; on a write see `may_have_executed`.
            TransientFailure: Only where not `repeatable`: nobody knows whether the write was carried out.
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
                raise RequestFailure(failure.message, status=504) from failure
            if not repeatable and failure.may_have_executed:
                raise
            return self._ask_again(ask, failure, repeatable=repeatable)

    def takes(self, operation: Operation, variables: Mapping[str, object]) -> bool:
        """Whether the server takes a document, as far as it can be told without executing it.

        Asked when one is refused in words that are not known here: it may be the document, or what it is about.
        """
        try:
            self.execute(idle(operation), variables, assets=0)
        except RequestFailure as failure:
            return failure.rejection is Rejection.NONE
        except (UnreachableError, RefusedError):
            return True
        return True

    def _ask_again(self, ask: Callable[[int], Answer], first: TransientFailure, *, repeatable: bool) -> Answer:
        # Imported at the first failure: a run without one, which is nearly every run, does not pay for it.
        from tenacity import Retrying, retry_if_exception, stop_before_delay, wait_random_exponential  # noqa: PLC0415

        backoff = wait_random_exponential(multiplier=FIRST_WAIT, max=LONGEST_WAIT, min=FIRST_WAIT / 2)

        cause = first

        def wait(state: RetryCallState) -> float:
            nonlocal cause
            failure = state.outcome.exception() if state.outcome else None
            if isinstance(failure, TransientFailure) and not self.deadline.passed:
                cause = failure
            if isinstance(failure, TransientFailure) and failure.retry_after is not None:
                # A little later, and not all at the same moment: a hundred gates were told the same.
                return failure.retry_after + random.uniform(FIRST_WAIT / 2, FIRST_WAIT)  # noqa: S311 - no secret
            return backoff(state)

        def again(error: BaseException) -> bool:
            return isinstance(error, TransientFailure) and (repeatable or not error.may_have_executed)

        def attempt() -> Answer:
            number = retrying.statistics["attempt_number"]
            if number == 1 or self.deadline.passed:  # asked already, or the wait before has used up the time
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
            # A last try that the deadline cut short says nothing: what failed before it does.
            tries = retrying.statistics["attempt_number"]
            raise cause.ends_as(
                f"{cause.message}; gave up after {tries} {'try' if tries == 1 else 'tries'}.",
                hint="Check that DataHub is up and reachable from this runner; `timeout` sets how long to try.",
            ) from failure

    def _attempt(self, body: bytes, operation: str, attempt: int, assets: int) -> Answer:
        started = time.monotonic()
        status: int | None = None
        result = "ok"
        try:
            received = self._post(body)
            status = received.status
            anonymous = "authorization" not in self._http.headers
            answer = read_response(
                status, received.headers, received.body, url=self._url, anonymous=anonymous, secrets=self._secrets
            )
            result = f"partial: {answer.errors[0]}" if answer.errors else "ok"
        except (Failure, DataHubError) as failure:
            result = str(failure)
            raise
        else:
            return answer
        finally:
            if self._on_exchange:
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

    def _post(self, body: bytes) -> _Received:
        limit = self.deadline.earlier(REQUEST_SECONDS)
        if limit.passed:
            raise UnreachableError(f"The time for asking {self._host} is up.", hint="Raise `timeout`, in seconds.")
        # In a thread of its own, because no timeout of a client bounds a name look-up that hangs, or headers of which
        # a byte arrives every second.
        [received] = run_all(threads=1, deadline=limit, tasks=[partial(self._send, body, limit)])
        if received is None:
            raise self._late()
        return received

    def _send(self, body: bytes, limit: Deadline) -> _Received:
        timeout = httpx.Timeout(limit.remaining, connect=min(CONNECT_SECONDS, limit.remaining))
        try:
            with self._http.stream("POST", self._url, content=body, timeout=timeout) as response:
                content = bytearray()
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise RequestFailure(
                            f"{self._host} sends more than {MAX_ANSWER_BYTES >> 20} MiB in one answer", status=413
                        )
                return _Received(response.status_code, response.headers, content)
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._translated(error) from error

    def _late(self) -> TransientFailure:
        return TransientFailure(f"{self._host} does not answer in time", may_have_executed=True, slow=True)

    def _translated(self, error: Exception) -> Exception:  # noqa: PLR0911 - a table
        """An httpx error as one of ours, by what may be done about it."""
        reason = str(error) or type(error).__name__
        match error:
            case httpx.ProxyError() if reason.startswith("5"):
                # The proxy is up and says that it has trouble on the way to the server.
                return TransientFailure(
                    f"The proxy does not reach {self._host}: {reason}",
                    may_have_executed=False,
                    patience=CONNECTION_PATIENCE,
                )
            case httpx.ProxyError():
                return RefusedError(
                    f"The proxy does not let {self._host} through: {reason}.",
                    hint="Check HTTPS_PROXY and NO_PROXY of this runner.",
                )
            case httpx.ConnectError() if certificate := _certificate_error(error):
                return RefusedError(
                    f"The certificate of {self._host} does not verify: {certificate}.",
                    hint="If your organisation has a CA of its own, give its PEM file as ca-bundle or SSL_CERT_FILE.",
                )
            case httpx.ConnectError() if _is_tls_error(error):
                return RefusedError(
                    f"{self._host} does not speak TLS as asked: {reason}.", hint="Check http or https in datahub-url."
                )
            case httpx.ConnectError() | httpx.ConnectTimeout() | httpx.PoolTimeout():
                return TransientFailure(
                    f"No connection to {self._host}: {reason}", may_have_executed=False, patience=CONNECTION_PATIENCE
                )
            case httpx.TimeoutException():
                return self._late()
            case httpx.TransportError() | httpx.DecodingError():
                return TransientFailure(
                    f"The connection to {self._host} broke: {reason}",
                    may_have_executed=True,
                    patience=CONNECTION_PATIENCE,
                )
            case _:
                return RefusedError(f"{self._host} cannot be asked: {reason}.", hint="Check datahub-url.")


def _root_cause(error: BaseException) -> BaseException:
    while (cause := error.__cause__ or error.__context__) is not None:
        error = cause
    return error


def _certificate_error(error: BaseException) -> str:
    cause = _root_cause(error)
    return cause.verify_message.rstrip(".") if isinstance(cause, ssl.SSLCertVerificationError) else ""


def _is_tls_error(error: BaseException) -> bool:
    # A connection that ends during the handshake is a broken connection.
    cause = _root_cause(error)
    return isinstance(cause, ssl.SSLError) and not isinstance(cause, ssl.SSLEOFError | ssl.SSLZeroReturnError)
