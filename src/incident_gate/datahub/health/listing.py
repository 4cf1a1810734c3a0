"""The incidents and the assertions of one asset or sibling, as they come in page by page.

Nothing is known of a list before its first page came: until then it is unread, whatever a query has asked for.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from incident_gate.datahub.queries import EARLIER_RUNS, RUNS
from incident_gate.incident import (
    Assertion,
    AssertionResult,
    Incident,
    Problem,
    Reason,
    mark_in,
    read_priority,
    severity,
)
from incident_gate.json_values import at, items, mappings, text, whole
from incident_gate.text import NO_SECRETS, Redactor, plain

_SUPPORT_HINT = "Take it out of the manifest, or check that this DataHub version tracks incidents on this asset type."
ACCESS_HINT = "Check that the token's user may view it, and that DataHub is healthy; then run again."
_ASSERTIONS_HINT = "Check that DataHub is healthy and that the token's user may view the assertions; then run again."

# Elements of each list in the first answer. Servers cut it to a size of their own.
PAGE = 100
# A search index holds at most 2,147,483,519 documents in a shard; more is no count.
MOST_COUNTED = 2**31
# Characters of text that are kept. No report shows more, and servers limit neither titles nor descriptions.
MOST_TEXT = 2_000
# Of a description, which stands in for a title.
MOST_DESCRIPTION = 500
ASPECT = "incidentsSummary"
# A hook holds 100 incidents of each state by default, in 30 kB.
_MOST_BYTES = 512 * 1024
_LONGEST = 500
_PREFIX = "urn:li:incident:"
# Incidents that the summary of one asset names beyond its list, and that are checked. A server keeps 100 of them.
MOST_CLAIMS = 100


def _count(page: object) -> int | None:
    """The total of a page; None where it counts nothing."""
    total = whole(page, "total")
    return total if total is not None and 0 <= total <= MOST_COUNTED else None


class Listing:
    """The incidents of one URN, an asset's or a sibling's; `shown` is the URN as reports show it.

    `total` is the greatest count of the server's search index, which counts apart from the list. `reached` is the
    offset up to which it was read, and `unreadable` counts elements that are no incidents. `summary_active` are
    incidents that the asset's summary names as active and the first page lacks; `summary_more` counts those that are
    not checked. Of the checked ones, `unlisted` are active, and `confirmed_resolved` are over.
    """

    # As a dataclass it would take 0.4 ms to make; so would the other two that an answer is collected in.
    def __init__(self, urn: str, kind: str = "dataset", redact: Redactor = NO_SECRETS, shown: str = "") -> None:
        self.urn = urn
        self.kind = kind
        self.redact = redact
        self.shown = shown or urn
        self.is_read = False
        self.active: dict[str, Incident] = {}
        self.resolved: dict[str, Incident] = {}
        self.total = 0
        self.reached = 0
        self.unreadable = 0
        self.problems: list[Problem] = []
        self.assertions: AssertionListing | None = None
        self.has_summary = False
        self.summary_active: dict[str, Incident] = {}
        self.summary_more = 0
        self.summary_resolved: frozenset[str] = frozenset()
        self.unlisted: dict[str, Incident] = {}
        self.confirmed_resolved: set[str] = set()

    @property
    def unconfirmed(self) -> dict[str, Incident]:
        """Incidents that the summary names as active and that no other answer has."""
        if not self.summary_active:
            return {}
        known = self.active.keys() | self.resolved.keys() | self.unlisted.keys() | self.confirmed_resolved
        return {urn: incident for urn, incident in self.summary_active.items() if urn not in known}

    @property
    def unread(self) -> int:
        """Incidents that are counted but not shown."""
        return max(self.total - len(self.active.keys() | self.resolved.keys()), self.unreadable)

    @property
    def is_incomplete(self) -> bool:
        """Whether a further page may show more."""
        return self.total > self.reached

    def add(self, page: object, *, size: int = PAGE) -> bool:
        """Add one `EntityIncidentsResult` as it came for `size` incidents; whether it brought anything new."""
        self.is_read = True
        if page is None:
            # An entity type whose field is declared but not wired returns null: that is not "none".
            self._problem(Reason.NO_INCIDENTS_FIELD, "DataHub does not say whether it has incidents", _SUPPORT_HINT)
            return False
        listed = at(page, "incidents")
        if not isinstance(listed, list):
            self._problem(Reason.MALFORMED, "DataHub's list of its incidents is not a list")
            return False
        if len(listed) > size:
            self._problem(Reason.MALFORMED, f"DataHub lists more incidents than the {size} it was asked for")
        total = _count(page)
        if total is None:
            self._problem(Reason.MALFORMED, "DataHub does not count its incidents")
        self.total = max(self.total, total or 0)
        before = len(self.active) + len(self.resolved)
        for element in listed:
            self._element(element)
        # The server may cut the page below what was asked, and the list may be shorter still where elements do not
        # load; only an empty list does not show where the next one starts.
        self.reached += len(listed) or size
        return len(self.active) + len(self.resolved) > before

    def _element(self, element: object) -> None:
        urn = text(element, "urn")
        if not isinstance(element, dict) or not urn:
            self.unreadable += 1
            return
        # Resolved ones come although active ones were asked for: the index lists them still, and the primary store,
        # from which they were loaded, knows better.
        states = self.resolved if _state(element) == "RESOLVED" else self.active
        states[urn] = read_incident(urn, self.shown, element, self.redact)

    def verify(self, urn: str, element: object) -> None:
        """Add what the primary store has of an incident that the list lacks."""
        if not isinstance(element, dict) or element.get("urn") != urn:
            return
        if _state(element) == "RESOLVED":
            self.confirmed_resolved.add(urn)
        elif _state(element) == "ACTIVE":
            self.unlisted[urn] = read_incident(urn, self.shown, element, self.redact)

    def add_summary(self, active: Mapping[str, Incident], resolved: frozenset[str], claimed: int = 0) -> None:
        """Add the incidents that the asset's summary names; the first page of the list must be there.

        `claimed` counts those of the asset's other lists that are checked.
        """
        self.has_summary = True
        most = max(0, MOST_CLAIMS - claimed)
        claims = [claim for claim in active.items() if claim[0] not in self.active and claim[0] not in self.resolved]
        self.summary_active = dict(sorted(claims, key=lambda claim: severity(claim[1]))[:most])
        self.summary_more = max(0, len(claims) - most)
        self.summary_resolved = resolved

    def renew(self, later: Listing) -> None:
        """Take in a later look at the same list and summary."""
        self.active |= later.active
        self.resolved |= later.resolved
        self.total = max(self.total, later.total)
        self.unreadable = max(self.unreadable, later.unreadable)
        # The summary has caught up. That it no longer names an incident would prove nothing: it drops the oldest.
        self.confirmed_resolved |= later.summary_resolved - later.summary_active.keys()
        if not self.summary_more:
            self.summary_active |= later.summary_active
            self.summary_more = later.summary_more

    def _problem(self, reason: Reason, message: str, hint: str = ACCESS_HINT) -> None:
        self.problems.append(Problem(reason, message, hint))


def _status(element: dict[str, Any]) -> dict[str, Any]:
    found = (element.get(name) for name in ("status", "incidentStatus"))
    return next((status for status in found if isinstance(status, dict)), {})


def _state(element: dict[str, Any]) -> object:
    return _status(element).get("state")


def read_incident(urn: str, asset: str, element: dict[str, Any], redact: Redactor) -> Incident:
    """Read an incident's fields; any of them may be missing."""
    description, status = element.get("description"), _status(element)
    title = _shown(element.get("title"), redact)
    return Incident(
        urn=_shown(urn, redact) or "",
        asset=asset,
        type=_shown(element.get("incidentType"), redact),
        custom_type=_shown(element.get("customType"), redact),
        title=title,
        # It stands in for a title that is missing or of invisible characters.
        description=None if title and plain(title) else _shown(description, redact, MOST_DESCRIPTION),
        mark=mark_in(description) if isinstance(description, str) else None,
        priority=read_priority(element.get("priority")),
        created_ms=whole(element, "created", "time"),
        stage=_shown(status.get("stage"), redact),
        message=_shown(status.get("message"), redact),
    )


def _shown(value: object, redact: Redactor, most: int = MOST_TEXT) -> str | None:
    # Secrets first: a part of one would not be found.
    return redact(value)[:most] if isinstance(value, str) and value else None


# Which of two results counts where an assertion is listed twice: the later in this order.
_DOUBT = (
    AssertionResult.SUCCESS,
    AssertionResult.NEVER,
    AssertionResult.INIT,
    AssertionResult.UNREADABLE,
    AssertionResult.ERROR,
    AssertionResult.FAILURE,
)


def worse(one: Assertion, other: Assertion) -> Assertion:
    """The one of two listings of an assertion that counts: the worse result, of two equal ones the older."""
    return max(one, other, key=lambda found: (_DOUBT.index(found.result), -(found.run_ms or 0)))


class AssertionListing:
    """The assertions of one dataset; soft-deleted ones are counted and left out.

    `cut_off` are those of which only a part of the runs was read, and no result was among them.
    """

    def __init__(self, asset: str, redact: Redactor = NO_SECRETS) -> None:
        self.asset = asset
        self.redact = redact
        self.found: dict[str, Assertion] = {}
        self.removed: set[str] = set()
        self.cut_off: set[str] = set()
        self.total = 0
        self.reached = 0
        self.unreadable = 0
        self.problem: Problem | None = None

    @property
    def is_incomplete(self) -> bool:
        """Whether a further page may show more."""
        return self.total > self.reached

    @property
    def problems(self) -> tuple[Problem, ...]:
        """Why the list is not complete."""
        listed = len(self.found.keys() | self.removed)
        unread = max(self.total - listed, self.unreadable)
        if self.problem is None and unread:
            self.fail(f"DataHub counts {unread:,} more of its assertions than it shows")
        elif self.problem is None and listed > self.total:
            self.fail(f"DataHub shows {listed:,} of its assertions and counts {self.total:,}")
        return (self.problem,) if self.problem else ()

    def fail(self, message: str) -> None:
        """Note why the list cannot be read."""
        self.problem = Problem(Reason.ASSERTIONS, message, _ASSERTIONS_HINT)

    def add(self, page: object, *, size: int = PAGE) -> bool:
        """Add one `EntityAssertionsResult`; whether it brought anything new."""
        listed, total = at(page, "assertions"), _count(page)
        if not isinstance(listed, list) or total is None or len(listed) > size:
            self.fail("DataHub does not list its assertions")
            return False
        self.total = max(self.total, total)
        before = len(self.found) + len(self.removed)
        for element in listed:
            self._element(element)
        # The list lacks what the store does not load, and the server may cut a page: `count` is how far it goes.
        counted = whole(page, "count") or 0
        self.reached += counted if counted and len(listed) <= counted <= size else len(listed) or size
        return len(self.found) + len(self.removed) > before

    def _element(self, element: object) -> None:
        urn = text(element, "urn")
        if not urn:
            self.unreadable += 1
            return
        if at(element, "status", "removed") is True:
            self.removed.add(urn)
            return
        found = Assertion(
            urn=_shown(urn, self.redact) or "",
            asset=self.asset,
            type=_shown(at(element, "info", "type"), self.redact),
            description=_shown(at(element, "info", "description"), self.redact),
            url=_shown(at(element, "info", "externalUrl"), self.redact),
        )
        self._take(urn, found, at(element, "runEvents"), RUNS)

    def _take(self, urn: str, assertion: Assertion, events: object, most: int) -> None:
        """Take in an assertion with its latest result; `UNREADABLE` where that is not to be known."""
        runs = at(events, "runEvents")
        if not isinstance(runs, list):
            assertion = assertion._replace(result=AssertionResult.UNREADABLE)
        elif results := [run for run in runs if _result(run) is not AssertionResult.INIT]:
            latest = _latest(results)
            time = whole(latest, "timestampMillis")
            assertion = assertion._replace(result=_result(latest), run_ms=time, since_ms=time)
        elif len(runs) >= most or (urn in self.cut_off and not runs) or (whole(events, "total") or 0) > len(runs):
            # INIT is no result, and there may be one before what was read.
            assertion = assertion._replace(result=AssertionResult.UNREADABLE)
            self.cut_off.add(urn)
        self.found[urn] = worse(self.found[urn], assertion) if urn in self.found else assertion

    def add_runs(self, urn: str, events: object) -> None:
        """Add more runs of an assertion: since when it fails, or its result where that was cut off."""
        known = self.found[urn]
        if urn in self.cut_off and known.result is AssertionResult.UNREADABLE:
            del self.found[urn]
            self._take(urn, known._replace(result=AssertionResult.NEVER), events, EARLIER_RUNS)
            return
        since = known.since_ms
        for run in items(events, "runEvents"):
            result = _result(run)
            if result is AssertionResult.INIT:
                continue
            if result is not AssertionResult.FAILURE:
                break
            since = whole(run, "timestampMillis") or since
        self.found[urn] = known._replace(since_ms=since)


# All but words of ours, which no server sends.
_RESULTS = {
    each.value: each for each in AssertionResult if each not in {AssertionResult.UNREADABLE, AssertionResult.NEVER}
}


def _result(run: object) -> AssertionResult:
    """The result of a run; what has no name counts as unreadable."""
    return _RESULTS.get(text(run, "result", "type"), AssertionResult.UNREADABLE)


def _latest(runs: list[Any]) -> object:
    """The run that counts: servers list the latest first; where the times name another, the worse of both."""
    times = [whole(run, "timestampMillis") or 0 for run in runs]
    newest = [run for run, time in zip(runs, times, strict=True) if time == max(times)]
    return max(runs[0], *newest, key=lambda run: _DOUBT.index(_result(run)))


# The summary of an asset


def read_summary(aspects: object, asset: str, redact: Redactor) -> tuple[dict[str, Incident], frozenset[str]]:
    """The incidents that an asset's aspect `incidentsSummary` names as active, and the URNs that it names as resolved.

    None of either where it cannot be read.
    """
    summary = _payload(aspects)
    active = {
        urn: Incident(
            urn=redact(urn),
            asset=asset,
            type=redact(text(details, "type"))[:_LONGEST] or None,
            priority=read_priority(details.get("priority")),
            created_ms=whole(details, "createdAt"),
        )
        for urn, details in _named(summary, "active")
    }
    return active, frozenset(urn for urn, _ in _named(summary, "resolved"))


def _payload(aspects: object) -> Mapping[str, Any]:
    for aspect in items(aspects):
        payload = text(aspect, "payload") if text(aspect, "aspectName") == ASPECT else ""
        if payload and len(payload) <= _MOST_BYTES:
            try:
                value = json.loads(payload)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                return value
    return {}


def _named(summary: Mapping[str, Any], state: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    # The older form has plain URNs; where both are there, the details come last and win.
    entries: list[dict[str, Any]] = [{"urn": urn} for urn in items(summary, f"{state}Incidents")]
    for entry in (*entries, *mappings(summary, f"{state}IncidentDetails")):
        urn = text(entry, "urn")
        if urn.startswith(_PREFIX) and len(urn) <= _LONGEST:
            yield urn, entry
