"""Sending one message to a service: bounded in time and size, and silent about its secrets."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import httpx

from incident_gate.datahub.client import backoff
from incident_gate.datahub.parallel import Deadline
from incident_gate.datahub.response import Received, retry_after
from incident_gate.datahub.transport import TooLargeError, send

SECONDS = 20.0
"""For one service in one stage, its retries included."""

MAX_ANSWER_BYTES = 16 * 1024 * 1024  # a page of 100 comments of the greatest length is below 7 MB
_BUSY = {502, 503, 504}
_FORBIDDEN, _TOO_MANY = 403, 429
_NOT_SENT = (httpx.ConnectError, httpx.ConnectTimeout, httpx.PoolTimeout)


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


class ServiceAnswer(Received):
    """A service's answer, read to its end; all of it is untrusted."""

    __slots__ = ()

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

    def asks_to_wait(self, *, repeatable: bool) -> bool:
        """Whether the same request may be accepted later."""
        if self.status == _FORBIDDEN:
            return retry_after(self.headers) is not None
        return self.status == _TOO_MANY or (repeatable and self.status in _BUSY)


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
        attempts = 0
        while True:
            attempts += 1
            outcome = self._attempt(method, url, headers, body)
            if isinstance(outcome, ServiceAnswer):
                is_last, pause = not outcome.asks_to_wait(repeatable=repeatable), retry_after(outcome.headers)
            else:
                is_last, pause = not repeatable and not isinstance(outcome, _NOT_SENT), None
            wait = backoff(attempts, pause)
            # No wait begins that would end after the deadline.
            if is_last or wait >= self.deadline.remaining:
                break
            self.sleep(wait)
        if isinstance(outcome, ServiceAnswer):
            return outcome
        # The reason is a class: the text can quote the address.
        raise DeliveryError(
            f"{self.name} could not be reached ({type(outcome).__name__})",
            "Check the address, and the proxy and firewall of this runner.",
        )

    def _attempt(
        self, method: str, url: str, headers: Mapping[str, str] | None, body: bytes | None
    ) -> ServiceAnswer | Exception:
        if self.deadline.passed:
            raise DeliveryError(f"{self.name} did not answer within {SECONDS:.0f} seconds")
        try:
            return ServiceAnswer(
                *send(
                    self.client, method, url, body=body, deadline=self.deadline, most=MAX_ANSWER_BYTES, headers=headers
                )
            )
        except TooLargeError:
            raise DeliveryError(f"{self.name} sent more than {MAX_ANSWER_BYTES >> 20} MiB") from None
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            return error
