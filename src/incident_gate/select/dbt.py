"""A dbt project as its `manifest.json` describes it: the nodes that are datasets, and the tests of each.

`read_project` (in `dbt_manifest`) makes a `DbtProject` from a file. What a reader of dbt's results needs:

- `project.nodes[unique_id]`: models, seeds, snapshots, sources and semantic models, the enabled ones. `node.kind` is a
  `NodeKind`; `node.is_output` is true for what dbt builds (models that are not ephemeral, seeds, snapshots).
- `project.tests[unique_id]`: data tests and unit tests, the disabled ones included. `test.nodes` are the unique ids of
  the nodes it belongs to (one, or every parent of a singular test, or none); `test.enabled`; `test.severity` in upper
  case; `test.kind`, and `test.function` (`not_null`, `dbt_utils.recency`; None unless generic), `test.column`.
- `project.tests_by_node()`: the enabled tests of each node that has any.
- `project.invocation_id`: the same as in a `run_results.json` of the same command.

The URNs of the nodes are made by `dbt_urns`, because they depend on the options of the ingestion.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class NodeKind(StrEnum):
    """The kinds of nodes that DataHub knows as datasets; the value is dbt's resource type."""

    MODEL = "model"
    SEED = "seed"
    SNAPSHOT = "snapshot"
    SOURCE = "source"
    SEMANTIC_MODEL = "semantic_model"


class TestKind(StrEnum):
    """The kinds of dbt's tests."""

    __test__ = False  # no class of tests for pytest

    GENERIC = "generic"  # from a YAML file, on a node or a column
    SINGULAR = "singular"  # an SQL file
    UNIT = "unit"


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
    materialized: str | None = None
    tags: tuple[str, ...] = ()
    has_freshness: bool = False

    @property
    def is_ephemeral(self) -> bool:
        """Whether it exists in dbt only, as part of other models' queries."""
        return self.materialized == "ephemeral"

    @property
    def is_output(self) -> bool:
        """Whether dbt builds it in the warehouse."""
        return self.kind in _BUILT and not self.is_ephemeral


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtTest:
    """A test. `name` is short and readable, `nodes` are the unique ids of the nodes that it belongs to."""

    unique_id: str
    kind: TestKind
    name: str
    nodes: tuple[str, ...] = ()
    enabled: bool = True
    severity: str = "ERROR"
    function: str | None = None
    column: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DbtProject:
    """One `manifest.json`. `name`, `adapter` and `invocation_id` are None where the file leaves them out."""

    name: str | None = None
    adapter: str | None = None
    invocation_id: str | None = None
    nodes: Mapping[str, DbtNode]
    tests: Mapping[str, DbtTest]

    def tests_by_node(self) -> dict[str, tuple[DbtTest, ...]]:
        """The enabled tests of each node that has any, by the node's unique id."""
        found: dict[str, list[DbtTest]] = {}
        for test in self.tests.values():
            if test.enabled:
                for node in test.nodes:
                    found.setdefault(node, []).append(test)
        return {node: tuple(tests) for node, tests in found.items()}


_BUILT = frozenset({NodeKind.MODEL, NodeKind.SEED, NodeKind.SNAPSHOT})
