"""This job's own incidents on an output: found by their key, kept, resolved, and folded into one."""

from __future__ import annotations

from collections.abc import Sequence

from incident_gate.ci.run import Run
from incident_gate.errors import WriteError
from incident_gate.incident import Cause, Incident
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.message import cause_in, is_foreign, run_in
from incident_gate.outcome.model import Context
from incident_gate.outcome.wording import Failure

# A lost answer is followed by another look and another attempt, this many seconds later.
_KEEP_ATTEMPTS, _KEEP_PAUSE = 4, 1.0
_STRICTNESS = (Cause.JOB, Cause.BUILD, Cause.CHECKS)


def of_key(incidents: Sequence[Incident], key: str) -> list[Incident]:
    """The incidents of one key, oldest first."""
    ours = (incident for incident in incidents if incident.mark and incident.mark.key == key)
    return sorted(ours, key=lambda incident: (incident.created_ms or 0, incident.urn))


def strictest_cause(*causes: Cause | None) -> Cause:
    """The cause that the fewest successes answer: a build answers no failed check, and either answers a job's."""
    return max((cause for cause in causes if cause), key=_STRICTNESS.index, default=Cause.JOB)


def cause_of(incident: Incident) -> Cause:
    """What must succeed before an incident is over: what it was raised for, and what failed since."""
    return strictest_cause(incident.mark.cause if incident.mark else None, cause_in(incident.message))


def newer_run(incident: Incident, run: Run) -> str:
    """The run that raised or kept an incident, if it is newer than this one; else empty."""
    runs = (incident.mark.run if incident.mark else "", run_in(incident.message))
    newest = max((found for found in runs if found.isdecimal()), key=int, default="")
    is_newer = run.is_ordered and run.run_id.isdecimal() and newest and int(newest) > int(run.run_id)
    return newest if is_newer else ""


def keep(context: Context, entry: OutputEntry, ours: Sequence[Incident], failure: Failure) -> bool:
    """Leave in the first incident's message that the job failed again; False if it is not active any more.

    A person's message is left alone, and a person's stage stays. The message names the newest run in which the job
    failed, which may be another one than this.
    """
    run = context.wording.run
    for _ in range(_KEEP_ATTEMPTS):
        incident = _latest(context, entry, ours[0])
        if incident is None:
            return False
        if is_foreign(incident.message):
            return True
        newest = max((found for i in (incident, *ours) if (found := newer_run(i, run))), key=int, default=run.run_id)
        message = context.wording.still_failing(newest, strictest_cause(cause_of(incident), failure.cause), failure)
        kept = context.writer.keep(incident.urn, message=message, stage=incident.stage)
        if kept is not None:
            return kept
        context.sleep(min(_KEEP_PAUSE, context.deadline.remaining))
    raise WriteError(f"{ours[0].urn} could not be updated: DataHub did not answer.", hint="Check that DataHub is up.")


def resolve(context: Context, entry: OutputEntry, incident: Incident, reason: str) -> bool:
    """Resolve an incident; False if it is over already or does not exist any more."""
    latest = _latest(context, entry, incident)
    return latest is not None and context.writer.resolve(latest.urn, context.wording.resolved(latest.message, reason))


def fold(context: Context, entry: OutputEntry, ours: Sequence[Incident]) -> None:
    """Resolve all but the first, the oldest, which another job that folds at the same time leaves as well.

    Two that disagree which one is the oldest would resolve each other's and leave none. So where the time of one is not
    known, all are left: two are better than none, and success resolves them all.
    """
    if any(incident.created_ms is None for incident in ours):
        return
    for duplicate in ours[1:]:
        if incident := _latest(context, entry, duplicate):
            context.writer.resolve(incident.urn, context.wording.duplicate(ours[0].urn, incident.message))


def _latest(context: Context, entry: OutputEntry, incident: Incident) -> Incident | None:
    """An active incident as it is just before it is written; None if it is over: then nothing may be written on it.

    Raises:
        WriteError: DataHub does not list the asset's incidents now.
    """
    [health] = context.look([entry])
    if active := next((listed for listed in health.incidents if listed.urn == incident.urn), None):
        return active
    if health.problems:
        problem = health.problems[0]
        raise WriteError(f"{incident.urn} was not updated: {problem.message}.", hint=problem.hint)
    if any(listed.urn == incident.urn for listed in health.resolved):
        return None
    # A server whose search hides incidents from this token may show each one.
    state = context.writer.read_incident(incident.urn)
    return incident if state and state.is_active else None
