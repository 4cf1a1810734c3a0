"""The selector `dbt`: nodes of projects, as entries of the manifest."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias, TypeVar

from incident_gate.files import FileError, locate
from incident_gate.incident import Problem, Reason
from incident_gate.manifest.model import Dbt, DbtUrns
from incident_gate.select.dbt import DbtProject
from incident_gate.select.dbt_manifest import MANIFEST_FILE, read_project
from incident_gate.select.dbt_nodes import ChosenNodes, listed, matching, outputs, read_list, sources
from incident_gate.select.dbt_urns import DbtRecipe, NodeUrns, dataset_urns
from incident_gate.select.selection import Choice
from incident_gate.text import quote
from incident_gate.urn import Urn, UrnError, parse_urn

_FILE_HINT = "Run dbt before this step (`dbt parse` is enough for a manifest.json), and check the path."
_PATTERN_HINT = "Compare it with the unique ids that `dbt ls --output json` prints."
# Adapters whose platform has another name in DataHub.
_PLATFORMS = {"sqlserver": "mssql", "synapse": "mssql", "fabric": "mssql", "athena-community": "athena"}


Finding: TypeAlias = tuple[Problem, str]
T = TypeVar("T")


def select_nodes(dbt: Dbt, root: Path, *, built: bool) -> Choice:
    """Read the projects and choose nodes.

    Args:
        dbt: The selector.
        root: The folder that its paths start from and stay below.
        built: Choose what the projects build, instead of what they read.
    """
    problems: list[Finding] = []
    unique_ids = _file(dbt.nodes, root, read_list, problems) if dbt.nodes else ()
    assets: list[tuple[Urn, ...]] = []
    left_out = 0
    unmatched: list[frozenset[str]] = []
    for name in dbt.manifest:
        project = _file(name, root, read_project, problems, in_folder=MANIFEST_FILE)
        if project is None:
            continue
        chosen = _chosen(dbt, unique_ids or (), project, built=built)
        unmatched.append(chosen.unmatched)
        recipe = _recipe(dbt, project)
        if not recipe.target_platform:
            message = f"{quote(name)} does not name its adapter"
            problems.append((Problem(Reason.UNREADABLE_FILE, message, "Set target-platform."), ""))
            continue
        urns = dataset_urns(project, recipe)
        for node in chosen.nodes:
            texts = _wanted(urns[node.unique_id], dbt.urns) if node.unique_id in urns else ()
            if not texts or (built and not node.is_output):
                left_out += 1
                continue
            try:
                assets.append(tuple(map(parse_urn, texts)))
            except UrnError as error:
                message = f"{quote(name)}: {quote(node.unique_id)} has no usable URN: {error}"
                problems.append((Problem(Reason.MALFORMED, message, "Name the asset in the manifest."), ""))
    # One pattern may be meant for one of several projects.
    for text in sorted(frozenset.intersection(*unmatched)) if unmatched else ():
        message = f"No node of {dbt} matches {quote(text)}"
        problems.append((Problem(Reason.NOT_FOUND, message, _PATTERN_HINT), ""))
    return Choice(tuple(assets), tuple(problems), left_out)


def _file(
    name: str, root: Path, read: Callable[[Path], T], problems: list[Finding], *, in_folder: str = ""
) -> T | None:
    """Read a file; None, with a problem, where that cannot be done."""
    try:
        return read(locate(name, root, in_folder=in_folder))
    except FileError as error:
        problems.append((Problem(Reason.UNREADABLE_FILE, f"{quote(name)} {error}", _FILE_HINT), ""))
        return None


def _chosen(dbt: Dbt, unique_ids: tuple[str, ...], project: DbtProject, *, built: bool) -> ChosenNodes:
    if not dbt.select and not dbt.nodes:
        return outputs(project) if built else sources(project)
    by_pattern, by_list = matching(project, dbt.select), listed(project, unique_ids)
    nodes = {node.unique_id: node for node in (*by_pattern.nodes, *by_list.nodes)}
    return ChosenNodes(nodes=tuple(nodes.values()), unmatched=by_pattern.unmatched | by_list.unmatched)


def _recipe(dbt: Dbt, project: DbtProject) -> DbtRecipe:
    adapter = project.adapter or ""
    return DbtRecipe(
        target_platform=dbt.target_platform or _PLATFORMS.get(adapter, adapter),
        target_platform_instance=dbt.target_platform_instance or None,
        platform_instance=dbt.platform_instance or None,
        env=dbt.env,
        convert_urns_to_lowercase=dbt.convert_urns_to_lowercase,
        include_database_name=dbt.include_database_name,
        use_identifiers=dbt.use_identifiers,
    )


def _wanted(urns: NodeUrns, which: DbtUrns) -> tuple[str, ...]:
    match which:
        case DbtUrns.DBT:
            return (urns.dbt,)
        case DbtUrns.WAREHOUSE:
            return urns.all[1:]
        case _:
            return urns.all
