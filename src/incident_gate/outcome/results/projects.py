"""What dbt's manifests add to its results: which nodes are behind a URN, and which checks a node has."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from incident_gate.outcome.results.kinds import incident_type
from incident_gate.outcome.results.model import Check
from incident_gate.select.dbt import DbtProject, DbtTest


@dataclass(frozen=True, slots=True)
class Projects:
    """The dbt projects of a run, as one.

    Args:
        nodes_by_urn: The unique ids of the nodes behind each URN.
        checks_by_node: The unique ids of the enabled checks of each node: its tests, and a source's freshness.
        tests: Every test.
        unique_ids: Of every node and test.
    """

    nodes_by_urn: Mapping[str, frozenset[str]] = field(default_factory=dict)
    checks_by_node: Mapping[str, frozenset[str]] = field(default_factory=dict)
    tests: Mapping[str, DbtTest] = field(default_factory=dict)
    unique_ids: frozenset[str] = frozenset()

    def nodes_of(self, urns: Iterable[str]) -> frozenset[str]:
        """The nodes behind any of these URNs."""
        return frozenset().union(*(self.nodes_by_urn.get(urn, ()) for urn in urns))

    def typed(self, check: Check) -> Check:
        """A check with the type of incident that fits the test's kind."""
        test = self.tests.get(check.name)
        if not test or not test.function:
            return check
        return check._replace(type=incident_type(test.function, column=test.column is not None))


def join(projects: Iterable[tuple[DbtProject, Mapping[str, tuple[str, ...]]]]) -> Projects:
    """Several projects as one.

    Args:
        projects: Each with the unique ids behind its URNs.
    """
    nodes_by_urn: dict[str, frozenset[str]] = {}
    checks_by_node: dict[str, frozenset[str]] = {}
    tests: dict[str, DbtTest] = {}
    unique_ids: set[str] = set()
    for project, by_urn in projects:
        unique_ids.update(project.nodes, project.tests)
        tests.update(project.tests)
        for urn, nodes in by_urn.items():
            nodes_by_urn[urn] = nodes_by_urn.get(urn, frozenset()).union(nodes)
        for node, own in project.tests_by_node().items():
            names = (test.unique_id for test in own)
            checks_by_node[node] = checks_by_node.get(node, frozenset()).union(names)
        # The result of a source's freshness has the source's own id.
        for source in (node.unique_id for node in project.nodes.values() if node.has_freshness):
            checks_by_node[source] = checks_by_node.get(source, frozenset()) | {source}
    return Projects(nodes_by_urn, checks_by_node, tests, frozenset(unique_ids))
