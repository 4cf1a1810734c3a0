"""The result of a run: the one value that every format renders."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from incident_gate.ci.run import Run
from incident_gate.errors import ExitCode, GateError, RefusedError
from incident_gate.gate.policy import Conclusion, Decision, MissingOutput, Verdict
from incident_gate.manifest.model import Mistake
from incident_gate.outcome.result import Change, OutcomeReport

if TYPE_CHECKING:
    from incident_gate.datahub.graph.owners import Owner
    from incident_gate.gate.wait import Waited


class Override(NamedTuple):
    """Why nothing blocked, who decided it if that is known, and what is wrong with it.

    It is `effective` where something would have blocked.
    """

    reason: str
    actor: str = ""
    warning: str = ""
    effective: bool = True

    def __str__(self) -> str:
        by = f" by {self.actor}" if self.actor else ""
        return f"Overridden{by}: {self.reason}" if self.effective else f"Override{by} without effect: {self.reason}"


class Report(NamedTuple):
    """A whole run. Either half may be missing: a step of its own reports only the outcome.

    `ui_url` is the base of links to DataHub's pages, without a trailing slash; None leaves links out. `now_ms` is Unix
    time in milliseconds, for ages. `notices` are sentences about the run. `failure` is why requests ended early; the
    decisions have what it left unknown, which is everything where `nothing_answered`. `missing_outputs` are outputs
    that DataHub does not have. `owners` are those of the `affected_assets`, by the asset's URN; `consumers` own what is
    made from these assets. `waited` is how long the gate waited, and for what, `override` why nothing blocked, and
    `override_option` the option's name as the user sets it. `manifest_text` is the manifest's file as it was read.
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
    nothing_answered: bool = False
    missing_outputs: tuple[MissingOutput, ...] = ()
    owners: Mapping[str, tuple[Owner, ...]] = MappingProxyType({})
    consumers: tuple[Owner, ...] = ()
    waited: Waited | None = None
    override: Override | None = None
    override_option: str = "override"
    run: Run = Run()
    manifest_text: str = ""

    @property
    def conclusion(self) -> Conclusion:
        """The worst conclusion of all inputs."""
        return max((d.conclusion for d in self.decisions), key=list(Conclusion).index, default=Conclusion.PASS)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all inputs."""
        return max((d.verdict for d in self.decisions), key=list(Verdict).index, default=Verdict.HEALTHY)

    @property
    def exit_code(self) -> ExitCode:
        """What the run returns.

        A run without any answer, or one that a wrong setting ended, has another exit code than an asset that is
        not healthy.
        """
        if self.conclusion is Conclusion.BLOCK:
            is_down = self.failure and (self.nothing_answered or isinstance(self.failure, RefusedError))
            return ExitCode.DATAHUB if is_down else ExitCode.BLOCKED
        results = self.outcome.results if self.outcome else ()
        return ExitCode.DATAHUB if any(result.change is Change.FAILED for result in results) else ExitCode.OK
