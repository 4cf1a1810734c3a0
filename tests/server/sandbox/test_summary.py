"""The aspect incidentsSummary: what a hook knows of an asset's incidents, from the primary store."""

import json
from typing import Any

from incident_gate.sandbox import Faults, Generation, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS, Asker

ASPECTS = """query q($urns: [String!]!) { entities(urns: $urns) { urn
  ... on Dataset { aspects(input: {aspectNames: ["incidentsSummary"]}) { aspectName payload } }
  ... on Chart { aspects(input: {aspectNames: ["incidentsSummary"]}) { aspectName payload } } } }"""
RAISE = """mutation raiseIncident($urn: String!) {
  raiseIncident(input: { type: OPERATIONAL, priority: HIGH, resourceUrn: $urn }) }"""
RESOLVE = """mutation updateIncidentStatus($urn: String!) {
  updateIncidentStatus(urn: $urn, input: { state: RESOLVED }) }"""


def summaries(ask: Asker, server: Sandbox, *urns: str) -> list[Any]:
    entities = ask.data(server, ASPECTS, urns=list(urns))["entities"]
    found = []
    for entity in entities:
        assert all(aspect["aspectName"] == "incidentsSummary" for aspect in entity["aspects"])
        found.append(json.loads(entity["aspects"][0]["payload"]) if entity["aspects"] else None)
    return found


def test_summary_follows_an_incident(ask: Asker, sandbox: Sandbox) -> None:
    urn = ask.data(sandbox, RAISE, urn=ORDERS)["raiseIncident"]
    (record,) = sandbox.store.incidents(ORDERS)
    detail = {"urn": urn, "type": "OPERATIONAL", "createdAt": record.created_ms, "priority": 1}
    empty: dict[str, list[object]] = {
        "activeIncidents": [],
        "resolvedIncidents": [],
        "activeIncidentDetails": [],
        "resolvedIncidentDetails": [],
    }
    assert summaries(ask, sandbox, ORDERS) == [empty | {"activeIncidentDetails": [detail]}]
    ask.data(sandbox, RESOLVE, urn=urn)
    assert summaries(ask, sandbox, ORDERS) == [empty | {"resolvedIncidentDetails": [detail]}]


def test_old_hooks_named_incidents_by_their_urn_alone(ask: Asker, sandbox: Sandbox) -> None:
    active, resolved = (sandbox.store.raise_incident(ORDERS) for _ in range(2))
    sandbox.store.resolve(resolved)
    sandbox.faults = Faults(old_summaries=True)
    (summary,) = summaries(ask, sandbox, ORDERS)
    assert (summary["activeIncidents"], summary["resolvedIncidents"]) == ([active], [resolved])
    assert summary["activeIncidentDetails"] == summary["resolvedIncidentDetails"] == []


def test_hook_and_index_lag_apart(ask: Asker, sandbox: Sandbox) -> None:
    for urn, lags, shown in ((ORDERS, Faults(lag=60), (1, 0)), (CUSTOMERS, Faults(hook_lag=60), (0, 1))):
        sandbox.store.add_asset(urn)
        sandbox.faults = lags
        ask.data(sandbox, RAISE, urn=urn)
        [summary] = summaries(ask, sandbox, urn)
        listed = ask.data(sandbox, f'{{ dataset(urn: "{urn}") {{ incidents {{ total }} }} }}')["dataset"]["incidents"]
        assert (len((summary or {}).get("activeIncidentDetails", [])), listed["total"]) == shown


def test_hook_that_is_off_writes_nothing(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.faults = Faults(no_hook=True)
    ask.data(sandbox, RAISE, urn=ORDERS)
    assert summaries(ask, sandbox, ORDERS) == [None]


def test_summary_keeps_a_deleted_incident(ask: Asker, sandbox: Sandbox) -> None:
    urn = sandbox.store.raise_incident(ORDERS)
    sandbox.store.delete_incident(urn)
    (summary,) = summaries(ask, sandbox, ORDERS)
    assert [detail["urn"] for detail in summary["activeIncidentDetails"]] == [urn]


def test_aspects_cannot_be_named_on_the_oldest_cloud(ask: Asker) -> None:
    everything = f'{{ dataset(urn: "{ORDERS}") {{ aspects(input: {{autoRenderOnly: false}}) {{ aspectName }} }} }}'
    with Sandbox.start(schema=Generation.G1) as server:
        server.store.add_asset(ORDERS, removed=False, tags=["urn:li:tag:a"])
        server.store.raise_incident(ORDERS)
        assert "data" not in ask(server, ASPECTS, urns=[ORDERS])
        names = {aspect["aspectName"] for aspect in ask.data(server, everything)["dataset"]["aspects"]}
    assert names == {"datasetKey", "status", "globalTags", "incidentsSummary"}


def test_summary_goes_with_its_asset(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.raise_incident(ORDERS)
    sandbox.store.delete_asset(ORDERS)
    assert summaries(ask, sandbox, ORDERS) == [None]
