"""What dbt's manifests add to its results: which nodes are behind a URN, and which checks a node has."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from incident_gate.dbt.project import DbtNode, DbtProject, DbtTest, NodeKind
from incident_gate.outcome.results.kinds import incident_type
from incident_gate.outcome.results.model import Check

_DATASET = re.compile(r"urn:li:dataset:\(urn:li:dataPlatform:([^,]+),(.+),[^,]+\)")
_DBT = "dbt"
# DataHub's platforms that tables of an adapter are ingested from, where the name is another one.
_PLATFORMS = {
    "sqlserver": ("mssql",),
    "synapse": ("mssql",),
    "fabric": ("mssql",),
    "athena": ("glue",),
    "spark": ("databricks", "delta-lake", "glue", "hive"),
    "databricks": ("hive",),
    "glue": ("athena",),
}


class _Named(NamedTuple):
    """A node under one of its table's names. `is_whole` means that the name is not without the database."""

    name: str
    unique_id: str
    is_whole: bool


@dataclass(frozen=True, slots=True)
class Projects:
    """The dbt projects of a run, as one.

    Args:
        nodes: By platform and table name in lower case.
        checks_by_node: The unique ids of the enabled checks of each node: its tests, and a source's freshness.
        tests: Every test.
        unique_ids: Of every node and test.
    """

    nodes: Mapping[tuple[str, str], Sequence[_Named]] = field(default_factory=dict)
    checks_by_node: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tests: Mapping[str, DbtTest] = field(default_factory=dict)
    unique_ids: frozenset[str] = frozenset()

    def nodes_of(self, urns: Iterable[str]) -> frozenset[str]:
        """The nodes behind any of these URNs.

        URNs depend on options of DataHub's ingestion that a manifest with typed URNs does not name: letter case, a
        platform instance before the table's name, the environment.
        """
        return frozenset().union(*map(self._behind, urns))

    def typed(self, check: Check) -> Check:
        """A check with the type of incident that fits the test's kind."""
        test = self.tests.get(check.name)
        if not test or not test.function:
            return check
        return check._replace(type=incident_type(test.function, column=bool(test.column)))

    def _behind(self, urn: str) -> set[str]:
        match = _DATASET.fullmatch(urn)
        if not match:
            return set()
        platform, name = match[1], unquote(match[2])
        is_whole = True
        while name:
            found = self.nodes.get((platform, name.lower()), ())
            candidates = [named for named in found if is_whole or named.is_whole]
            exact = [named for named in candidates if named.name == name]
            if candidates:
                return {named.unique_id for named in exact or candidates}
            # What comes before the database is a platform instance.
            name, is_whole = name.partition(".")[2], False
        return set()


def join(projects: Iterable[DbtProject], *, platforms: Iterable[str] = ()) -> Projects:
    """Several projects as one.

    Args:
        projects: In any order.
        platforms: The target platforms that the manifest's selectors name.
    """
    nodes: dict[tuple[str, str], list[_Named]] = {}
    checks_by_node: dict[str, frozenset[str]] = {}
    tests: dict[str, DbtTest] = {}
    unique_ids: set[str] = set()
    for project in projects:
        unique_ids.update(project.nodes, project.tests)
        tests.update(project.tests)
        adapter = project.adapter
        for platform in {_DBT, adapter, *_PLATFORMS.get(adapter, ()), *platforms}:
            for named in _named(project):
                nodes.setdefault((platform, named.name.lower()), []).append(named)
        for test in project.tests.values():
            for node in test.nodes if test.enabled else ():
                checks_by_node[node] = checks_by_node.get(node, frozenset()) | {test.unique_id}
        # The result of a source's freshness has the source's own id.
        for source in (node.unique_id for node in project.nodes.values() if node.has_freshness):
            checks_by_node[source] = checks_by_node.get(source, frozenset()) | {source}
    return Projects(nodes, checks_by_node, tests, frozenset(unique_ids))


def _named(project: DbtProject) -> Iterator[_Named]:
    """Every name of a table that is built or read. A source with the name of what is built is the same table."""
    built = {named for node in project.nodes.values() if node.is_output for named in _names(node)}
    yield from built
    names = {named.name for named in built}
    for node in project.nodes.values():
        if node.kind is NodeKind.SOURCE:
            yield from (named for named in _names(node) if named.name not in names)


def _names(node: DbtNode) -> Iterator[_Named]:
    """The names that DataHub may know a node's table by: by alias or identifier, with and without its database."""
    for table in {node.alias or node.name, node.identifier or node.name}:
        parts = [part.replace('"', "") for part in (node.database, node.schema, table) if part]
        yield _Named(".".join(parts), node.unique_id, is_whole=True)
        if node.database:
            yield _Named(".".join(parts[1:]), node.unique_id, is_whole=False)
