"""Servers that know less than the newest one, and what asking them costs."""

from dataclasses import replace

import pytest

from incident_gate.errors import ExitCode
from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.asking import CUSTOMERS, DASHBOARD, MODEL, ORDERS
from tests.helpers.gating import check, only, reasons, tables, verdicts

MODERN = (Generation.G2, Generation.G3, Generation.G4)
# What a build of 2022 may lack besides `exists`, and whether it says so when it is asked for its schema.
LACKING = {
    "exists": Faults(),
    "entities": Faults(no_entities=True),
    "entityExists": Faults(no_entity_exists=True),
    "both": Faults(no_entities=True, no_entity_exists=True),
}


@pytest.mark.parametrize("schema", MODERN)
@pytest.mark.parametrize(("number", "requests"), [(1, 1), (100, 1), (1000, 4)])
def test_modern_server_is_asked_no_more_than_once_a_batch(schema: Generation, number: int, requests: int) -> None:
    with Sandbox.start(schema=schema) as server:
        urns = tables(number)
        server.store.add_assets(urns)

        result = check(server, *urns)

        assert verdicts(result) == ["healthy"] * number
        assert server.requests.operations == ["incidentGateHealth"] * requests
        assert sorted(urn for request in server.requests for urn in request.variables["urns"]) == urns


def test_server_of_2022_is_looked_at_once_and_asked_about_existence_apart() -> None:
    with Sandbox.start(schema="g1") as server:
        server.store.add_assets([ORDERS, CUSTOMERS])

        assert verdicts(check(server, ORDERS, CUSTOMERS)) == ["healthy", "healthy"]
        assert server.requests.operations == [
            "incidentGateHealth",  # refused
            "incidentGateSchema",
            "incidentGateHealth",
            "incidentGateExistence",
        ]


@pytest.mark.parametrize("introspection", [True, False])
@pytest.mark.parametrize("lacking", LACKING)
def test_server_that_lacks_fields_still_blocks(lacking: str, *, introspection: bool) -> None:
    faults = replace(LACKING[lacking], introspection=introspection)
    with Sandbox.start(schema="g1", faults=faults) as server:
        server.store.add_asset(ORDERS, siblings=[MODEL])
        server.store.add_asset(MODEL)
        server.store.add_asset(CUSTOMERS)
        urns = tables(3)
        server.store.add_asset(urns[0], removed=True)
        server.store.add_asset(urns[1])
        server.store.raise_incident(urns[1])
        server.store.raise_incident(MODEL)

        result = check(server, ORDERS, CUSTOMERS, *urns)

        # Without entityExists nobody can tell that an asset exists.
        known = "healthy" if lacking in {"exists", "entities"} else "unknown"
        assert verdicts(result) == ["unhealthy", known, "unknown", "unhealthy", "unknown"]
        assert reasons(result.decisions[2]) == ["removed"]
        assert reasons(result.decisions[4]) == ["not-found" if known == "healthy" else "existence-not-supported"]


def test_every_generation_blocks_without_introspection(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    each_sandbox.store.raise_incident(ORDERS)
    each_sandbox.faults = Faults(introspection=False)

    assert verdicts(check(each_sandbox, ORDERS, CUSTOMERS, MODEL)) == ["unhealthy", "healthy", "unknown"]


@pytest.fixture
def mute() -> Faults:
    """A server of 2022 that does not show its schema, so that removal and siblings are asked for apart."""
    return Faults(introspection=False, no_entities=True)


def test_mute_server_reads_past_the_first_page(mute: Faults) -> None:
    with Sandbox.start(schema="g1", faults=mute) as server:
        server.store.add_asset(ORDERS)
        for _ in range(130):
            server.store.raise_incident(ORDERS)

        decision = only(check(server, ORDERS))

        assert (len(decision.blocking), decision.unread) == (130, 0)


def test_mute_server_that_fails_afterwards_passes_nothing(mute: Faults) -> None:
    rule = Fault(kind=FaultKind.STATUS, status=503, operation="incidentGateExistence")
    faults = replace(mute, rules=(rule,))
    with Sandbox.start(schema="g1", faults=faults) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])
        server.store.raise_incident(CUSTOMERS)

        result = check(server, ORDERS, CUSTOMERS, timeout="1", on_unknown="warn")

        assert verdicts(result) == ["unknown", "unhealthy"]
        assert result.exit_code is ExitCode.BLOCKED


def test_dashboard_on_a_mute_server_of_2022_is_unknown_and_datasets_are_answered(mute: Faults) -> None:
    with Sandbox.start(schema="g1", faults=mute) as server:
        server.store.add_assets([ORDERS, DASHBOARD])

        assert verdicts(check(server, DASHBOARD, ORDERS)) == ["unknown", "healthy"]
