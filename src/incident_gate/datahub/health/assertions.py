"""Reading the assertions of a dataset with their latest results out of an answer of any shape."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from incident_gate.incident import Assertion, AssertionResult, Problem, Reason
from incident_gate.text import NO_SECRETS, Redactor

MOST_TEXT = 2_000
_MOST_COUNTED = 2**31
_HINT = "Check that DataHub is healthy and that the token's user may view the assertions; then run again."


class AssertionListing:
    """The assertions of one dataset as they come in, page by page; soft-deleted ones are counted and left out."""

    def __init__(self, asset: str, redact: Redactor = NO_SECRETS) -> None:
        self.asset = asset
        self.redact = redact
        self.found: dict[str, Assertion] = {}
        self.removed: set[str] = set()
        self.total = 0
        self.reached = 0
        self.unreadable = 0
        self.problem: Problem | None = None

    @property
    def incomplete(self) -> bool:
        """Whether a further page may show more."""
        return self.total > self.reached

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why the list is not complete."""
        unread = max(self.total - len(self.found) - len(self.removed), self.unreadable)
        if self.problem or not unread:
            return (self.problem,) if self.problem else ()
        message = f"DataHub counts {unread:,} more of its assertions than it shows"
        return (Problem(Reason.ASSERTIONS, message, _HINT),)

    def fail(self, message: str) -> None:
        """Note why the list cannot be read."""
        self.problem = Problem(Reason.ASSERTIONS, message, _HINT)

    def add(self, page: object, *, size: int) -> bool:
        """Add one `EntityAssertionsResult`; whether it brought anything new."""
        listed = page.get("assertions") if isinstance(page, dict) else None
        total = page.get("total") if isinstance(page, dict) else None
        valid = isinstance(total, int) and not isinstance(total, bool) and 0 <= total <= _MOST_COUNTED
        if not isinstance(listed, list) or not isinstance(total, int) or not valid or len(listed) > size:
            self.fail("DataHub does not list its assertions")
            return False
        self.total = max(self.total, total)
        before = len(self.found) + len(self.removed)
        for element in listed:
            self._element(element)
        # The list lacks what the store does not load, and the server may cut a page: `count` is how far it goes.
        counted = page.get("count") if isinstance(page, dict) else None
        valid = isinstance(counted, int) and not isinstance(counted, bool) and len(listed) <= counted <= size
        self.reached += counted if isinstance(counted, int) and valid and counted else len(listed) or size
        return len(self.found) + len(self.removed) > before

    def _element(self, element: object) -> None:
        urn = element.get("urn") if isinstance(element, dict) else None
        if not isinstance(element, dict) or not isinstance(urn, str) or not urn:
            self.unreadable += 1
            return
        status = element.get("status")
        if isinstance(status, dict) and status.get("removed") is True:
            self.removed.add(urn)
            return
        info = element.get("info")
        info = info if isinstance(info, dict) else {}
        self.found[urn] = _with_result(
            Assertion(
                urn=self.redact(urn)[:MOST_TEXT],
                asset=self.asset,
                type=self._text(info.get("type")),
                description=self._text(info.get("description")),
                url=self._text(info.get("externalUrl")),
            ),
            element.get("runEvents"),
        )

    def _text(self, value: object) -> str | None:
        return self.redact(value)[:MOST_TEXT] if isinstance(value, str) and value else None


def _with_result(assertion: Assertion, events: object) -> Assertion:
    """The assertion with its latest result; `UNREADABLE` where that is not to be known."""
    runs = events.get("runEvents") if isinstance(events, dict) else None
    if not isinstance(runs, list):
        return assertion._replace(result=AssertionResult.UNREADABLE)
    for run in runs:
        result, time = _result(run), _time(run)
        if result is not AssertionResult.INIT:
            return assertion._replace(result=result, run_ms=time, since_ms=time)
    return assertion


def failing_since(assertion: Assertion, events: object) -> Assertion:
    """The assertion with the time since when it fails: that of the first failure after any other result."""
    runs = events.get("runEvents") if isinstance(events, dict) else None
    since = assertion.since_ms
    for run in runs if isinstance(runs, list) else ():
        result = _result(run)
        if result is AssertionResult.INIT:
            continue
        if result is not AssertionResult.FAILURE:
            break
        since = _time(run) or since
    return assertion._replace(since_ms=since)


def _result(run: object) -> AssertionResult:
    result = run.get("result") if isinstance(run, dict) else None
    kind = result.get("type") if isinstance(result, dict) else None
    if isinstance(kind, str) and kind in AssertionResult.__members__:
        return AssertionResult[kind]
    return AssertionResult.UNREADABLE


def _time(run: Mapping[str, Any]) -> int | None:
    time = run.get("timestampMillis") if isinstance(run, dict) else None
    return time if isinstance(time, int) and not isinstance(time, bool) else None
