"""How the work on an output ended, and everything that reporting it takes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from incident_gate.ci.identity import JobIdentity
from incident_gate.datahub.health.query import HealthQuery
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.incidents import Writer
from incident_gate.datahub.parallel import Deadline
from incident_gate.incident import Cause, Health
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.wording import JOB_FAILURE, Failure, Wording


class Outcome(StrEnum):
    """How a job ended, in the words of GitHub's `job.status`."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


# A job's success says nothing of checks, whose results it was not given.
JOB_ANSWERS = frozenset({Cause.JOB, Cause.BUILD})


class OutputOutcome(NamedTuple):
    """How the work on one output ended.

    `failure` is what failed. A success resolves incidents with the causes in `answers`; `reason` is what succeeded.
    """

    entry: OutputEntry
    outcome: Outcome
    failure: Failure = JOB_FAILURE
    answers: frozenset[Cause] = JOB_ANSWERS
    reason: str = ""


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

    Args:
        reader: Lists an asset's incidents, with the newest of its history, and stages and messages.
        quick_reader: The same in one request, without the check that the lists are complete.
        full_history_reader: Lists them with the whole history.
        writer: Raises and resolves.
        identity: This job, for its keys.
        wording: What is written.
        deadline: When to stop.
        clock_ms: Unix time in milliseconds.
        sleep: Waits for seconds.
        timeouts: How long the search index is waited for.
        dry_run: Only report what would be done.
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

    def read(self, entries: list[OutputEntry]) -> tuple[Health, ...]:
        """The health of outputs, without their siblings."""
        return self.reader.read([HealthQuery(entry.urn, siblings=False) for entry in entries]).healths

    def look(self, entries: list[OutputEntry]) -> tuple[Health, ...]:
        """The health of outputs that were read before, as it is now."""
        return self.quick_reader.read([HealthQuery(entry.urn, siblings=False) for entry in entries]).healths

    def read_full_history(self, entry: OutputEntry) -> Health:
        """The health of an output with its whole history."""
        [health] = self.full_history_reader.read([HealthQuery(entry.urn, siblings=False)]).healths
        return health
