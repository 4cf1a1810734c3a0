"""The gate: reads the health of a manifest's inputs and decides."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from incident_gate.ci.run import JobIdentity
from incident_gate.datahub.client import Client
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import Reader, ServerState
from incident_gate.datahub.health.reading import Reading
from incident_gate.datahub.parallel import Deadline
from incident_gate.errors import DataHubError, Hint, RefusedError, most_severe
from incident_gate.gate.policy import Conclusion, Decision, MissingOutput, Rule, decide, rule_for
from incident_gate.incident import Health, Incident, Problem, Reason
from incident_gate.manifest.model import InputEntry, Manifest, OnUnknown, OutputEntry, Position, Rules

if TYPE_CHECKING:
    from incident_gate.select.selection import ResolvedInputs

_NOT_CREATED_YET = (
    "This job writes it: if it is not in DataHub yet, set `on-unknown: warn` on this entry until it is. "
    "Otherwise check the spelling."
)
_NOT_INGESTED = "Ingest it, or name this URN as an entry of its own with `on-unknown: warn`."
_DBT = "urn:li:dataset:(urn:li:dataPlatform:dbt,"
_REFUSALS = frozenset({Reason.REFUSED, Reason.HIDDEN})
_CANNOT_RAISE = "If this job fails, no incident can be raised on it."


class CheckResult(NamedTuple):
    """A decision on every input, and the failure that ended the requests, if there was one."""

    decisions: tuple[Decision, ...]
    failure: DataHubError | None = None
    nothing_answered: bool = False
    missing_outputs: tuple[MissingOutput, ...] = ()
    notices: tuple[str, ...] = ()


class Gate:
    """The rounds of one gate. An input's position is its place among the entries and what selectors left open."""

    def __init__(  # noqa: PLR0913 - all but the first two are named
        self,
        manifest: Manifest,
        client: Client,
        *,
        identity: JobIdentity,
        overrides: Rules,
        root: Path,
        timeout: float,
        clock_ms: Callable[[], int],
    ) -> None:
        self.client = client
        self.has_selectors = bool(manifest.selectors or manifest.output_selectors)
        self._identity, self._overrides = identity, overrides
        self._root, self._timeout, self._clock_ms = root, timeout, clock_ms
        self._written = self._manifest = manifest
        self._selection: ResolvedInputs | None = None
        self._select()
        self.notices = self._selection.notices if self._selection else ()
        self._reader = Reader(client, server=ServerState(client, self._selection.schema if self._selection else None))

    @property
    def _unresolved(self) -> tuple[tuple[InputEntry, Problem], ...]:
        return self._selection.problems if self._selection else ()

    def check_all(self, *, reports_outcome: bool = False) -> CheckResult:
        """Check every input."""
        everything = range(len(self._manifest.inputs) + len(self._unresolved))
        return self._check(everything, reports_outcome=reports_outcome)

    def check_again(self, positions: Sequence[int]) -> CheckResult:
        """Check some inputs in a new round."""
        self._begin_round()
        return self._check(positions)

    def select_and_check_again(self) -> CheckResult:
        """Check everything in a new round, selectors included."""
        self._begin_round()
        self._select()
        return self.check_all()

    def _begin_round(self) -> None:
        # Threads of an earlier round may still be at work with their own.
        deadline = Deadline.after(self._timeout)
        self.client, self._reader = self.client.until(deadline), self._reader.until(deadline)

    def _select(self) -> None:
        if self.has_selectors:
            from incident_gate.select.resolve import resolve  # most manifests have no selectors

            self._selection = resolve(self._written, client=self.client, root=self._root)
            self._manifest = self._selection.applied_to(self._written)

    def _check(self, positions: Sequence[int], *, reports_outcome: bool = False) -> CheckResult:
        inputs = self._manifest.inputs
        unresolved = [self._unresolved[place - len(inputs)] for place in positions if place >= len(inputs)]
        return check_inputs(
            self._manifest._replace(inputs=tuple(inputs[place] for place in positions if place < len(inputs))),
            reader=self._reader,
            identity=self._identity,
            overrides=self._overrides,
            reports_outcome=reports_outcome,
            unresolved=unresolved,
            failure=self._selection.failure if self._selection and unresolved else None,
            now_ms=self._clock_ms(),
        )


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
    """Read the health of every input and decide; the decisions are in the manifest's order.

    `identity` is this job, whose own incidents do not block it. Where it `reports_outcome`, the outputs must exist.
    `unresolved` is what selectors could not establish, further inputs of unknown health, and `failure` why requests
    ended before. `now_ms` is Unix time in milliseconds.
    """
    entries = [*manifest.inputs, *(entry for entry, _ in unresolved)]
    outputs = manifest.outputs if reports_outcome else ()
    if not entries and not outputs:
        return CheckResult(())
    # Most entries have no rules of their own.
    settled = {own: rule_for(own, overrides, manifest.defaults) for own in {entry.rules for entry in entries}}
    rules = [settled[entry.rules] for entry in entries]
    queries = [_query(entry, settled[entry.rules]) for entry in manifest.inputs]
    existence = [
        HealthQuery(entry.urn, existence_only=True, alternate_urns=entry.alternate_urns, must_exist=False)
        for entry in outputs
    ]
    found, failed = reader.read([*queries, *existence])
    reading = Reading({query: found[query] for query in queries}, failed)
    failure = most_severe([failure, failed, None if manifest.inputs else _common_refusal(unresolved)])
    if isinstance(failure, RefusedError):
        # `on-unknown: warn` is for a DataHub that is down. A wrong token or address would let every run pass,
        # so it is not excused.
        rules = [rule.with_on_unknown(OnUnknown.BLOCK) for rule in rules]
    healths = [found[query] for query in queries]
    healths += [Health(urn=entry.urn.text, problems=(problem,)) for entry, problem in unresolved]
    written = frozenset(urn.text for entry in manifest.outputs for urn in (entry.urn, *entry.alternate_urns))

    def judge(entry: InputEntry, health: Health, rule: Rule) -> Decision:
        # What the job is going to build may not be known yet: then each incident of its workflow may be on an output.
        own = None if manifest.output_selectors else _written(health, written)
        is_ours = partial(_is_ours, identity=identity, written=own)
        return decide(entry, _explained(entry, health, written), rule, is_ours=is_ours, now_ms=now_ms)

    selected = [
        (entry.position, found[query])
        for entry, query in zip(manifest.inputs, queries, strict=True)
        if entry.selected_by
    ]
    return CheckResult(
        tuple(map(judge, entries, healths, rules)),
        failure,
        bool(entries) and reading.nothing_answered,
        _missing(outputs, [found[query] for query in existence]),
        tuple(without_warehouse(selected).values()),
    )


def _query(entry: InputEntry, rule: Rule) -> HealthQuery:
    """What to ask about an input. One that somebody wrote down must itself exist."""
    return HealthQuery(
        entry.urn,
        rule.siblings,
        rule.counts_assertions,
        alternate_urns=entry.alternate_urns,
        must_exist=not entry.selected_by,
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
    """A notice for each selector of dbt nodes of whose tables DataHub has none: a wrong platform looks like that."""
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
    if health.urn in outputs:
        hint = _NOT_CREATED_YET
    elif entry.selected_by and not entry.is_selector:
        hint = _NOT_INGESTED
    else:
        return health
    problems = tuple(
        problem._replace(hint=hint) if problem.reason is Reason.NOT_FOUND else problem for problem in health.problems
    )
    return health._replace(problems=problems)
