"""The outcome: what a job's end means for the incidents on its outputs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from functools import partial

from incident_gate.ci.identity import JobIdentity
from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.health.batch import HealthQuery
from incident_gate.datahub.parallel import run_all
from incident_gate.errors import DataHubError, WriteError
from incident_gate.incident import Health, Reason
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.raising import (
    PARALLEL,
    HistoryReader,
    IncidentWriter,
    Patience,
    Raiser,
    Wanted,
    fold,
    in_order,
    of_key,
)
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.outcome.wording import Wording


class Outcome(StrEnum):
    """How a job ended, as `job.status` says it."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


def why_nothing(status: str, *, pull_request: bool, outputs: Sequence[OutputEntry]) -> str:
    """Why this end of a job is not reported at all; empty if it is to be."""
    if pull_request:
        return "This is a pull request: it tries out a change and says nothing about the data."
    if not outputs:
        return "The manifest names no outputs."
    if status not in {Outcome.SUCCESS, Outcome.FAILURE}:
        return f"The job's status is {status or 'not known'}: only success and failure are reported."
    return ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReporter:
    """Raises or resolves on outputs.

    Args:
        reader: Lists an asset's incidents; for failures, resolved ones included.
        writer: Raises and resolves.
        identity: This job, for its keys.
        wording: What it says.
        deadline: When to stop.
        clock_ms: Unix time in milliseconds.
        sleep: Waits for seconds.
        dry_run: Only say what would be done.
        patience: How long the search index is waited for after raising.
    """

    reader: HistoryReader
    writer: IncidentWriter
    identity: JobIdentity
    wording: Wording
    deadline: Deadline
    clock_ms: Callable[[], int]
    sleep: Callable[[float], None]
    dry_run: bool = False
    patience: Patience = field(default_factory=Patience)

    def report(self, outputs: Sequence[OutputEntry], outcome: Outcome) -> OutcomeReport:
        """Report a job's end on each output; one that cannot be written never stops the others.

        Args:
            outputs: At least one.
            outcome: Success or failure.
        """
        reading = self.reader.read([HealthQuery(entry.urn, siblings=False) for entry in outputs])
        tasks = [
            partial(self._isolated, entry, health, outcome)
            for entry, health in zip(outputs, reading.healths, strict=True)
        ]
        steps = run_all(tasks, threads=PARALLEL, deadline=self.deadline)
        raised = iter(self._raiser().run([step for step in steps if isinstance(step, Wanted)]))
        return OutcomeReport(
            outcome=outcome,
            results=tuple(
                next(raised) if isinstance(step, Wanted) else step or _out_of_time(entry)
                for entry, step in zip(outputs, steps, strict=True)
            ),
        )

    def _isolated(self, entry: OutputEntry, health: Health, outcome: Outcome) -> OutputResult | Wanted:
        try:
            return self._succeeded(entry, health) if outcome is Outcome.SUCCESS else self._failed(entry, health)
        except (WriteError, DataHubError) as error:
            return _not_written(entry, error.message, error.hint)

    def _succeeded(self, entry: OutputEntry, health: Health) -> OutputResult:
        ours = of_key(health.incidents, self.identity.key_of(entry.urn.text))
        if ours:
            if not self.dry_run:
                for incident in ours:
                    self.writer.resolve(incident.urn, self.wording.mended())
            change = Change.WOULD_RESOLVE if self.dry_run else Change.RESOLVED
            return OutputResult(entry=entry, change=change, incidents=tuple(incident.urn for incident in ours))
        # An asset that is not there, or was removed, has nothing of ours on it either.
        for problem in health.problems:
            if problem.reason not in {Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN}:
                return _not_written(entry, f"{problem.message}.", problem.hint)
        # What nobody can read nobody can resolve either.
        hidden = f"DataHub counts {health.unread:,} more active incidents on it than it shows." if health.unread else ""
        return OutputResult(entry=entry, change=Change.CLEAR, message=hidden)

    def _failed(self, entry: OutputEntry, health: Health) -> OutputResult | Wanted:
        mark = self.identity.mark_of(entry.urn.text, run=self.wording.run.run_id)
        ours = in_order(self.writer, of_key(health.incidents, mark.key))
        for position, incident in enumerate(ours):
            if self.dry_run:
                return OutputResult(entry=entry, change=Change.WOULD_KEEP, incidents=(incident.urn,))
            if self.writer.keep(incident.urn, self.wording.still_failing()):
                fold(self.writer, self.wording, ours[position:])
                return OutputResult(entry=entry, change=Change.KEPT, incidents=(incident.urn,))
        for problem in health.problems:
            # Whether it exists the server says by refusing.
            if problem.reason is not Reason.EXISTENCE_UNKNOWN:
                return _not_written(entry, f"{problem.message}.", problem.hint)
        if self.dry_run:
            return OutputResult(entry=entry, change=Change.WOULD_RAISE)
        earlier = of_key((*health.incidents, *health.resolved), mark.key)
        return Wanted(entry=entry, mark=mark, previous=earlier[-1].urn if earlier else "", hidden=health.unread)

    def _raiser(self) -> Raiser:
        return Raiser(
            reader=self.reader,
            writer=self.writer,
            wording=self.wording,
            deadline=self.deadline,
            clock_ms=self.clock_ms,
            sleep=self.sleep,
            patience=self.patience,
        )


def _out_of_time(entry: OutputEntry) -> OutputResult:
    return _not_written(entry, "The time was up before it was known whether it was written.", "Raise `timeout`.")


def _not_written(entry: OutputEntry, message: str, hint: str) -> OutputResult:
    return OutputResult(entry=entry, change=Change.FAILED, message=message, hint=hint)
