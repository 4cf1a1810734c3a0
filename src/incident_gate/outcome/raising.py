"""Raising on many outputs at a time, so that each ends with exactly one active incident of this job.

Two facts about DataHub decide how. A lost answer does not show whether the incident was written. And what was written
is listed only when the search index has caught up, about a second later and more under load.

Servers since August 2026 accept an id from the caller. Each id follows from the key and the incident before it, so an
attempt can be repeated, and two racing jobs choose the same id and one of them meets a conflict. Older servers create a
new incident at every attempt: there the list is waited for after a lost answer, until nothing that was written can
still be missing from it, before any second attempt; and duplicates in it are folded into the oldest.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from incident_gate.datahub.incidents import Attempt, RaiseStatus
from incident_gate.datahub.parallel import run_all
from incident_gate.errors import DataHubError, Hint, WriteError
from incident_gate.incident import Health, Incident, Mark
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.own import Context, fold, keep, obstacle, of_key
from incident_gate.outcome.result import Change, OutputDecision, OutputResult

# Polite to the server, like the reader's.
PARALLEL = 4
# Rounds of attempts at most, and links of a chain of ids that are followed in one of them.
MOST_ROUNDS, MOST_LINKS = 3, 50

_NO_ANSWER = Attempt(RaiseStatus.UNKNOWN, reason="the time was up before DataHub answered")


@dataclass(slots=True, kw_only=True)
class PendingRaise:
    """An incident to raise on one output: the latest attempt, and the result once there is one.

    `health` is the output's before the first attempt. `previous` is the incident that the next id follows: this job's
    latest one that is over, or one that has the id and is not this job's; empty without one.
    """

    entry: OutputEntry
    mark: Mark
    health: Health
    decision: OutputDecision
    previous: str = ""
    title: str = ""
    attempt: Attempt = _NO_ANSWER
    attempts: int = 0
    result: OutputResult | None = None

    def __post_init__(self) -> None:
        self.previous = _latest_of_key(self.health, self.mark.key)

    def finish(self, change: Change, incidents: Sequence[str] = (), message: str = "", hint: str = "") -> None:
        """Note the result; incidents were raised, even where the change is a failure after that."""
        self.result = OutputResult(
            entry=self.entry,
            change=change,
            incidents=tuple(incidents),
            raised=tuple(incidents),
            title=self.title if incidents else "",
            message=message,
            hint=hint,
        )

    def give_up(self) -> None:
        """Finish with what is known without the list."""
        attempt = self.attempt
        if attempt.urn:
            message = ""
            if attempt.status is RaiseStatus.EXISTS:
                message = (
                    "DataHub has an incident with the id that this job chose and does not show it, "
                    "so it is taken for this job's."
                )
            self.finish(Change.RAISED, [attempt.urn], message=message)
            return
        message = f"It is not known whether the incident was raised: {attempt.reason}."
        hint = (
            "Look at the asset's incidents in DataHub, and check that the token's user may edit incidents on it. "
            "The next run of this job finds what this one raised."
        )
        self.finish(Change.FAILED, message=message, hint=hint)


def incident_id(key: str, previous: str) -> str:
    """The id of a key's next incident, where the server accepts one.

    A job whose view is out of date chooses an id that is taken, and follows the chain from there.
    """
    return f"incident-gate-{hashlib.sha256(f'{key} {previous}'.encode()).hexdigest()[:32]}"


def raise_all(context: Context, pending: Sequence[PendingRaise]) -> None:
    """Raise each of them, which has its result then; one that cannot be written never stops the others.

    Stays until the server lists what was raised, within bounds: the next run must find it.
    """
    for _ in range(MOST_ROUNDS):
        unfinished = [one for one in pending if one.result is None]
        if not unfinished or context.deadline.passed:
            break
        _attempt_all(context, unfinished)
        _await_index(context, [one for one in unfinished if one.result is None])
    for one in pending:
        if one.result is None:
            one.give_up()


# The attempts


def _attempt_all(context: Context, pending: Sequence[PendingRaise]) -> None:
    answers = run_all([partial(_attempt, context, one) for one in pending], threads=PARALLEL, deadline=context.deadline)
    for one, answer in zip(pending, answers, strict=True):
        one.attempts += 1
        if isinstance(answer, OutputResult):
            one.result = answer
        else:
            one.attempt = answer or _NO_ANSWER


def _attempt(context: Context, one: PendingRaise) -> Attempt | OutputResult:
    """One attempt, along the chain of ids as far as they are taken by other incidents; or why there is none."""
    new = context.wording.incident(one.entry, one.mark, context.clock_ms(), one.decision)
    one.title = new.title
    known = _all_urns(one.health)
    try:
        for _ in range(MOST_LINKS):
            chosen = incident_id(one.mark.key, one.previous)
            attempt = context.writer.raise_incident(new, chosen, hidden=one.health.unread)
            if attempt.status is not RaiseStatus.EXISTS or attempt.urn is None:
                return attempt
            state = context.writer.read_incident(attempt.urn)
            if state is None and attempt.urn not in known:
                # Older than the newest of its history, or not listed yet: then the list decides.
                [archive] = context.read([one.entry], context.full_history_reader)
                known = _all_urns(archive)
                if attempt.urn not in known or _is_among(attempt.urn, of_key(archive.incidents, one.mark.key)):
                    return attempt
                one.previous = _latest_of_key(archive, one.mark.key) or attempt.urn
                continue
            is_ours = state and state.asset == one.entry.urn.text and state.mark and state.mark.key == one.mark.key
            if state and state.is_active and is_ours:
                return attempt
            # A person resolved that one, or an earlier run did: this failure is a new incident. Or it is not ours.
            one.previous = attempt.urn
    except (WriteError, DataHubError) as error:
        message, hint = error.message, error.hint
    else:
        message = f"No incident could be raised: the ids of {MOST_LINKS} in a row are taken."
        hint = Hint("Check that DataHub's search index is complete, or give the job another `{incident-key}`.")
    return OutputResult(entry=one.entry, change=Change.FAILED, message=message, hint=hint)


# The list


def _await_index(context: Context, pending: Sequence[PendingRaise]) -> None:
    """Look until each is settled: it has a result, or is known not to have been written."""
    timeouts = context.timeouts
    listed, settled, longest = (
        context.deadline.earlier(seconds) for seconds in (timeouts.listed, timeouts.settled, timeouts.longest)
    )
    # An attempt with an id of ours and an unknown end is repeated instead of looked for.
    waiting = [one for one in pending if one.attempt.urn or not one.attempt.has_id]
    if pending and not waiting:
        context.sleep(min(timeouts.longest_look, context.deadline.remaining))
    pause = timeouts.first_look
    while waiting:
        # One look falls on each of the limits.
        context.sleep(min([pause, *(limit.remaining for limit in (listed, settled, longest) if not limit.passed)]))
        # Asked before the reading: what the list lacks was missing at this moment or later.
        is_listed, is_settled, is_last = listed.passed, settled.passed, longest.passed
        healths = context.look([one.entry for one in waiting])
        waiting = [
            one
            for one, health in zip(waiting, healths, strict=True)
            if not _settle(context, one, health, is_listed=is_listed, is_settled=is_settled)
        ]
        if is_last:
            for one in waiting:
                one.give_up()
            return
        pause = min(pause * 2, timeouts.longest_look)


def _settle(context: Context, one: PendingRaise, health: Health, *, is_listed: bool, is_settled: bool) -> bool:
    """Whether the list shows all that there is to know."""
    ours = of_key(health.incidents, one.mark.key)
    urn = one.attempt.urn
    match one.attempt.status:
        case RaiseStatus.CREATED:
            # Resolved by now, by a person or by another job that folded it into another one, is as good as listed.
            if not (is_listed or _is_among(urn, ours) or _is_among(urn, health.resolved)):
                return False
        case RaiseStatus.EXISTS:
            if not _is_among(urn, (*health.incidents, *health.resolved)):
                return False
            if not _is_among(urn, ours):
                # Over since, or without our key: the chain goes on behind it, in another round.
                one.previous = urn or ""
                return True
        case RaiseStatus.UNKNOWN:
            # After one attempt there is at most one. After several, an earlier one may be on its way still.
            if not ours or (one.attempts > 1 and not is_settled):
                # Not written, if the list can be believed: then there is another round.
                return is_settled and not obstacle(health)
    _finish(context, one, ours)
    return True


def _finish(context: Context, one: PendingRaise, ours: Sequence[Incident]) -> None:
    urn = one.attempt.urn
    if not ours:
        one.finish(Change.RAISED, [urn or ""])
        return
    oldest = ours[0].urn
    try:
        fold(context, one.entry, ours)
        if any(not incident.mark or incident.mark.run != one.mark.run for incident in ours):
            # Two runs raised: the newer is noted on the one that stays, so that neither resolves what the other found.
            keep(context, one.entry, ours, one.decision)
    except (WriteError, DataHubError) as error:
        one.finish(Change.FAILED, [oldest], message=error.message, hint=error.hint)
    else:
        one.finish(Change.RAISED, [oldest])


def _all_urns(health: Health) -> frozenset[str]:
    return frozenset(incident.urn for incident in (*health.incidents, *health.resolved))


def _latest_of_key(health: Health, key: str) -> str:
    earlier = of_key((*health.incidents, *health.resolved), key)
    return earlier[-1].urn if earlier else ""


def _is_among(urn: str | None, incidents: Sequence[Incident]) -> bool:
    return urn is not None and any(incident.urn == urn for incident in incidents)
