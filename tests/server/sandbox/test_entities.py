"""What a real server's answers look like, above all the misleading ones."""

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.asking import CHART, CUSTOMERS, ORDERS, Asker

UNKNOWN = "An unknown error occurred."
INCIDENTS = """
query incidents($urn: String!, $state: IncidentState, $start: Int, $count: Int) {
  dataset(urn: $urn) { incidents(state: $state, start: $start, count: $count) {
    start count total incidents { urn title status { state message } } } }
}"""

ENTITIES = """
query entities($urns: [String!]!) {
  entities(urns: $urns) { urn type ... on Dataset { name incidents(state: ACTIVE) { total incidents { urn } } } }
}"""


def test_never_ingested_dataset_looks_healthy_but_does_not_exist(ask: Asker, sandbox: Sandbox) -> None:
    query = "query q($urn: String!) { dataset(urn: $urn) { name exists status { removed } incidents { total } } }"
    dataset = ask.data(sandbox, query, urn=ORDERS)["dataset"]
    assert dataset == {"name": "analytics.orders", "exists": False, "status": None, "incidents": {"total": 0}}
    assert ask.data(sandbox, "query q($u: String!) { entityExists(urn: $u) }", u=ORDERS) == {"entityExists": False}


def test_entities_keep_order_and_repeats(ask: Asker, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    incident = each_sandbox.store.raise_incident(CUSTOMERS, title="late")
    entities = ask.data(each_sandbox, ENTITIES, urns=[CUSTOMERS, ORDERS, CUSTOMERS])["entities"]
    assert [entity["urn"] for entity in entities] == [CUSTOMERS, ORDERS, CUSTOMERS]
    assert entities[0]["incidents"] == {"total": 1, "incidents": [{"urn": incident}]} == entities[2]["incidents"]
    assert entities[1]["incidents"] == {"total": 0, "incidents": []}


def test_incidents_come_newest_first_in_pages(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    raised = [sandbox.store.raise_incident(ORDERS, created_ms=number) for number in range(25)]
    newest_first = raised[::-1]
    first = ask.data(sandbox, INCIDENTS, urn=ORDERS)["dataset"]["incidents"]
    assert (first["start"], first["count"], first["total"]) == (0, 20, 25)
    assert [incident["urn"] for incident in first["incidents"]] == newest_first[:20]
    rest = ask.data(sandbox, INCIDENTS, urn=ORDERS, start=20, count=10)["dataset"]["incidents"]
    assert [incident["urn"] for incident in rest["incidents"]] == newest_first[20:]


def test_large_pages_are_cut_or_refused(ask: Asker, sandbox: Sandbox) -> None:
    page = ask.data(sandbox, INCIDENTS, urn=ORDERS, count=10_001)["dataset"]["incidents"]
    assert page["count"] == 5_000
    sandbox.faults = Faults(strict_pages=True)
    assert ask.error(sandbox, INCIDENTS, urn=ORDERS, count=10_001)["extensions"]["code"] == 400


def test_stage_priority_and_assignee_filters(ask: Asker, sandbox: Sandbox) -> None:
    ana = "urn:li:corpuser:ana"
    sandbox.store.add_asset(ORDERS)
    wanted = sandbox.store.raise_incident(ORDERS, stage="TRIAGE", priority=1, assignees=[ana])
    sandbox.store.raise_incident(ORDERS, priority=2)
    for condition in ("stage: TRIAGE", "priority: HIGH", f'assigneeUrns: ["{ana}"]'):
        query = f'{{ dataset(urn: "{ORDERS}") {{ incidents({condition}) {{ total incidents {{ urn }} }} }} }}'
        assert ask.data(sandbox, query)["dataset"]["incidents"] == {"total": 1, "incidents": [{"urn": wanted}]}


@pytest.mark.parametrize("malformed", ["analytics.orders", "urn:li:dataset:(urn:li:dataPlatform:hive,orders)"])
def test_malformed_urn_sinks_the_whole_batch(ask: Asker, each_sandbox: Sandbox, malformed: str) -> None:
    answer = ask(each_sandbox, ENTITIES, urns=[ORDERS, malformed])
    assert answer["data"] == {"entities": None}
    assert answer["errors"][0]["path"] == ["entities"]
    message = answer["errors"][0]["message"]
    assert message == UNKNOWN if each_sandbox.generation.hides_reasons else malformed in message
    assert answer["errors"][0]["extensions"]["classification"] == "DataFetchingException"


def test_unmapped_type_sinks_the_batch(ask: Asker, each_sandbox: Sandbox) -> None:
    urns = [ORDERS, "urn:li:telemetry:clientId"]
    assert ask(each_sandbox, ENTITIES, urns=urns)["data"] == {"entities": None}
    each_sandbox.faults = Faults(unmapped_throws=False)
    entities = ask.data(each_sandbox, ENTITIES, urns=urns)["entities"]
    assert [entity and entity["urn"] for entity in entities] == [ORDERS, None]


def test_entity_of_an_unmapped_type_is_null(ask: Asker, each_sandbox: Sandbox) -> None:
    assert ask.data(each_sandbox, '{ entity(urn: "urn:li:telemetry:clientId") { urn } }') == {"entity": None}


def test_entity_of_a_type_that_is_younger_than_the_server_is_null(ask: Asker) -> None:
    product = "urn:li:dataProduct:shop"
    for generation, entity in ((Generation.G1, None), (Generation.G2, {"urn": product})):
        with Sandbox.start(schema=generation) as server:
            server.store.add_asset(product)
            assert ask.data(server, f'{{ entity(urn: "{product}") {{ urn }} }}') == {"entity": entity}


def test_check_for_existence_leaves_out_what_was_never_ingested(ask: Asker) -> None:
    query = "query q($urns: [String!]!) { entities(urns: $urns, checkForExistence: true) { urn } }"
    with Sandbox.start(schema=Generation.G3) as server:
        server.store.add_asset(ORDERS)
        assert ask.data(server, query, urns=[ORDERS, CUSTOMERS])["entities"] == [{"urn": ORDERS}, None]
    with Sandbox.start(schema=Generation.G3_EARLY) as server:
        assert "data" not in ask(server, query, urns=[ORDERS])


def test_null_incidents_can_be_told_of_a_whole_type(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.NULL_INCIDENTS, urn="urn:li:chart:*"),))
    query = """query q($u: String!) { entity(urn: $u) {
      ... on Chart { incidents { total } } ... on Dataset { incidents { total } } } }"""
    assert ask.data(sandbox, query, u=CHART)["entity"] == {"incidents": None}
    assert ask.data(sandbox, query, u=ORDERS)["entity"] == {"incidents": {"total": 0}}


def test_entity_of_the_wrong_type_fails(ask: Asker, sandbox: Sandbox) -> None:
    error = ask.error(sandbox, "query q($u: String!) { dataset(urn: $u) { urn } }", u=CHART)
    assert error["path"] == ["dataset"]


def test_incident_is_an_entity_on_cloud_and_null_on_open_source(ask: Asker, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    urn = each_sandbox.store.raise_incident(ORDERS, title="late", description="by an hour")
    query = """query q($u: String!) { entity(urn: $u) { urn type ... on Incident {
      title description incidentType created { time actor } entity { urn } source { type } } } }"""
    entity = ask.data(each_sandbox, query, u=urn)["entity"]
    batch = ask(each_sandbox, ENTITIES, urns=[ORDERS, urn])["data"]["entities"]
    if each_sandbox.generation.is_cloud:
        assert (entity["urn"], entity["type"], entity["title"]) == (urn, "INCIDENT", "late")
        assert entity["entity"] == {"urn": ORDERS}
        assert batch[1] == {"urn": urn, "type": "INCIDENT"}
        assert ask.data(each_sandbox, query, u="urn:li:incident:none")["entity"] is None
    else:
        assert entity is None
        assert batch is None


def test_health_tells_active_incidents(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_assets([ORDERS, CUSTOMERS])
    sandbox.store.raise_incident(ORDERS)
    query = "query q($u: String!) { dataset(urn: $u) { health { type status message } } }"
    sick = {"type": "INCIDENTS", "status": "FAIL", "message": "1 active incident"}
    assert ask.data(sandbox, query, u=ORDERS)["dataset"]["health"] == [sick]
    assert ask.data(sandbox, query, u=CUSTOMERS)["dataset"]["health"][0]["status"] == "PASS"


def test_me_and_version(ask: Asker, each_sandbox: Sandbox) -> None:
    data = ask.data(each_sandbox, "{ me { corpUser { username } } appConfig { appVersion } }")
    assert data["me"] == {"corpUser": {"username": "datahub"}}
    assert data["appConfig"] == {"appVersion": each_sandbox.generation.version}
