"""What reporting takes, and this job's own incidents on an output: found by their key, kept, and folded into one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from incident_gate.ci.run import JobIdentity, Run
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.incidents import Writer
from incident_gate.datahub.parallel import Deadline
from incident_gate.errors import WriteError
from incident_gate.incident import Cause, Health, Incident, Problem, Reason
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.result import OutputDecision
from incident_gate.outcome.wording import Wording, cause_in, is_foreign, run_in

# A lost answer is followed by another look and another attempt, this many seconds later.
_KEEP_ATTEMPTS, _KEEP_PAUSE = 4, 1.0
_STRICTNESS = (Cause.JOB, Cause.BUILD, Cause.CHECKS)


class IndexTimeouts(NamedTuple):
    """How long the search index is waited for after a raise, in seconds.

    `listed`: an incident that certainly was created once is not waited for any longer. `settled`: what is not listed
    by then was not written; that is 3 seconds for the index and 2 for a request that is still on its way when its
    connection breaks. `longest`: after that, nothing is waited for. One look follows another from `first_look` to
    `longest_look` apart.
    """

    listed: float = 1.0
    settled: float = 5.0
    longest: float = 10.0
    first_look: float = 0.2
    longest_look: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """What reporting an outcome takes.

    `reader` lists an asset's incidents, with the newest of its history, and stages and messages; `quick_reader` the
    same in one request, without the check that the lists are complete; `full_history_reader` with the whole history.
    """

    reader: Reader
    quick_reader: Reader
    full_history_reader: Reader
    writer: Writer
    identity: JobIdentity
    wording: Wording
    deadline: Deadline
    clock_ms: Callable[[], int]
    sleep: Callable[[float], None]
    timeouts: IndexTimeouts
    dry_run: bool = False

    def read(self, entries: Sequence[OutputEntry], reader: Reader | None = None) -> tuple[Health, ...]:
        """The health of outputs, without their siblings."""
        queries = [HealthQuery(entry.urn, siblings=False, alternate_urns=entry.alternate_urns) for entry in entries]
        healths = (reader or self.reader).read(queries).healths
        return tuple(healths[query] for query in queries)

    def look(self, entries: Sequence[OutputEntry]) -> tuple[Health, ...]:
        """The health of outputs that were read before, as it is now."""
        return self.read(entries, self.quick_reader)


def of_key(incidents: Sequence[Incident], key: str) -> list[Incident]:
    """The incidents of one key, oldest first."""
    ours = (incident for incident in incidents if incident.mark and incident.mark.key == key)
    return sorted(ours, key=lambda incident: (incident.created_ms or 0, incident.urn))


def obstacle(health: Health) -> Problem | None:
    """Why nothing can be concluded from what a list lacks. Servers of 2022 cannot be asked what exists."""
    return next((p for p in health.problems if p.reason is not Reason.EXISTENCE_NOT_SUPPORTED), None)


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


class Standing(Enum):
    """What the success of a run means for an incident of its job."""

    ANSWERED = auto()
    NEWER = auto()  # a newer run raised or kept it
    UNANSWERED = auto()  # its cause needs more than this success
    OVER = auto()


def standing_of(incident: Incident, answers: frozenset[Cause], run: Run) -> Standing:
    """Judge an active incident; used for the first look and again for the one just before it is written."""
    if cause_of(incident) not in answers:
        return Standing.UNANSWERED
    return Standing.NEWER if newer_run(incident, run) else Standing.ANSWERED


def keep(context: Context, entry: OutputEntry, ours: Sequence[Incident], decision: OutputDecision) -> list[Incident]:
    """Leave in the oldest incident's message that the job failed again.

    A person's message is left alone, and a person's stage stays. The message names the newest run in which the job
    failed, which may be another one than this. Returns those that are still active, the kept one first.
    """
    run, lost = context.wording.run, 0
    while current := recheck(context, entry, ours):
        incident = current[0]
        if is_foreign(incident.message):
            return current
        # Duplicates that were folded into it meanwhile leave it their run and their cause.
        newest = max((found for i in (*current, *ours) if (found := newer_run(i, run))), key=int, default=run.run_id)
        cause = strictest_cause(*map(cause_of, (*current, *ours)), decision.cause)
        message = context.wording.still_failing(newest, cause, decision)
        kept = context.writer.keep(incident.urn, message=message, stage=incident.stage)
        if kept:
            return current
        if kept is None:
            lost += 1
            if lost == _KEEP_ATTEMPTS:
                hint = "Check that DataHub is up."
                raise WriteError(f"{incident.urn} could not be updated: DataHub did not answer.", hint=hint)
            context.sleep(min(_KEEP_PAUSE, context.deadline.remaining))
        else:  # it does not exist any more
            ours = current[1:]
    return []


def fold(context: Context, entry: OutputEntry, ours: Sequence[Incident]) -> None:
    """Resolve all but the first, the oldest, which another job that folds at the same time leaves as well.

    Two that disagree which one is the oldest would resolve each other's and leave none. So where the time of one is not
    known, all are left: two are better than none, and success resolves them all.
    """
    for duplicate in ours[1:]:
        # One that is left alone is no duplicate any more.
        first, *others = recheck(context, entry, [ours[0], duplicate]) or ours[:1]
        for other in others:
            if first.created_ms is not None and other.created_ms is not None:
                context.writer.resolve(other.urn, context.wording.duplicate(first.urn, other.message))


def recheck(context: Context, entry: OutputEntry, incidents: Sequence[Incident]) -> list[Incident]:
    """Incidents as they are just before one is written, oldest first: those that are still active and still ours."""
    [health] = context.look([entry])
    active = {incident.urn: incident for incident in health.incidents}
    over = {incident.urn for incident in health.resolved}
    found = []
    for incident in incidents:
        if incident.urn in active:
            found.append(active[incident.urn])
        elif health.problems:
            problem = health.problems[0]
            raise WriteError(f"{incident.urn} was not updated: {problem.message}.", hint=problem.hint)
        elif incident.urn not in over:
            # A server whose search hides incidents from this token may show each one.
            state = context.writer.read_incident(incident.urn)
            found += [incident._replace(mark=state.mark)] if state and state.is_active else []
    return of_key(found, context.identity.key_of(entry.urn.text))
