"""Check that everything a manifest names exists in DataHub."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lookup import look_up
from incident_gate.datahub.health.answer import Extent, HealthQuery, History
from incident_gate.datahub.health.reader import Reader
from incident_gate.gate.check import without_warehouse
from incident_gate.incident import Problem, Reason
from incident_gate.manifest.model import Dbt, Manifest, Mistake, Position, Search, UpstreamOf, Waiver
from incident_gate.select.dbt import select_nodes
from incident_gate.select.selection import SelectorResult
from incident_gate.select.server import missing_values, urns_of
from incident_gate.urn import Urn


class _Named(NamedTuple):
    """An asset that the manifest names or selects, with the `ignore` rules for incidents that must be on it.

    A dbt node has several URNs, of which one must exist, and the position of its selector.
    """

    position: Position
    urns: tuple[Urn, ...]
    waivers: tuple[Waiver, ...] = ()


def missing_assets(
    client: Client, manifest: Manifest, *, root: Path, resolve: Callable[[str], str]
) -> tuple[Mistake, ...]:
    """Look for each asset, each ignored incident or assertion, and each value of a search that a manifest names.

    Paths of dbt's files start at `root`; nodes of a file that cannot be read are not looked for. `resolve` names
    settings as their user knows them.

    Raises:
        DataHubError: DataHub could not be queried.
    """
    nodes = list(_nodes(manifest, root))
    found = [*_missing(client, list(_named(manifest, nodes))), *_unmatched(nodes), *_unknown(client, manifest)]
    mistakes = [
        Mistake(position, f"{problem.message.rstrip('.')}. {resolve(problem.hint)}".rstrip())
        for position, problem in found
    ]
    return tuple(sorted(dict.fromkeys(mistakes), key=lambda mistake: mistake.position))


def _nodes(manifest: Manifest, root: Path) -> Iterator[tuple[Position, SelectorResult]]:
    """The nodes that each selector of dbt's nodes chooses."""
    for selector in manifest.selectors:
        if isinstance(selector.what, Dbt):
            yield selector.position, select_nodes(selector.what, root, built=False, at_most=selector.at_most)
    for built in manifest.output_selectors:
        yield built.position, select_nodes(built.what, root, built=True, at_most=built.at_most)


def _named(manifest: Manifest, nodes: Sequence[tuple[Position, SelectorResult]]) -> Iterator[_Named]:
    for entry in manifest.inputs:
        yield _Named(entry.position, (entry.urn,), tuple(waiver for waiver in entry.ignore if waiver.incident))
    for output in manifest.outputs:
        yield _Named(output.position, (output.urn,))
    for selector in manifest.selectors:
        if isinstance(selector.what, UpstreamOf):
            yield from (_Named(selector.position, (urn,)) for urn in selector.what.urns)
    for position, chosen in nodes:
        yield from (_Named(position, urns) for urns in chosen.assets)


def _missing(client: Client, assets: Sequence[_Named]) -> Iterator[tuple[Position, Problem]]:
    """The assets, and the ignored incidents on them, that do not exist."""
    queries = [
        HealthQuery(asset.urns[0], existence_only=not asset.waivers, alternate_urns=asset.urns[1:], must_exist=False)
        for asset in assets
    ]
    # An incident that is ignored may be resolved by now.
    reading = Reader(client, Extent(History.WHOLE)).read(queries)
    if reading.failure:
        raise reading.failure
    answered = [(asset, reading.healths[query]) for asset, query in zip(assets, queries, strict=True)]
    for asset, health in answered:
        for problem in health.problems:
            yield asset.position, problem._replace(message=f"{health.urn}: {problem.message}")
        known = {incident.urn for incident in (*health.incidents, *health.resolved)}
        for waiver in asset.waivers if not health.problems and not health.unread else ():
            if waiver.incident not in known:
                yield waiver.position, _no_such(f"incident {waiver.incident} on {health.urn}")
    for position, message in without_warehouse((asset.position, health) for asset, health in answered).items():
        yield position, Problem(Reason.NOT_FOUND, message)


def _unmatched(nodes: Sequence[tuple[Position, SelectorResult]]) -> Iterator[tuple[Position, Problem]]:
    """What keeps a selector from choosing nodes: a pattern that matches none, a node without a usable URN.

    A pattern may be meant for the file that cannot be read.
    """
    for position, chosen in nodes:
        problems = [problem for problem, _ in chosen.problems]
        if all(problem.reason is not Reason.UNREADABLE_FILE for problem in problems):
            yield from ((position, problem) for problem in problems)


def _unknown(client: Client, manifest: Manifest) -> Iterator[tuple[Position, Problem]]:
    """The ignored assertions and the values of searches that DataHub does not know."""
    ignored = [*(entry.ignore for entry in manifest.inputs), *(selector.ignore for selector in manifest.selectors)]
    waivers = [waiver for rules in ignored for waiver in rules if waiver.assertion]
    searches = [(s.position, s.what) for s in manifest.selectors if isinstance(s.what, Search)]
    if not waivers and not searches:
        return
    urns = [*(waiver.assertion for waiver in waivers), *(urn for _, search in searches for urn in urns_of(search))]
    lookup = look_up(client, list(dict.fromkeys(urns)))
    for waiver in waivers:
        exists = lookup.of(waiver.assertion).exists
        if exists is None:
            message = f"DataHub does not report whether {waiver.assertion} exists"
            yield waiver.position, Problem(Reason.EXISTENCE_UNKNOWN, message)
        elif not exists:
            yield waiver.position, _no_such(f"assertion {waiver.assertion} in DataHub")
    for position, search in searches:
        yield from ((position, problem) for problem in missing_values(client, lookup, search))


def _no_such(what: str) -> Problem:
    return Problem(Reason.NOT_FOUND, f"There is no {what}", "Correct the URN, or delete the rule.")
