"""Check that everything a manifest names exists in DataHub."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lookup import look_up
from incident_gate.datahub.health.answer import HealthQuery, History
from incident_gate.datahub.health.reader import Reader
from incident_gate.gate.check import without_warehouse
from incident_gate.incident import Health, Problem, Reason
from incident_gate.manifest.model import Dbt, Manifest, Mistake, Position, Search, UpstreamOf, Waiver
from incident_gate.select.dbt import select_nodes
from incident_gate.select.selection import SelectorResult
from incident_gate.select.server import missing_values, urns_of
from incident_gate.urn import Urn

Resolve = Callable[[str], str]


class _Named(NamedTuple):
    """An asset that the manifest names or selects, with the waivers of incidents that must be on it.

    A dbt node has several URNs, of which one must exist. Its position is the selector's, so errors name it.
    """

    position: Position
    urns: tuple[Urn, ...]
    waivers: tuple[Waiver, ...] = ()
    is_selected: bool = False


def missing_assets(client: Client, manifest: Manifest, *, root: Path, resolve: Resolve) -> tuple[Mistake, ...]:
    """Look for each asset, each waived incident or assertion, and each value of a search.

    Args:
        client: Where to ask.
        manifest: Its inputs, outputs, waivers and selectors.
        root: The folder from which paths of dbt's files start. Nodes of a file that cannot be read are not looked for.
        resolve: Names settings as their user knows them.

    Returns:
        What does not exist or could not be looked at, each with its position.

    Raises:
        DataHubError: DataHub could not be queried.
    """
    choices = list(_choices(manifest, root))
    missing = _missing(client, list(_named(manifest, choices)), resolve)
    found = [*missing, *_unmatched(choices, resolve), *_unknown(client, manifest, resolve)]
    return tuple(sorted(dict.fromkeys(found), key=lambda mistake: mistake.position))


def _choices(manifest: Manifest, root: Path) -> Iterator[tuple[Position, SelectorResult]]:
    """The nodes that each selector of dbt's nodes chooses."""
    for selector in manifest.selectors:
        if isinstance(selector.what, Dbt):
            yield selector.position, select_nodes(selector.what, root, built=False, at_most=selector.at_most)
    for built in manifest.output_selectors:
        yield built.position, select_nodes(built.what, root, built=True, at_most=built.at_most)


def _named(manifest: Manifest, choices: list[tuple[Position, SelectorResult]]) -> Iterator[_Named]:
    """Every asset of the manifest."""
    for entry in manifest.inputs:
        yield _Named(entry.position, (entry.urn,), tuple(waiver for waiver in entry.ignore if waiver.incident))
    for output in manifest.outputs:
        yield _Named(output.position, (output.urn,))
    for selector in manifest.selectors:
        if isinstance(selector.what, UpstreamOf):
            yield from (_Named(selector.position, (urn,)) for urn in selector.what.urns)
    for position, choice in choices:
        yield from (_Named(position, urns, is_selected=True) for urns in choice.assets)


def _missing(client: Client, assets: list[_Named], resolve: Resolve) -> Iterator[Mistake]:
    """The assets, and the waived incidents on them, that do not exist.

    Raises:
        DataHubError: DataHub could not be queried.
    """
    queries = [
        HealthQuery(asset.urns[0], existence_only=not asset.waivers, alternate_urns=asset.urns[1:], must_exist=False)
        for asset in assets
    ]
    # An incident that is waived may be resolved by now.
    reading = Reader(client, History.WHOLE).read(queries)
    if reading.failure:
        raise reading.failure
    answered = [(asset, reading.healths[query]) for asset, query in zip(assets, queries, strict=True)]
    for asset, health in answered:
        for problem in health.problems:
            yield _mistake(asset.position, problem, resolve, about=health.urn if asset.is_selected else "")
        if not health.problems:
            yield from _unknown_incidents(asset.waivers, health)
    selected = ((asset.position, health) for asset, health in answered if asset.is_selected)
    for position, message in without_warehouse(selected).items():
        yield Mistake(position, message)


def _unknown_incidents(waivers: tuple[Waiver, ...], health: Health) -> Iterator[Mistake]:
    known = {incident.urn for incident in (*health.incidents, *health.resolved)}
    for waiver in waivers:
        if waiver.incident not in known and not health.unread:
            message = f"there is no incident {waiver.incident} on this asset"
            yield Mistake(waiver.position, message, "the URN of one of its incidents, or no such rule")


def _unmatched(choices: list[tuple[Position, SelectorResult]], resolve: Resolve) -> Iterator[Mistake]:
    """What keeps a selector from choosing nodes: a pattern that matches none, a node without a usable URN.

    A pattern may be meant for the file that cannot be read.
    """
    for position, choice in choices:
        problems = [problem for problem, _ in choice.problems]
        if all(problem.reason is not Reason.UNREADABLE_FILE for problem in problems):
            yield from (_mistake(position, problem, resolve) for problem in problems)


def _unknown(client: Client, manifest: Manifest, resolve: Resolve) -> Iterator[Mistake]:
    """The waived assertions and the values of searches that DataHub does not know.

    Raises:
        DataHubError: DataHub could not be queried.
    """
    ignored = [*(entry.ignore for entry in manifest.inputs), *(selector.ignore for selector in manifest.selectors)]
    waivers = [waiver for waivers in ignored for waiver in waivers if waiver.assertion]
    searches = [(s.what, s.position) for s in manifest.selectors if isinstance(s.what, Search)]
    if not waivers and not searches:
        return
    urns = [*(waiver.assertion for waiver in waivers), *(urn for search, _ in searches for urn in urns_of(search))]
    lookup = look_up(client, list(dict.fromkeys(urns)))
    for waiver in waivers:
        exists = lookup.of(waiver.assertion).exists
        if exists is None:
            yield Mistake(waiver.position, f"DataHub does not report whether {waiver.assertion} exists")
        elif not exists:
            message = f"there is no assertion {waiver.assertion} in DataHub"
            yield Mistake(waiver.position, message, "the URN of one of the asset's assertions, or no such rule")
    for search, position in searches:
        for problem in missing_values(client, lookup, search):
            yield _mistake(position, problem, resolve)


def _mistake(position: Position, problem: Problem, resolve: Resolve, about: str = "") -> Mistake:
    named = f"{about}: " if about else ""
    return Mistake(position, f"{named}{problem.message.rstrip('.')}. {resolve(problem.hint)}".rstrip())
