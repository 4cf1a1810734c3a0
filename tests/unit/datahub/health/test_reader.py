"""What a reader makes of many assets and of one batch, with a function in the place of the server."""

from types import NoneType
from typing import Any

import httpx
import pytest

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import BATCH, Reader, ServerState
from incident_gate.datahub.health.reading import Reading, Room
from incident_gate.errors import RefusedError, UnreachableError
from incident_gate.incident import Health, Incident, Reason
from incident_gate.urn import parse_urn
from tests.helpers.answering import AnsweringServer, failing
from tests.helpers.asking import CUSTOMERS, DASHBOARD, MODEL, ORDERS


def element(urn: str, total: int = 0) -> dict[str, Any]:
    return {
        "urn": urn,
        "exists": True,
        "status": None,
        "platform": {"name": "snowflake"},
        "tool": "looker",
        "incidents": {"total": total, "incidents": []},
        "siblings": None,
    }


WITH = HealthQuery(parse_urn(ORDERS))


def read_one(client: Client, server: AnsweringServer, urn: str, known: Capabilities | None = None) -> Reading:
    reader = Reader(client, server=ServerState(client, known), sleep=server.sleep)
    return reader.read_batch([HealthQuery(parse_urn(urn))])


NO_FIELD = ("Dashboard", "exists")
NO_QUERY = ("Query", "entityExists")
REFUSED_QUERY = httpx.Response(200, json={"errors": [{"message": "Validation error"}]})


@pytest.mark.parametrize(
    ("has_field", "has_query", "answer", "reasons"),
    [
        # The asset's own field, which is null; then the query, which is missing, refused, null, or answers.
        (True, False, None, [Reason.EXISTENCE_UNKNOWN]),
        (False, False, None, [Reason.EXISTENCE_NOT_SUPPORTED]),
        (True, True, REFUSED_QUERY, [Reason.EXISTENCE_UNKNOWN]),
        (True, True, {"a0": True}, []),
        (True, True, {"a0": False}, [Reason.NOT_FOUND]),
        # A refusal that names nothing shows nothing.
        (False, True, REFUSED_QUERY, [Reason.EXISTENCE_UNKNOWN]),
        (False, True, {"a0": None}, [Reason.EXISTENCE_UNKNOWN]),
        (False, True, {"a0": True}, []),
        (False, True, {"a0": False}, [Reason.NOT_FOUND]),
    ],
)
def test_existence_that_is_not_known_is_told_from_one_that_cannot_be_asked_for(
    answer: object, reasons: list[Reason], *, has_field: bool, has_query: bool
) -> None:
    lacking = {NO_FIELD: not has_field, NO_QUERY: not has_query}
    known = Capabilities(refused=frozenset(name for name, is_lacking in lacking.items() if is_lacking))
    found = {**element(DASHBOARD), "exists": None}
    if not has_field:
        del found["exists"]
    server = AnsweringServer(lambda name, _: {"entities": [found]} if name == "incidentGateHealth" else answer)

    with server.client() as client:
        healths, failure = read_one(client, server, DASHBOARD, known)

    [health] = healths.values()
    assert failure is None
    assert [problem.reason for problem in health.problems] == reasons
    assert ("incidentGateExistence" in dict(server.requests)) is has_query


def test_what_was_answered_before_a_failure_counts() -> None:
    late = httpx.Response(401)
    listed = {"total": 2, "incidents": [{"urn": "urn:li:incident:1", "status": {"state": "ACTIVE"}}]}
    answers = iter([{"entities": [{**element(ORDERS), "incidents": listed}]}, late])
    server = AnsweringServer(lambda _name, _variables: next(answers))

    with server.client() as client:
        healths, failure = read_one(client, server, ORDERS)

    [health] = healths.values()
    assert isinstance(failure, RefusedError)
    assert (len(health.incidents), health.unread) == (1, 1)


def test_nothing_is_known_of_a_batch_that_is_refused() -> None:
    server = AnsweringServer(lambda _name, _variables: httpx.Response(401))

    with server.client() as client:
        result = read_one(client, server, ORDERS)

    assert result.healths == {}
    assert isinstance(result.failure, RefusedError)


def test_every_batch_is_asked_for_and_none_about_no_asset() -> None:
    urns = [f"urn:li:dataset:(urn:li:dataPlatform:hive,t{number},PROD)" for number in range(2 * BATCH + 1)]
    server = AnsweringServer(lambda _name, variables: {"entities": [element(urn) for urn in variables["urns"]]})

    with server.client() as client:
        reading = Reader(client).read([HealthQuery(parse_urn(urn)) for urn in urns])
        assert Reader(client).read([]) == Reading({})

    assert [health.problems for health in reading.healths.values()] == [()] * len(urns)
    assert sorted(len(variables["urns"]) for _, variables in server.requests) == [1, BATCH, BATCH]


@pytest.mark.parametrize("path", ["entities", [None, "entities", 1], ["entities", True]])
def test_error_whose_path_cannot_be_followed_may_concern_any_asset(path: object) -> None:
    data = {"entities": [element(ORDERS), element(CUSTOMERS)]}
    answer = httpx.Response(200, json={"data": data, "errors": [{"message": "lost", "path": path}]})
    server = AnsweringServer(lambda _name, _variables: answer)

    with server.client() as client:
        reading = Reader(client).read([HealthQuery(parse_urn(urn)) for urn in (ORDERS, CUSTOMERS)])

    assert all(health.problems for health in reading.healths.values())


# What ends requests, and what is known then


def test_refusal_of_one_batch_counts_beside_the_failure_of_another(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incident_gate.datahub.health.reader.BATCH", 1)
    server = AnsweringServer(lambda _name, given: httpx.Response(503 if given["urns"] == [ORDERS] else 401))

    with server.client() as client:
        assert isinstance(Reader(client).read([WITH, HealthQuery(parse_urn(MODEL))]).failure, RefusedError)


NOTHING = {"total": 0, "incidents": []}
ACTIVE = {"total": 1, "incidents": [{"urn": "urn:li:incident:1", "status": {"state": "ACTIVE"}}]}
UNREAD = {"total": 0, "incidents": [None]}


@pytest.mark.parametrize(
    ("code", "incidents", "failure"),
    [
        (403, NOTHING, RefusedError),
        (500, NOTHING, UnreachableError),
        # Something is known of one asset, so DataHub can be asked.
        (403, ACTIVE, NoneType),
        (403, UNREAD, NoneType),
        (500, ACTIVE, NoneType),
        (500, UNREAD, NoneType),
    ],
)
def test_failure_on_every_asset_is_one_of_the_server_unless_something_is_known(
    code: int, incidents: object, failure: type
) -> None:
    element = {"urn": ORDERS, "exists": True, "status": None, "incidents": incidents, "siblings": None}
    server = AnsweringServer(
        lambda _name, _variables: failing("entities", 0, "status", data={"entities": [element]}, code=code)
    )

    with server.client() as client:
        reading = Reader(client).read([WITH])

    assert type(reading.failure) is failure
    assert reading.nothing_answered is (incidents is NOTHING)
    assert reading.healths[WITH].problems


def test_asset_that_is_not_answered_in_time_is_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incident_gate.datahub.health.reader.run_all", lambda tasks, **_: [None for _ in tasks])

    with AnsweringServer(lambda _name, _variables: None).client() as client:
        reading = Reader(client).read([WITH])

    assert isinstance(reading.failure, UnreachableError)
    assert [problem.reason for problem in reading.healths[WITH].problems] == [Reason.NO_ANSWER]
    assert reading.nothing_answered


def test_refusal_of_the_token_ends_the_requests() -> None:
    queries = [HealthQuery(parse_urn(f"urn:li:dashboard:(looker,{n})")) for n in range(60 * BATCH)]
    server = AnsweringServer(lambda _name, _variables: httpx.Response(401))

    with server.client() as client:
        reading = Reader(client).read(queries)

    assert isinstance(reading.failure, RefusedError)
    assert len(server.requests) < 60
    assert {problem.reason for health in reading.healths.values() for problem in health.problems} == {Reason.NO_ANSWER}


def test_round_with_a_new_deadline_leaves_the_deadline_of_an_earlier_one_alone() -> None:
    server = AnsweringServer(lambda _name, _variables: httpx.Response(503), seconds=1.0)
    with server.client() as client:
        reader, deadline = Reader(client), client.deadline
        later = reader.until(deadline.later(60))

        assert client.deadline is deadline
        assert reader.read([WITH]).failure
        assert server.now <= 1.0
        assert later.read([WITH]).failure
        assert server.now > 1.0


def test_room_for_incidents_is_shared_by_the_assets_of_a_reading(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incident_gate.datahub.health.reading.KEPT_BYTES", 1_000)
    incidents = tuple(Incident(urn=f"urn:li:incident:{number}", asset=ORDERS) for number in range(2))
    room, health = Room(), Health(urn=ORDERS, incidents=incidents)

    assert room.kept(health) == health
    assert room.kept(health) == health._replace(incidents=incidents[:1], unread=1, left_out=1)
