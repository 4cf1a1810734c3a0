"""The incidents of one asset or sibling, page by page, and what its summary names besides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from incident_gate.datahub.health.assertions import AssertionListing
from incident_gate.datahub.health.witness import read_summary
from incident_gate.incident import Incident, Problem, Reason, mark_in, read_priority
from incident_gate.text import NO_SECRETS, Redactor

_SUPPORT_HINT = "Take it out of the manifest, or check that this DataHub version tracks incidents on this asset type."
ACCESS_HINT = "Check that the token's user may view it, and that DataHub is healthy; then run again."

# A search index holds at most 2,147,483,519 documents in a shard; more is no count.
MOST_COUNTED = 2**31
# Characters of text that are kept. No report shows more, and servers limit neither titles nor descriptions.
MOST_TEXT = 2_000
# Of a description, which stands in for a title that is missing: a large gate keeps a hundred thousand of them.
MOST_DESCRIPTION = 500


class Listing:
    """The incidents of one URN as they come in, page by page.

    Attributes:
        urn: The asset or sibling.
        redact: Applied to every text.
        shown: The URN of a sibling as reports show it; an asset's own is not the server's text.
        active: Incidents by URN.
        resolved: Those that are over.
        total: The greatest count of the server's search index, which is counted apart from the list: the list lacks
            what the primary store does not load.
        reached: The offset up to which the list was read.
        unreadable: Elements of the list that are no incidents.
        problems: Why the list is not complete.
        assertions: Those of the asset; None unless they are read.
        claimed: Incidents that the asset's summary names as active.
        unlisted: Those of them that are active, although the list lacks them.
        over: URNs of those that are over.
        settled: URNs that the summary names as resolved.
    """

    # As a dataclass it would take 0.4 ms to make; so would the other two that an answer is collected in.
    def __init__(self, urn: str, redact: Redactor = NO_SECRETS, shown: str = "") -> None:
        self.urn = urn
        self.redact = redact
        self.shown = shown
        self.active: dict[str, Incident] = {}
        self.resolved: dict[str, Incident] = {}
        self.total = 0
        self.reached = 0
        self.unreadable = 0
        self.problems: list[Problem] = []
        self.assertions: AssertionListing | None = None
        self.claimed: dict[str, Incident] = {}
        self.unlisted: dict[str, Incident] = {}
        self.over: set[str] = set()
        self.settled: frozenset[str] = frozenset()

    @property
    def asset(self) -> str:
        """Its URN as reports show it."""
        return self.shown or self.urn

    @property
    def doubtful(self) -> dict[str, Incident]:
        """Incidents that the summary names as active and that no other answer has."""
        known = self.active.keys() | self.resolved.keys() | self.unlisted.keys() | self.over
        return {urn: incident for urn, incident in self.claimed.items() if urn not in known}

    @property
    def unread(self) -> int:
        """Incidents that are counted but not shown."""
        return max(self.total - len(self.active.keys() | self.resolved.keys()), self.unreadable)

    @property
    def incomplete(self) -> bool:
        """Whether a further page may show more."""
        return self.total > self.reached

    def add(self, page: object, *, size: int) -> bool:
        """Add one `EntityIncidentsResult`.

        Args:
            page: As it came.
            size: How many incidents were asked for.

        Returns:
            Whether it brought anything new.
        """
        if page is None:
            # An entity type whose field is declared but not wired returns null: that is not "none".
            self._problem(Reason.NO_INCIDENTS_FIELD, "DataHub does not say whether it has incidents", _SUPPORT_HINT)
            return False
        listed = page.get("incidents") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(listed, list):
            self._problem(Reason.MALFORMED, "DataHub's list of its incidents is not a list", ACCESS_HINT)
            return False
        if len(listed) > size:
            self._problem(Reason.MALFORMED, f"DataHub lists more incidents than the {size} it was asked for")
        total = page.get("total")
        if isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= MOST_COUNTED:
            self._problem(Reason.MALFORMED, "DataHub does not count its incidents", ACCESS_HINT)
            total = 0
        self.total = max(self.total, total)
        before = len(self.active) + len(self.resolved)
        for element in listed:
            self._element(element)
        # The server may cut the page below what was asked, and the list may be shorter still where elements do not
        # load; only an empty list does not show where the next one starts.
        self.reached += len(listed) or size
        return len(self.active) + len(self.resolved) > before

    def _element(self, element: object) -> None:
        urn = element.get("urn") if isinstance(element, dict) else None
        if not isinstance(element, dict) or not isinstance(urn, str) or not urn:
            self.unreadable += 1
            return
        # Resolved ones come although active ones were asked for: the index lists them still, and the primary store,
        # from which they were loaded, knows better.
        states = self.resolved if _state(element) == "RESOLVED" else self.active
        states[urn] = read_incident(urn, self.asset, element, self.redact)

    def verify(self, urn: str, element: object) -> None:
        """Add what the primary store has of an incident that the list lacks."""
        state = _state(element) if isinstance(element, dict) else None
        if state == "RESOLVED":
            self.over.add(urn)
        elif state == "ACTIVE" and isinstance(element, dict):
            self.unlisted[urn] = read_incident(urn, self.asset, element, self.redact)

    def note_summary(self, value: Mapping[str, Any]) -> None:
        """Note which incidents the summary of an asset names as active."""
        self.claimed, self.settled = read_summary(value.get("aspects"), self.asset, self.redact)

    def add_assertions(self, value: Mapping[str, Any], *, size: int) -> None:
        """Add the first page of the asset's assertions."""
        self.assertions = AssertionListing(self.asset, self.redact)
        if value.get("assertions") is None:
            self.assertions.fail("DataHub does not list its assertions")
        else:
            self.assertions.add(value["assertions"], size=size)

    def renew(self, later: Listing) -> None:
        """Take in a later look at the same list and summary."""
        self.active |= later.active
        self.resolved |= later.resolved
        # The summary has caught up. That it no longer names an incident would prove nothing: it drops the oldest.
        self.over |= later.settled - later.claimed.keys()
        self.claimed |= later.claimed

    def _problem(self, reason: Reason, message: str, hint: str = ACCESS_HINT) -> None:
        self.problems.append(Problem(reason, message, hint))


def _status(element: dict[str, object]) -> dict[str, object]:
    for name in ("status", "incidentStatus"):
        status = element.get(name)
        if isinstance(status, dict):
            return status
    return {}


def _state(element: dict[str, object]) -> object:
    return _status(element).get("state")


def read_incident(urn: str, asset: str, element: dict[str, object], redact: Redactor) -> Incident:
    """Read an incident's fields; any of them may be missing."""

    def text(value: object, most: int = MOST_TEXT) -> str | None:
        # Secrets first: a part of one would not be found.
        return redact(value)[:most] if isinstance(value, str) and value else None

    created = element.get("created")
    time = created.get("time") if isinstance(created, dict) else None
    description, status = element.get("description"), _status(element)
    return Incident(
        urn=text(urn) or "",
        asset=asset,
        type=text(element.get("incidentType")),
        custom_type=text(element.get("customType")),
        title=text(element.get("title")),
        description=text(description, MOST_DESCRIPTION),
        mark=mark_in(description) if isinstance(description, str) else None,
        priority=read_priority(element.get("priority")),
        created_ms=time if isinstance(time, int) and not isinstance(time, bool) else None,
        stage=text(status.get("stage")),
        message=text(status.get("message")),
    )
