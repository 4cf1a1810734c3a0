"""DataHub's own clients work on the sandbox unchanged.

Opt-in: `make test-clients`.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.gating import check

_WHY = "DataHub's clients are not installed: `make test-clients` does"
datahub_graph = pytest.importorskip("datahub.ingestion.graph.client", reason=_WHY)
sdk = pytest.importorskip("datahub.sdk", reason=_WHY)
agent_context = pytest.importorskip("datahub_agent_context.context", reason=_WHY)
tools = pytest.importorskip("datahub_agent_context.mcp_tools", reason=_WHY)
filters = pytest.importorskip("datahub.sdk.search_filters", reason=_WHY).FilterDsl
breakers = pytest.importorskip("datahub.api.circuit_breaker", reason=_WHY)

# The clients' own warnings are none of this project's business.
pytestmark = pytest.mark.filterwarnings("default")


ANA, GOLD, SALES = "urn:li:corpuser:ana", "urn:li:tag:gold", "urn:li:domain:sales"


@pytest.fixture(params=[Generation.G3, Generation.G4, Generation.CLOUD])
def server(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    with Sandbox.start(schema=request.param) as running:
        fill(running)
        yield running


def fill(running: Sandbox) -> None:
    """Two tables, one made from the other; the first has an owner, a tag and a domain."""
    store = running.store
    store.add_asset(ANA, title="Ana", profile={"email": "ana@example.com"})
    store.add_asset(ORDERS, title="Orders", removed=False, owners=[ANA])
    store.add_asset(CUSTOMERS, removed=False)
    store.add_tag(ORDERS, GOLD)
    store.add_domain(ORDERS, SALES)
    store.add_lineage(ORDERS, CUSTOMERS)


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


def test_graph_finds_urns_by_filter(server: Sandbox, graph: Any) -> None:
    server.store.add_asset(ORDERS.replace("orders", "old"), removed=True)
    tables = sorted([CUSTOMERS, ORDERS])
    assert sorted(graph.get_urns_by_filter(entity_types=["dataset"])) == tables
    assert sorted(graph.get_urns_by_filter(entity_types=["dataset"], platform="snowflake", env="PROD")) == tables
    assert list(graph.get_urns_by_filter(entity_types=["dataset"], platform="hive")) == []
    assert list(graph.get_urns_by_filter(entity_types=["dataset"], container="urn:li:container:a")) == []
    tagged = [{"field": "tags", "values": [GOLD], "condition": "EQUAL"}]
    assert list(graph.get_urns_by_filter(extraFilters=tagged)) == [ORDERS]
    assert len(list(graph.get_urns_by_filter(entity_types=["dataset"], status=None))) == len(tables)


@pytest.mark.parametrize("generation", [Generation.G2, Generation.G3_EARLY])
def test_graph_finds_urns_on_older_servers(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        fill(server)
        assert sorted(connect(server).get_urns_by_filter(entity_types=["dataset"])) == sorted([CUSTOMERS, ORDERS])


@pytest.mark.parametrize("urn", [ORDERS, ANA, GOLD, SALES])
def test_graph_looks_up_existence(graph: Any, urn: str) -> None:
    assert graph.exists(urn) is True
    assert graph.exists(f"{urn[:-1]}_)" if urn.endswith(")") else f"{urn}x") is False


def datahub(server: Sandbox, home: Path, *arguments: str) -> Any:
    """What DataHub's command line prints, as JSON."""
    environment = {"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": server.token, "HOME": str(home)}
    command = [str(Path(sys.executable).with_name("datahub")), *arguments]
    ended = subprocess.run(
        command, env=environment | {"DATAHUB_TELEMETRY_ENABLED": "false"}, capture_output=True, text=True, check=True
    )
    return json.loads(ended.stdout)


def test_command_line_reads_an_asset(server: Sandbox, tmp_path: Path) -> None:
    assert datahub(server, tmp_path, "exists", "--urn", ORDERS) is True
    aspects = datahub(server, tmp_path, "get", "--urn", ORDERS)
    assert aspects["datasetKey"]["name"] == "analytics.orders"
    assert aspects["ownership"]["owners"][0]["owner"] == ANA


def test_sdk_searches(graph: Any) -> None:
    client = sdk.DataHubClient(graph=graph)
    found = client.search.get_urns(
        filter=filters.and_(
            filters.entity_type("dataset"), filters.platform("snowflake"), filters.tag(GOLD), filters.domain(SALES)
        )
    )
    assert [str(urn) for urn in found] == [ORDERS]
    assert ORDERS in map(str, client.search.get_urns("orders"))


@pytest.mark.parametrize("generation", [Generation.G2, Generation.G4, Generation.CLOUD])
def test_sdk_walks_lineage(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        fill(server)
        lineage = sdk.DataHubClient(graph=connect(server)).lineage
        up = lineage.get_lineage(source_urn=CUSTOMERS, direction="upstream", max_hops=1)
        down = lineage.get_lineage(source_urn=ORDERS, direction="downstream", max_hops=3)
    assert [(result.urn, result.hops, result.platform) for result in up] == [(ORDERS, 1, "snowflake")]
    assert [result.urn for result in down] == [CUSTOMERS]


def test_command_line_searches(server: Sandbox, tmp_path: Path) -> None:
    results = datahub(server, tmp_path, "search", "orders", "--format", "json")["searchResults"]
    assert ORDERS in [result["entity"]["urn"] for result in results]


def test_agent_tools_search(graph: Any) -> None:
    with agent_context.DataHubContext(sdk.DataHubClient(graph=graph)):
        found = tools.search("*", filter=f"entity_type = dataset AND platform = snowflake AND tag = {GOLD}")
    (result,) = found["searchResults"]
    assert (found["total"], result["entity"]["urn"]) == (1, ORDERS)
    assert result["entity"]["properties"]["name"] == "Orders"


def test_agent_tools_walk_lineage(graph: Any) -> None:
    with agent_context.DataHubContext(sdk.DataHubClient(graph=graph)):
        up = tools.get_lineage(CUSTOMERS, upstream=True)["upstreams"]
        paths = tools.get_lineage_paths_between(ORDERS, CUSTOMERS)
    assert [(result["entity"]["urn"], result["degree"]) for result in up["searchResults"]] == [(ORDERS, 1)]
    assert [[entity["urn"] for entity in path["path"]] for path in paths["paths"]] == [[ORDERS, CUSTOMERS]]


def test_agent_tools_change_owners(server: Sandbox, graph: Any) -> None:
    with agent_context.DataHubContext(sdk.DataHubClient(graph=graph)):
        assert tools.add_owners([ANA], [CUSTOMERS], None)["success"] is True
        assert [owner.urn for owner in server.store.assets([CUSTOMERS])[CUSTOMERS].owners] == [ANA]
        assert tools.remove_owners([ANA], [CUSTOMERS], None)["success"] is True
    assert server.store.assets([CUSTOMERS])[CUSTOMERS].owners == ()


def test_agent_tools_list_assertions(server: Sandbox, graph: Any) -> None:
    urn = server.store.add_assertion(ORDERS, description="id is unique")
    server.store.add_run(urn, "FAILURE")
    with agent_context.DataHubContext(sdk.DataHubClient(graph=graph)):
        (assertion,) = tools.get_dataset_assertions(ORDERS)["data"]["assertions"]
    facts = (assertion["urn"], assertion["description"], assertion["latestResultType"], assertion["platform"])
    assert facts == (urn, "id is unique", "FAILURE", "dbt")


def test_agent_tools_list_raise_and_resolve(server: Sandbox, graph: Any) -> None:
    with agent_context.DataHubContext(sdk.DataHubClient(graph=graph)):
        raised = tools.raise_incident(ORDERS, "late", "by an hour", priority="HIGH")
        assert raised["success"] is True
        listed = tools.list_incidents(ORDERS)
        assert listed["data"]["total"] == 1
        (incident,) = listed["data"]["incidents"]
        assert (incident["urn"], incident["title"], incident["priority"]) == (raised["incidentUrn"], "late", "HIGH")
        assert incident["state"] == "ACTIVE"
        assert tools.resolve_incident(raised["incidentUrn"], "fixed")["success"] is True
        assert tools.list_incidents(ORDERS)["data"]["total"] == 0
    (record,) = server.store.incidents(ORDERS)
    assert (record.state, record.message, record.priority) == ("RESOLVED", "fixed", 1)


def breaks(server: Sandbox, *, verify: bool = False) -> bool:
    """Whether DataHub's circuit breaker is active for the orders."""
    config = breakers.AssertionCircuitBreakerConfig(
        datahub_host=server.url, datahub_token=server.token, verify_after_last_update=verify
    )
    active: bool = breakers.AssertionCircuitBreaker(config).is_circuit_breaker_active(ORDERS)
    return active


HOUR_MS = 3_600_000


@pytest.mark.parametrize(
    ("results", "active"),
    [
        ((), True),
        (("SUCCESS",), False),
        (("FAILURE",), True),
        (("SUCCESS", "FAILURE"), True),
        (("FAILURE", "SUCCESS"), False),
        (("INIT",), True),
    ],
)
@pytest.mark.parametrize("generation", [Generation.G4, Generation.CLOUD])
def test_circuit_breaker_goes_by_the_latest_result(
    generation: Generation, results: tuple[str, ...], *, active: bool
) -> None:
    with Sandbox.start(schema=generation) as server:
        fill(server)
        urn = server.store.add_assertion(ORDERS)
        now = time.time_ns() // 1_000_000
        for number, result in enumerate(results):
            server.store.add_run(urn, result, at_ms=now - HOUR_MS + number)
        assert breaks(server) is active


def test_circuit_breaker_requires_a_result_after_the_last_change() -> None:
    with Sandbox.start(schema=Generation.G4) as server:
        fill(server)
        now = time.time_ns() // 1_000_000
        server.store.add_run(server.store.add_assertion(ORDERS), at_ms=now - HOUR_MS)
        server.store.add_operation(ORDERS, at_ms=now - 2 * HOUR_MS)
        assert breaks(server, verify=True) is False
        server.store.add_operation(ORDERS, at_ms=now)
        assert breaks(server, verify=True) is True


@pytest.mark.parametrize(
    ("results", "difference"),
    [
        ((), False),
        (("SUCCESS",), False),
        (("FAILURE",), False),
        (("SUCCESS", "FAILURE"), False),
        (("FAILURE", "SUCCESS"), False),
        (("INIT",), False),
        # Until September 2026 the breaker let an error through; for the gate it is unknown, which blocks by default.
        (("SUCCESS", "ERROR"), True),
    ],
)
def test_gate_blocks_where_the_circuit_breaker_breaks(results: tuple[str, ...], *, difference: bool) -> None:
    with Sandbox.start(schema=Generation.G4) as server:
        fill(server)
        urn = server.store.add_assertion(ORDERS)
        now = time.time_ns() // 1_000_000
        for number, result in enumerate(results):
            server.store.add_run(urn, result, at_ms=now - HOUR_MS + number)
        gate = check(server, ORDERS, on_failing_assertion="block")

        assert gate.exit_code == 1 if difference else (gate.exit_code == 1) is breaks(server)


def test_gate_passes_a_dataset_without_assertions_and_the_circuit_breaker_does_not() -> None:
    with Sandbox.start(schema=Generation.G4) as server:
        fill(server)

        assert breaks(server) is True
        assert check(server, ORDERS, on_failing_assertion="block").exit_code == 0
