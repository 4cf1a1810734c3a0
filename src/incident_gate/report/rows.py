"""Incidents and failing assertions as rows, the most severe first."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from incident_gate.gate.policy import Conclusion, Decision
from incident_gate.incident import Assertion, Incident, severity
from incident_gate.report.amounts import age, count
from incident_gate.report.links import assertion_page, incidents_page
from incident_gate.report.model import Report
from incident_gate.text import plain


class IncidentRow(NamedTuple):
    """One incident or failing assertion of one input, or the `unread` incidents that DataHub does not list."""

    decision: Decision
    incident: Incident | None
    unread: int = 0
    assertion: Assertion | None = None

    @classmethod
    def of(cls, decision: Decision, item: Incident | Assertion) -> IncidentRow:
        """The row of an incident or an assertion."""
        if isinstance(item, Assertion):
            return cls(decision, None, assertion=item)
        return cls(decision, item)

    @property
    def rank(self) -> tuple[int, int]:
        """Sorts the most severe first; incidents that cannot be read come last."""
        if self.assertion:
            return (2**30, self.assertion.since_ms or 0)
        return (2**31, 0) if self.incident is None else severity(self.incident)

    @property
    def asset(self) -> str:
        """The URN of the asset that the incident is on: the entry's or a sibling's."""
        item = self.incident or self.assertion
        return item.asset if item else self.decision.entry.urn.text

    @property
    def asset_name(self) -> str:
        """The entry's name; untrusted text."""
        return self.decision.entry.label

    @property
    def sibling(self) -> str:
        """The name of the sibling that the incident is on, empty if it is on the asset itself; untrusted text."""
        return "" if self.asset == self.decision.entry.urn.text else sibling_name(self.asset)

    @property
    def title(self) -> str:
        """The incident's title, else its description; untrusted text."""
        if self.assertion:
            return self.assertion.description or self.assertion.urn
        if self.incident is None:
            return f"{count(self.unread, 'active incident')} that DataHub counts but does not show"
        texts = (self.incident.title, self.incident.description)
        return next((text for text in texts if text and plain(text)), "(no title)")

    @property
    def type(self) -> str:
        """The incident's type, a custom one by its own name; untrusted text."""
        if self.assertion:
            return "failing assertion"
        if self.incident is None:
            return ""
        custom = self.incident.custom_type if self.incident.type in (None, "CUSTOM") else None
        return custom or self.incident.type or ""

    @property
    def priority(self) -> str:
        """The priority's name; empty where there is none."""
        return "" if self.incident is None or self.incident.priority is None else self.incident.priority.name

    @property
    def stage(self) -> str:
        """How far the work on it is, in words; empty where the server has no stages."""
        return (self.incident.stage or "").replace("_", " ").lower() if self.incident else ""

    @property
    def assignees(self) -> str:
        """The names of the people it is assigned to; untrusted text."""
        return ", ".join(self.incident.assignees) if self.incident else ""

    def age(self, now_ms: int) -> str:
        """How long it has been active, or has been failing."""
        if self.assertion:
            return age(self.assertion.since_ms, now_ms)
        return "" if self.incident is None else age(self.incident.created_ms, now_ms)

    def facts(self, now_ms: int) -> list[str]:
        """What is known of it besides its title, each on one line."""
        assigned = f"assigned to {self.assignees}" if self.assignees else ""
        run = age(self.assertion.run_ms, now_ms) if self.assertion else ""
        last_run = f"last run {run}{'' if run == 'just now' else ' ago'}" if run else ""
        facts = (self.priority, self.type, self.age(now_ms), last_run, self.stage, assigned)
        return [plain(fact, 120) for fact in facts if fact]


def page_of(ui_url: str | None, row: IncidentRow) -> str | None:
    """The page that shows an incident or an assertion."""
    if row.assertion:
        return assertion_page(ui_url, row.asset, row.assertion.urn)
    return incidents_page(ui_url, row.asset)


def rows_of(decision: Decision) -> list[IncidentRow]:
    """One input's incidents that nothing excuses, most severe first."""
    if not decision.blocking_count:
        return []  # most inputs of a large gate, in each of its reports
    rows = [IncidentRow(decision, incident) for incident in decision.blocking]
    rows += [IncidentRow.of(decision, assertion) for assertion in decision.failing]
    if decision.unread:
        rows.append(IncidentRow(decision, None, decision.unread))
    return rows


def rows_with(report: Report, conclusion: Conclusion) -> list[IncidentRow]:
    """The incidents of all inputs with this conclusion, most severe first."""
    chosen = (row for d in report.decisions if d.conclusion is conclusion for row in rows_of(d))
    return sorted(chosen, key=lambda row: row.rank)


def worst_first(decisions: Iterable[Decision]) -> list[Decision]:
    """Inputs in the order of their most severe incident, those without one last."""
    last = (2**31 + 1, 0)
    return sorted(decisions, key=lambda decision: next((row.rank for row in rows_of(decision)), last))


def sibling_name(urn: str) -> str:
    """A short name for an asset that is known only by its URN: `platform name`, else the URN itself; untrusted text."""
    start = "urn:li:dataset:(urn:li:dataPlatform:"
    if not (urn.startswith(start) and urn.endswith(")")):
        return urn
    platform, _, rest = urn[len(start) : -1].partition(",")
    name = rest.rpartition(",")[0]
    return f"{platform} {name}" if name else urn
