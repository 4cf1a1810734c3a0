"""One GraphQL request to DataHub: the POST, its errors and its retries."""

from __future__ import annotations

import json
import random
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from copy import copy
from functools import partial
from typing import NamedTuple
from urllib.parse import urlsplit

import httpx

from incident_gate.datahub.failure import Answer, Failure, RequestFailure, TransientFailure
from incident_gate.datahub.parallel import Deadline, run_all
from incident_gate.datahub.response import Received, read_response, size_limit
from incident_gate.datahub.transport import (
    PORT_HINT,
    TooLargeError,
    send,
    speaks_http,
    timed_out,
    transport_failure,
)
from incident_gate.errors import DataHubError, Hint, RefusedError, UnreachableError
from incident_gate.text import Redactor

# Seconds that one request may take; the rest of the deadline is for asking again, or for less.
REQUEST_SECONDS = 45.0
FIRST_WAIT, LONGEST_WAIT = 0.25, 10.0
_DOWN_HINT = Hint("Check that DataHub is up and reachable from this runner; `{timeout}` sets how long to try.")


class Operation(NamedTuple):
    """A GraphQL document and its operation's name, on which servers may key rate limits."""

    name: str
    text: str


class RequestLog(NamedTuple):
    """One request for the debug log; holds no header and no value. `seconds` is until the answer was read."""

    operation: str
    assets: int
    attempt: int
    seconds: float
    status: int | None
    result: str


AWAITED = RequestLog("", 0, 0, 0.0, None, "")
"""Stands for a request that has not been answered yet."""


class Client:
    """Sends GraphQL requests to one endpoint; after the deadline none is begun, and none is waited for.

    `http` carries the token. `on_request` is called with every request that ended, and with `AWAITED` about four times
    a second until then. `secrets` were sent and may not come back in any text. `is_plain`: the connection goes to the
    server itself, without TLS.
    """

    def __init__(  # noqa: PLR0913 - all but the first three are named
        self,
        http: httpx.Client,
        url: str,
        deadline: Deadline,
        *,
        on_request: Callable[[RequestLog], None] | None = None,
        secrets: Sequence[str] = (),
        is_plain: bool = False,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.deadline = deadline
        self.redact = Redactor(tuple(secrets))
        self._http = http
        self._url = url
        self._host = urlsplit(url).netloc
        self._on_request = on_request
        self._is_plain = is_plain
        self._sleep = sleep
        # Decoding takes several times an answer's size for a moment, so threads take turns.
        self._decoding = threading.Lock()

    def until(self, deadline: Deadline) -> Client:
        """The same server with another deadline; requests of this client that are under way keep theirs."""
        client = copy(self)
        client.deadline = deadline
        return client

    def with_timeout(self, seconds: float) -> Client:
        """The same server, for what is worth no more than these seconds."""
        return self.until(self.deadline.earlier(seconds))

    def execute(
        self,
        operation: Operation,
        variables: Mapping[str, object],
        *,
        repeatable: bool = True,
        divisible: bool = False,
        assets: int = 1,
    ) -> Answer:
        """Send a request, and again as far as that is safe and there is time; an answer with `errors` is partial.

        `repeatable` is False for a write that would happen twice: then only what certainly did not arrive is repeated.
        `divisible`: it can be halved, so a server that is too slow for it does not get it again. `assets`: how many
        assets it is about, which bounds the answer; 0 for the schema.

        Raises:
            RequestFailure: The server refuses this request; on a write see `may_have_executed`.
            TransientFailure: Only where not `repeatable`: it is unknown whether the write was carried out.
            UnreachableError: Nothing usable came in time.
            RefusedError: Token, address, proxy or certificate are wrong.
        """
        body = json.dumps({"query": operation.text, "variables": variables, "operationName": operation.name}).encode()

        def fetch(attempt: int) -> Answer:
            return self._attempt(body, operation.name, attempt, assets)

        try:
            return fetch(1)
        except TransientFailure as failure:
            if divisible and failure.slow and not self.deadline.passed:
                raise RequestFailure(failure.message, status=504) from None
            if not repeatable and failure.may_have_executed:
                raise
            first = failure
        return self._fetch_again(fetch, first, repeatable=repeatable)

    def _fetch_again(self, fetch: Callable[[int], Answer], first: TransientFailure, *, repeatable: bool) -> Answer:
        """Send again with growing waits, for as long as the first failure deserves."""
        limit = self.deadline if first.patience is None else self.deadline.earlier(first.patience)
        last = cause = first
        attempts, began = 1, self.deadline.remaining
        while (wait := backoff(attempts, last.retry_after)) < limit.remaining:
            self._sleep(wait)
            if self.deadline.passed:
                break
            attempts += 1
            try:
                return fetch(attempts)
            except TransientFailure as failure:
                if not repeatable and failure.may_have_executed:
                    raise
                last = failure
                # An attempt that the deadline cut short has no reason of its own: the one before has.
                cause = cause if self.deadline.passed else failure
        if last.answer:
            return last.answer
        if cause.is_silent and self._is_plain and not speaks_http(self._url):
            raise RefusedError(f"{self._host} answers with something that is not HTTP.", hint=PORT_HINT)
        spent = began - self.deadline.remaining
        tried = "1 attempt" if attempts == 1 else f"{attempts} attempts in {spent:.0f} s"
        raise cause.ends_as(f"{cause.message} ({tried}).", hint=cause.hint or _DOWN_HINT)

    def _attempt(self, body: bytes, operation: str, attempt: int, assets: int) -> Answer:
        started = time.monotonic()
        status, outcome = self._outcome(body, assets)
        if self._on_request:
            result = str(outcome) if isinstance(outcome, Exception) else "ok"
            if isinstance(outcome, Answer) and outcome.errors:
                result = f"partial: {outcome.errors[0]}"
            self._on_request(RequestLog(operation, assets, attempt, time.monotonic() - started, status, result))
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
            raise UnreachableError(
                f"The time for asking {self._host} is up.", hint=Hint("Raise `{timeout}`, in seconds.")
            )
        # In a thread of its own, because no timeout of httpx bounds a name look-up that hangs, or headers of which a
        # byte arrives every second.
        task = partial(send, self._http, "POST", self._url, body=body, deadline=limit, most=most)
        on_idle = partial(self._on_request, AWAITED) if self._on_request else lambda: None
        try:
            [received] = run_all([task], threads=1, deadline=limit, on_idle=on_idle)
        except TooLargeError:
            size = f"{most / (1 << 20):.0f} MiB"
            raise RequestFailure(f"{self._host} sends more than {size} in one answer", status=413) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise transport_failure(error, self._host, self.redact) from None
        if received is None:
            raise timed_out(self._host)
        return received


# Not tenacity's: its import takes 12 ms of each start, and nearly every run has nothing to repeat.
def backoff(attempts: int, retry_after: float | None) -> float:
    """Seconds until the next attempt: at random, so that many gates that failed together do not return together."""
    longest = min(FIRST_WAIT * 2 ** min(attempts - 1, 10), LONGEST_WAIT)
    wait = random.uniform(FIRST_WAIT / 2, longest)  # noqa: S311 - no secret
    if retry_after is None:
        return wait
    # A little later than asked, for the same reason.
    return max(retry_after + random.uniform(FIRST_WAIT / 2, FIRST_WAIT), wait)  # noqa: S311 - no secret
