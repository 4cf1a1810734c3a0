"""The gate: a manifest's inputs, asked about and judged."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from typing import NamedTuple

from incident_gate.ci.identity import JobIdentity
from incident_gate.datahub.health.batch import HealthQuery
from incident_gate.datahub.health.reader import Reader
from incident_gate.errors import DataHubError, ExitCode, GateError, RefusedError
from incident_gate.gate.policy import Conclusion, Decision, Rule, decide, rule_for, worst
from incident_gate.incident import Health, Incident, Reason
from incident_gate.manifest.model import Manifest, OnFailingAssertion, OnUnknown, Rules

_NOT_CREATED_YET = (
    "This job writes it: if it is not in DataHub yet, set `on-unknown: warn` on this entry until it is. "
    "Otherwise compare the URN with the one on its DataHub page."
)


class Judgement(NamedTuple):
    """A decision on every input, and what went wrong with the conversation as a whole, if anything did."""

    decisions: tuple[Decision, ...]
    failure: DataHubError | None = None
    nothing_answered: bool = False

    @property
    def exit_code(self) -> ExitCode:
        """What the run returns.

        A conversation that brought no answer at all, or that a wrong setting ended, is told apart from an asset that is
        not healthy.
        """
        if worst(d.conclusion for d in self.decisions) is not Conclusion.BLOCK:
            return ExitCode.OK
        if self.failure and (self.nothing_answered or isinstance(self.failure, RefusedError)):
            return ExitCode.DATAHUB
        return ExitCode.BLOCKED


def check_inputs(
    manifest: Manifest,
    *,
    reader: Reader,
    identity: JobIdentity,
    overrides: Rules,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Judgement:
    """Ask for the health of every input and judge it.

    Args:
        manifest: What to ask for, and the rules.
        reader: Reads the health.
        identity: This job, whose own incidents do not block it.
        overrides: What the action's inputs say.
        on_progress: Called with how many of how many assets are answered.

    Returns:
        A decision on every input, in the manifest's order; none if there are no inputs.
    """
    if not manifest.inputs:
        return Judgement(())
    settled: dict[Rules, Rule] = {}  # most entries have no rules of their own
    for entry in manifest.inputs:
        if entry.rules not in settled:
            settled[entry.rules] = rule_for(entry.rules, overrides, manifest.defaults)
    rules = [settled[entry.rules] for entry in manifest.inputs]
    if any(rule.on_failing_assertion is not OnFailingAssertion.IGNORE for rule in settled.values()):
        raise GateError("on-failing-assertion is not supported yet.", hint="Leave it out.")
    questions = [
        HealthQuery(entry.urn, siblings=rule.siblings) for entry, rule in zip(manifest.inputs, rules, strict=True)
    ]
    reading = reader.read(questions, on_progress=on_progress)
    if isinstance(reading.failure, RefusedError):
        # `on-unknown: warn` is for a DataHub that is down. A wrong token or address would let every run pass,
        # so it is not excused.
        rules = [rule.with_on_unknown(OnUnknown.BLOCK) for rule in rules]

    outputs = frozenset(entry.urn.text for entry in manifest.outputs)

    return Judgement(
        tuple(
            decide(
                entry,
                _explained(health, outputs),
                rule,
                is_ours=partial(_is_ours, identity=identity, written=_written(health, outputs)),
            )
            for entry, health, rule in zip(manifest.inputs, reading.healths, rules, strict=True)
        ),
        reading.failure,
        reading.nothing_answered,
    )


def _written(health: Health, outputs: frozenset[str]) -> frozenset[str]:
    """Which of the assets that an answer covers this manifest writes: its outputs and the siblings of one."""
    covered = {health.urn, *health.siblings}
    if health.urn in outputs:
        return frozenset(covered)
    named = covered & outputs
    return frozenset({*named, health.urn} if named else ())


def _is_ours(incident: Incident, *, identity: JobIdentity, written: frozenset[str]) -> bool:
    """Whether this workflow raised it on an asset that it writes: then the next run must not be blocked by it."""
    return (
        identity.is_known
        and incident.asset in written
        and incident.mark is not None
        and incident.mark.scope == identity.scope_of(incident.asset)
    )


def _explained(health: Health, outputs: frozenset[str]) -> Health:
    """The health with the hint that fits an asset which this very job is going to create."""
    if health.urn not in outputs:
        return health
    problems = tuple(
        problem._replace(hint=_NOT_CREATED_YET) if problem.reason is Reason.NOT_FOUND else problem
        for problem in health.problems
    )
    return replace(health, problems=problems)
