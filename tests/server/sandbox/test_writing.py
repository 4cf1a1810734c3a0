"""Raising incidents and changing them, as each generation does it."""

from types import SimpleNamespace

import pytest

from incident_gate.sandbox import Faults, Generation, Grant, IncidentExistsError, Sandbox
from tests.helpers.asking import CHART, CUSTOMERS, ORDERS, Asker

UNKNOWN = "An unknown error occurred."
RAISE = 'mutation raiseIncident { raiseIncident(input: { type: OPERATIONAL title: "late" resourceUrn: "%s" }) }'
WITH_ID = """mutation raiseIncident($id: String!, $urn: String!) {
  raiseIncident(input: { id: $id, type: OPERATIONAL, resourceUrn: $urn }) }"""
STATUS = """mutation updateIncidentStatus($urn: String!, $state: IncidentState!, $message: String) {
  updateIncidentStatus(urn: $urn, input: { state: $state, message: $message }) }"""


def test_chosen_id_conflicts_the_second_time_on_g4(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    first = ask.data(sandbox, WITH_ID, id="mine", urn=ORDERS)
    assert first == {"raiseIncident": "urn:li:incident:mine"}
    error = ask.error(sandbox, WITH_ID, id="mine", urn=ORDERS)
    assert (error["extensions"]["code"], error["extensions"]["type"]) == (409, "CONFLICT")
    assert len(sandbox.store.incidents(ORDERS)) == 1


@pytest.mark.parametrize("generation", [Generation.G1, Generation.G2, Generation.G3])
def test_id_is_refused_at_validation_before_g4(ask: Asker, generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        server.store.add_asset(ORDERS)
        answer = ask(server, WITH_ID, id="mine", urn=ORDERS)
        assert server.store.incidents(ORDERS) == []
    assert "data" not in answer
    assert answer["errors"][0]["extensions"] == {"classification": "ValidationError"}
    assert "'id'" in answer["errors"][0]["message"]


def test_custom_type_is_required_since_1_0(ask: Asker, each_sandbox: Sandbox) -> None:
    query = 'mutation raiseIncident { raiseIncident(input: { type: CUSTOM %s resourceUrn: "%s" }) }'
    ask.data(each_sandbox, query % ('customType: "late"', ORDERS))
    assert [record.custom_type for record in each_sandbox.store.incidents(ORDERS)] == ["late"]
    answer = ask(each_sandbox, query % ("", ORDERS))
    refusals = {
        Generation.G3_EARLY: UNKNOWN,
        Generation.G3: "customType is required: Failed to create incident.",
        Generation.G4: "Failed to raise incident: customType is required when type is CUSTOM",
        Generation.CLOUD: "Failed to raise incident: customType is required when type is CUSTOM",
    }
    expected = refusals.get(each_sandbox.generation)
    assert [error["message"] for error in answer.get("errors", ())] == ([expected] if expected else [])
    assert len(each_sandbox.store.incidents(ORDERS)) == (1 if expected else 2)


def test_unsuitable_entity_types_are_refused(ask: Asker, each_sandbox: Sandbox) -> None:
    user = "urn:li:corpuser:ana"
    error = ask.error(each_sandbox, RAISE % user)
    hidden = each_sandbox.generation.hides_reasons
    reason = f"Entity type for urn: {user} is not a valid destination for field path: /entities/*"
    assert error["message"] == (UNKNOWN if hidden else reason)
    assert error["extensions"]["code"] == 500
    assert each_sandbox.store.assets([user]) == {}


def test_destinations_differ_between_generations(ask: Asker, each_sandbox: Sandbox) -> None:
    column = f"urn:li:schemaField:({ORDERS},id)"
    model = "urn:li:mlModel:(urn:li:dataPlatform:mlflow,churn,PROD)"
    accepted = [urn for urn in (ORDERS, CHART, column, model) if "errors" not in ask(each_sandbox, RAISE % urn)]
    count = {Generation.G1: 1, Generation.G4: 4, Generation.CLOUD: 4}.get(each_sandbox.generation, 3)
    assert accepted == [ORDERS, CHART, column, model][:count]


def test_incident_of_a_column_is_not_listed_on_its_dataset(ask: Asker, sandbox: Sandbox) -> None:
    column = f"urn:li:schemaField:({ORDERS},id)"
    ask.data(sandbox, RAISE % column)
    query = "query q($u: String!) { entity(urn: $u) { %s } }"
    dataset = ask.data(sandbox, query % "... on Dataset { incidents { total } }", u=ORDERS)
    assert dataset == {"entity": {"incidents": {"total": 0}}}
    listed = ask.data(sandbox, query % "... on SchemaFieldEntity { incidents { total } }", u=column)
    assert listed == {"entity": {"incidents": {"total": 1}}}


def test_raising_makes_an_asset_exist(ask: Asker, each_sandbox: Sandbox) -> None:
    ask.data(each_sandbox, RAISE % ORDERS)
    query = "query q($u: String!) { entityExists(urn: $u) }"
    assert ask.data(each_sandbox, query, u=ORDERS) == {"entityExists": True}
    (record,) = each_sandbox.store.incidents(ORDERS)
    ask.data(each_sandbox, STATUS, urn=record.urn, state="RESOLVED")
    each_sandbox.store.delete_incident(record.urn)
    assert ask.data(each_sandbox, query, u=ORDERS) == {"entityExists": True}


def test_asset_exists_only_after_the_hook(ask: Asker, sandbox: Sandbox, clock: SimpleNamespace) -> None:
    query = "query q($u: String!) { entityExists(urn: $u) dataset(urn: $u) { exists incidents { total } } }"
    sandbox.faults = Faults(hook_lag=1.0)
    ask.data(sandbox, RAISE % ORDERS)
    before = {"entityExists": False, "dataset": {"exists": False, "incidents": {"total": 1}}}
    assert ask.data(sandbox, query, u=ORDERS) == before
    clock.now += 1.0
    assert ask.data(sandbox, query, u=ORDERS)["entityExists"] is True
    sandbox.faults = Faults(no_hook=True)
    ask.data(sandbox, RAISE % CUSTOMERS)
    assert ask.data(sandbox, query, u=CUSTOMERS) == before


def test_several_resources_since_g3(ask: Asker, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    query = """mutation raiseIncident($urns: [String!]) {
      raiseIncident(input: { type: OPERATIONAL, resourceUrns: $urns }) }"""
    answer = ask(each_sandbox, query, urns=[ORDERS, CUSTOMERS])
    if each_sandbox.generation.has_stages:
        (record,) = each_sandbox.store.incidents(CUSTOMERS)
        assert record.entities == (ORDERS, CUSTOMERS)
        assert ask.error(each_sandbox, query, urns=[])["extensions"]["type"] == "BAD_REQUEST"
    else:
        assert "data" not in answer


@pytest.mark.parametrize(
    ("generation", "landed"), [(Generation.G1, "true"), (Generation.G2, True), (Generation.G4, True)]
)
def test_status_update_can_be_repeated(ask: Asker, generation: Generation, landed: object) -> None:
    with Sandbox.start(schema=generation) as server:
        server.store.add_asset(ORDERS)
        urn = server.store.raise_incident(ORDERS)
        for _ in range(2):
            assert ask.data(server, STATUS, urn=urn, state="RESOLVED", message="fixed") == {
                "updateIncidentStatus": landed
            }
        (record,) = server.store.incidents(ORDERS)
    assert (record.state, record.message) == ("RESOLVED", "fixed")


def test_status_update_erases_message_and_stage_that_it_leaves_out(ask: Asker, each_sandbox: Sandbox) -> None:
    urn = each_sandbox.store.raise_incident(ORDERS, stage="INVESTIGATION", message="Ana: looking at the loader")
    ask.data(each_sandbox, STATUS, urn=urn, state="ACTIVE")
    (record,) = each_sandbox.store.incidents(ORDERS)
    assert (record.state, record.stage, record.message) == ("ACTIVE", None, None)


def test_status_update_of_several_assets_needs_the_privilege_on_the_first(ask: Asker) -> None:
    with Sandbox.start(tokens=[Grant(token="some", edits=(ORDERS,))]) as server:
        first = server.store.raise_incident([ORDERS, CUSTOMERS])
        second = server.store.raise_incident([CUSTOMERS, ORDERS])
        ask.data(server, STATUS, urn=first, state="RESOLVED")
        assert ask.error(server, STATUS, urn=second, state="RESOLVED")["extensions"]["code"] == 403


def test_unparsable_ones_of_several_resources_are_dropped(ask: Asker, sandbox: Sandbox) -> None:
    query = """mutation raiseIncident($urns: [String!]) {
      raiseIncident(input: { type: OPERATIONAL, resourceUrns: $urns }) }"""
    ask.data(sandbox, query, urns=["orders", ORDERS])
    (record,) = sandbox.store.incidents(ORDERS)
    assert record.entities == (ORDERS,)
    assert ask.error(sandbox, query, urns=["orders"])["extensions"]["type"] == "BAD_REQUEST"


def test_status_of_an_unknown_incident_is_not_found(ask: Asker, each_sandbox: Sandbox) -> None:
    error = ask.error(each_sandbox, STATUS, urn="urn:li:incident:none", state="RESOLVED")
    assert (error["extensions"]["code"], error["extensions"]["type"]) == (404, "NOT_FOUND")


def test_status_input_was_renamed(ask: Asker, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    urn = each_sandbox.store.raise_incident(ORDERS)
    query = """mutation updateIncidentStatus($urn: String!, $input: %s!) {
      updateIncidentStatus(urn: $urn, input: $input) }"""
    old, new = "UpdateIncidentStatusInput", "IncidentStatusInput"
    accepted, refused = (new, old) if each_sandbox.generation.has_stages else (old, new)
    ask.data(each_sandbox, query % accepted, urn=urn, input={"state": "RESOLVED"})
    answer = ask(each_sandbox, query % refused, urn=urn, input={"state": "RESOLVED"})
    assert "data" not in answer
    assert answer["errors"][0]["extensions"]["classification"] == "ValidationError"


def test_priority_is_a_number_then_a_name(ask: Asker, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    named = each_sandbox.generation.has_stages
    given = f'type: OPERATIONAL priority: {"HIGH" if named else 1} resourceUrn: "{ORDERS}"'
    query = f"mutation r {{ raiseIncident(input: {{ {given} }}) }}"
    ask.data(each_sandbox, query)
    assert each_sandbox.store.incidents(ORDERS)[0].priority == 1
    shown = ask.data(each_sandbox, f'{{ dataset(urn: "{ORDERS}") {{ incidents {{ incidents {{ priority }} }} }} }}')
    assert shown["dataset"]["incidents"]["incidents"] == [{"priority": "HIGH" if named else 1}]


def test_extra_fields_of_g3_are_kept(ask: Asker) -> None:
    ana = "urn:li:corpuser:ana"
    with Sandbox.start(schema=Generation.G3) as server:
        server.store.add_asset(ORDERS)
        ask.data(
            server,
            f"""mutation raiseIncident {{ raiseIncident(input: {{
              type: OPERATIONAL resourceUrn: "{ORDERS}" startedAt: 1700000000000
              assigneeUrns: ["{ana}"] status: {{ state: ACTIVE stage: TRIAGE message: "looking" }} }}) }}""",
        )
        query = """query q($u: String!) { dataset(urn: $u) { incidents { incidents {
          startedAt assignees { ... on CorpUser { urn } }
          incidentStatus { state stage message } status { stage } } } } }"""
        (incident,) = ask.data(server, query, u=ORDERS)["dataset"]["incidents"]["incidents"]
    assert incident == {
        "startedAt": 1_700_000_000_000,
        "assignees": [{"urn": ana}],
        "incidentStatus": {"state": "ACTIVE", "stage": "TRIAGE", "message": "looking"},
        "status": {"stage": "TRIAGE"},
    }


@pytest.mark.parametrize(("generation", "kept"), [(Generation.G3, False), (Generation.G4, True)])
def test_update_incident_removes_what_is_left_out_on_g3(ask: Asker, generation: Generation, *, kept: bool) -> None:
    with Sandbox.start(schema=generation) as server:
        server.store.add_asset(ORDERS)
        urn = server.store.raise_incident(ORDERS, priority=1, assignees=["urn:li:corpuser:ana"], description="old")
        query = 'mutation u($urn: String!) { updateIncident(urn: $urn, input: { title: "new" }) }'
        assert ask.data(server, query, urn=urn) == {"updateIncident": True}
        (record,) = server.store.incidents(ORDERS)
    assert (record.title, record.description) == ("new", "old")
    assert (record.priority, record.assignees) == ((1, ("urn:li:corpuser:ana",)) if kept else (None, ()))


def test_reading_token_may_not_edit_incidents(ask: Asker, each_sandbox: Sandbox) -> None:
    reader = Grant(token="reader", edits=())
    with Sandbox.start(schema=each_sandbox.generation, tokens=[reader]) as server:
        server.store.add_asset(ORDERS)
        urn = server.store.raise_incident(ORDERS)
        for query in (
            RAISE % ORDERS,
            f'mutation u {{ updateIncidentStatus(urn: "{urn}", input: {{ state: RESOLVED }}) }}',
        ):
            extensions = ask.error(server, query)["extensions"]
            assert (extensions["code"], extensions["type"]) == (403, "UNAUTHORIZED")
        assert [record.state for record in server.store.incidents(ORDERS)] == ["ACTIVE"]
        assert ask.data(server, f'{{ dataset(urn: "{ORDERS}") {{ incidents {{ total }} }} }}')["dataset"] == {
            "incidents": {"total": 1}
        }


def test_edit_entity_suffices_for_raising(ask: Asker, each_sandbox: Sandbox) -> None:
    grant = Grant(token="some", edits=(), edits_entities=(ORDERS,), actor="urn:li:corpuser:robot")
    query = """query q($actor: String!, $urn: String!) { getGrantedPrivileges(input: {
      actorUrn: $actor, resourceSpec: { resourceType: DATASET, resourceUrn: $urn } }) { privileges } }"""
    with Sandbox.start(schema=each_sandbox.generation, tokens=[grant]) as server:
        held = ask.data(server, query, actor=grant.actor, urn=ORDERS)["getGrantedPrivileges"]["privileges"]
        assert held == ["VIEW_ENTITY_PAGE", "VIEW_ENTITY", "GET_ENTITY", "EDIT_ENTITY"]
        other = ask.data(server, query, actor=grant.actor, urn=CUSTOMERS)["getGrantedPrivileges"]["privileges"]
        assert "EDIT_ENTITY" not in other
        ask.data(server, RAISE % ORDERS)
        assert ask.error(server, RAISE % CUSTOMERS)["extensions"]["code"] == 403
        assert ask.error(server, query, actor="urn:li:corpuser:ana", urn=ORDERS)["extensions"]["code"] == 403


def test_store_refuses_a_taken_id(sandbox: Sandbox) -> None:
    sandbox.store.raise_incident(ORDERS, incident_id="mine")
    with pytest.raises(IncidentExistsError, match="mine"):
        sandbox.store.raise_incident(ORDERS, incident_id="mine")
