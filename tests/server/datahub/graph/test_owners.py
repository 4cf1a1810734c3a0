"""Owners of assets and of their consumers, read from each generation of server."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from incident_gate.api import connect
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import Failure
from incident_gate.datahub.graph.owners import Owner, owners_of_consumers, people_of
from incident_gate.sandbox import Generation, Sandbox
from incident_gate.settings.read import read_settings
from tests.helpers.asking import CUSTOMERS, DASHBOARD, JOB, MODEL, ORDERS

ANA, TEAM, GONE = "urn:li:corpuser:ana", "urn:li:corpGroup:data", "urn:li:corpuser:gone"


@pytest.fixture
def owned(each_sandbox: Sandbox) -> Sandbox:
    """Each generation, with an owned asset and what is made from it."""
    store = each_sandbox.store
    store.add_asset(ANA, title="Ana", profile={"email": "ana@example.com"})
    store.add_asset(TEAM, title="Data Platform")
    store.add_asset(ORDERS, owners=[ANA, TEAM, GONE, ANA])
    store.add_asset(CUSTOMERS)
    store.add_asset(MODEL, owners=[TEAM])
    store.add_asset(DASHBOARD, owners=[GONE])
    store.add_lineage(ORDERS, MODEL)
    store.add_lineage(MODEL, DASHBOARD)
    return each_sandbox


@pytest.fixture
def client(owned: Sandbox) -> Iterator[Client]:
    given = {"datahub-url": owned.url, "datahub-token": owned.token}
    with connect(read_settings(lambda name: given.get(name, ""), {})) as client:
        yield client


def test_owners_have_names_and_addresses(client: Client, owned: Sandbox) -> None:
    assert people_of(client, [ORDERS, CUSTOMERS, JOB], with_work=False).owners == {
        ORDERS: (Owner(ANA, "Ana", "ana@example.com"), Owner(TEAM, "Data Platform"), Owner(GONE, "gone")),
        CUSTOMERS: (),
        JOB: (),
    }
    assert len(owned.requests) == 1


def test_nothing_is_asked_about_nothing(client: Client, owned: Sandbox) -> None:
    assert people_of(client, [], with_work=False).owners == {}
    assert owners_of_consumers(client, [ORDERS], 0) == ()
    assert len(owned.requests) == 0


def test_owners_of_consumers_are_those_within_the_hops(client: Client, owned: Sandbox) -> None:
    if owned.generation is Generation.G1:
        with pytest.raises(Failure):
            owners_of_consumers(client, [ORDERS], 1)
        return

    assert owners_of_consumers(client, [ORDERS], 1) == (Owner(TEAM, "Data Platform"),)
    assert owners_of_consumers(client, [ORDERS], 3) == (Owner(TEAM, "Data Platform"), Owner(GONE, "gone"))
    assert owners_of_consumers(client, [ORDERS, MODEL], 1) == (Owner(TEAM, "Data Platform"), Owner(GONE, "gone"))


def test_no_owner_is_named_by_a_secret(client: Client, owned: Sandbox) -> None:
    owned.store.add_asset(ANA, title=f"Ana {owned.token}", profile={"email": f"{owned.token}@example.com"})
    if owned.generation is not Generation.G1:
        owned.store.add_asset(TEAM, title=owned.token)

    people = people_of(client, [ORDERS], with_work=True)

    assert people.owners[ORDERS][0][1:] == ("Ana ***", "***@example.com")
    if owned.generation is not Generation.G1:
        assert owners_of_consumers(client, [ORDERS], 1) == (Owner(TEAM, "***"),)
