"""The outcome: what a job's end means for the incidents on its outputs."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import partial
from typing import Protocol

from incident_gate.datahub.crew import Crew
from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.inquiry import Question
from incident_gate.datahub.model import Health, Incident, Reason
from incident_gate.datahub.reader import Reading
from incident_gate.datahub.writer import Attempt, Landing, NewIncident
from incident_gate.errors import DataHubError, WriteError
from incident_gate.key import JobIdentity, key_in
from incident_gate.manifest.model import OutputEntry
from incident_gate.report.model import Change, OutcomeReport, OutputResult
from incident_gate.wording import Wording

PARALLEL = 4
# Seconds to wait for the search index, which lags about a second behind a write and more under load.
LONGEST_LAG = 6.0
FIRST_LOOK, LONGEST_LOOK = 0.2, 1.0
# Attempts to raise where the server takes no id and each attempt is a new incident, and links of the chain of ids
# followed where it does.
MOST_ATTEMPTS, MOST_LINKS = 3, 50


class Outcome(StrEnum):
    """How a job ended, as `job.status` says it."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class HistoryReader(Protocol):
    """Whoever can be asked for all incidents of assets, resolved ones included."""

    def read(self, questions: Sequence[Question]) -> Reading:
        """Ask for all of them."""


class IncidentWriter(Protocol):
    """Whoever can write incidents: `datahub.writer.Writer`."""

    @property
    def takes_id(self) -> bool:
        """Whether the caller's choice of an id is obeyed."""

    def raise_incident(self, new: NewIncident, incident_id: str) -> Attempt:
        """Try once to raise."""

    def keep(self, incident_urn: str, message: str) -> bool:
        """Say that it goes on."""

    def resolve(self, incident_urn: str, message: str) -> bool:
        """End it."""

    def is_active(self, incident_urn: str) -> bool | None:
        """Look it up."""


def why_nothing(status: str, *, pull_request: bool, outputs: Sequence[OutputEntry]) -> str:
    """Why this end of a job is not reported at all; empty if it is to be."""
    if pull_request:
        return "This is a pull request: it tries out a change and says nothing about the data."
    if not outputs:
        return "The manifest names no outputs."
    if status not in {Outcome.SUCCESS, Outcome.FAILURE}:
        return f"The job's status is {status or 'not known'}: only success and failure are reported."
    return ""


def incident_id(key: str, previous: str) -> str:
    """The id of a key's next incident, where the server lets us choose.

    Each id follows from the incident before it. Two racing jobs see the same one before, choose the same id, and one
    of them meets a conflict; a job whose view is out of date chooses an id that is taken, and follows the chain.
    """
    return f"incident-gate-{hashlib.sha256(f'{key} {previous}'.encode()).hexdigest()[:32]}"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReporter:
    """Raises or resolves on outputs.

    Args:
        reader: Lists an asset's incidents, resolved ones included.
        writer: Raises and resolves.
        identity: This job, for its keys.
        wording: What it says.
        deadline: When to stop.
        clock_ms: Unix time in milliseconds.
        sleep: Waits for seconds.
        dry_run: Only say what would be done.
    """

    reader: HistoryReader
    writer: IncidentWriter
    identity: JobIdentity
    wording: Wording
    deadline: Deadline
    clock_ms: Callable[[], int]
    sleep: Callable[[float], None]
    dry_run: bool = False

    def report(self, outputs: Sequence[OutputEntry], outcome: Outcome) -> OutcomeReport:
        """Report a job's end on each output; one that cannot be written never stops the others.

        Args:
            outputs: At least one.
            outcome: Success or failure.
        """
        reading = self.reader.read([Question(entry.urn, siblings=False) for entry in outputs])
        crew = Crew[OutputResult](threads=PARALLEL, deadline=self.deadline)
        tasks = [
            partial(self._report_one, entry, health, outcome)
            for entry, health in zip(outputs, reading.healths, strict=True)
        ]
        results = crew.run(tasks)
        return OutcomeReport(
            outcome=outcome,
            results=tuple(
                result or _failed(entry, "The time was up before it was known whether it was written.")
                for entry, result in zip(outputs, results, strict=True)
            ),
        )

    def _report_one(self, entry: OutputEntry, health: Health, outcome: Outcome) -> OutputResult:
        key = self.identity.key_of(entry.urn.text)
        try:
            if outcome is Outcome.SUCCESS:
                return self._succeeded(entry, health, key)
            return self._failed(entry, health, key)
        except (WriteError, DataHubError) as error:
            return _failed(entry, error.message, error.hint)

    # Success

    def _succeeded(self, entry: OutputEntry, health: Health, key: str) -> OutputResult:
        ours = _of_key(health.incidents, key)
        if self.dry_run and ours:
            return _done(entry, Change.WOULD_RESOLVE, [i.urn for i in ours])
        for incident in ours:
            self.writer.resolve(incident.urn, self.wording.mended())
        if ours:
            return _done(entry, Change.RESOLVED, [i.urn for i in ours])
        # An asset that is not there, or was removed, has nothing of ours on it either.
        if unreadable := [p for p in health.problems if p.reason not in {Reason.NOT_FOUND, Reason.REMOVED}]:
            return _failed(entry, f"{unreadable[0].message}.", unreadable[0].hint)
        return OutputResult(entry=entry, change=Change.CLEAR)

    # Failure

    def _failed(self, entry: OutputEntry, health: Health, key: str) -> OutputResult:
        ours = _of_key(health.incidents, key)
        if ours:
            if self.dry_run:
                return _done(entry, Change.WOULD_KEEP, [ours[0].urn])
            if self.writer.keep(ours[0].urn, self.wording.still_failing()):
                self._fold(ours)
                return _done(entry, Change.KEPT, [ours[0].urn])
        # Whether it exists the server says by refusing.
        elif problems := [p for p in health.problems if p.reason is not Reason.EXISTENCE_UNKNOWN]:
            return _failed(entry, f"{problems[0].message}.", problems[0].hint)
        if self.dry_run:
            return OutputResult(entry=entry, change=Change.WOULD_RAISE)
        earlier = _of_key((*health.incidents, *health.resolved), key)
        return self._raise(entry, key, earlier[-1].urn if earlier else "")

    def _raise(self, entry: OutputEntry, key: str, previous: str) -> OutputResult:
        """Raise, and stay until the server lists it.

        A raise is not over before: the next run, or the other of two racing jobs, must find it. Where nobody knows
        whether it was written, only the list tells, and there is no second attempt before the list had time to.
        """
        new = self.wording.incident(entry, key, self.clock_ms())
        reason = ""
        for _ in range(MOST_ATTEMPTS):
            attempt = self._attempt(new, key, previous)
            if attempt.landing is Landing.OPEN and self.writer.takes_id:
                # The id makes a second one of it impossible, so there is nothing to find out first.
                reason = attempt.reason
                self.sleep(LONGEST_LOOK)
                continue
            if ours := self._await_listing(entry, key, attempt.urn):
                self._fold(ours)
                return _done(entry, Change.RAISED, [ours[0].urn])
            if attempt.urn:
                note = "DataHub does not list it yet."
                return OutputResult(entry=entry, change=Change.RAISED, incidents=(attempt.urn,), message=note)
            reason = attempt.reason
            if self.deadline.passed:
                break
        return _failed(entry, f"It is not known whether the incident was raised: {reason}.", "Look it up in DataHub.")

    def _attempt(self, new: NewIncident, key: str, previous: str) -> Attempt:
        """One attempt; along the chain of ids as far as it is taken by incidents that are over."""
        for _ in range(MOST_LINKS):
            attempt = self.writer.raise_incident(new, incident_id(key, previous))
            if attempt.landing is not Landing.EXISTS or attempt.urn is None:
                return attempt
            if self.writer.is_active(attempt.urn) is not False:
                return attempt
            # A person resolved that one, or an earlier run did; this failure is a new incident.
            previous = attempt.urn
        return attempt

    def _await_listing(self, entry: OutputEntry, key: str, urn: str | None) -> list[Incident]:
        """This key's active incidents, oldest first, once the awaited one (or any) is among them; else nothing."""
        limit = self.deadline.earlier(LONGEST_LAG)
        pause = FIRST_LOOK
        while True:
            health = self.reader.read([Question(entry.urn, siblings=False)]).healths[0]
            ours = _of_key(health.incidents, key)
            if ours and (urn is None or urn in {i.urn for i in ours}):
                return ours
            if urn and urn in {i.urn for i in health.resolved}:
                # The other of two racing jobs has folded it into its own.
                return ours
            if limit.remaining <= pause:
                return []
            self.sleep(pause)
            pause = min(pause * 2, LONGEST_LOOK)

    def _fold(self, ours: Sequence[Incident]) -> None:
        """Leave the oldest; whoever else folds at the same time chooses the same."""
        for duplicate in ours[1:]:
            self.writer.resolve(duplicate.urn, self.wording.duplicate(ours[0].urn))


def _of_key(incidents: Sequence[Incident], key: str) -> list[Incident]:
    """The incidents of one key, oldest first."""
    ours = [incident for incident in incidents if key_in(incident.description) == key]
    return sorted(ours, key=lambda incident: (incident.created_ms or 0, incident.urn))


def _done(entry: OutputEntry, change: Change, incidents: Sequence[str]) -> OutputResult:
    return OutputResult(entry=entry, change=change, incidents=tuple(incidents))


def _failed(entry: OutputEntry, message: str, hint: str = "") -> OutputResult:
    return OutputResult(entry=entry, change=Change.FAILED, message=message, hint=hint)
