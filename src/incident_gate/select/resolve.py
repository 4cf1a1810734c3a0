"""Resolves a manifest's selectors into entries, each with everything that could not be established."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lookup import Lookup, look_up
from incident_gate.errors import DataHubError
from incident_gate.incident import Problem, Reason
from incident_gate.manifest.model import Dbt, Manifest, OutputEntry, OutputSelector, Search, Selector
from incident_gate.select.dbt import select_nodes
from incident_gate.select.lineage import select_upstreams
from incident_gate.select.search import select_matches, urns_of
from incident_gate.select.selection import (
    ResolvedInputs,
    SelectorResult,
    check_paths,
    input_of,
    merged,
    output_of,
    unresolved,
)
from incident_gate.urn import Urn

_EMPTY_HINT = "Check it for typing errors; if nothing is fine, set `may-be-empty: true`."


def resolve(manifest: Manifest, *, client: Client | None, root: Path) -> ResolvedInputs:
    """Resolve all selectors.

    Args:
        manifest: Whose selectors.
        client: Where to ask; None where no selector needs it.
        root: The folder that paths start from and stay below.

    Raises:
        ManifestError: A path leads out of that folder.
    """
    built = resolve_outputs(manifest, root=root)
    choices = {selector: _of_files(selector, root) for selector in manifest.selectors}
    asked = [selector for selector, choice in choices.items() if choice is None]
    lookup: Lookup | None = None
    failure: DataHubError | None = None
    try:
        if asked and client:
            lookup = look_up(client, _named(asked, built.outputs))
            for selector in asked:
                choices[selector] = _of_server(client, lookup, selector, built)
    except DataHubError as error:
        failure = error
        choices = {selector: choice or _unanswered(error) for selector, choice in choices.items()}
    picked = [(selector, _checked(selector, choice or SelectorResult())) for selector, choice in choices.items()]
    entries = [*manifest.inputs, *(input_of(selector, urns) for selector, choice in picked for urns in choice.assets)]
    kept = merged([(entry.urn, *entry.alternate_urns) for entry in entries])
    return built._replace(
        inputs=tuple(entries[place]._replace(alternate_urns=urns[1:]) for place, urns in kept.items()),
        problems=tuple(
            unresolved(selector, problem, about) for selector, choice in picked for problem, about in choice.problems
        ),
        left_out=tuple((selector, choice.left_out) for selector, choice in picked if choice.left_out),
        failure=failure,
        schema=lookup.schema if lookup else None,
    )


def resolve_outputs(manifest: Manifest, *, root: Path) -> ResolvedInputs:
    """Resolve the selectors among the outputs, which are files.

    Raises:
        ManifestError: A path leads out of the folder `root`.
    """
    check_paths(manifest, root)
    picked = [
        (selector, _checked(selector, select_nodes(selector.what, root, built=True, at_most=selector.at_most)))
        for selector in manifest.output_selectors
    ]
    entries = [*manifest.outputs, *(output_of(selector, urns) for selector, choice in picked for urns in choice.assets)]
    kept = merged([(entry.urn, *entry.alternate_urns) for entry in entries])
    return ResolvedInputs(
        outputs=tuple(entries[place]._replace(alternate_urns=urns[1:]) for place, urns in kept.items()),
        output_problems=tuple((selector, problem) for selector, choice in picked for problem, _ in choice.problems),
    )


def _of_files(selector: Selector, root: Path) -> SelectorResult | None:
    """What a selector selects by files alone; None where DataHub must be asked."""
    if not isinstance(selector.what, Dbt):
        return None
    return select_nodes(selector.what, root, built=False, at_most=selector.at_most)


def _starts_at_outputs(selector: Selector) -> bool:
    return not isinstance(selector.what, Dbt | Search) and not selector.what.urns


def _named(asked: Sequence[Selector], outputs: Sequence[OutputEntry]) -> list[str]:
    """Every entity that the selectors name, once."""

    def names() -> Iterator[str]:
        for selector in asked:
            if isinstance(selector.what, Search):
                yield from urns_of(selector.what)
            else:
                yield from (urn.text for urns in _starts(selector, outputs) for urn in urns)

    return list(dict.fromkeys(names()))


def _starts(selector: Selector, outputs: Sequence[OutputEntry]) -> list[tuple[Urn, ...]]:
    if isinstance(selector.what, Dbt | Search):
        return []
    if selector.what.urns:
        return [(urn,) for urn in selector.what.urns]
    return [(output.urn, *output.alternate_urns) for output in outputs]


def _of_server(client: Client, lookup: Lookup, selector: Selector, built: ResolvedInputs) -> SelectorResult:
    """What a selector selects by DataHub's answers."""
    if isinstance(selector.what, Search):
        return select_matches(client, lookup, selector.what, at_most=selector.at_most)
    assert not isinstance(selector.what, Dbt)  # noqa: S101 - for the type checker
    starts = _starts(selector, built.outputs)
    choice = select_upstreams(client, lookup, starts, selector.what.hops, at_most=selector.at_most)
    if not _starts_at_outputs(selector):
        return choice
    problems = [problem for _, problem in built.output_problems]
    if not starts and not problems:
        problems.append(Problem(Reason.NOTHING_SELECTED, "The manifest names no outputs", "Name outputs or URNs."))
    return choice._replace(problems=(*((problem, "") for problem in problems), *choice.problems))


def _unanswered(failure: DataHubError) -> SelectorResult:
    return SelectorResult(problems=((Problem(Reason.NO_ANSWER, failure.message.rstrip("."), failure.hint), ""),))


def _checked(selector: Selector | OutputSelector, choice: SelectorResult) -> SelectorResult:
    """The choice within the selector's bounds: nothing and too much are problems."""
    problems = list(choice.problems)
    if not choice.assets and not problems and not selector.may_be_empty:
        message = "Selects nothing that can have incidents" if choice.left_out else "Selects nothing"
        problems.append((Problem(Reason.NOTHING_SELECTED, message, _EMPTY_HINT), ""))
    number = len(choice.assets)
    if number > selector.at_most:
        message = f"Selects {number:,} assets, more than `at-most` ({selector.at_most:,})"
        problems = [p for p in problems if p[0].reason is not Reason.TOO_MANY]
        problems.append((Problem(Reason.TOO_MANY, message, "Raise `at-most`, or select less."), ""))
    return SelectorResult(choice.assets[: selector.at_most], tuple(problems), choice.left_out)
