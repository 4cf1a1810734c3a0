"""How incidents that only a summary names are checked: with which requests, how often, and what is believed."""

from collections.abc import Callable, Iterable
from typing import Any

import pytest

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.health import witness
from incident_gate.datahub.health.answer import ACTIVE_ONLY, Extent, HealthQuery, History, PartialHealth
from incident_gate.datahub.health.witness import CHECKED, SECOND_LOOK, check_summaries
from incident_gate.errors import UnreachableError
from incident_gate.incident import Incident
from incident_gate.urn import parse_urn
from tests.helpers.answering import AnsweringServer, failing
from tests.helpers.asking import CUSTOMERS, ORDERS

FIRST, SECOND = "urn:li:incident:1", "urn:li:incident:2"
NONE: dict[str, Any] = {"total": 0, "incidents": []}
CHECK = "incidentGateWitness"


@pytest.fixture(autouse=True)
def _second_look(monkeypatch: pytest.MonkeyPatch) -> None:
    """The real one: the server's clock costs nothing."""
    monkeypatch.setattr(witness, "SECOND_LOOK", SECOND_LOOK)


def doubting(*incidents: str, urn: str = ORDERS) -> PartialHealth:
    """An asset whose summary names incidents that its list lacks."""
    partial = PartialHealth(HealthQuery(parse_urn(urn)))
    partial.exists = True
    partial.own.summary_active = {incident: Incident(urn=incident, asset=urn) for incident in incidents}
    return partial


def check(server: AnsweringServer, *partials: PartialHealth, extent: Extent = ACTIVE_ONLY) -> None:
    with server.client() as client:
        check_summaries(client, Capabilities(), extent, {partial.urn: partial for partial in partials}, server.sleep)


def state(incident: str, value: str) -> dict[str, Any]:
    return {"urn": incident, "status": {"state": value}}


def history(*incidents: dict[str, Any], total: int | None = None, urn: str = ORDERS) -> dict[str, Any]:
    listed = {"total": len(incidents) if total is None else total, "incidents": list(incidents)}
    return {"urn": urn, "history": listed}


def answering(
    *singles: dict[str, Any] | None, entities: Iterable[dict[str, Any]] = (), later: dict[str, Any] = NONE
) -> Callable[[str, dict[str, Any]], object]:
    """A server whose store has these incidents, whose lists have `entities`, and that lists `later` when asked anew."""
    found = {f"a{place}": single for place, single in enumerate(singles)}
    asset = {
        "urn": ORDERS,
        "platform": {"name": "snowflake"},
        "exists": True,
        "status": None,
        "siblings": None,
        "incidents": later,
    }
    return lambda name, _variables: {**found, "entities": list(entities)} if name == CHECK else {"entities": [asset]}


def operations(server: AnsweringServer) -> list[str]:
    return ["check" if name == CHECK else "look" for name, _ in server.requests]


def test_nothing_is_asked_without_a_doubt() -> None:
    server = AnsweringServer(answering())

    check(server, doubting())

    assert (server.requests, server.waits) == ([], [])


def test_nothing_is_asked_after_the_deadline() -> None:
    server, partial = AnsweringServer(answering(), seconds=0), doubting(FIRST)

    check(server, partial)

    assert server.requests == []
    assert list(partial.own.unconfirmed) == [FIRST]


OVER, ACTIVE = state(FIRST, "RESOLVED"), state(FIRST, "ACTIVE")
OTHER = state(SECOND, "ACTIVE")


@pytest.mark.parametrize(
    ("answer", "over", "unlisted"),
    [
        (answering(OVER), {FIRST}, set()),
        (answering(ACTIVE), set(), {FIRST}),
        (answering(state(SECOND, "RESOLVED")), set(), set()),  # about another incident
        (answering(None, entities=[history(OVER)]), {FIRST}, set()),
        (answering(None, entities=[history(OVER, urn=CUSTOMERS)]), set(), set()),
        # To a gate, every active incident of a history that was read counts.
        (answering(None, entities=[history(ACTIVE, OTHER)]), set(), {FIRST, SECOND}),
        (lambda _name, _variables: {"entities": 1}, set(), set()),
        (lambda _name, _variables: failing(), set(), set()),
    ],
)
def test_what_the_store_and_the_history_show_is_known_at_once(
    answer: Callable[[str, dict[str, Any]], object], over: set[str], unlisted: set[str]
) -> None:
    server, partial = AnsweringServer(answer), doubting(FIRST)

    check(server, partial)

    assert (partial.own.confirmed_resolved, {*partial.own.unlisted}) == (over, unlisted)
    assert bool(partial.own.unconfirmed) is not bool(over or unlisted)
    assert bool(server.waits) is not bool(over or unlisted)


def test_incident_that_the_list_has_is_not_found_once_more() -> None:
    partial = doubting(FIRST)
    partial.own.active[SECOND] = Incident(urn=SECOND, asset=ORDERS)

    check(AnsweringServer(answering(None, entities=[history(ACTIVE, OTHER)])), partial)

    assert set(partial.own.unlisted) == {FIRST}


def test_only_what_the_summary_names_is_found_where_the_history_is_read_anyway() -> None:
    partial = doubting(FIRST)

    check(AnsweringServer(answering(None, entities=[history(ACTIVE, OTHER)])), partial, extent=Extent(History.NEWEST))

    assert set(partial.own.unlisted) == {FIRST}


def test_answer_about_the_second_of_two_is_the_seconds() -> None:
    partial = doubting(FIRST, SECOND)

    check(AnsweringServer(answering(None, state(SECOND, "RESOLVED"))), partial)

    assert (partial.own.confirmed_resolved, list(partial.own.unconfirmed)) == ({SECOND}, [FIRST])


def test_what_the_second_look_counts_and_does_not_list_stays_counted() -> None:
    partial = doubting(FIRST)

    check(AnsweringServer(answering(None, later={"total": 3, "incidents": []})), partial)

    assert partial.own.unread == 3


def test_doubt_that_remains_is_looked_at_again_after_two_seconds() -> None:
    server = AnsweringServer(answering(None, later={"total": 1, "incidents": [state(FIRST, "ACTIVE")]}))
    partial = doubting(FIRST)

    check(server, partial)

    assert (operations(server), server.waits) == (["check", "look"], [2.0])
    assert list(partial.own.active) == [FIRST]


def test_what_the_second_look_leaves_open_is_checked_again() -> None:
    server = AnsweringServer(answering(None))

    check(server, doubting(FIRST))

    assert operations(server) == ["check", "look", "check"]


def test_second_look_does_not_wait_beyond_the_deadline() -> None:
    server = AnsweringServer(answering(None), seconds=1.5)

    with pytest.raises(UnreachableError):
        check(server, doubting(FIRST))
    assert server.waits == [1.5]


def test_outcome_looks_once() -> None:
    server, partial = AnsweringServer(answering(None)), doubting(FIRST)

    check(server, partial, extent=Extent(History.NEWEST))

    assert (operations(server), server.waits) == (["check"], [])
    assert list(partial.own.unconfirmed) == [FIRST]


def test_check_that_is_refused_is_tried_again_at_the_second_look() -> None:
    answers = iter([failing(), answering()("look", {}), {"a0": state(FIRST, "RESOLVED")}])
    server, partial = AnsweringServer(lambda _name, _variables: next(answers)), doubting(FIRST)

    check(server, partial)

    assert partial.own.confirmed_resolved == {FIRST}


def test_incidents_are_checked_in_parts_that_a_server_accepts() -> None:
    claimed = [f"urn:li:incident:{number}" for number in range(CHECKED + 1)]

    def answer(_name: str, variables: dict[str, Any]) -> object:
        urns = [value for name, value in variables.items() if name.startswith("u") and name != "urns"]
        return {f"a{place}": state(urn, "RESOLVED") for place, urn in enumerate(urns)}

    server, partial = AnsweringServer(answer), doubting(*claimed)
    check(server, partial)

    assert [len(variables) - 3 for _, variables in server.requests] == [40, 1]
    assert partial.own.confirmed_resolved == set(claimed)


def test_history_is_read_to_its_end() -> None:
    def answer(name: str, variables: dict[str, Any]) -> object:
        if name == CHECK:
            return {"a0": None, "entities": [history(state(SECOND, "RESOLVED"), total=2)]}
        assert (variables["start"], variables["count"]) == (1, 1)
        return {"entities": [history(state(FIRST, "RESOLVED"), total=2)]}

    partial = doubting(FIRST)
    check(AnsweringServer(answer), partial)

    assert partial.own.confirmed_resolved == {FIRST}


@pytest.mark.parametrize("extent", [ACTIVE_ONLY, Extent(History.NEWEST)])
def test_further_pages_have_what_an_outcome_writes_back(extent: Extent) -> None:
    page = {"entities": [history(state(FIRST, "RESOLVED"), total=2)]}
    server = AnsweringServer(
        lambda name, _: {"entities": [history(state(SECOND, "ACTIVE"), total=2)]} if name == CHECK else page
    )

    check(server, doubting(FIRST), extent=extent)

    assert ["stage message" in document for document in server.documents] == [extent is not ACTIVE_ONLY] * 2
