"""The selector `dbt`: nodes of projects, as entries of the manifest."""

from __future__ import annotations

import io
import json
import re
import shlex
from collections.abc import Iterable, Iterator
from fnmatch import fnmatchcase
from functools import partial
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
    """Read the projects, whose paths stay below `root`, and choose what they build, or else what they read."""
    limits = project_limits()
    problems: list[Problem] = []
    unique_ids: tuple[str, ...] = ()
    try:
        unique_ids = read_list(locate(dbt.nodes, root), limits) if dbt.nodes else ()
    except FileError as error:
        problems.append(Problem(Reason.UNREADABLE_FILE, f"{quote(dbt.nodes)} {error}", _FILE_HINT))
    unmatched: list[frozenset[str]] = []
    assets: list[tuple[Urn, ...]] = []
    number = left_out = 0
    for name in dbt.manifest:
        try:
            project = read_project(locate(name, root, in_folder=MANIFEST_FILE), limits)
        except FileError as error:
            problems.append(Problem(Reason.UNREADABLE_FILE, f"{quote(name)} {error}", _FILE_HINT))
            continue
        nodes, strange = choose_nodes(project, dbt, unique_ids, built=built)
        unmatched.append(strange)
        for found in _assets(dbt, name, project, nodes, built=built):
            if isinstance(found, Problem):
                problems.append(found)
                if len(problems) > _MAX_PROBLEMS:
                    break
            elif found:
                number += 1
                assets += [found] if number <= at_most else []  # a large project has more than fit into memory
            else:
                left_out += 1
    # One pattern may be meant for one of several projects.
    for pattern in sorted(frozenset.intersection(*unmatched)) if unmatched else ():
        message = f"No node of {dbt} matches {quote(pattern)}"
        problems.append(Problem(Reason.NOT_FOUND, message, _pattern_hint(pattern)))
    if number > at_most:
        problems.append(too_many(number, at_most))
    return SelectorResult(tuple(assets), tuple((problem, "") for problem in problems), left_out)


def _assets(
    dbt: Dbt, name: str, project: DbtProject, nodes: Iterable[DbtNode], *, built: bool
) -> Iterator[tuple[Urn, ...] | Problem]:
    """The URNs of each node, none where it is no dataset in DataHub; or why there are no usable ones."""
    recipe = DbtRecipe(
        target_platform=dbt.target_platform or _PLATFORMS.get(project.adapter, project.adapter),
        target_platform_instance=dbt.target_platform_instance or None,
        platform_instance=dbt.platform_instance or None,
        env=dbt.env,
        convert_urns_to_lowercase=dbt.convert_urns_to_lowercase,
        include_database_name=dbt.include_database_name,
        use_identifiers=dbt.use_identifiers,
    )
    if not recipe.target_platform:
        yield Problem(Reason.UNREADABLE_FILE, f"{quote(name)} does not name its adapter", "Set target-platform.")
        return
    not_ingested = recipe.not_ingested(project)
    for node in nodes:
        texts = [urn for urn in recipe.urns_of(node) if urn]
        if node.unique_id in not_ingested or (built and not node.is_output):
            texts = []
        elif dbt.urns is not DbtUrns.BOTH:
            texts = texts[:1] if dbt.urns is DbtUrns.DBT else texts[1:]
        try:
            yield tuple(map(parse_urn, texts))
        except UrnError as error:
            message = f"{quote(name)}: {quote(node.unique_id)} has no usable URN: {error}"
            yield Problem(Reason.MALFORMED, message, "Name the asset in the manifest.")


def choose_nodes(
    project: DbtProject, dbt: Dbt, unique_ids: Iterable[str], *, built: bool
) -> tuple[list[DbtNode], frozenset[str]]:
    """The nodes of a project that a selector chooses, and the patterns and unique ids that match none."""
    every = project.nodes.values()
    if not dbt.select and not dbt.nodes:
        return [node for node in every if (node.is_output if built else node.kind is NodeKind.SOURCE)], frozenset()
    chosen: dict[str, DbtNode] = {}
    unmatched: set[str] = set()
    for pattern in dbt.select:
        found = {node.unique_id: node for node in every if _matches(node, pattern)}
        chosen |= found
        unmatched |= set() if found else {pattern}
    for unique_id in unique_ids:
        if node := project.nodes.get(unique_id):
            chosen[unique_id] = node
        elif unique_id.partition(".")[0] in set(NodeKind):  # tests, exposures and the like are no datasets
            unmatched.add(unique_id)
    return list(chosen.values()), frozenset(unmatched)


def read_list(path: Path, limits: Limits) -> tuple[str, ...]:
    """Read the unique ids from a file that `dbt --quiet ls --output json` wrote, one JSON object a line."""
    found = []
    with open_regular(path, max_bytes=_MAX_LIST) as file:
        lines = io.TextIOWrapper(file, encoding_of(file), errors="replace")
        for number, line in enumerate(iter(partial(lines.readline, _MAX_LINE + 1), ""), start=1):
            limits.check_time()
            if len(line) > _MAX_LINE:
                raise FileError(f"has more than {size(_MAX_LINE)} on line {number}: write it with `{_LS}`")
            if not line.strip() or _LOG_LINE.match(line):
                continue
            try:
                unique_id = text(json.loads(line), "unique_id")
            except (ValueError, RecursionError):
                unique_id = ""
            if not 0 < len(unique_id) <= MAX_NAME:
                raise FileError(f"has no JSON object with a unique_id on line {number}: write it with `{_LS}`")
            limits.keep(unique_id)
            found.append(unique_id)
    return tuple(found)


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
