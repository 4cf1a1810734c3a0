"""Sending one message to a service: bounded in time and size, and silent about its secrets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

import httpx
from tenacity import RetryCallState, Retrying, retry_if_exception_type, wait_random_exponential

from incident_gate.datahub.parallel import Deadline

SECONDS = 20.0
"""For one service in one stage, its retries included."""

MAX_ANSWER_BYTES = 16 * 1024 * 1024  # a page of 100 comments of the greatest length is below 7 MB
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 5.0
_BUSY = {429, 502, 503, 504}
_FORBIDDEN, _TOO_MANY, _ERRORS = 403, 429, 400


class DeliveryError(Exception):
    """A service did not take a message.

    The text is our own and holds nothing of what was sent: a URL can be the secret. What `is_expected` is usual in
    some runs, so that it deserves a notice and no warning.
    """

    def __init__(self, message: str, hint: str = "", *, is_expected: bool = False) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.is_expected = is_expected


class ServiceAnswer(NamedTuple):
    """A service's answer, read to its end; all of it is untrusted."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> object:
        """The body as JSON; None if it is none."""
        try:
            value: object = json.loads(self.body)
        except (ValueError, RecursionError):
            return None
        return value

    @property
    def failed(self) -> bool:
        """Whether the status is an error or a redirect, which is never followed."""
        return not 200 <= self.status < 300  # noqa: PLR2004 - the class of successes


class _Busy(Exception):  # noqa: N818 - never leaves this module
    """The service asked for a pause, or a connection failed before anything was sent."""

    def __init__(self, error: DeliveryError | ServiceAnswer, retry_after: float | None = None) -> None:
        super().__init__("busy")
        self.error = error
        self.retry_after = retry_after


@dataclass(frozen=True, slots=True, kw_only=True)
class Service:
    """One service that messages are sent to until the deadline; its client carries no secret of another service."""

    name: str
    client: httpx.Client = field(repr=False)
    deadline: Deadline
    sleep: Callable[[float], None] = time.sleep

    def send(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        repeatable: bool = False,
    ) -> ServiceAnswer:
        """Send one request, again where the service asks for a pause, and return the answer, whatever its status.

        Where the same request twice does no harm, it is `repeatable`: a lost answer is followed by another try.
        """
        backoff = wait_random_exponential(multiplier=_FIRST_WAIT, max=_LONGEST_WAIT, min=_FIRST_WAIT)

        def wait(state: RetryCallState) -> float:
            failure = state.outcome.exception() if state.outcome else None
            asked = failure.retry_after if isinstance(failure, _Busy) else None
            return max(backoff(state), asked or 0.0)

        retrying = Retrying(
            retry=retry_if_exception_type(_Busy),
            # No wait begins that would end after the deadline.
            stop=lambda state: state.upcoming_sleep >= self.deadline.remaining,
            wait=wait,
            sleep=self.sleep,
            reraise=True,
        )
        try:
            return retrying(lambda: self._attempt(method, url, headers or {}, body, repeatable=repeatable))
        except _Busy as busy:
            if isinstance(busy.error, ServiceAnswer):
                return busy.error
            raise busy.error from None

    def _attempt(
        self, method: str, url: str, headers: Mapping[str, str], body: bytes | None, *, repeatable: bool
    ) -> ServiceAnswer:
        if self.deadline.passed:
            raise DeliveryError(f"{self.name} did not answer within {SECONDS:.0f} seconds")
        timeout = httpx.Timeout(self.deadline.remaining)
        try:
            with self.client.stream(method, url, headers=headers, content=body, timeout=timeout) as response:
                content = bytearray()
                for chunk in response.iter_raw():
                    content += chunk
                    if len(content) > MAX_ANSWER_BYTES:
                        raise DeliveryError(f"{self.name} sent more than {MAX_ANSWER_BYTES >> 20} MiB")
                answer = ServiceAnswer(response.status_code, response.headers, bytes(content))
        except (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout) as error:
            # Nothing was sent. The reason is a class: the text can quote the address.
            raise _Busy(self._unreachable(error)) from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            failure = self._unreachable(error)
            raise (_Busy(failure) if repeatable else failure) from None
        retry_after = _seconds(answer.headers.get("retry-after", ""))
        limited = answer.status == _TOO_MANY or (answer.status == _FORBIDDEN and retry_after is not None)
        if limited or (repeatable and answer.status in _BUSY):
            raise _Busy(answer, retry_after)
        return answer

    def _unreachable(self, error: Exception) -> DeliveryError:
        return DeliveryError(
            f"{self.name} could not be reached ({type(error).__name__})",
            "Check the address, and the proxy and firewall of this runner.",
        )


def _seconds(text: str) -> float | None:
    return float(text) if text.isascii() and text.isdecimal() and len(text) <= len("999999") else None
