"""A dbt project as its `manifest.json` describes it: the nodes that are datasets, and the tests of each."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from sys import intern
from typing import Any, BinaryIO

from incident_gate.dbt.stream import MAX_FILE, NAME, TEXT, Limits, entries
from incident_gate.files import FileError, open_regular
from incident_gate.json_values import mapping, text, whole
from incident_gate.text import quote

MANIFEST_FILE = "manifest.json"
"""Its name in the folder of dbt's artifacts."""


class NodeKind(StrEnum):
    """The kinds of nodes that DataHub knows as datasets; the value is dbt's resource type."""

    MODEL = "model"
    SEED = "seed"
    SNAPSHOT = "snapshot"
    SOURCE = "source"
    SEMANTIC_MODEL = "semantic_model"


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtNode:
    """A node that is a dataset. Text as in the file, untrusted.

    `has_freshness` means that `dbt source freshness` checks it.
    """

    unique_id: str
    kind: NodeKind
    name: str
    alias: str | None = None
    identifier: str | None = None
    database: str | None = None
    schema: str | None = None
    is_ephemeral: bool = False
    tags: tuple[str, ...] = ()
    has_freshness: bool = False

    @property
    def is_output(self) -> bool:
        """Whether dbt builds it in the warehouse: an ephemeral model is only part of other models' queries."""
        return self.kind in _BUILT and not self.is_ephemeral


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtTest:
    """A test. `nodes` are the nodes that it belongs to, by unique id: one, every parent of a singular test, or none.

    `function` is what a generic test is an instance of, like `dbt_utils.recency`.
    """

    unique_id: str
    nodes: tuple[str, ...] = ()
    enabled: bool = True
    function: str = ""
    column: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtProject:
    """One `manifest.json`: its enabled nodes and all its tests, by unique id. `adapter` may be empty."""

    adapter: str = ""
    nodes: Mapping[str, DbtNode]
    tests: Mapping[str, DbtTest]


_BUILT = frozenset({NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT})
_NODE_KINDS = {str(kind): kind for kind in NodeKind}
_TESTS = frozenset({"test", "unit_test"})
_ENTRY: Mapping[str, Any] = {
    **dict.fromkeys(("resource_type", "name", "alias", "identifier", "database", "schema", "attached_node"), NAME),
    **dict.fromkeys(("tags", "column_name"), TEXT),
    "config": {"materialized": TEXT, "enabled": TEXT, "tags": TEXT},
    "freshness": {"warn_after": {"count": TEXT}, "error_after": {"count": TEXT}},
    "depends_on": {"nodes": NAME},
    "test_metadata": {"name": TEXT, "namespace": TEXT, "kwargs": {"model": TEXT, "column_name": TEXT}},
}
_REQUIRED = ("nodes", "sources")
_WANTED: Mapping[str, Any] = {
    "metadata": {"dbt_schema_version": TEXT, "adapter_type": NAME},
    **{f"{section}.*": _ENTRY for section in (*_REQUIRED, "semantic_models", "unit_tests")},
}


def project_limits() -> Limits:
    """How much may be read of the manifests of one run."""
    return Limits(what="nodes and tests", entries=200_000, kept=192 << 20)


def read_project(path: Path, limits: Limits) -> DbtProject:
    """Read a project's nodes and tests from its `manifest.json`; the limits are for all manifests together."""
    with open_regular(path, max_bytes=MAX_FILE) as file:
        try:
            return parse_project(file, limits)
        except OSError as error:
            raise FileError(f"cannot be read: {error.strerror or type(error).__name__}") from None


def parse_project(file: BinaryIO, limits: Limits) -> DbtProject:
    """Read a project from an open file."""
    nodes: dict[str, DbtNode] = {}
    tests: dict[str, DbtTest] = {}
    metadata: Mapping[str, Any] = {}
    sections = set()
    for path, value in entries(file, _WANTED, limits):
        if path == ("metadata",):
            metadata = _object(value, "metadata")
        elif len(path) == 1:
            sections.add(path[0])
            _object(value, path[0])
        elif path:
            entry = _object(value, unique_id := path[1])
            kind = _text(entry, "resource_type", unique_id) or unique_id.partition(".")[0]
            is_enabled = _object(entry.get("config"), "config", unique_id).get("enabled") is not False
            if kind in _TESTS:
                test = _test(unique_id, entry, is_enabled=is_enabled, is_unit=kind == "unit_test")
                limits.keep(unique_id, *test.nodes)
                tests[unique_id] = test
            elif kind in _NODE_KINDS and is_enabled:
                node = _node(unique_id, _NODE_KINDS[kind], entry)
                limits.keep(unique_id, node.name, node.alias or "", node.identifier or "", *node.tags)
                nodes[unique_id] = node
    schema = text(metadata, "dbt_schema_version")
    if schema and "/manifest/" not in schema:
        raise _not_dbt(f"its schema is {quote(schema)}")
    for section in _REQUIRED:
        if section not in sections:
            raise _not_dbt(f"it has no {quote(section)}")
    return DbtProject(adapter=text(metadata, "adapter_type"), nodes=nodes, tests=tests)


def _not_dbt(reason: str) -> FileError:
    return FileError(f"is not a manifest.json of dbt: {reason}")


def _node(unique_id: str, kind: NodeKind, entry: Mapping[str, Any]) -> DbtNode:
    name = _text(entry, "name", unique_id)
    if not name:
        raise _not_dbt(f"{quote(unique_id)} has no name")
    config = mapping(entry, "config")
    limits = (mapping(entry, "freshness", limit) for limit in ("warn_after", "error_after"))
    return DbtNode(
        unique_id=unique_id,
        kind=kind,
        name=name,
        alias=_text(entry, "alias", unique_id),
        identifier=_text(entry, "identifier", unique_id),
        database=_text(entry, "database", unique_id),
        schema=_text(entry, "schema", unique_id),
        is_ephemeral=text(config, "materialized") == "ephemeral",
        tags=tuple(dict.fromkeys((*_texts(entry.get("tags")), *_texts(config.get("tags"))))),
        has_freshness=kind is NodeKind.SOURCE and any(whole(limit, "count") is not None for limit in limits),
    )


def _test(unique_id: str, entry: Mapping[str, Any], *, is_enabled: bool, is_unit: bool) -> DbtTest:
    metadata = mapping(entry, "test_metadata")
    name, namespace = text(metadata, "name"), text(metadata, "namespace")
    return DbtTest(
        unique_id=unique_id,
        nodes=_nodes_of_test(entry, unique_id, is_unit=is_unit),
        enabled=is_enabled,
        function=intern(f"{namespace}.{name}" if name and namespace else name),
        column=intern(text(entry, "column_name") or text(metadata, "kwargs", "column_name")),
    )


def _nodes_of_test(entry: Mapping[str, Any], unique_id: str, *, is_unit: bool) -> tuple[str, ...]:
    """The unique ids of the nodes that a test belongs to: not every node that its query reads."""
    parents = _texts(mapping(entry, "depends_on").get("nodes"))
    if is_unit:
        return parents[:1]
    if attached := _text(entry, "attached_node", unique_id):  # from dbt 1.5 on
        return (attached,)
    model = text(entry, "test_metadata", "kwargs", "model")
    if model and len(parents) > 1:
        # dbt 1.4 has no `attached_node` and lists a relationship's other end first; sources never have one.
        return tuple(parent for parent in parents if _is_named(parent, model)) or parents
    return parents


_REFERENCE = re.compile(r"\b(ref|source)\(([^()]*)\)")
_ARGUMENT = re.compile(r"(?:\b(?:v|version)\s*=\s*)['\"]?([^'\",\s]+)|['\"]([^'\"]*)['\"]")


def _is_named(unique_id: str, model: str) -> bool:
    """Whether a generic test's argument, like `{{ get_where_subquery(ref('orders')) }}`, names this node."""
    for function, arguments in _REFERENCE.findall(model):
        found = _ARGUMENT.findall(arguments)
        versions = [re.escape(version) for version, _ in found if version]
        names = [re.escape(name) for version, name in found if not version]
        if not names:
            continue
        if function == "source":
            pattern = r"source\.[^.]*\." + r"\.".join(names)
        else:
            package = names[0] if len(names) > 1 else "[^.]*"
            version = rf"\.v{versions[0]}" if versions else r"(\.v.*)?"
            pattern = rf"(?!source\.)[^.]*\.{package}\.{names[-1]}{version}"
        if re.fullmatch(pattern, unique_id):
            return True
    return False


def _object(value: Any, name: str, owner: str = "") -> Mapping[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise _not_dbt(f"{quote(name)}{f' of {quote(owner)}' if owner else ''} is not an object")
    return value


def _text(entry: Mapping[str, Any], key: str, owner: str) -> str | None:
    value = entry.get(key)
    if value is None:
        return None
    if not isinstance(value, str):
        raise _not_dbt(f"{quote(key)} of {quote(owner)} is not a text")
    return intern(value)  # thousands of nodes share a few databases and schemas


def _texts(value: object) -> tuple[str, ...]:
    values = value if isinstance(value, list) else [value]
    return tuple(intern(item) for item in values if isinstance(item, str))
