"""Why one request brought no usable answer, classified by what may be done about it.

Failure
├── TransientFailure   the next attempt may succeed
└── RequestFailure     this request is refused; another one (smaller, simpler) may be answered

What ends all requests is a `DataHubError` of `incident_gate.errors`.
"""

from __future__ import annotations

from enum import Enum, auto
from typing import Any, NamedTuple

from incident_gate.errors import DataHubError, UnreachableError

# DataHub's BAD_REQUEST, UNAUTHORIZED, NOT_FOUND and CONFLICT, and the same codes of proxies in front of it.
_REFUSALS = {400, 401, 403, 404, 409}
_NOT_ALLOWED = {401, 403}


class Failure(Exception):  # noqa: N818 - it is caught by name in this folder and never reaches a user
    """A request without a usable answer; the message is a sentence's beginning without the full stop.

    `may_have_executed`: a write may have been carried out all the same.
    """

    def __init__(self, message: str, *, may_have_executed: bool) -> None:
        super().__init__(message)
        self.message = message
        self.may_have_executed = may_have_executed


class TransientFailure(Failure):
    """Worth another attempt.

    `retry_after`: seconds that the server asked to wait. `patience`: seconds after the first failure for which another
    attempt makes sense; None for the whole deadline. `slow`: the server ran out of time, so that asking for less may
    help more than asking again. `ends_as`: what to raise after the last attempt; `answer`: what to take instead, if a
    part of it is there. `is_silent`: the server closed the connection before it answered.
    """

    def __init__(  # noqa: PLR0913 - all but the first are named
        self,
        message: str,
        *,
        may_have_executed: bool,
        retry_after: float | None = None,
        patience: float | None = None,
        slow: bool = False,
        ends_as: type[DataHubError] = UnreachableError,
        answer: Answer | None = None,
        hint: str = "",
        is_silent: bool = False,
    ) -> None:
        super().__init__(message, may_have_executed=may_have_executed)
        self.is_silent = is_silent
        self.retry_after = retry_after
        self.patience = patience
        self.slow = slow
        self.ends_as = ends_as
        self.answer = answer
        self.hint = hint


class GraphqlError(NamedTuple):
    """One element of `errors`; `code` is DataHub's own (`extensions.code`), None where the server gave none."""

    message: str
    path: tuple[str | int, ...] = ()
    code: int | None = None
    classification: str = ""

    def __str__(self) -> str:
        return self.message if self.code is None else f"{self.message} (code {self.code})"

    @property
    def is_refusal(self) -> bool:
        """Whether it refuses what the token may not do."""
        return self.code in _NOT_ALLOWED or (self.code is None and "unauthorized" in self.message.lower())


class Rejection(Enum):
    """Whether the server refused a document before it executed anything of it."""

    NONE = auto()
    INVALID = auto()  # its schema lacks something of it
    COSTLY = auto()  # too complex or too deep


class RequestFailure(Failure):
    """Refused as it is; `rejection`: whether it is the document that the server refused."""

    def __init__(
        self,
        message: str,
        *,
        errors: tuple[GraphqlError, ...] = (),
        rejection: Rejection = Rejection.NONE,
        status: int = 200,
    ) -> None:
        codes = {error.code for error in errors}
        # These are answered before anything is written; everything else leaves it open.
        unexecuted = rejection is not Rejection.NONE or status in {400, 413}
        refused = unexecuted or (bool(codes) and codes <= _REFUSALS)
        super().__init__(message, may_have_executed=not refused)
        self.errors = errors
        self.rejection = rejection
        self.status = status

    @property
    def codes(self) -> frozenset[int | None]:
        """DataHub's error codes in the answer."""
        return frozenset(error.code for error in self.errors)

    @property
    def is_refusal(self) -> bool:
        """Whether repeating it cannot help: the token may not, or what answers is not GraphQL."""
        if self.errors:
            return all(error.is_refusal for error in self.errors)
        return self.status in {400, 422}


class Answer(NamedTuple):
    """A GraphQL answer with data; partial if there are `errors`, which name what is missing."""

    data: dict[str, Any]
    errors: tuple[GraphqlError, ...] = ()
