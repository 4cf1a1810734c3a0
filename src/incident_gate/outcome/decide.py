"""The outcome: what the end of a job means for the incidents on its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial

from incident_gate.ci.run import Run
from incident_gate.datahub.parallel import run_all
from incident_gate.errors import DataHubError, GateError, Hint, WriteError
from incident_gate.incident import Cause, Health, Incident, Reason
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.branches import why_not_counted
from incident_gate.outcome.model import Context, Outcome, OutputOutcome
from incident_gate.outcome.own import (
    Standing,
    cause_of,
    fold,
    keep,
    newer_run,
    of_key,
    recheck,
    standing_of,
    strictest_cause,
)
from incident_gate.outcome.raising import PARALLEL, PendingRaise, raise_all
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult

_ANSWERED_BY = {
    Cause.JOB: "until the job succeeds",
    Cause.BUILD: "until it is built or all of its checks pass",
    Cause.CHECKS: "until all of its checks pass",
}

Part = tuple[OutputOutcome, Health]
"""The outcome for one of an output's URNs, of which a dbt node has several, and its health."""

# Of the results for several URNs, the first of these is the output's.
_ORDER = (
    Change.FAILED,
    Change.RAISED,
    Change.WOULD_RAISE,
    Change.KEPT,
    Change.WOULD_KEEP,
    Change.RESOLVED,
    Change.WOULD_RESOLVE,
    Change.LEFT,
)
# An asset that is not there, or was removed, has no incident of this job either.
_ABSENT = frozenset({Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN})


def skip_reason(status: str, *, run: Run, branches: Sequence[str], blocked: bool, outputs: Sequence[object]) -> str:
    """Why this end of a job is not reported at all; empty if it is.

    Args:
        status: How the job ended.
        run: This run.
        branches: `report-branches`.
        blocked: Whether the gate stopped this job.
        outputs: The manifest's, selectors included.
    """
    if not_counted := why_not_counted(run, branches):
        return not_counted
    if not outputs:
        return "The manifest names no outputs."
    if blocked:
        return "The gate stopped this job, so its status does not count for the outputs."
    if status not in {Outcome.SUCCESS, Outcome.FAILURE}:
        return "Nothing changes, as only success and failure are reported."
    return ""


def report(context: Context, outcomes: Sequence[OutputOutcome]) -> tuple[OutputResult, ...]:
    """Report how the work on each output ended; one that cannot be written never stops the others."""
    split = [_split(outcome) for outcome in outcomes]
    healths = iter(context.read([part.entry for parts in split for part in parts]))
    targets = [_targets(context, [(part, next(healths)) for part in parts]) for parts in split]
    # What was resolved, noted at once: whatever happens then, it is reported.
    flat: list[tuple[OutputOutcome, Health, list[str]]] = [(*part, []) for parts in targets for part in parts]
    steps = run_all(
        [partial(_isolated, context, *part) for part in flat],
        threads=PARALLEL,
        deadline=context.deadline,
    )
    pending = [step for step in steps if isinstance(step, PendingRaise)]
    raised = iter(raise_all(context, pending))
    results = iter(
        [
            next(raised) if isinstance(step, PendingRaise) else step or _out_of_time(end.entry, resolved)
            for (end, _, resolved), step in zip(flat, steps, strict=True)
        ]
    )
    return tuple(_merged([next(results) for _ in parts]) for parts in targets)


def _split(end: OutputOutcome) -> list[OutputOutcome]:
    """The outcome for each URN of its output."""
    urns = (end.entry.urn, *end.entry.alternate_urns)
    return [end._replace(entry=end.entry._replace(urn=urn, alternate_urns=())) for urn in urns] if urns[1:] else [end]


def _targets(context: Context, parts: Sequence[Part]) -> Sequence[Part]:
    """The URNs on which an outcome is reported; the first one is preferred.

    A failure is one incident: the one that is active on any of them, else a new one on the first that exists. A success
    resolves what is active on any of them.
    """
    if len(parts) == 1:
        return parts
    ours = [part for part in parts if _has_ours(context, part)]
    present = [part for part in parts if not _is_absent(part)]
    if parts[0][0].outcome is Outcome.SUCCESS:
        return [part for part in parts if part in ours or part in present] or parts[:1]
    # An incident that cannot be read may be this job's: a second one must not be raised beside it.
    unreadable = [part for part in present if _is_unreadable(part)]
    return ours or unreadable[:1] or present[:1] or parts[:1]


def _merged(results: Sequence[OutputResult]) -> OutputResult:
    """The result for an output by those for its URNs."""
    first = min(results, key=lambda result: _ORDER.index(result.change) if result.change in _ORDER else len(_ORDER))
    incidents = [urn for result in results if result.change is first.change for urn in result.incidents]
    return first._replace(
        incidents=tuple(incidents),
        raised=tuple(urn for result in results for urn in result.raised),
        resolved=tuple(urn for result in results for urn in result.resolved),
        title=next((result.title for result in results if result.title), ""),
    )


def _has_ours(context: Context, part: Part) -> bool:
    end, health = part
    return bool(of_key(health.incidents, context.identity.key_of(end.entry.urn.text)))


def _is_absent(part: Part) -> bool:
    return any(problem.reason in _ABSENT for problem in part[1].problems)


def _is_unreadable(part: Part) -> bool:
    return any(problem.reason is not Reason.EXISTENCE_NOT_SUPPORTED for problem in part[1].problems)


def report_job(context: Context, outputs: Sequence[OutputEntry], outcome: Outcome) -> OutcomeReport:
    """Report a job's end on all of its outputs."""
    return OutcomeReport(outcome=outcome, results=report(context, [OutputOutcome(entry, outcome) for entry in outputs]))


def _isolated(context: Context, end: OutputOutcome, health: Health, resolved: list[str]) -> OutputResult | PendingRaise:
    try:
        if end.outcome is Outcome.SUCCESS:
            return _succeeded(context, end, health, resolved)
        return _failed(context, end, health)
    except (WriteError, DataHubError) as error:
        return _not_written(end.entry, error.message, error.hint)


def _succeeded(context: Context, end: OutputOutcome, health: Health, resolved: list[str]) -> OutputResult:
    entry = end.entry
    judged: dict[Standing, list[Incident]] = {standing: [] for standing in Standing}
    refusals: list[GateError] = []
    for incident in of_key(health.incidents, context.identity.key_of(entry.urn.text)):
        try:
            latest, standing = _resolve(context, end, incident)
        except (WriteError, DataHubError) as error:
            refusals.append(error)
            continue
        judged[standing].append(latest)
        if standing is Standing.ANSWERED and not context.dry_run:
            resolved.append(latest.urn)
    if refusals:
        return _not_written(entry, refusals[0].message, refusals[0].hint, resolved)
    if urns := tuple(incident.urn for incident in judged[Standing.ANSWERED]):
        change = Change.WOULD_RESOLVE if context.dry_run else Change.RESOLVED
        return OutputResult(entry=entry, change=change, incidents=urns, resolved=tuple(resolved))
    return _left(context, end, judged) or _clear(entry, health)


def _left(context: Context, end: OutputOutcome, judged: Mapping[Standing, Sequence[Incident]]) -> OutputResult | None:
    """Why this job's incidents stay active; None if there are none."""
    left, hint = judged[Standing.NEWER], ""
    if left:
        newest = max((newer_run(incident, context.wording.run) for incident in left), key=int)
        message = f"Run {newest} is newer than this one and failed, so its incident stays active."
    elif left := judged[Standing.UNANSWERED]:
        cause = strictest_cause(*map(cause_of, left))
        message = f"It stays active {_ANSWERED_BY[cause]}."
        if cause is Cause.CHECKS and not end.reason:
            message = f"It stays active {_ANSWERED_BY[cause]}, which the job's success alone does not show."
            hint = Hint("Give the step their results (`{test-results}`), or resolve the incident by hand.")
    else:
        return None
    urns = tuple(incident.urn for incident in left)
    return OutputResult(entry=end.entry, change=Change.LEFT, incidents=urns, message=message, hint=hint)


def _clear(entry: OutputEntry, health: Health) -> OutputResult:
    """Nothing of this job is active, as far as the answer shows."""
    for problem in health.problems:
        if problem.reason not in {*_ABSENT, Reason.EXISTENCE_NOT_SUPPORTED}:
            return _not_written(entry, f"{problem.message}.", problem.hint)
    missing = next((p for p in health.problems if p.reason in {Reason.NOT_FOUND, Reason.REMOVED}), None)
    if missing:
        return OutputResult(entry=entry, change=Change.CLEAR, message=f"{missing.message}.", hint=missing.hint)
    # An incident that cannot be read cannot be resolved either.
    hidden = f"DataHub counts {health.unread:,} more active incidents on it than it shows." if health.unread else ""
    return OutputResult(entry=entry, change=Change.CLEAR, message=hidden)


def _resolve(context: Context, end: OutputOutcome, incident: Incident) -> tuple[Incident, Standing]:
    """Resolve an incident that this success answers, if the look just before shows the same."""
    run = context.wording.run
    standing = standing_of(incident, end.answers, run)
    if standing is not Standing.ANSWERED or context.dry_run:
        return incident, standing
    current = recheck(context, end.entry, [incident])
    if not current:
        return incident, Standing.OVER
    [latest] = current
    standing = standing_of(latest, end.answers, run)
    if standing is Standing.ANSWERED:
        is_done = context.writer.resolve(latest.urn, context.wording.resolved(latest.message, end.reason))
        return latest, Standing.ANSWERED if is_done else Standing.OVER
    return latest, standing


def _failed(context: Context, end: OutputOutcome, health: Health) -> OutputResult | PendingRaise:
    entry = end.entry
    mark = context.identity.mark_of(entry.urn.text, run=context.wording.run.run_id, cause=end.failure.cause)
    ours = of_key(health.incidents, mark.key)
    if ours and context.dry_run:
        return OutputResult(entry=entry, change=Change.WOULD_KEEP, incidents=(ours[0].urn,))
    if ours and (kept := keep(context, entry, ours, end.failure)):
        fold(context, entry, kept)
        return OutputResult(entry=entry, change=Change.KEPT, incidents=(kept[0].urn,))
    for problem in health.problems:
        # Raising on an asset that does not exist would create it. Servers of 2022 cannot be asked.
        if problem.reason is not Reason.EXISTENCE_NOT_SUPPORTED:
            return _not_written(entry, f"{problem.message}.", problem.hint)
    if context.dry_run:
        return OutputResult(entry=entry, change=Change.WOULD_RAISE)
    return PendingRaise(entry=entry, mark=mark, health=health, failure=end.failure)


def _out_of_time(entry: OutputEntry, resolved: Sequence[str]) -> OutputResult:
    message = "The time was up before it was known whether it was written."
    return _not_written(entry, message, Hint("Raise `{timeout}`."), resolved)


def _not_written(entry: OutputEntry, message: str, hint: str, resolved: Sequence[str] = ()) -> OutputResult:
    urns = tuple(resolved)
    if urns:
        message = Hint("{0} Resolved before: {1}.", message, ", ".join(urns))
    return OutputResult(entry=entry, change=Change.FAILED, message=message, hint=hint, resolved=urns)
