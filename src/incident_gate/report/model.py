"""What a run has to say: the one value that every sink renders."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from incident_gate.errors import GateError
from incident_gate.manifest.model import Mistake, OutputEntry
from incident_gate.policy import Conclusion, Decision, Verdict


class Change(StrEnum):
    """What became of one output."""

    RAISED = "raised"
    KEPT = "kept"  # still active, and told of the new run
    RESOLVED = "resolved"
    CLEAR = "clear"  # success, and nothing of ours was active
    FAILED = "failed"  # could not be written
    WOULD_RAISE = "would raise"  # the same three under dry-run
    WOULD_KEEP = "would keep"
    WOULD_RESOLVE = "would resolve"


@dataclass(frozen=True, slots=True, kw_only=True)
class OutputResult:
    """What was done on one output; `incidents` are incident URNs, `message` says why when it failed."""

    entry: OutputEntry
    change: Change
    incidents: tuple[str, ...] = ()
    message: str = ""
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeReport:
    """The outcome's half: `outcome` is the job's status as given; `nothing` says why nothing was to be done, if so."""

    outcome: str
    results: tuple[OutputResult, ...] = ()
    nothing: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A whole run. Either half may be missing: a step of its own reports only the outcome.

    `ui_url` is where incident pages live, without a trailing slash; None leaves links out. `now_ms` is Unix time in
    milliseconds and only serves to tell ages. `notices` are sentences of the run's own, trusted text excepted.
    `failure` is what ended the conversation with DataHub early; the decisions say what it left unknown.
    """

    manifest_path: str
    ui_url: str | None
    now_ms: int
    decisions: tuple[Decision, ...] = ()
    outcome: OutcomeReport | None = None
    warnings: tuple[Mistake, ...] = ()
    notices: tuple[str, ...] = ()
    gated: bool = True
    failure: GateError | None = None

    @property
    def conclusion(self) -> Conclusion:
        """The worst conclusion of all inputs."""
        return max((d.conclusion for d in self.decisions), key=list(Conclusion).index, default=Conclusion.PASS)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all inputs."""
        return max((d.verdict for d in self.decisions), key=list(Verdict).index, default=Verdict.HEALTHY)
