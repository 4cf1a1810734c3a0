"""The gate: reads the health of a manifest's inputs and decides."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

from incident_gate.ci.run import JobIdentity
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import Reader
from incident_gate.errors import DataHubError, Hint, RefusedError, most_severe
from incident_gate.gate.policy import Conclusion, Decision, MissingOutput, decide, rule_for
from incident_gate.incident import Health, Incident, Problem, Reason
from incident_gate.manifest.model import (
    InputEntry,
    Manifest,
    OnUnknown,
    OutputEntry,
    Position,
    Rules,
)

_NOT_CREATED_YET = (
    "This job writes it: if it is not in DataHub yet, set `on-unknown: warn` on this entry until it is. "
    "Otherwise check the spelling."
)
_NOT_INGESTED = "Ingest it, or name this URN as an entry of its own with `on-unknown: warn`."
_DBT = "urn:li:dataset:(urn:li:dataPlatform:dbt,"
_REFUSALS = frozenset({Reason.REFUSED, Reason.HIDDEN})
_CANNOT_RAISE = "If this job fails, no incident can be raised on it."


class CheckResult(NamedTuple):
    """A decision on every input, and the failure that ended the requests, if there was one.

    `missing_outputs` are warnings about outputs that do not exist.
    """

    decisions: tuple[Decision, ...]
    failure: DataHubError | None = None
    nothing_answered: bool = False
    missing_outputs: tuple[MissingOutput, ...] = ()
    notices: tuple[str, ...] = ()


def check_inputs(  # noqa: PLR0913 - all but the first are named
    manifest: Manifest,
    *,
    reader: Reader,
    identity: JobIdentity,
    overrides: Rules,
    reports_outcome: bool = False,
    unresolved: Sequence[tuple[InputEntry, Problem]] = (),
    failure: DataHubError | None = None,
    now_ms: int = 0,
) -> CheckResult:
    """Read the health of every input and decide.

    Args:
        manifest: The inputs and their rules.
        reader: Reads the health of assets.
        identity: This job, whose own incidents do not block it.
        overrides: The rules that the action's inputs set.
        reports_outcome: Whether the end of the job is reported on the outputs, so that they must exist.
        unresolved: What selectors could not establish: further inputs, of unknown health.
        failure: Why requests ended before.
        now_ms: Unix time in milliseconds, for the age of assertions' results.

    Returns:
        A decision on every input, in the manifest's order; none if there are no inputs.
    """
    entries = [*manifest.inputs, *(entry for entry, _ in unresolved)]
    outputs = manifest.outputs if reports_outcome else ()
    if not entries and not outputs:
        return CheckResult(())
    # Most entries have no rules of their own.
    settled = {own: rule_for(own, overrides, manifest.defaults) for own in {entry.rules for entry in entries}}
    rules = [settled[entry.rules] for entry in entries]
    queries = [
        HealthQuery(
            entry.urn,
            rule.siblings,
            rule.counts_assertions,
            alternate_urns=entry.alternate_urns,
            must_exist=not entry.selected_by,
        )
        for entry, rule in zip(manifest.inputs, rules[: len(manifest.inputs)], strict=True)
    ]
    existence = [
        HealthQuery(entry.urn, existence_only=True, alternate_urns=entry.alternate_urns, must_exist=False)
        for entry in outputs
    ]
    reading = reader.read([*queries, *existence])
    missing = _missing(outputs, [reading.healths[query] for query in existence])
    reading = reading._replace(healths={query: reading.healths[query] for query in queries})
    healths = [reading.healths[query] for query in queries]
    failure = most_severe([failure, reading.failure, None if manifest.inputs else _common_refusal(unresolved)])
    if isinstance(failure, RefusedError):
        # `on-unknown: warn` is for a DataHub that is down. A wrong token or address would let every run pass,
        # so it is not excused.
        rules = [rule.with_on_unknown(OnUnknown.BLOCK) for rule in rules]
    unknown = [Health(urn=entry.urn.text, problems=(problem,)) for entry, problem in unresolved]
    written = frozenset(urn.text for entry in manifest.outputs for urn in (entry.urn, *entry.alternate_urns))
    # What the job is going to build is not known yet: then each of its workflow's own incidents may be on an output.
    any_asset = bool(manifest.output_selectors)
    return CheckResult(
        tuple(
            decide(
                entry,
                _explained(entry, health, written),
                rule,
                is_ours=partial(_is_ours, identity=identity, written=None if any_asset else _written(health, written)),
                now_ms=now_ms,
            )
            for entry, health, rule in zip(entries, [*healths, *unknown], rules, strict=True)
        ),
        failure,
        bool(entries) and reading.nothing_answered,
        missing,
        tuple(
            without_warehouse(
                (entry.position, health)
                for entry, health in zip(manifest.inputs, healths, strict=True)
                if entry.selected_by
            ).values()
        ),
    )


def overridden(result: CheckResult, reason: str) -> CheckResult:
    """The result in which everything that would block only warns; the reason is among the rules."""
    decisions = tuple(
        decision._replace(conclusion=Conclusion.WARN, rules=(*decision.rules, f"override: {reason}"))
        if decision.conclusion is Conclusion.BLOCK
        else decision
        for decision in result.decisions
    )
    return result._replace(decisions=decisions)


def without_warehouse(nodes: Iterable[tuple[Position, Health]]) -> dict[Position, str]:
    """What to say of each selector of dbt nodes of whose tables DataHub has none: a wrong platform looks like that."""
    missing: dict[Position, list[str]] = {}
    found: set[Position] = set()
    for position, health in nodes:
        parts = health.of_each_urn
        tables = [part for part in parts if not part.urn.startswith(_DBT)]
        if not tables or len(tables) == len(parts) or all(map(_is_absent, parts)):
            continue
        if all(map(_is_absent, tables)):
            missing.setdefault(position, []).append(tables[0].urn)
        else:  # an answer that is missing is no absence
            found.add(position)
    return {
        position: (
            f"DataHub has no table of the {len(urns):,} dbt {'node' if len(urns) == 1 else 'nodes'} that line "
            f"{position.line} selects, for example {urns[0]}. Check `target-platform` and the other options; "
            "where the warehouse is not ingested, set `urns: dbt`."
        )
        for position, urns in missing.items()
        if position not in found
    }


def _is_absent(health: Health) -> bool:
    return [problem.reason for problem in health.problems] == [Reason.NOT_FOUND]


def _common_refusal(unresolved: Sequence[tuple[InputEntry, Problem]]) -> RefusedError | None:
    """The refusal because of which selectors have selected nothing at all, if that is why."""
    if not unresolved or any(problem.reason not in _REFUSALS for _, problem in unresolved):
        return None
    _, first = unresolved[0]
    return RefusedError(f"DataHub refuses every selector. The first: {first.message}.", hint=first.hint)


def _missing(outputs: Sequence[OutputEntry], healths: Sequence[Health]) -> tuple[MissingOutput, ...]:
    """The outputs that do not exist, known before the job starts and not only when it fails."""
    missing = []
    for entry, health in zip(outputs, healths, strict=True):
        problems = [each.problems for each in health.parts]
        # Of the two URNs of a dbt node, one must exist.
        if all(problem and problem[0].reason in {Reason.NOT_FOUND, Reason.REMOVED} for problem in problems):
            first = problems[0][0]
            missing.append(MissingOutput(entry, first._replace(hint=Hint("{0} {1}", _CANNOT_RAISE, first.hint))))
    return tuple(missing)


def _written(health: Health, outputs: frozenset[str]) -> frozenset[str]:
    """Which of the assets that an answer covers this manifest writes: its outputs and the siblings of one."""
    covered = {health.urn, *health.siblings}
    if health.urn in outputs:
        return frozenset(covered)
    named = covered & outputs
    return frozenset({*named, health.urn} if named else ())


def _is_ours(incident: Incident, *, identity: JobIdentity, written: frozenset[str] | None) -> bool:
    """Whether this workflow raised it on an asset that it writes: then the next run must not be blocked by it.

    `written` is None where it is not known what it writes.
    """
    return (
        identity.is_known
        and (written is None or incident.asset in written)
        and incident.mark is not None
        and incident.mark.scope == identity.scope_of(incident.asset)
    )


def _explained(entry: InputEntry, health: Health, outputs: frozenset[str]) -> Health:
    """The health with the hint that fits an asset which this very job is going to create, or that nobody named."""
    hint = (
        _NOT_CREATED_YET
        if health.urn in outputs
        else _NOT_INGESTED
        if entry.selected_by and not entry.is_selector
        else ""
    )
    if not hint:
        return health
    problems = tuple(
        problem._replace(hint=hint) if problem.reason is Reason.NOT_FOUND else problem for problem in health.problems
    )
    return health._replace(problems=problems)
