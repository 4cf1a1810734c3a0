"""What blocks is reported with its stage, its assignees and the owners of its asset."""

from __future__ import annotations

import pytest

from incident_gate.sandbox import Generation, Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.gating import check

OLD = {Generation.G1, Generation.G2_EARLY, Generation.G2}


def test_stage_and_assignees_of_what_blocks_are_reported(each_datahub: Sandbox) -> None:
    each_datahub.store.raise_incident(ORDERS, title="late", stage="INVESTIGATION", assignees=["urn:li:corpuser:ana"])

    result = check(each_datahub, ORDERS)

    [incident] = result.decisions[0].blocking
    if each_datahub.generation in OLD:
        assert (incident.stage, incident.assignees) == (None, ())
    else:
        assert incident.stage == "INVESTIGATION"
        assert len(incident.assignees) == 1


def test_a_healthy_run_asks_for_no_people(datahub: Sandbox) -> None:
    check(datahub, ORDERS)

    assert [request.operation for request in datahub.requests] == ["incidentGateHealth"]


@pytest.mark.parametrize("number", [1, 3])
def test_one_more_request_names_the_people_of_all_that_blocks(datahub: Sandbox, number: int) -> None:
    for place in range(number):
        datahub.store.raise_incident(ORDERS, title=f"late {place}", stage="TRIAGE")

    result = check(datahub, ORDERS)

    assert {incident.stage for incident in result.decisions[0].blocking} == {"TRIAGE"}
    assert [request.operation for request in datahub.requests].count("incidentGatePeople") == 1
