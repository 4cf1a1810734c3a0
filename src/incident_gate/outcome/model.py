"""What is decided about each output, and everything that reporting it takes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from incident_gate.ci.identity import JobIdentity
from incident_gate.datahub.health.query import HealthQuery
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.incidents import Writer
from incident_gate.datahub.parallel import Deadline
from incident_gate.incident import Cause, Health
from incident_gate.manifest.model import OutputEntry

if TYPE_CHECKING:
    from incident_gate.outcome.results.model import ReportedResult
    from incident_gate.outcome.wording import Wording


# Of what failed, as many are shown by name.
MOST_NAMED = 20


class Outcome(StrEnum):
    """How a job ended, in the words of GitHub's `job.status`."""

    SUCCESS = "success"
    FAILURE = "failure"
    CANCELLED = "cancelled"
    SKIPPED = "skipped"


class Effect(StrEnum):
    """What a decision does to an output's incidents."""

    RAISE = "raise"
    RESOLVE = "resolve"
    NOTHING = "nothing"


class OutputDecision(NamedTuple):
    """What the job's status, or files with results (`by_results`), decide about one output.

    `reason` is what decided, as a sentence without its full stop. To raise: `cause` is the incident's; `headline` is
    what failed, in a few words, and `failed` each of it; `type` is the incident's type that fits. All of it is empty
    where only the job's failure is known.
    To resolve: `answers` are the causes whose incidents are over.
    """

    effect: Effect
    by_results: bool = True
    reason: str = ""
    cause: Cause = Cause.JOB
    answers: frozenset[Cause] = frozenset()
    headline: str = ""
    failed: tuple[ReportedResult, ...] = ()
    type: str = ""

    @property
    def lines(self) -> tuple[str, ...]:
        """A line for each failure of a Markdown list in which nothing is active: the first ones, then how many more."""
        more = len(self.failed) - MOST_NAMED
        return (*(one.line for one in self.failed[:MOST_NAMED]), *([f"- and {more:,} more"] if more > 0 else []))


JOB_FAILED = OutputDecision(Effect.RAISE, by_results=False)
# A job's success says nothing of checks, whose results it was not given.
JOB_SUCCEEDED = OutputDecision(Effect.RESOLVE, by_results=False, answers=frozenset({Cause.JOB, Cause.BUILD}))


class Evaluation(NamedTuple):
    """The decisions about all outputs, in their order.

    `unrelated` counts the checks that belong to no output; `unrelated_failed` are the names of those that failed.
    `warnings` are sentences.
    """

    decisions: tuple[OutputDecision, ...]
    unrelated: int = 0
    unrelated_failed: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


def evaluate_status(outputs: Sequence[OutputEntry], outcome: Outcome) -> Evaluation:
    """Decide by the job's status alone."""
    return Evaluation((JOB_SUCCEEDED if outcome is Outcome.SUCCESS else JOB_FAILED,) * len(outputs))


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

    def read(self, entries: Sequence[OutputEntry]) -> tuple[Health, ...]:
        """The health of outputs, without their siblings."""
        queries = [HealthQuery(entry.urn, siblings=False, alternate_urns=entry.alternate_urns) for entry in entries]
        return self.reader.read(queries).healths

    def look(self, entries: Sequence[OutputEntry]) -> tuple[Health, ...]:
        """The health of outputs that were read before, as it is now."""
        return self.quick_reader.read([HealthQuery(entry.urn, siblings=False) for entry in entries]).healths

    def read_full_history(self, entry: OutputEntry) -> Health:
        """The health of an output with its whole history."""
        [health] = self.full_history_reader.read([HealthQuery(entry.urn, siblings=False)]).healths
        return health
