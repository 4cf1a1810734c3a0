"""DataHub's own clients work on the stand-in unchanged.

Opt-in: install `tests/clients/requirements.txt`, then run pytest on this folder.
"""

from collections.abc import Iterator
from typing import Any

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.asking import ORDERS

_WHY = "DataHub's clients are not installed: pip install -r tests/clients/requirements.txt"
datahub_graph = pytest.importorskip("datahub.ingestion.graph.client", reason=_WHY)
sdk = pytest.importorskip("datahub.sdk", reason=_WHY)
agent_context = pytest.importorskip("datahub_agent_context.context", reason=_WHY)
incidents = pytest.importorskip("datahub_agent_context.mcp_tools.incidents", reason=_WHY)

# The clients' own warnings are none of this project's business.
pytestmark = pytest.mark.filterwarnings("default")


@pytest.fixture(params=[Generation.G3, Generation.G4])
def server(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox.start(schema=request.param) as running:
        running.store.add_asset(ORDERS)
        yield running


@pytest.fixture
def graph(server: Sandbox) -> Any:
    return connect(server)


def connect(server: Sandbox) -> Any:
    config = datahub_graph.DatahubClientConfig(server=server.url, token=server.token)
    graph = datahub_graph.DataHubGraph(config)
    graph.test_connection()
    return graph


def test_graph_executes_graphql(server: Sandbox, graph: Any) -> None:
    urn = server.store.raise_incident(ORDERS, title="late")
    query = """query q($u: String!) {
      dataset(urn: $u) { exists incidents(state: ACTIVE) { total incidents { urn title } } } }"""
    answer = graph.execute_graphql(query, variables={"u": ORDERS})
    assert answer == {
        "dataset": {"exists": True, "incidents": {"total": 1, "incidents": [{"urn": urn, "title": "late"}]}}
    }


def test_graph_drops_fields_that_the_schema_lacks(graph: Any) -> None:
    query = "query q($u: String!) { dataset(urn: $u) { urn nothing } }"
    answer = graph.execute_graphql(query, variables={"u": ORDERS}, strip_unsupported_fields=True)
    assert answer == {"dataset": {"urn": ORDERS}}


def test_graph_reports_errors(server: Sandbox, graph: Any) -> None:
    server.faults = Faults(rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, code=503),))
    with pytest.raises(Exception, match="SERVICE_UNAVAILABLE"):
        graph.execute_graphql("{ me { corpUser { urn } } }")


@pytest.mark.parametrize("generation", [Generation.G1, Generation.G2])
def test_graph_executes_graphql_on_old_servers(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        answer = connect(server).execute_graphql("{ me { corpUser { urn } } }")
    assert answer == {"me": {"corpUser": {"urn": "urn:li:corpuser:datahub"}}}


def test_agent_tools_list_raise_and_resolve(server: Sandbox, graph: Any) -> None:
    with agent_context.DataHubContext(sdk.DataHubClient(graph=graph)):
        raised = incidents.raise_incident(ORDERS, "late", "by an hour", priority="HIGH")
        assert raised["success"] is True
        listed = incidents.list_incidents(ORDERS)
        assert listed["data"]["total"] == 1
        (incident,) = listed["data"]["incidents"]
        assert (incident["urn"], incident["title"], incident["priority"]) == (raised["incidentUrn"], "late", "HIGH")
        assert incident["state"] == "ACTIVE"
        assert incidents.resolve_incident(raised["incidentUrn"], "mended")["success"] is True
        assert incidents.list_incidents(ORDERS)["data"]["total"] == 0
    (record,) = server.store.incidents(ORDERS)
    assert (record.state, record.message, record.priority) == ("RESOLVED", "mended", 1)
