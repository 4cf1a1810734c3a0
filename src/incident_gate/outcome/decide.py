"""The outcome: what the end of a job means for the incidents on its outputs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import NamedTuple

from incident_gate.ci.run import Run, why_not_counted
from incident_gate.datahub.parallel import run_all
from incident_gate.errors import DataHubError, GateError, Hint, WriteError
from incident_gate.incident import Cause, Health, Incident, Reason
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.own import (
    Context,
    Standing,
    cause_of,
    fold,
    keep,
    newer_run,
    obstacle,
    of_key,
    recheck,
    standing_of,
    strictest_cause,
)
from incident_gate.outcome.raising import PARALLEL, PendingRaise, raise_all
from incident_gate.outcome.result import (
    MOST_NAMED,
    Change,
    Effect,
    Evaluation,
    Outcome,
    OutcomeReport,
    OutputDecision,
    OutputResult,
)

_ANSWERED_BY = {
    Cause.JOB: "until the job succeeds",
    Cause.BUILD: "until it is built or all of its checks pass",
    Cause.CHECKS: "until all of its checks pass",
}
# An asset that is not there, or was removed, has no incident of this job either.
_ABSENT = frozenset({Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN})


class _Target(NamedTuple):
    """One URN of an output, of which a dbt node has several: what is decided about it, and its health.

    `resolved` is noted at once: whatever happens then, it is reported.
    """

    entry: OutputEntry
    decision: OutputDecision
    health: Health
    resolved: list[str]

    def ours(self, context: Context) -> list[Incident]:
        """This job's active incidents on it, oldest first."""
        return of_key(self.health.incidents, context.identity.key_of(self.entry.urn.text))

    @property
    def is_absent(self) -> bool:
        return any(problem.reason in _ABSENT for problem in self.health.problems)


def skip_reason(status: str, *, run: Run, branches: Sequence[str], blocked: bool, outputs: Sequence[object]) -> str:
    """Why this end of a job is not reported at all; empty if it is. `outputs` are the manifest's with its selectors."""
    if not_counted := why_not_counted(run, branches):
        return not_counted
    if not outputs:
        return "The manifest names no outputs."
    if blocked:
        return "The gate stopped this job, so its status does not count for the outputs."
    if status not in set(Outcome):
        return "Nothing changes, as only success and failure are reported."
    return ""


def report(
    context: Context,
    outputs: Sequence[OutputEntry],
    evaluation: Evaluation,
    outcome: Outcome,
    *,
    only: Effect | None = None,
) -> OutcomeReport:
    """Raise or resolve on each output as it was decided; one that cannot be written never stops the others.

    `only` is the one effect that this step may have; None for both.
    """
    narrowed = (_narrowed(decision, only) for decision in evaluation.decisions)
    return OutcomeReport(
        outcome=outcome,
        results=tuple(_write(context, list(zip(outputs, narrowed, strict=True)))),
        warnings=evaluation.warnings,
        unrelated_checks=evaluation.unrelated,
        unrelated_failures=evaluation.unrelated_failed,
    )


def _narrowed(decision: OutputDecision, only: Effect | None) -> OutputDecision:
    if only is None or decision.effect in {only, Effect.NOTHING}:
        return decision
    return decision._replace(effect=Effect.NOTHING, reason=f"{decision.reason}, but this step only {only}s")


def _write(context: Context, decided: Sequence[tuple[OutputEntry, OutputDecision]]) -> list[OutputResult]:
    concerned = [entry for entry, decision in decided if decision.effect is not Effect.NOTHING]
    healths = iter(context.read(concerned) if concerned else ())
    groups = [
        [] if decision.effect is Effect.NOTHING else _targets(context, entry, decision, next(healths))
        for entry, decision in decided
    ]
    targets = [target for group in groups for target in group]
    steps = run_all(
        [partial(_isolated, context, target) for target in targets], threads=PARALLEL, deadline=context.deadline
    )
    raise_all(context, [step for step in steps if isinstance(step, PendingRaise)])
    results = iter(
        [
            (step.result if isinstance(step, PendingRaise) else step) or _out_of_time(target)
            for target, step in zip(targets, steps, strict=True)
        ]
    )
    return [_merged(*item, [next(results) for _ in group]) for item, group in zip(decided, groups, strict=True)]


def _targets(context: Context, entry: OutputEntry, decision: OutputDecision, health: Health) -> Sequence[_Target]:
    """The URNs of an output on which something may be written; the first one is preferred.

    A failure is one incident: the one that is active on any of them, else a new one on the first that exists. A success
    resolves what is active on any of them.
    """
    targets = [
        _Target(entry._replace(urn=urn, alternate_urns=()), decision, part, [])
        for urn, part in zip((entry.urn, *entry.alternate_urns), health.parts, strict=True)
    ]
    ours = [target for target in targets if target.ours(context)]
    present = [target for target in targets if not target.is_absent]
    if decision.effect is Effect.RESOLVE:
        return [target for target in targets if target in ours or target in present] or targets[:1]
    # An incident that cannot be read may be this job's: a second one must not be raised beside it.
    unreadable = [target for target in present if obstacle(target.health)]
    return ours or unreadable[:1] or present[:1] or targets[:1]


def _merged(entry: OutputEntry, decision: OutputDecision, results: Sequence[OutputResult]) -> OutputResult:
    """The result for an output by those for its URNs."""
    untouched = OutputResult(entry, Change.UNTOUCHED)
    first = min(results, key=lambda result: list(Change).index(result.change), default=untouched)
    return first._replace(
        incidents=tuple(urn for result in results if result.change is first.change for urn in result.incidents),
        raised=tuple(urn for result in results for urn in result.raised),
        resolved=tuple(urn for result in results for urn in result.resolved),
        title=next((result.title for result in results if result.title), ""),
        by_results=decision.by_results,
        reason=decision.reason,
        failed=tuple((one.name, one.message) for one in decision.failed[:MOST_NAMED]),
    )


def _isolated(context: Context, target: _Target) -> OutputResult | PendingRaise:
    try:
        write = _resolve_all if target.decision.effect is Effect.RESOLVE else _raise_or_keep
        return write(context, target)
    except (WriteError, DataHubError) as error:
        return _not_written(target.entry, error.message, error.hint)


def _resolve_all(context: Context, target: _Target) -> OutputResult:
    entry, resolved = target.entry, target.resolved
    judged: dict[Standing, list[Incident]] = {standing: [] for standing in Standing}
    refusals: list[GateError] = []
    for incident in target.ours(context):
        try:
            latest, standing = _resolve(context, target, incident)
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
        return OutputResult(entry, change, incidents=urns, resolved=tuple(resolved))
    return _left(context, target, judged) or _clear(target)


def _left(context: Context, target: _Target, judged: Mapping[Standing, Sequence[Incident]]) -> OutputResult | None:
    """Why this job's incidents stay active; None if there are none."""
    left, hint = judged[Standing.NEWER], ""
    if left:
        newest = max((newer_run(incident, context.wording.run) for incident in left), key=int)
        message = f"Run {newest} is newer than this one and failed, so its incident stays active."
    elif left := judged[Standing.UNANSWERED]:
        cause = strictest_cause(*map(cause_of, left))
        message = f"It stays active {_ANSWERED_BY[cause]}."
        if cause is Cause.CHECKS and not target.decision.by_results:
            message = f"It stays active {_ANSWERED_BY[cause]}, which the job's success alone does not show."
            hint = Hint("Give the step their results (`{test-results}`), or resolve the incident by hand.")
    else:
        return None
    urns = tuple(incident.urn for incident in left)
    return OutputResult(target.entry, Change.LEFT, incidents=urns, message=message, hint=hint)


def _clear(target: _Target) -> OutputResult:
    """Nothing of this job is active, as far as the answer shows."""
    entry, health = target.entry, target.health
    for problem in health.problems:
        if problem.reason not in {*_ABSENT, Reason.EXISTENCE_NOT_SUPPORTED}:
            return _not_written(entry, f"{problem.message}.", problem.hint)
    missing = next((p for p in health.problems if p.reason in {Reason.NOT_FOUND, Reason.REMOVED}), None)
    if missing:
        message = f"{missing.message}."
        return OutputResult(entry, Change.CLEAR, message=message, hint=missing.hint, absent=missing.reason)
    # An incident that cannot be read cannot be resolved either.
    hidden = f"DataHub counts {health.unread:,} more active incidents on it than it shows." if health.unread else ""
    return OutputResult(entry, Change.CLEAR, message=hidden)


def _resolve(context: Context, target: _Target, incident: Incident) -> tuple[Incident, Standing]:
    """Resolve an incident that this success answers, if the look just before shows the same."""
    decision, run = target.decision, context.wording.run
    standing = standing_of(incident, decision.answers, run)
    if standing is not Standing.ANSWERED or context.dry_run:
        return incident, standing
    current = recheck(context, target.entry, [incident])
    if not current:
        return incident, Standing.OVER
    [latest] = current
    standing = standing_of(latest, decision.answers, run)
    if standing is Standing.ANSWERED:
        is_done = context.writer.resolve(latest.urn, context.wording.resolved(latest.message, decision))
        return latest, Standing.ANSWERED if is_done else Standing.OVER
    return latest, standing


def _raise_or_keep(context: Context, target: _Target) -> OutputResult | PendingRaise:
    entry, decision, health, _ = target
    ours = target.ours(context)
    if ours and context.dry_run:
        return OutputResult(entry, Change.WOULD_KEEP, incidents=(ours[0].urn,))
    if ours and (kept := keep(context, entry, ours, decision)):
        fold(context, entry, kept)
        return OutputResult(entry, Change.KEPT, incidents=(kept[0].urn,))
    if problem := obstacle(health):  # raising on an asset that does not exist would create it
        return _not_written(entry, f"{problem.message}.", problem.hint)
    if context.dry_run:
        return OutputResult(entry, Change.WOULD_RAISE)
    mark = context.identity.mark_of(entry.urn.text, run=context.wording.run.run_id, cause=decision.cause)
    return PendingRaise(entry=entry, mark=mark, health=health, decision=decision)


def _out_of_time(target: _Target) -> OutputResult:
    message = "The time was up before it was known whether it was written."
    return _not_written(target.entry, message, Hint("Raise `{timeout}`."), target.resolved)


def _not_written(entry: OutputEntry, message: str, hint: str, resolved: Sequence[str] = ()) -> OutputResult:
    urns = tuple(resolved)
    if urns:
        message = Hint("{0} Resolved before: {1}.", message, ", ".join(urns))
    return OutputResult(entry, Change.FAILED, message=message, hint=hint, resolved=urns)
