"""Chooses nodes of a dbt project: by patterns of unique ids, by tag, or by a file that `dbt ls` wrote."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from incident_gate.files import FileError, open_regular
from incident_gate.select.dbt import DbtNode, DbtProject, NodeKind

_TAG = "tag:"
_MAX_BYTES = 64 << 20
_LOG_LINE = re.compile(rb"\s*(?:\x1b\[[0-9;]*m)*\d\d:\d\d:\d\d ")
"""What dbt prints besides the list, unless it is called with `--quiet`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenNodes:
    """The nodes that were chosen; `unmatched` are the patterns and unique ids that chose none."""

    nodes: tuple[DbtNode, ...]
    unmatched: frozenset[str] = frozenset()


def sources(project: DbtProject) -> ChosenNodes:
    """What the project reads: its sources."""
    return ChosenNodes(nodes=tuple(node for node in project.nodes.values() if node.kind is NodeKind.SOURCE))


def outputs(project: DbtProject) -> ChosenNodes:
    """What the project builds: models that are not ephemeral, seeds and snapshots."""
    return ChosenNodes(nodes=tuple(node for node in project.nodes.values() if node.is_output))


def matching(project: DbtProject, patterns: Sequence[str]) -> ChosenNodes:
    """The nodes that any pattern matches: `tag:<name>`, or a unique id in which `*` stands for any text."""
    chosen: dict[str, DbtNode] = {}
    unmatched: set[str] = set()
    for pattern in patterns:
        found = [node for node in project.nodes.values() if _matches(node, pattern)]
        chosen.update((node.unique_id, node) for node in found)
        if not found:
            unmatched.add(pattern)
    return ChosenNodes(nodes=tuple(chosen.values()), unmatched=frozenset(unmatched))


def listed(project: DbtProject, unique_ids: Iterable[str]) -> ChosenNodes:
    """The nodes with these unique ids. Tests, exposures and the like are no datasets and left out."""
    chosen: dict[str, DbtNode] = {}
    unmatched: set[str] = set()
    for unique_id in unique_ids:
        node = project.nodes.get(unique_id)
        if node:
            chosen[unique_id] = node
        elif unique_id.partition(".")[0] in set(NodeKind):
            unmatched.add(unique_id)
    return ChosenNodes(nodes=tuple(chosen.values()), unmatched=frozenset(unmatched))


def read_list(path: Path) -> tuple[str, ...]:
    """Read the unique ids from a file that `dbt --quiet ls --output json` wrote, one JSON object a line.

    Raises:
        FileError: It cannot be read, is too large, or a line is not such an object.
    """
    with open_regular(path, max_bytes=_MAX_BYTES) as file:
        return tuple(
            _unique_id(line, number)
            for number, line in enumerate(file, start=1)
            if line.strip() and not _LOG_LINE.match(line)
        )


def _matches(node: DbtNode, pattern: str) -> bool:
    if pattern.startswith(_TAG):
        return any(fnmatchcase(tag, pattern.removeprefix(_TAG)) for tag in node.tags)
    return fnmatchcase(node.unique_id, pattern)


def _unique_id(line: bytes, number: int) -> str:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):
        value = None
    unique_id = value.get("unique_id") if isinstance(value, dict) else None
    if not isinstance(unique_id, str):
        raise FileError(
            f"has no JSON object with a unique_id on line {number}: write it with "
            "`dbt --quiet ls --output json --output-keys unique_id`"
        )
    return unique_id
