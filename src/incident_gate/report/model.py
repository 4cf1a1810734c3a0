"""The result of a run: the one value that every format renders."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from incident_gate.ci.run import Run
from incident_gate.errors import ExitCode, GateError, RefusedError
from incident_gate.gate.policy import Conclusion, Decision, MissingOutput, Verdict, worst
from incident_gate.incident import Priority, Reason, severity
from incident_gate.manifest.model import NOWHERE, Mistake, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult

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
        return worst(decision.conclusion for decision in self.decisions)

    @property
    def verdict(self) -> Verdict:
        """The worst verdict of all inputs."""
        return max((d.verdict for d in self.decisions), key=list(Verdict).index, default=Verdict.HEALTHY)

    @property
    def results(self) -> tuple[OutputResult, ...]:
        """What was done on each output."""
        return self.outcome.results if self.outcome else ()

    @property
    def is_overridden(self) -> bool:
        """Whether something would have blocked without the override."""
        return self.override is not None and self.override.effective

    @property
    def exit_code(self) -> ExitCode:
        """What the run returns.

        A run without any answer, or one that a wrong setting ended, has another exit code than an asset that is
        not healthy.
        """
        if self.conclusion is Conclusion.BLOCK:
            is_down = self.failure and (self.nothing_answered or isinstance(self.failure, RefusedError))
            return ExitCode.DATAHUB if is_down else ExitCode.BLOCKED
        return ExitCode.DATAHUB if any(result.change is Change.FAILED for result in self.results) else ExitCode.OK

    @property
    def deciding(self) -> list[Decision]:
        """The inputs for which the run blocks, or warns."""
        worst_of_all = self.conclusion
        return [d for d in self.decisions if d.conclusion is worst_of_all and worst_of_all is not Conclusion.PASS]

    @property
    def clear(self) -> list[Decision]:
        """The inputs without any open incident."""
        return [d for d in self.decisions if d.verdict is Verdict.HEALTHY and not d.excused]

    @property
    def unchecked(self) -> list[Decision]:
        """The inputs that are unknown only because the requests failed: one cause, reported once."""
        return [decision for decision in self.decisions if self.is_unchecked(decision)]

    @property
    def nothing_checked(self) -> bool:
        """Whether all inputs are unchecked."""
        return self.failure is not None and all(map(self.is_unchecked, self.decisions))

    def is_unchecked(self, decision: Decision) -> bool:
        """Whether an input is among the unchecked ones."""
        reasons = {problem.reason for problem in decision.problems}
        return self.failure is not None and reasons == {Reason.NO_ANSWER} and not decision.blocking_count

    @property
    def affected_assets(self) -> tuple[str, ...]:
        """The assets that block, warn, or whose incident was raised or resolved: those whose owners matter."""
        listed = worst_first(d for d in self.decisions if not d.entry.is_selector)
        urns = [
            d.entry.urn.text
            for conclusion in (Conclusion.BLOCK, Conclusion.WARN)
            for d in listed
            if d.conclusion is conclusion
        ]
        urns += [result.entry.urn.text for result in self.results if result.raised or result.resolved]
        return tuple(dict.fromkeys(urns))

    @property
    def events(self) -> tuple[str, ...]:
        """What happened, in the words of `notify-on`. An incident that is still open is not announced again."""
        happened = {
            "raised": any(result.raised for result in self.results),
            "resolved": any(result.resolved for result in self.results),
            "blocked": self.conclusion is Conclusion.BLOCK or self.is_overridden,
        }
        return tuple(event for event, did in happened.items() if did)

    def place(self, position: Position) -> str:
        """A place in the manifest as editors and terminals know it; empty for what the settings name."""
        return "" if position == NOWHERE else f"{self.manifest_path}:{position.line}:{position.column}"

    def place_url(self, position: Position) -> str | None:
        """The manifest's line on the page of the repository; None where there is no such page."""
        run, path = self.run, self.manifest_path
        if position == NOWHERE or not run.commit or path.startswith(("/", "~", "..")):
            return None
        for pages, blob in (("/actions/runs/", "/blob/"), ("/-/", "/-/blob/")):
            base, marker, _ = run.url.partition(pages)
            if marker:
                return f"{base}{blob}{run.commit}/{path}#L{position.line}"
        return None


def worst_first(decisions: Iterable[Decision]) -> list[Decision]:
    """Inputs in the order of their most severe incident; those with failing assertions and unknown ones come last."""

    def rank(decision: Decision) -> tuple[int, int]:
        if decision.blocking:
            return severity(decision.blocking[0])
        last = len(Priority) + 1
        return (last, 0) if decision.failing else (last + 1, 0) if decision.unread else (last + 2, 0)

    return sorted(decisions, key=rank)
