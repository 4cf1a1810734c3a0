"""Resolves a manifest's selectors into entries, each with everything that could not be established."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lookup import Lookup, look_up
from incident_gate.errors import DataHubError
from incident_gate.incident import Problem, Reason
from incident_gate.manifest.model import (
    Dbt,
    InputEntry,
    Manifest,
    OutputEntry,
    OutputSelector,
    Search,
    Selector,
    UpstreamOf,
)
from incident_gate.select.dbt import select_nodes
from incident_gate.select.selection import ResolvedInputs, SelectorResult, check_paths, too_many
from incident_gate.select.server import select_matches, select_upstreams, urns_of
from incident_gate.urn import EntityType, Urn

EntryT = TypeVar("EntryT", InputEntry, OutputEntry)

_EMPTY_HINT = "Check it for typing errors; if nothing is fine, set `may-be-empty: true`."


def resolve(manifest: Manifest, *, client: Client | None, root: Path) -> ResolvedInputs:
    """Resolve all selectors; paths stay below `root`, and without a `client` DataHub is not asked.

    Raises:
        ManifestError: A path leads out of that folder.
    """
    built = resolve_outputs(manifest, root=root)
    asked = [selector.what for selector in manifest.selectors if not isinstance(selector.what, Dbt)]
    lookup: Lookup | None = None
    failure: DataHubError | None = None
    picked: list[tuple[Selector, SelectorResult]] = []
    for selector in manifest.selectors:
        what, at_most = selector.what, selector.at_most
        result = SelectorResult()
        if isinstance(what, Dbt):
            result = select_nodes(what, root, built=False, at_most=at_most)
        elif client:
            try:
                if not failure:
                    lookup = lookup or look_up(client, _named(asked, built.outputs))
                    result = _of_server(client, lookup, what, built, at_most=at_most)
            except DataHubError as error:
                failure = error
            if failure:
                problem = Problem(Reason.NO_ANSWER, failure.message.rstrip("."), failure.hint)
                result = SelectorResult(problems=((problem, ""),))
        picked.append((selector, _checked(selector, result)))
    entries = [_entry(selector, urns) for selector, result in picked for urns in result.assets]
    return built._replace(
        inputs=merged([*manifest.inputs, *entries]),
        problems=tuple(
            (_unknown(selector, about), problem) for selector, result in picked for problem, about in result.problems
        ),
        left_out=tuple((selector, result.left_out) for selector, result in picked if result.left_out),
        failure=failure,
        schema=lookup.schema if lookup else None,
    )


def resolve_outputs(manifest: Manifest, *, root: Path) -> ResolvedInputs:
    """Resolve the selectors among the outputs, which are files; raises what `resolve` does."""
    check_paths(manifest, root)
    picked = [
        (selector, _checked(selector, select_nodes(selector.what, root, built=True, at_most=selector.at_most)))
        for selector in manifest.output_selectors
    ]
    entries = [
        OutputEntry(urns[0], s.position, incident=s.incident, selected_by=s.label, alternate_urns=urns[1:])
        for s, choice in picked
        for urns in choice.assets
    ]
    return ResolvedInputs(
        outputs=merged([*manifest.outputs, *entries]),
        output_problems=tuple((selector, problem) for selector, choice in picked for problem, _ in choice.problems),
    )


def merged(entries: Sequence[EntryT]) -> tuple[EntryT, ...]:
    """Leave out duplicates.

    Of several entries with a URN in common, the first one stays and takes on the URNs of the others: it is the
    manifest's own entry, or the first selector's.
    """
    found: dict[int, tuple[Urn, ...]] = {}
    places: dict[str, int] = {}
    for number, urns in enumerate(map(_urns, entries)):
        place = next((places[urn.text] for urn in urns if urn.text in places), number)
        new = tuple(urn for urn in urns if urn.text not in places)
        places |= dict.fromkeys((urn.text for urn in new), place)
        found[place] = found.get(place, ()) + new
    return tuple(entries[place]._replace(alternate_urns=urns[1:]) for place, urns in found.items())


def _entry(selector: Selector, urns: Sequence[Urn]) -> InputEntry:
    """A selected asset, with the selector's rules."""
    return InputEntry(
        urns[0],
        selector.position,
        rules=selector.rules,
        ignore=selector.ignore,
        expired=selector.expired,
        selected_by=selector.label,
        alternate_urns=tuple(urns[1:]),
    )


def _unknown(selector: Selector, urn: str) -> InputEntry:
    """An input of unknown health: with the URN that its problem is about, else named like the selector."""
    text = urn or str(selector.what)
    entry = _entry(selector, [Urn(text, EntityType.DATASET, text)])
    return entry._replace(name=selector.name or (None if urn else text), is_selector=True)


def _named(asked: Sequence[UpstreamOf | Search], outputs: Sequence[OutputEntry]) -> list[str]:
    """Every entity that the selectors name, once."""
    found: dict[str, None] = {}
    for what in asked:
        if isinstance(what, Search):
            found |= dict.fromkeys(urns_of(what))
        else:
            found |= {urn.text: None for urns in _starts(what, outputs) for urn in urns}
    return list(found)


def _starts(what: UpstreamOf, outputs: Sequence[OutputEntry]) -> list[tuple[Urn, ...]]:
    return [(urn,) for urn in what.urns] or [_urns(output) for output in outputs]


def _urns(entry: InputEntry | OutputEntry) -> tuple[Urn, ...]:
    return (entry.urn, *entry.alternate_urns)


def _of_server(
    client: Client, lookup: Lookup, what: UpstreamOf | Search, built: ResolvedInputs, *, at_most: int
) -> SelectorResult:
    """What a selector selects by DataHub's answers."""
    if isinstance(what, Search):
        return select_matches(client, lookup, what, at_most=at_most)
    starts = _starts(what, built.outputs)
    choice = select_upstreams(client, lookup, starts, what.hops, at_most=at_most)
    if what.urns:
        return choice
    problems = [(problem, "") for _, problem in built.output_problems]
    if not starts and not problems:
        no_outputs = Problem(Reason.NOTHING_SELECTED, "The manifest names no outputs", "Name outputs or URNs.")
        problems.append((no_outputs, ""))
    return choice._replace(problems=(*problems, *choice.problems))


def _checked(selector: Selector | OutputSelector, choice: SelectorResult) -> SelectorResult:
    """The choice within the selector's bounds: nothing and too much are problems."""
    problems = list(choice.problems)
    if not choice.assets and not problems and not selector.may_be_empty:
        message = "Selects nothing that can have incidents" if choice.left_out else "Selects nothing"
        problems.append((Problem(Reason.NOTHING_SELECTED, message, _EMPTY_HINT), ""))
    if len(choice.assets) > selector.at_most:
        problems = [p for p in problems if p[0].reason is not Reason.TOO_MANY]
        problems.append((too_many(len(choice.assets), selector.at_most), ""))
    return SelectorResult(choice.assets[: selector.at_most], tuple(problems), choice.left_out)
