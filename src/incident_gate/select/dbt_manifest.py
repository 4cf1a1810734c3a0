"""Reads dbt's `manifest.json` in a stream: files of 200 MB occur, and little of them is needed."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from sys import intern
from typing import Any, BinaryIO

from incident_gate.files import FileError, open_regular
from incident_gate.select.dbt import DbtNode, DbtProject, DbtTest, NodeKind, TestKind
from incident_gate.select.dbt_tests import nodes_of_test
from incident_gate.select.json_parts import ANY_KEY, KEEP, read_parts
from incident_gate.text import quote

MANIFEST_FILE = "manifest.json"
"""Its name in the folder of dbt's artifacts."""

MAX_BYTES = 1 << 30
"""The largest file that is read."""


def read_project(path: Path) -> DbtProject:
    """Read a project's nodes and tests from its `manifest.json`.

    Raises:
        FileError: The file cannot be read, is beyond a limit, or is not dbt's manifest.
    """
    with open_regular(path, max_bytes=MAX_BYTES) as file:
        try:
            return parse_project(file)
        except OSError as error:
            raise FileError(f"cannot be read: {error.strerror or type(error).__name__}") from None


def parse_project(file: BinaryIO) -> DbtProject:
    """Read a project from an open file.

    Raises:
        FileError: It is beyond a limit, or not dbt's manifest.
    """
    nodes: dict[str, DbtNode] = {}
    tests: dict[str, DbtTest] = {}

    def add(unique_id: str, entry: Mapping[str, Any]) -> None:
        kind = _text(entry, "resource_type", unique_id) or unique_id.partition(".")[0]
        enabled = _mapping(entry, "config", unique_id).get("enabled") is not False
        if kind in _TESTS:
            tests[unique_id] = _test(unique_id, entry, enabled=enabled, unit=kind == "unit_test")
        elif kind in _NODE_KINDS and enabled:
            nodes[unique_id] = _node(unique_id, _NODE_KINDS[kind], entry)

    root = read_parts(file, _FILE, sections=_SECTIONS, add=add)
    metadata = _metadata(root)
    return DbtProject(
        name=_text(metadata, "project_name", "metadata"),
        adapter=_text(metadata, "adapter_type", "metadata"),
        invocation_id=_text(metadata, "invocation_id", "metadata"),
        nodes=nodes,
        tests=tests,
    )


_TESTS = frozenset({"test", "unit_test"})
_NODE_KINDS = {str(kind): kind for kind in NodeKind}

_ENTRY: Mapping[str, Any] = {
    **dict.fromkeys(("resource_type", "name", "alias", "identifier", "database", "schema", "tags")),
    **dict.fromkeys(("attached_node", "column_name")),
    "config": dict.fromkeys(("materialized", "enabled", "severity", "tags")),
    "freshness": {"warn_after": {"count": KEEP}, "error_after": {"count": KEEP}},
    "depends_on": {"nodes": KEEP},
    "test_metadata": {"name": KEEP, "namespace": KEEP, "kwargs": {"model": KEEP, "column_name": KEEP}},
}
_REQUIRED = ("nodes", "sources")
_SECTIONS = frozenset({*_REQUIRED, "semantic_models", "unit_tests"})
_FILE: Mapping[str, Any] = {
    "metadata": dict.fromkeys(("dbt_schema_version", "project_name", "adapter_type", "invocation_id")),
    **{section: {ANY_KEY: _ENTRY} for section in _SECTIONS},
}


def _metadata(root: Mapping[str, Any]) -> Mapping[str, Any]:
    """The metadata of a file that is dbt's manifest."""
    metadata = _mapping(root, "metadata", "the file")
    schema = metadata.get("dbt_schema_version")
    if isinstance(schema, str) and "/manifest/" not in schema:
        raise _not_dbt(f"its schema is {quote(schema)}")
    for section in _REQUIRED:
        if section not in root:
            raise _not_dbt(f"it has no {quote(section)}")
    for section in _SECTIONS:
        for unique_id in _mapping(root, section, "the file"):  # what was not passed on
            raise _not_dbt(f"{quote(unique_id)} is not an object")
    return metadata


def _not_dbt(reason: str) -> FileError:
    return FileError(f"is not a manifest.json of dbt: {reason}")


def _node(unique_id: str, kind: NodeKind, entry: Mapping[str, Any]) -> DbtNode:
    name = _text(entry, "name", unique_id)
    if not name:
        raise _not_dbt(f"{quote(unique_id)} has no name")
    config = _mapping(entry, "config", unique_id)
    return DbtNode(
        unique_id=unique_id,
        kind=kind,
        name=name,
        alias=_text(entry, "alias", unique_id),
        identifier=_text(entry, "identifier", unique_id),
        database=_text(entry, "database", unique_id),
        schema=_text(entry, "schema", unique_id),
        materialized=_text(config, "materialized", unique_id),
        tags=tuple(dict.fromkeys((*_texts(entry.get("tags")), *_texts(config.get("tags"))))),
        has_freshness=kind is NodeKind.SOURCE and _has_freshness(entry.get("freshness")),
    )


def _test(unique_id: str, entry: Mapping[str, Any], *, enabled: bool, unit: bool) -> DbtTest:
    config = _mapping(entry, "config", unique_id)
    metadata = _mapping(entry, "test_metadata", unique_id)
    arguments = _mapping(metadata, "kwargs", unique_id)
    severity, function, namespace = config.get("severity"), metadata.get("name"), metadata.get("namespace")
    column = entry.get("column_name") or arguments.get("column_name")
    generic = isinstance(function, str)
    return DbtTest(
        unique_id=unique_id,
        kind=TestKind.UNIT if unit else TestKind.GENERIC if generic else TestKind.SINGULAR,
        name=_text(entry, "name", unique_id) or unique_id,
        nodes=nodes_of_test(
            attached=_text(entry, "attached_node", unique_id),
            parents=_texts(_mapping(entry, "depends_on", unique_id).get("nodes")),
            model=model if isinstance(model := arguments.get("model"), str) else None,
            unit=unit,
        ),
        enabled=enabled,
        severity=severity.upper() if isinstance(severity, str) else "ERROR",
        function=f"{namespace}.{function}" if generic and isinstance(namespace, str) else function if generic else None,
        column=column if isinstance(column, str) else None,
    )


def _has_freshness(freshness: object) -> bool:
    limits = freshness.values() if isinstance(freshness, dict) else ()
    return any(isinstance(limit, dict) and isinstance(limit.get("count"), int) for limit in limits)


def _mapping(value: Mapping[str, Any], key: str, owner: str) -> Mapping[str, Any]:
    inner = value.get(key)
    if inner is None:
        return {}
    if not isinstance(inner, dict):
        raise _not_dbt(f"{quote(key)} of {quote(owner)} is not an object")
    return inner


def _text(value: Mapping[str, Any], key: str, owner: str) -> str | None:
    inner = value.get(key)
    if inner is None:
        return None
    if not isinstance(inner, str):
        raise _not_dbt(f"{quote(key)} of {quote(owner)} is not a text")
    return intern(inner)  # thousands of nodes share a few databases and schemas


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(intern(item) for item in values if isinstance(item, str))
