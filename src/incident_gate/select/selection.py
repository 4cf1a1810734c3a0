"""What a manifest's selectors select: entries like those that the manifest names itself."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from incident_gate.dbt.project import MANIFEST_FILE
from incident_gate.errors import DataHubError
from incident_gate.files import OutsideError, locate
from incident_gate.incident import Problem, Question, Reason
from incident_gate.manifest.model import (
    Dbt,
    InputEntry,
    Manifest,
    ManifestError,
    Mistake,
    OutputEntry,
    OutputSelector,
    Selector,
)
from incident_gate.text import quote
from incident_gate.urn import EntityType, Urn, UrnError, parse_urn

if TYPE_CHECKING:
    from incident_gate.datahub.capabilities import Capabilities


class SelectorResult(NamedTuple):
    """What one selector selects.

    `assets` are the URNs of each asset: a dbt node has several. `problems` are what could not be established, each with
    the URN that it is about, if it is about one. `left_out` counts what cannot have incidents.
    """

    assets: tuple[tuple[Urn, ...], ...] = ()
    problems: tuple[tuple[Problem, str], ...] = ()
    left_out: int = 0


class Unresolved(NamedTuple):
    """Something that a selector could not establish: an input of unknown health."""

    entry: InputEntry
    problem: Problem


class ResolvedInputs(NamedTuple):
    """The entries that selectors select, after the manifest's own, and what could not be established.

    `left_out` counts what each selector selected that cannot have incidents. `failure` is what ended the requests
    with DataHub, if something did; `schema` is what was learned of it.
    """

    inputs: tuple[InputEntry, ...] = ()
    outputs: tuple[OutputEntry, ...] = ()
    problems: tuple[Unresolved, ...] = ()
    output_problems: tuple[tuple[OutputSelector, Problem], ...] = ()
    left_out: tuple[tuple[Selector | OutputSelector, int], ...] = ()
    failure: DataHubError | None = None
    schema: Capabilities | None = None

    def applied_to(self, manifest: Manifest) -> Manifest:
        """The manifest with the selected entries, and those output selectors that could not be resolved."""
        unresolved = tuple(dict.fromkeys(selector for selector, _ in self.output_problems))
        return manifest._replace(inputs=self.inputs, outputs=self.outputs, output_selectors=unresolved)

    @property
    def notices(self) -> tuple[str, ...]:
        """What was left out, in words."""
        return tuple(
            f"{quote(selector.label)} (line {selector.position.line}) leaves out {number:,} of what it selects: "
            "no incidents are tracked there."
            for selector, number in self.left_out
        )


def choose(found: Iterable[str], schema: Capabilities | None) -> SelectorResult:
    """The assets among entities that DataHub lists: those that can have incidents on this server."""
    assets: list[tuple[Urn, ...]] = []
    problems: list[tuple[Problem, str]] = []
    left_out = 0
    for text in found:
        try:
            urn = parse_urn(text)
        except UrnError as error:
            if text.removeprefix("urn:li:").partition(":")[0] in set(EntityType):
                problem = Problem(Reason.MALFORMED, f"DataHub lists an asset that cannot be asked for: {error}")
                problems.append((problem, text))
            else:
                left_out += 1
            continue
        if schema and not schema.asks(urn.entity_type.value, Question.INCIDENTS):
            left_out += 1
        else:
            assets.append((urn,))
    return SelectorResult(tuple(assets), tuple(problems), left_out)


def input_of(selector: Selector, urns: Sequence[Urn]) -> InputEntry:
    """The entry of a selected asset."""
    return InputEntry(
        urns[0],
        selector.position,
        rules=selector.rules,
        ignore=selector.ignore,
        selected_by=selector.label,
        alternate_urns=tuple(urns[1:]),
    )


def output_of(selector: OutputSelector, urns: Sequence[Urn]) -> OutputEntry:
    """The entry of a selected output."""
    return OutputEntry(
        urns[0],
        selector.position,
        incident=selector.incident,
        selected_by=selector.label,
        alternate_urns=tuple(urns[1:]),
    )


def unresolved(selector: Selector, problem: Problem, urn: str = "") -> Unresolved:
    """An unknown input: with the URN that the problem is about, else named like the selector."""
    text = urn or str(selector.what)
    entry = InputEntry(
        Urn(text, EntityType.DATASET, text),
        selector.position,
        name=selector.name or (None if urn else text),
        rules=selector.rules,
        ignore=selector.ignore,
        selected_by=selector.label,
        is_selector=True,
    )
    return Unresolved(entry, problem)


def merged(entries: Sequence[tuple[Urn, ...]]) -> dict[int, tuple[Urn, ...]]:
    """Leave out duplicates.

    Of several entries with a URN in common, the first one stays and takes on the URNs of the others: it is the
    manifest's own entry, or the first selector's.
    """
    found: dict[int, tuple[Urn, ...]] = {}
    places: dict[str, int] = {}
    for number, urns in enumerate(entries):
        place = next((places[urn.text] for urn in urns if urn.text in places), number)
        new = tuple(urn for urn in urns if urn.text not in places)
        places |= dict.fromkeys((urn.text for urn in new), place)
        found[place] = found.get(place, ()) + new
    return found


def check_paths(manifest: Manifest, root: Path) -> None:
    """Check that all paths of selectors stay below a folder.

    Raises:
        ManifestError: Some do not.
    """
    mistakes = []
    selectors: list[Selector | OutputSelector] = [*manifest.selectors, *manifest.output_selectors]
    for selector in selectors:
        what = selector.what
        if not isinstance(what, Dbt):
            continue
        paths = [(path, MANIFEST_FILE) for path in what.manifest] + [(path, "") for path in [what.nodes] if path]
        for path, in_folder in paths:
            try:
                locate(path, root, in_folder=in_folder)
            except OutsideError as error:
                mistakes.append(Mistake(selector.position, f"{quote(path)} {error}", "a path below the workspace"))
    if mistakes:
        raise ManifestError(manifest.path, tuple(mistakes))
