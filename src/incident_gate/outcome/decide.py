"""The outcome: what the end of a job means for the incidents on its outputs."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial

from incident_gate.ci.run import Run
from incident_gate.datahub.parallel import run_all
from incident_gate.errors import DataHubError, Hint, WriteError
from incident_gate.incident import Cause, Health, Reason
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome import twins
from incident_gate.outcome.branches import why_not_counted
from incident_gate.outcome.model import Context, Outcome, OutputOutcome
from incident_gate.outcome.own import cause_of, fold, keep, newer_run, of_key, resolve, strictest_cause
from incident_gate.outcome.raising import PARALLEL, PendingRaise, raise_all
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult

_ANSWERED_BY = {
    Cause.JOB: "until the job succeeds",
    Cause.BUILD: "until it is built or all of its checks pass",
    Cause.CHECKS: "until all of its checks pass",
}
# An asset that is not there, or was removed, has no incident of this job either.
_ABSENT = {Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN, Reason.EXISTENCE_NOT_SUPPORTED}


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


def report(context: Context, ends: Sequence[OutputOutcome]) -> tuple[OutputResult, ...]:
    """Report how the work on each output ended; one that cannot be written never stops the others."""
    split = [twins.split(end) for end in ends]
    healths = iter(context.read([part.entry for parts in split for part in parts]))
    acting = [twins.acting(context, [(part, next(healths)) for part in parts]) for parts in split]
    flat = [part for parts in acting for part in parts]
    steps = run_all(
        [partial(_isolated, context, end, health) for end, health in flat],
        threads=PARALLEL,
        deadline=context.deadline,
    )
    pending = [step for step in steps if isinstance(step, PendingRaise)]
    raised = iter(raise_all(context, pending))
    results = iter(
        [
            next(raised) if isinstance(step, PendingRaise) else step or _out_of_time(end.entry)
            for (end, _), step in zip(flat, steps, strict=True)
        ]
    )
    return tuple(twins.merged([next(results) for _ in parts]) for parts in acting)


def report_job(context: Context, outputs: Sequence[OutputEntry], outcome: Outcome) -> OutcomeReport:
    """Report a job's end on all of its outputs."""
    return OutcomeReport(outcome=outcome, results=report(context, [OutputOutcome(entry, outcome) for entry in outputs]))


def _isolated(context: Context, end: OutputOutcome, health: Health) -> OutputResult | PendingRaise:
    try:
        succeeded = end.outcome is Outcome.SUCCESS
        return _succeeded(context, end, health) if succeeded else _failed(context, end, health)
    except (WriteError, DataHubError) as error:
        return _not_written(end.entry, error.message, error.hint)


def _succeeded(context: Context, end: OutputOutcome, health: Health) -> OutputResult:
    entry, run = end.entry, context.wording.run
    active = of_key(health.incidents, context.identity.key_of(entry.urn.text))
    ours = [incident for incident in active if cause_of(incident) in end.answers]
    newer = {incident.urn: found for incident in ours if (found := newer_run(incident, run))}
    older = [incident for incident in ours if incident.urn not in newer]
    if not context.dry_run:
        older = [incident for incident in older if resolve(context, entry, incident, end.reason)]
    resolved = [incident.urn for incident in older]
    if resolved:
        change = Change.WOULD_RESOLVE if context.dry_run else Change.RESOLVED
        return OutputResult(entry=entry, change=change, incidents=tuple(resolved))
    if newer:
        message = f"Run {max(newer.values(), key=int)} is newer than this one and failed, so its incident stays active."
        return OutputResult(entry=entry, change=Change.LEFT, incidents=tuple(newer), message=message)
    if unanswered := [incident for incident in active if incident not in ours]:
        needed = _ANSWERED_BY[strictest_cause(*map(cause_of, unanswered))]
        urns = tuple(incident.urn for incident in unanswered)
        return OutputResult(entry=entry, change=Change.LEFT, incidents=urns, message=f"It stays active {needed}.")
    for problem in health.problems:
        if problem.reason not in _ABSENT:
            return _not_written(entry, f"{problem.message}.", problem.hint)
    missing = next((p for p in health.problems if p.reason in {Reason.NOT_FOUND, Reason.REMOVED}), None)
    if missing:
        return OutputResult(entry=entry, change=Change.CLEAR, message=f"{missing.message}.", hint=missing.hint)
    # An incident that cannot be read cannot be resolved either.
    hidden = f"DataHub counts {health.unread:,} more active incidents on it than it shows." if health.unread else ""
    return OutputResult(entry=entry, change=Change.CLEAR, message=hidden)


def _failed(context: Context, end: OutputOutcome, health: Health) -> OutputResult | PendingRaise:
    entry = end.entry
    mark = context.identity.mark_of(entry.urn.text, run=context.wording.run.run_id, cause=end.failure.cause)
    ours = of_key(health.incidents, mark.key)
    for position, incident in enumerate(ours):
        if context.dry_run:
            return OutputResult(entry=entry, change=Change.WOULD_KEEP, incidents=(incident.urn,))
        if keep(context, entry, ours[position:], end.failure):
            fold(context, entry, ours[position:])
            return OutputResult(entry=entry, change=Change.KEPT, incidents=(incident.urn,))
    for problem in health.problems:
        # Raising on an asset that does not exist would create it. Servers of 2022 cannot be asked.
        if problem.reason is not Reason.EXISTENCE_NOT_SUPPORTED:
            return _not_written(entry, f"{problem.message}.", problem.hint)
    if context.dry_run:
        return OutputResult(entry=entry, change=Change.WOULD_RAISE)
    return PendingRaise(entry=entry, mark=mark, health=health, failure=end.failure)


def _out_of_time(entry: OutputEntry) -> OutputResult:
    message = "The time was up before it was known whether it was written."
    return _not_written(entry, message, Hint("Raise `{timeout}`."))


def _not_written(entry: OutputEntry, message: str, hint: str) -> OutputResult:
    return OutputResult(entry=entry, change=Change.FAILED, message=message, hint=hint)
