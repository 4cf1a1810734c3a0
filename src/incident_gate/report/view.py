"""What every report computes before it renders: rows, order and one-line summaries."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import NamedTuple

from incident_gate.errors import RefusedError
from incident_gate.gate.policy import Conclusion, Decision, Excused, Verdict
from incident_gate.incident import Assertion, Incident, Reason, severity
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.links import assertion_page, incidents_page
from incident_gate.report.model import Report
from incident_gate.text import plain

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS

_WAITED_FOR = 5
CONCLUSION_WORDS = {Conclusion.BLOCK: "Blocked", Conclusion.WARN: "Passed with a warning", Conclusion.PASS: "Passed"}
_JOB_WORDS = {
    "success": "Job succeeded",
    "failure": "Job failed",
    "cancelled": "Job was cancelled",
    "skipped": "Job was skipped",
}
# What was done on each output, and the same as a count: the noun that is counted, and what was done to it.
CHANGE_WORDS = {
    Change.RAISED: "incident raised",
    Change.KEPT: "existing incident updated",
    Change.RESOLVED: "incident resolved",
    Change.LEFT: "left active",
    Change.CLEAR: "nothing to resolve",
    Change.UNTOUCHED: "untouched",
    Change.FAILED: "could not be written",
    Change.WOULD_RAISE: "would raise an incident",
    Change.WOULD_KEEP: "would update the existing incident",
    Change.WOULD_RESOLVE: "would resolve the incident",
}
_COUNTED = {
    Change.RAISED: ("incident", "raised"),
    Change.KEPT: ("existing incident", "updated"),
    Change.RESOLVED: ("incident", "resolved"),
    Change.LEFT: ("incident", "left active"),
    Change.CLEAR: ("output", "with nothing to resolve"),
    Change.UNTOUCHED: ("output", "untouched"),
    Change.FAILED: ("output", "not written"),
    Change.WOULD_RAISE: ("incident", "would be raised"),
    Change.WOULD_KEEP: ("existing incident", "would be updated"),
    Change.WOULD_RESOLVE: ("incident", "would be resolved"),
}


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


def excused(report: Report) -> Iterator[tuple[IncidentRow, Excused]]:
    """The active incidents that do not count, each with the rule that excuses it."""
    for decision in report.decisions:
        for excuse in decision.excused:
            yield IncidentRow.of(decision, excuse.item), excuse


def unknown(report: Report) -> list[Decision]:
    """The inputs of which something could not be established for a reason of their own, those that block first."""
    order = list(Conclusion)
    alike = {id(decision) for decision in unanswered(report)}
    return sorted(
        (d for d in report.decisions if (d.problems or d.verdict is Verdict.UNKNOWN) and id(d) not in alike),
        key=lambda d: -order.index(d.conclusion),
    )


def unanswered(report: Report) -> list[Decision]:
    """The inputs that block only because the requests failed: that is reported once, not for each.

    What `on-unknown: warn` lets through is not among them, because a person should see the name of all that passes
    unchecked.
    """
    if report.failure is None:
        return []
    return [
        d
        for d in report.decisions
        if d.conclusion is Conclusion.BLOCK and d.problems and all(p.reason is Reason.NO_ANSWER for p in d.problems)
    ]


def unanswered_line(report: Report) -> str:
    """How many inputs the failure leaves unknown; empty if each of them is listed by its name."""
    number = len(unanswered(report))
    return f"{count(number, 'input')} of {len(report.decisions):,} without an answer because of it." if number else ""


def healthy(report: Report) -> list[Decision]:
    """The healthy inputs."""
    return [d for d in report.decisions if d.verdict is Verdict.HEALTHY]


def headline(report: Report) -> str:
    """The run in one line."""
    if not report.gated:
        return outcome_line(report.outcome) if report.outcome else "Nothing to do"
    conclusion = report.conclusion
    overridden = report.override is not None and report.override.effective
    words = "Passed by override" if overridden else CONCLUSION_WORDS[conclusion]
    return f"{words}: {_grounds(report, conclusion)}"


def override_lines(report: Report) -> list[str]:
    """Who overrode the gate and why, and what is wrong with that; empty where nobody did."""
    override = report.override
    return [text for text in (str(override), override.warning) if text] if override else []


def waited_line(report: Report) -> str:
    """How long the gate waited and for what; empty where it did not."""
    if report.waited is None:
        return ""
    decisions = report.waited.decisions
    shown = ", ".join(f"{plain(d.entry.label, 80)} ({decision_state(d)})" for d in decisions[:_WAITED_FOR])
    more = f" and {len(decisions) - _WAITED_FOR:,} more" if len(decisions) > _WAITED_FOR else ""
    return f"Waited {duration(report.waited.seconds)} for {count(len(decisions), 'input')}: {shown}{more}."


def duration(seconds: float) -> str:
    """A duration in words: `45 s`, `12 min`, `2 h 5 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:  # noqa: PLR2004 - up to here, seconds are easier to read
        return f"{seconds:.0f} s"
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def decision_state(decision: Decision) -> str:
    """What is wrong with an input, in a few words."""
    if decision.conclusion is Conclusion.PASS:
        return "passes, not yet for long enough"
    return blocking_words(decision) or decision.verdict.value


def blocking_words(decision: Decision) -> str:
    """How many incidents and failing assertions nothing excuses; empty if there are none."""
    return counted_findings(decision.incident_count, len(decision.failing))


def counted_findings(incidents: int, assertions: int) -> str:
    """`2 active incidents`, `1 failing assertion`, `1 incident and 2 failing assertions`; empty without any."""
    failing = count(assertions, "failing assertion") if assertions else ""
    if incidents and failing:
        return f"{count(incidents, 'incident')} and {failing}"
    return count(incidents, "active incident") if incidents else failing


def outcome_line(outcome: OutcomeReport) -> str:
    """What was done on the outputs, in one line."""
    job = _JOB_WORDS.get(outcome.outcome, f"Job ended with {plain(outcome.outcome, 40)}")
    if outcome.nothing:
        return f"{job}: {plain(outcome.nothing)}"
    counts = {change: sum(result.change is change for result in outcome.results) for change in Change}
    if counts[Change.CLEAR] == len(outcome.results):
        return f"{job}: {'nothing to resolve' if outcome.results else 'no outputs to report on'}"
    counted = ((number, *_COUNTED[change]) for change, number in counts.items() if number)
    return f"{job}: {', '.join(f'{count(number, noun)} {done}' for number, noun, done in counted)}"


def decided_line(result: OutputResult) -> str:
    """What decided about an output; empty where there are no results, so that only the job's status can have."""
    if not result.reason:
        return ""
    return f"decided by {'its results' if result.by_results else 'the job status'}: {result.reason}"


def unrelated_line(outcome: OutcomeReport) -> str:
    """How many checks of the results belong to no output; empty if all do."""
    if not outcome.unrelated_checks:
        return ""
    belong = "belongs" if outcome.unrelated_checks == 1 else "belong"
    failed = f"; {outcome.unrelated_failures:,} of them failed" if outcome.unrelated_failures else ""
    return f"{count(outcome.unrelated_checks, 'check')} in the results {belong} to no output{failed}."


def age(created_ms: int | None, now_ms: int) -> str:
    """A duration in its largest unit: `12 min`, `3 h`, `2 d`; empty if unknown."""
    if created_ms is None:
        return ""
    passed = now_ms - created_ms
    for length, unit in ((_DAY_MS, "d"), (_HOUR_MS, "h"), (_MINUTE_MS, "min")):
        if passed >= length:
            return f"{passed // length} {unit}"
    return "just now"


def timestamp(ms: int | None) -> str | None:
    """A time in ISO 8601, UTC; None if there is none or the server's number is not a time."""
    if ms is None:
        return None
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None


def count(number: int, noun: str) -> str:
    """`1 input`, `2 inputs`, `1,000 inputs`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def sibling_name(urn: str) -> str:
    """A short name for an asset that is known only by its URN: `platform name`, else the URN itself; untrusted text."""
    start = "urn:li:dataset:(urn:li:dataPlatform:"
    if not (urn.startswith(start) and urn.endswith(")")):
        return urn
    platform, _, rest = urn[len(start) : -1].partition(",")
    name = rest.rpartition(",")[0]
    return f"{platform} {name}" if name else urn


def _grounds(report: Report, conclusion: Conclusion) -> str:
    total = len(report.decisions)
    if not total:
        return "the manifest names no inputs, so there is nothing to check"
    if len(unanswered(report)) == total:
        return f"DataHub could not be queried about {'the input' if total == 1 else f'any of the {total:,} inputs'}"
    deciding = [d for d in report.decisions if d.conclusion is conclusion]
    found = counted_findings(sum(d.incident_count for d in deciding), sum(len(d.failing) for d in deciding))
    affected = sum(d.blocking_count > 0 for d in deciding)
    unsure = sum(d.verdict is Verdict.UNKNOWN for d in deciding)
    ignored = " (ignored)" if conclusion is Conclusion.PASS else ""
    parts = []
    if isinstance(report.failure, RefusedError) and conclusion is Conclusion.BLOCK:
        # The exit code is 3, and not that of a gate that blocks.
        parts.append("DataHub could not be queried about all inputs")
    if found:
        parts.append(f"{found} on {affected:,} of {count(total, 'input')}{ignored}")
    if unsure:
        parts.append(f"{unsure:,} of {count(total, 'input')} unknown" if not parts else f"{unsure:,} unknown")
    if not parts:
        parts.append("the input is healthy" if total == 1 else f"all {total:,} inputs are healthy")
    waived = [excuse.item for decision in report.decisions for excuse in decision.excused]
    assertions = sum(isinstance(item, Assertion) for item in waived)
    if len(waived) > assertions:
        parts.append(f"{count(len(waived) - assertions, 'incident')} excused")
    if assertions:
        parts.append(f"{count(assertions, 'failing assertion')} excused")
    return ", ".join(parts)
