"""Raising on many outputs at a time, so that each ends with exactly one active incident of this job.

Two facts about DataHub decide how. A lost answer does not say whether the incident was written. And what was written is
listed only when the search index has caught up, about a second later and more under load.

Servers since August 2026 take an id from the caller. Each id follows from the key and the incident before it, so an
attempt can be repeated, and two racing jobs choose the same id and one of them meets a conflict. Older servers make a
new incident of every attempt: there the list is waited for, until nothing that was written can still be missing from
it, before any second attempt; and whatever is too many in it is folded into the oldest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Protocol

from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.health.batch import HealthQuery
from incident_gate.datahub.health.reader import Reading
from incident_gate.datahub.incidents import Attempt, Known, Landing, NewIncident
from incident_gate.datahub.parallel import run_all
from incident_gate.errors import DataHubError, WriteError
from incident_gate.incident import Health, Incident, Mark, Reason
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.outcome.wording import Wording

# Polite to the server, like the reader's.
PARALLEL = 4
# Rounds of attempts at most, and links of a chain of ids that are followed in one of them.
MOST_ROUNDS, MOST_LINKS = 3, 50


class HistoryReader(Protocol):
    """Whoever can be asked for the incidents of assets: `datahub.reader.Reader`."""

    def read(self, questions: Sequence[HealthQuery]) -> Reading:
        """Ask for all of them."""


class IncidentWriter(Protocol):
    """Whoever can write incidents: `datahub.writer.Writer`."""

    def raise_incident(self, new: NewIncident, incident_id: str, *, hidden: int) -> Attempt:
        """Try once to raise."""

    def keep(self, incident_urn: str, message: str) -> bool:
        """Say that it goes on."""

    def resolve(self, incident_urn: str, message: str) -> bool:
        """End it."""

    def look_up(self, incident_urn: str) -> Known:
        """Ask the primary store."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long the search index is waited for, in seconds.

    `settled`: what is not listed by then was not written; that is 3 seconds for the index and 2 for a request that is
    still on its way when its connection breaks. `longest`: then even what certainly was written is not waited
    for any more. Where the id is ours, one look follows another from `first_look` to `longest_look` apart.
    """

    settled: float = 5.0
    longest: float = 10.0
    first_look: float = 0.2
    longest_look: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """An incident that an output is to have.

    `previous` is this key's latest one that is over, empty without one. `hidden` counts incidents of the output that
    DataHub has and does not show: this job's may be among them.
    """

    entry: OutputEntry
    mark: Mark
    previous: str = ""
    hidden: int = 0


def incident_id(key: str, previous: str) -> str:
    """The id of a key's next incident, where the server lets us choose.

    A job whose view is out of date chooses an id that is taken, and follows the chain from there.
    """
    return f"incident-gate-{hashlib.sha256(f'{key} {previous}'.encode()).hexdigest()[:32]}"


def of_key(incidents: Sequence[Incident], key: str) -> list[Incident]:
    """The incidents of one key, oldest first."""
    return sorted((incident for incident in incidents if incident.mark and incident.mark.key == key), key=_age)


def in_order(writer: IncidentWriter, ours: Sequence[Incident]) -> list[Incident]:
    """Incidents oldest first, also where the list does not say when they were created."""
    if len(ours) > 1:
        ours = [
            replace(incident, created_ms=writer.look_up(incident.urn).created_ms)
            if incident.created_ms is None
            else incident
            for incident in ours
        ]
    return sorted(ours, key=_age)


def fold(writer: IncidentWriter, wording: Wording, ours: Sequence[Incident]) -> None:
    """Resolve all but the first, the oldest, which whoever folds at the same time leaves as well.

    Two that disagree which one is the oldest would resolve each other's and leave none. So where the time of one is not
    known, all are left: two are better than none, and success resolves them all.
    """
    if any(incident.created_ms is None for incident in ours):
        return
    for duplicate in ours[1:]:
        writer.resolve(duplicate.urn, wording.duplicate(ours[0].urn))


def _age(incident: Incident) -> tuple[int, str]:
    return incident.created_ms or 0, incident.urn


_NO_ANSWER = Attempt(landing=Landing.OPEN, reason="the time was up before DataHub answered")


@dataclass(slots=True, kw_only=True)
class _Draft:
    """One output on its way: the latest attempt, and the result once there is one."""

    entry: OutputEntry
    mark: Mark
    previous: str
    hidden: int
    attempt: Attempt = _NO_ANSWER
    result: OutputResult | None = None

    def finish(self, change: Change, incidents: Sequence[str] = (), message: str = "", hint: str = "") -> None:
        """Note the result."""
        self.result = OutputResult(
            entry=self.entry, change=change, incidents=tuple(incidents), message=message, hint=hint
        )

    def give_up(self) -> None:
        """Finish with what is known without the list."""
        if self.attempt.urn:
            message = "DataHub does not list it yet."
            if not self.attempt.repeatable:
                message += " Should it have been raised twice on the way, the next run of this job sees to that."
            self.finish(Change.RAISED, [self.attempt.urn], message=message)
            return
        message = f"It is not known whether the incident was raised: {self.attempt.reason}."
        hint = "Look at the asset's incidents in DataHub. The next run of this job finds what this one raised."
        self.finish(Change.FAILED, message=message, hint=hint)


@dataclass(frozen=True, slots=True, kw_only=True)
class Raiser:
    """Raises, and stays until the server lists it: the next run, or the other of two racing jobs, must find it.

    Args:
        reader: Lists an asset's incidents, resolved ones included.
        writer: Raises and resolves.
        wording: What it says.
        deadline: When to stop.
        clock_ms: Unix time in milliseconds.
        sleep: Waits for seconds.
        patience: How long the search index is waited for.
    """

    reader: HistoryReader
    writer: IncidentWriter
    wording: Wording
    deadline: Deadline
    clock_ms: Callable[[], int]
    sleep: Callable[[float], None]
    patience: Patience

    def run(self, wanted: Sequence[Wanted]) -> list[OutputResult]:
        """Raise each of them; one that cannot be written never stops the others."""
        drafts = [_Draft(entry=w.entry, mark=w.mark, previous=w.previous, hidden=w.hidden) for w in wanted]
        for _ in range(MOST_ROUNDS):
            open_drafts = [draft for draft in drafts if draft.result is None]
            if not open_drafts or self.deadline.passed:
                break
            self._attempt_all(open_drafts)
            self._await_listing([draft for draft in open_drafts if draft.result is None])
        for draft in drafts:
            if draft.result is None:
                draft.give_up()
        return [draft.result for draft in drafts if draft.result]

    # The attempts

    def _attempt_all(self, drafts: Sequence[_Draft]) -> None:
        tasks = [partial(self._attempt, draft) for draft in drafts]
        answers = run_all(tasks, threads=PARALLEL, deadline=self.deadline)
        for draft, answer in zip(drafts, answers, strict=True):
            if isinstance(answer, OutputResult):
                draft.result = answer
            else:
                draft.attempt = answer or _NO_ANSWER

    def _attempt(self, draft: _Draft) -> Attempt | OutputResult:
        """One attempt, along the chain of ids as far as that is taken by what is over; or why there is none."""
        entry, mark, previous = draft.entry, draft.mark, draft.previous
        new = self.wording.incident(entry, mark, self.clock_ms())
        try:
            for _ in range(MOST_LINKS):
                attempt = self.writer.raise_incident(new, incident_id(mark.key, previous), hidden=draft.hidden)
                if attempt.landing is not Landing.EXISTS or attempt.urn is None:
                    return attempt
                if self.writer.look_up(attempt.urn).is_active is not False:
                    return attempt
                # A person resolved that one, or an earlier run did; this failure is a new incident.
                previous = attempt.urn
        except (WriteError, DataHubError) as error:
            message, hint = error.message, error.hint
        else:
            message = f"No incident could be raised: DataHub does not list this job's {MOST_LINKS} earlier ones."
            hint = "Check that DataHub's search index is complete, or give the job another `incident-key`."
        return OutputResult(entry=entry, change=Change.FAILED, message=message, hint=hint)

    # The list

    def _await_listing(self, drafts: Sequence[_Draft]) -> None:
        """Look until each draft is settled: it has a result, or is known not to have been written."""
        settled = self.deadline.earlier(self.patience.settled)
        longest = self.deadline.earlier(self.patience.longest)
        # What an attempt with an id of ours left open is tried again instead of looked for.
        waiting = [draft for draft in drafts if draft.attempt.urn or not draft.attempt.repeatable]
        if drafts and not waiting:
            self.sleep(min(self.patience.longest_look, self.deadline.remaining))
        # Without ids there may be more than the one that we were told of, so that an early look settles nothing.
        has_ids = all(draft.attempt.repeatable for draft in waiting)
        pause = self.patience.first_look if has_ids else self.patience.settled
        while waiting:
            self.sleep(min(pause, longest.remaining))
            # Asked before the reading: what the list lacks was missing at this moment or later.
            is_settled, is_last = settled.passed, longest.passed
            healths = self.reader.read([HealthQuery(draft.entry.urn, siblings=False) for draft in waiting]).healths
            waiting = [
                draft
                for draft, health in zip(waiting, healths, strict=True)
                if not self._judge(draft, health, is_settled=is_settled)
            ]
            if is_last:
                for draft in waiting:
                    draft.give_up()
                return
            pause = min(pause * 2, self.patience.longest_look)

    def _judge(self, draft: _Draft, health: Health, *, is_settled: bool) -> bool:
        """Whether the list says all that there is to know of a draft."""
        urn = draft.attempt.urn
        ours = of_key(health.incidents, draft.mark.key)
        # Resolved by now, by a person or by whoever folded it into another one, is as good as listed.
        is_over = _is_among(urn, health.resolved)
        if draft.attempt.landing is Landing.EXISTS and is_over and not ours:
            # It was over before, only that the server would not say so when asked: the chain goes on behind it.
            draft.previous = urn or ""
            return True
        if urn is None and not ours:
            # Not written, if the list can be believed: then there is another round.
            return is_settled and _is_readable(health)
        is_listed = urn is None or is_over or _is_among(urn, ours)
        if not is_listed or not (is_settled or draft.attempt.repeatable):
            return False
        self._finish(draft, ours)
        return True

    def _finish(self, draft: _Draft, ours: Sequence[Incident]) -> None:
        if not ours:
            draft.finish(Change.RAISED, [draft.attempt.urn or ""])
            return
        try:
            ours = in_order(self.writer, ours)
            fold(self.writer, self.wording, ours)
        except (WriteError, DataHubError) as error:
            draft.finish(Change.FAILED, [ours[0].urn], message=error.message, hint=error.hint)
        else:
            draft.finish(Change.RAISED, [ours[0].urn])


def _is_among(urn: str | None, incidents: Sequence[Incident]) -> bool:
    return urn is not None and any(incident.urn == urn for incident in incidents)


def _is_readable(health: Health) -> bool:
    return all(problem.reason is Reason.EXISTENCE_UNKNOWN for problem in health.problems)
