"""Many assets: each query has its own answer, whatever else is asked about the same asset."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from incident_gate.api import connect
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import Reader
from incident_gate.incident import Health, Reason
from incident_gate.sandbox import Sandbox
from incident_gate.settings.read import read_settings
from incident_gate.urn import parse_urn
from tests.helpers.asking import MODEL, ORDERS
from tests.helpers.gating import tables

WITH, WITHOUT = HealthQuery(parse_urn(ORDERS)), HealthQuery(parse_urn(ORDERS), siblings=False)
EXISTENCE = HealthQuery(parse_urn(ORDERS), existence_only=True)


def read(server: Sandbox, queries: Sequence[HealthQuery]) -> tuple[Health, ...]:
    given = {"datahub-url": server.url, "datahub-token": server.token}
    with connect(read_settings(lambda name: given.get(name, ""), {})) as client:
        healths = Reader(client).read(queries).healths
    return tuple(healths[query] for query in queries)


@pytest.mark.parametrize(
    "queries",
    [(WITH, WITHOUT), (WITHOUT, WITH), (EXISTENCE, WITHOUT, WITH, EXISTENCE)],
    ids=["with first", "without first", "existence as well"],
)
def test_siblings_count_for_each_query_that_asks_for_them(
    each_sandbox: Sandbox, queries: tuple[HealthQuery, ...]
) -> None:
    each_sandbox.store.add_asset(ORDERS, siblings=[MODEL])
    each_sandbox.store.add_asset(MODEL, siblings=[ORDERS])
    each_sandbox.store.raise_incident(MODEL, title="Late")

    healths = read(each_sandbox, queries)

    for query, health in zip(queries, healths, strict=True):
        if not query.existence_only:
            assert [incident.title for incident in health.incidents] == (["Late"] if query.siblings else [])
        assert health.problems == ()


def test_existence_alone_is_not_asked_for_once_more(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    sandbox.store.raise_incident(ORDERS, title="Late")

    whole, existence = read(sandbox, (WITH, EXISTENCE))

    assert whole == existence
    assert len(sandbox.requests) == 1


# Assets with several URNs


OTHER = HealthQuery(parse_urn(MODEL), alternate_urns=(parse_urn(ORDERS),), siblings=False)


def test_incident_on_any_urn_of_an_asset_counts_and_one_of_them_must_exist(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    sandbox.store.raise_incident(ORDERS, title="Late")

    selected, named = read(sandbox, (OTHER._replace(must_exist=False), OTHER))

    assert (selected.urn, [incident.title for incident in selected.incidents]) == (MODEL, ["Late"])
    assert selected.problems == ()
    assert [problem.reason for problem in named.problems] == [Reason.NOT_FOUND]
    assert [part.urn for part in named.parts] == [MODEL, ORDERS]
    assert [len(part.problems) for part in named.parts] == [1, 0]
    assert len(sandbox.requests) == 1


def test_asset_of_which_no_urn_exists_names_them_all(sandbox: Sandbox) -> None:
    [health] = read(sandbox, [OTHER._replace(must_exist=False)])

    [problem] = health.problems
    assert problem.message == f"None of its URNs is in DataHub: {MODEL}, {ORDERS}"


# What a run keeps


def test_incidents_that_there_is_no_room_for_are_counted_and_the_most_severe_are_kept(
    sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incident_gate.datahub.health.reading.KEPT_BYTES", 1_500)
    urns = tables(3)
    sandbox.store.add_assets(urns)
    for urn in urns:
        for priority in (3, 0, 1, 2, 0):
            sandbox.store.raise_incident(urn, title="x" * 100, priority=priority)

    healths = read(sandbox, [HealthQuery(parse_urn(urn)) for urn in urns])

    assert [len(health.incidents) + health.unread for health in healths] == [5, 5, 5]
    assert [health.left_out for health in healths] == [health.unread for health in healths]
    assert all(health.incidents[0].priority == 0 for health in healths)
    assert sum(len(health.incidents) for health in healths) < 8
    assert all(health.problems == () for health in healths)
