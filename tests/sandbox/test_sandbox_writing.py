"""Raising incidents and changing them, as each generation does it."""

import pytest

from incident_gate.sandbox import Faults, Generation, Grant, IncidentExistsError, Sandbox
from tests.helpers.asking import CHART, CUSTOMERS, ORDERS, Asker

RAISE = 'mutation raiseIncident { raiseIncident(input: { type: OPERATIONAL title: "late" resourceUrn: "%s" }) }'
WITH_ID = """mutation raiseIncident($id: String!, $urn: String!) {
  raiseIncident(input: { id: $id, type: OPERATIONAL, resourceUrn: $urn }) }"""
STATUS = """mutation updateIncidentStatus($urn: String!, $state: IncidentState!, $message: String) {
  updateIncidentStatus(urn: $urn, input: { state: $state, message: $message }) }"""


def test_each_raise_mints_another_incident(ask: Asker, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    urns = {ask.data(each_sandbox, RAISE % ORDERS)["raiseIncident"] for _ in range(2)}
    records = each_sandbox.store.incidents(ORDERS, "ACTIVE")
    assert {record.urn for record in records} == urns
    assert len(urns) == 2
    assert all(urn.startswith("urn:li:incident:") for urn in urns)
    assert {(record.title, record.type) for record in records} == {("late", "OPERATIONAL")}


def test_chosen_id_conflicts_the_second_time_on_g4(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    first = ask.data(sandbox, WITH_ID, id="mine", urn=ORDERS)
    assert first == {"raiseIncident": "urn:li:incident:mine"}
    error = ask.error(sandbox, WITH_ID, id="mine", urn=ORDERS)
    assert (error["extensions"]["code"], error["extensions"]["type"]) == (409, "CONFLICT")
    assert len(sandbox.store.incidents(ORDERS)) == 1


def test_chosen_id_conflicts_after_it_was_resolved(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    urn = sandbox.store.raise_incident(ORDERS, incident_id="mine")
    sandbox.store.resolve(urn)
    assert ask.error(sandbox, WITH_ID, id="mine", urn=ORDERS)["extensions"]["code"] == 409
    assert sandbox.store.incidents(ORDERS, "ACTIVE") == []


@pytest.mark.parametrize("generation", [Generation.G1, Generation.G2, Generation.G3])
def test_id_is_refused_at_validation_before_g4(ask: Asker, generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        server.store.add_asset(ORDERS)
        answer = ask(server, WITH_ID, id="mine", urn=ORDERS)
        assert server.store.incidents(ORDERS) == []
    assert "data" not in answer
    assert answer["errors"][0]["extensions"] == {"classification": "ValidationError"}
    assert "'id'" in answer["errors"][0]["message"]


def test_custom_type_is_required_for_custom_incidents(ask: Asker, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    query = 'mutation raiseIncident { raiseIncident(input: { type: CUSTOM %s resourceUrn: "%s" }) }'
    error = ask.error(each_sandbox, query % ("", ORDERS))
    assert error["message"] == "java.lang.RuntimeException: customType is required: Failed to create incident."
    assert error["extensions"]["code"] == 500
    ask.data(each_sandbox, query % ('customType: "late"', ORDERS))
    assert [record.custom_type for record in each_sandbox.store.incidents(ORDERS)] == ["late"]


def test_unsuitable_entity_types_are_refused(ask: Asker, each_sandbox: Sandbox) -> None:
    user = "urn:li:corpuser:ana"
    each_sandbox.store.add_asset(user)
    message = ask.error(each_sandbox, RAISE % user)["message"]
    assert message == f"Entity type for urn: {user} is not a valid destination for field path: /entities/*"


def test_g1_raises_on_datasets_only(ask: Asker) -> None:
    for generation in Generation:
        with Sandbox.start(schema=generation) as server:
            server.store.add_asset(CHART)
            assert ("errors" in ask(server, RAISE % CHART)) is (generation is Generation.G1)


def test_unknown_asset_is_refused_unless_told_otherwise(ask: Asker, each_sandbox: Sandbox) -> None:
    message = ask.error(each_sandbox, RAISE % ORDERS)["message"]
    assert message == f"Failed to update resource with urn {ORDERS}. Entity does not exist."
    each_sandbox.faults = Faults(accept_unknown_resource=True)
    ask.data(each_sandbox, RAISE % ORDERS)
    assert len(each_sandbox.store.incidents(ORDERS)) == 1


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
            assert ask.data(server, STATUS, urn=urn, state="RESOLVED", message="mended") == {
                "updateIncidentStatus": landed
            }
        (record,) = server.store.incidents(ORDERS)
    assert (record.state, record.message) == ("RESOLVED", "mended")


def test_status_update_without_message_keeps_the_old_one(ask: Asker, each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    urn = each_sandbox.store.raise_incident(ORDERS, message="seen")
    ask.data(each_sandbox, STATUS, urn=urn, state="RESOLVED")
    assert each_sandbox.store.incidents(ORDERS, "RESOLVED")[0].message == "seen"


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


def test_privilege_can_cover_some_assets(ask: Asker) -> None:
    with Sandbox.start(tokens=[Grant(token="some", edits=(ORDERS,), actor="urn:li:corpuser:robot")]) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])
        ask.data(server, RAISE % ORDERS)
        assert ask.error(server, RAISE % CUSTOMERS)["extensions"]["code"] == 403
        assert server.store.incidents(ORDERS)[0].created_by == "urn:li:corpuser:robot"


def test_store_refuses_a_taken_id(sandbox: Sandbox) -> None:
    sandbox.store.raise_incident(ORDERS, incident_id="mine")
    with pytest.raises(IncidentExistsError, match="mine"):
        sandbox.store.raise_incident(ORDERS, incident_id="mine")
