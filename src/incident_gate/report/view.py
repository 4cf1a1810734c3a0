"""What every report computes before it renders: the inputs of each section, and one-line summaries."""

from __future__ import annotations

from collections.abc import Iterator

from incident_gate.errors import RefusedError
from incident_gate.gate.policy import Conclusion, Decision, Excused, Verdict
from incident_gate.incident import Assertion, Reason
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.amounts import count, duration
from incident_gate.report.model import Report
from incident_gate.report.rows import IncidentRow
from incident_gate.text import plain

_WAITED_FOR = 5
_NAMED = 5
CONCLUSION_WORDS = {Conclusion.BLOCK: "Blocked", Conclusion.WARN: "Passed with a warning", Conclusion.PASS: "Passed"}
_JOB_WORDS = {
    "success": "Job succeeded",
    "failure": "Job failed",
    "cancelled": "Job was cancelled",
    "skipped": "Job was skipped",
    "": "Job ended with an unknown status",
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
    """The failed checks of the results that belong to no output, else how many checks do not; empty if all do."""
    failed = outcome.unrelated_failures
    number = len(failed) or outcome.unrelated_checks
    if not number:
        return ""
    belong = f"{'belongs' if number == 1 else 'belong'} to no output"
    if not failed:
        return f"{count(number, 'check')} in the results {belong}."
    named = ", ".join(f"`{plain(name).replace('`', chr(39))}`" for name in failed[:_NAMED])
    more = f" and {number - _NAMED:,} more" if number > _NAMED else ""
    hint = "To assign one, add a pattern of its name to `checks` of an output in the manifest."
    return f"{count(number, 'failed check')} {belong}: {named}{more}. {hint}"


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
