"""The selector `dbt`: nodes of projects, as entries of the manifest."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from incident_gate.dbt.project import MANIFEST_FILE, DbtNode, DbtProject, NodeKind, project_limits, read_project
from incident_gate.dbt.stream import MAX_NAME, Limits, encoding_of
from incident_gate.dbt.urns import DbtRecipe
from incident_gate.files import FileError, locate, open_regular, size
from incident_gate.incident import Problem, Reason
from incident_gate.json_values import text
from incident_gate.manifest.model import Dbt, DbtUrns
from incident_gate.select.selection import SelectorResult, too_many
from incident_gate.text import quote
from incident_gate.urn import Urn, UrnError, parse_urn

_MAX_LIST = 64 << 20
_MAX_LINE = 1 << 20
_MAX_PROBLEMS = 20
_TAG = "tag:"
_LS = "dbt --quiet ls --output json --output-keys unique_id"
_LOG_LINE = re.compile(r"\s*(?:\x1b\[[0-9;]*m)*\d\d:\d\d:\d\d ")
"""What dbt prints besides the list, unless it is called with `--quiet`."""
_UNIQUE_ID = re.compile(r"tag:[^+@,: ]+|[^+@,: ]*[.*?\[][^+@,: ]*")
"""What can match. All else is dbt's own syntax, or a bare name."""
_FILE_HINT = "Run dbt before this step (`dbt parse` is enough for a manifest.json), and check the path."
# Adapters whose platform has another name in DataHub.
_PLATFORMS = {"sqlserver": "mssql", "synapse": "mssql", "fabric": "mssql", "athena-community": "athena"}


def select_nodes(dbt: Dbt, root: Path, *, built: bool, at_most: int) -> SelectorResult:
    """Read the projects and choose nodes.

    Args:
        dbt: The selector.
        root: The folder that its paths start from and stay below.
        built: Choose what the projects build, instead of what they read.
        at_most: How many may be chosen.
    """
    found = _Found(dbt, at_most)
    limits = project_limits()
    unique_ids: tuple[str, ...] = ()
    unmatched: list[frozenset[str]] = []
    name = dbt.nodes
    try:
        unique_ids = read_list(locate(name, root), limits) if name else ()
    except FileError as error:
        found.note(Reason.UNREADABLE_FILE, f"{quote(name)} {error}", _FILE_HINT)
    for name in dbt.manifest:
        try:
            project = read_project(locate(name, root, in_folder=MANIFEST_FILE), limits)
        except FileError as error:
            found.note(Reason.UNREADABLE_FILE, f"{quote(name)} {error}", _FILE_HINT)
            continue
        nodes, strange = choose_nodes(project, dbt, unique_ids, built=built)
        unmatched.append(strange)
        found.add(name, project, [node for node in nodes if node.is_output or not built])
        found.left_out += sum(built and not node.is_output for node in nodes)
    # One pattern may be meant for one of several projects.
    for pattern in sorted(frozenset.intersection(*unmatched)) if unmatched else ():
        found.note(Reason.NOT_FOUND, f"No node of {dbt} matches {quote(pattern)}", _pattern_hint(pattern))
    if found.more:
        found.problems.append((too_many(at_most + found.more, at_most), ""))
    return SelectorResult(tuple(found.assets), tuple(found.problems), found.left_out)


class _Found:
    """The assets of chosen nodes, up to a number: a large project has more than fit into memory."""

    def __init__(self, dbt: Dbt, at_most: int) -> None:
        self._dbt = dbt
        self._at_most = at_most
        self.assets: list[tuple[Urn, ...]] = []
        self.problems: list[tuple[Problem, str]] = []
        self.left_out = 0
        self.more = 0

    def note(self, reason: Reason, message: str, hint: str) -> None:
        self.problems.append((Problem(reason, message, hint), ""))

    def add(self, name: str, project: DbtProject, nodes: Iterable[DbtNode]) -> None:
        recipe = _recipe(self._dbt, project)
        if not recipe.target_platform:
            self.note(Reason.UNREADABLE_FILE, f"{quote(name)} does not name its adapter", "Set target-platform.")
            return
        not_ingested = recipe.not_ingested(project)
        for node in nodes:
            texts = () if node.unique_id in not_ingested else _wanted(recipe, node, self._dbt.urns)
            if not texts:
                self.left_out += 1
            elif len(self.assets) >= self._at_most:
                self.more += 1
            else:
                try:
                    self.assets.append(tuple(map(parse_urn, texts)))
                except UrnError as error:
                    message = f"{quote(name)}: {quote(node.unique_id)} has no usable URN: {error}"
                    self.note(Reason.MALFORMED, message, "Name the asset in the manifest.")
                    if len(self.problems) > _MAX_PROBLEMS:
                        break


def choose_nodes(
    project: DbtProject, dbt: Dbt, unique_ids: Iterable[str], *, built: bool
) -> tuple[list[DbtNode], frozenset[str]]:
    """The nodes of a project that a selector chooses, and the patterns and unique ids that match none."""
    every = project.nodes.values()
    if not dbt.select and not dbt.nodes:
        return [node for node in every if (node.is_output if built else node.kind is NodeKind.SOURCE)], frozenset()
    chosen: dict[str, DbtNode] = {}
    unmatched = set()
    for pattern in dbt.select:
        found = {node.unique_id: node for node in every if _matches(node, pattern)}
        chosen |= found
        if not found:
            unmatched.add(pattern)
    for unique_id in unique_ids:
        if node := project.nodes.get(unique_id):
            chosen[unique_id] = node
        elif unique_id.partition(".")[0] in set(NodeKind):  # tests, exposures and the like are no datasets
            unmatched.add(unique_id)
    return list(chosen.values()), frozenset(unmatched)


def read_list(path: Path, limits: Limits) -> tuple[str, ...]:
    """Read the unique ids from a file that `dbt --quiet ls --output json` wrote, one JSON object a line.

    Raises:
        FileError: It cannot be read, is beyond a limit, or a line is not such an object.
    """
    found = []
    with open_regular(path, max_bytes=_MAX_LIST) as file:
        lines = io.TextIOWrapper(file, encoding_of(file), errors="replace")
        number = 0
        while line := lines.readline(_MAX_LINE + 1):
            limits.check_time()
            number += 1
            if len(line) > _MAX_LINE:
                raise FileError(f"has more than {size(_MAX_LINE)} on line {number}: {_write_it(_LS)}")
            if line.strip() and not _LOG_LINE.match(line):
                unique_id = _unique_id(line, number)
                limits.keep(unique_id)
                found.append(unique_id)
    return tuple(found)


def _unique_id(line: str, number: int) -> str:
    try:
        unique_id = text(json.loads(line), "unique_id")
    except (ValueError, RecursionError):
        unique_id = ""
    if not 0 < len(unique_id) <= MAX_NAME:
        raise FileError(f"has no JSON object with a unique_id on line {number}: {_write_it(_LS)}")
    return unique_id


def _write_it(command: str) -> str:
    return f"write it with `{command}`"


def _matches(node: DbtNode, pattern: str) -> bool:
    if pattern.startswith(_TAG):
        return any(fnmatchcase(tag, pattern.removeprefix(_TAG)) for tag in node.tags)
    return fnmatchcase(node.unique_id, pattern)


def _pattern_hint(pattern: str) -> str:
    if _UNIQUE_ID.fullmatch(pattern):
        return f"Compare it with the unique ids that `{_LS}` prints."
    return (
        "`select` takes unique ids like `model.shop.orders`, with `*` for any text, and `tag:NAME`. For dbt's own "
        f"syntax run `{_LS} --select {shlex.quote(pattern)} > nodes.json` and set `nodes: nodes.json`."
    )


def _recipe(dbt: Dbt, project: DbtProject) -> DbtRecipe:
    return DbtRecipe(
        target_platform=dbt.target_platform or _PLATFORMS.get(project.adapter, project.adapter),
        target_platform_instance=dbt.target_platform_instance or None,
        platform_instance=dbt.platform_instance or None,
        env=dbt.env,
        convert_urns_to_lowercase=dbt.convert_urns_to_lowercase,
        include_database_name=dbt.include_database_name,
        use_identifiers=dbt.use_identifiers,
    )


def _wanted(recipe: DbtRecipe, node: DbtNode, which: DbtUrns) -> Sequence[str]:
    urns = [urn for urn in recipe.urns_of(node) if urn]
    return urns[:1] if which is DbtUrns.DBT else urns[1:] if which is DbtUrns.WAREHOUSE else urns
