"""What a manifest's selectors select: entries like those that the manifest names itself."""

from __future__ import annotations

from collections.abc import Iterable
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


class ResolvedInputs(NamedTuple):
    """The entries that selectors select, after the manifest's own, and what could not be established.

    `problems` are inputs of unknown health. `left_out` counts what each selector selected that cannot have incidents.
    `failure` is what ended the requests with DataHub, if something did; `schema` is what was learned of it.
    """

    inputs: tuple[InputEntry, ...] = ()
    outputs: tuple[OutputEntry, ...] = ()
    problems: tuple[tuple[InputEntry, Problem], ...] = ()
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
            if not text.startswith("urn:li:") or text.split(":")[2] in set(EntityType):
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


def too_many(number: int, at_most: int) -> Problem:
    """The problem of a selector that selects more than it may."""
    message = f"Selects {number:,} assets, more than `at-most` ({at_most:,})"
    return Problem(Reason.TOO_MANY, message, "Raise `at-most`, or select less.")


def check_paths(manifest: Manifest, root: Path) -> None:
    """Check that all paths of selectors stay below a folder; a ManifestError names those that do not."""
    mistakes = []
    selectors: list[Selector | OutputSelector] = [*manifest.selectors, *manifest.output_selectors]
    for selector in selectors:
        if not isinstance(what := selector.what, Dbt):
            continue
        paths = [(path, MANIFEST_FILE) for path in what.manifest] + [(path, "") for path in [what.nodes] if path]
        for path, in_folder in paths:
            try:
                locate(path, root, in_folder=in_folder)
            except OutsideError as error:
                mistakes.append(Mistake(selector.position, f"{quote(path)} {error}", "a path below the workspace"))
    if mistakes:
        raise ManifestError(manifest.path, tuple(mistakes))
