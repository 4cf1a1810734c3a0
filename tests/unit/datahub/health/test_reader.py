"""Answers that no sandbox gives: shorter, sorted otherwise, about somebody else, or of a server gone mad."""

from typing import Any

import httpx
import pytest

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import BATCH, Reader, ServerState
from incident_gate.datahub.health.reading import Reading
from incident_gate.errors import RefusedError
from incident_gate.incident import Reason
from incident_gate.urn import parse_urn
from tests.helpers.answering import AnsweringServer
from tests.helpers.asking import CUSTOMERS, DASHBOARD, ORDERS


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
