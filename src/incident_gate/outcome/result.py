"""What is decided about each output, and what was done on it."""

from __future__ import annotations

from collections.abc import Sequence
from enum import StrEnum
from typing import TYPE_CHECKING, NamedTuple

from incident_gate.incident import Cause, Reason
from incident_gate.manifest.model import OutputEntry

if TYPE_CHECKING:
    from incident_gate.outcome.results.model import ReportedResult

# Of what failed, as many are shown by name.
MOST_NAMED = 20


class Outcome(StrEnum):
    """How a job ended whose end is reported, in the words of GitHub's `job.status`."""

    SUCCESS = "success"
    FAILURE = "failure"


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


class Change(StrEnum):
    """What was done on one output; of what was done on several of its URNs, the first of these."""

    FAILED = "failed"  # could not be written
    RAISED = "raised"
    WOULD_RAISE = "would raise"  # under dry-run
    KEPT = "kept"  # still active, and updated with the new run
    WOULD_KEEP = "would keep"
    RESOLVED = "resolved"
    WOULD_RESOLVE = "would resolve"
    LEFT = "left"  # success, and left active: a newer run failed, or this one does not answer its cause
    CLEAR = "clear"  # success, and nothing of ours was active
    UNTOUCHED = "untouched"  # the results say neither success nor failure


class OutputResult(NamedTuple):
    """What was done on one output.

    `by_results` means that files with results decided, not the job's status; `reason` is what in them did, and `failed`
    are the names and messages of the checks that failed: untrusted text.
    `incidents` are the URNs that the change is about, `title` is that of an incident that was raised, `message` is why
    it failed. `raised` and `resolved` are what was written, whatever failed after it. `absent` is why DataHub does not
    have an output on which nothing had to be resolved.
    """

    entry: OutputEntry
    change: Change
    incidents: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    title: str = ""
    message: str = ""
    hint: str = ""
    by_results: bool = False
    reason: str = ""
    failed: tuple[tuple[str, str], ...] = ()
    absent: Reason | None = None


class OutcomeReport(NamedTuple):
    """The outcome's half: `outcome` is the job's status as given; `nothing` is why nothing had to be done, if so.

    `warnings` are sentences about files with results. `unrelated_checks` counts those that belong to no output;
    `unrelated_failures` are the names of those of them that failed. `on_request` means that the step raises or resolves
    whatever the job's status is.
    """

    outcome: str
    results: tuple[OutputResult, ...] = ()
    nothing: str = ""
    warnings: tuple[str, ...] = ()
    unrelated_checks: int = 0
    unrelated_failures: tuple[str, ...] = ()
    on_request: bool = False
