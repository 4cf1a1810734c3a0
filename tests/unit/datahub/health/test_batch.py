"""Answers that no sandbox gives: shorter, sorted otherwise, about somebody else, or of a server gone mad."""

import json
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import BATCH, Reader, ServerState
from incident_gate.datahub.health.reading import Reading
from incident_gate.datahub.parallel import Deadline
from incident_gate.errors import RefusedError
from incident_gate.incident import Health, Reason
from incident_gate.urn import parse_urn
from tests.helpers.answering import AnsweringServer
from tests.helpers.asking import CUSTOMERS, DASHBOARD, ORDERS

Answering = Callable[[dict[str, Any]], Any]
QUESTIONS = [HealthQuery(parse_urn(ORDERS)), HealthQuery(parse_urn(CUSTOMERS))]


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


@pytest.fixture
def read() -> Iterator[Callable[[Answering], tuple[Health, ...]]]:
    """Asks about two assets, with a function in the place of the server."""
    clients: list[httpx.Client] = []

    def run(answer: Answering) -> tuple[Health, ...]:
        def respond(request: httpx.Request) -> httpx.Response:
            return httpx.Response(200, json=answer(json.loads(request.content)))

        clients.append(httpx.Client(transport=httpx.MockTransport(respond)))
        reading = Reader(Client(clients[-1], "http://datahub.test/api/graphql", Deadline.after(5))).read(QUESTIONS)
        return tuple(reading.healths.values())

    yield run
    for client in clients:
        client.close()


def test_answer_that_is_sorted_otherwise_is_matched_by_urn(read: Callable[[Answering], tuple[Health, ...]]) -> None:
    orders, customers = read(lambda _: {"data": {"entities": [element(CUSTOMERS), element(ORDERS, total=2)]}})

    assert (orders.unread, customers.unread) == (2, 0)


def test_error_is_matched_by_its_place_in_the_answer(read: Callable[[Answering], tuple[Health, ...]]) -> None:
    errors = [{"message": "lost", "path": ["entities", 0, "incidents"]}]
    orders, customers = read(lambda _: {"data": {"entities": [element(CUSTOMERS), element(ORDERS)]}, "errors": errors})

    assert not orders.problems
    assert customers.problems


@pytest.mark.parametrize(
    "entities",
    [[], [None], [element(CUSTOMERS)], [element(CUSTOMERS), element(CUSTOMERS)], [{**element(ORDERS), "urn": None}]],
)
def test_asset_that_is_missing_in_the_answer_is_unknown(
    read: Callable[[Answering], tuple[Health, ...]], entities: list[Any]
) -> None:
    assert read(lambda _: {"data": {"entities": entities}})[0].problems


@pytest.mark.parametrize("status", [400, 409, 418, 500])
def test_error_status_is_no_health_even_with_a_whole_answer(status: int) -> None:
    body = {"data": {"entities": [element(ORDERS), element(CUSTOMERS)]}}
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, json=body))) as client:
        reading = Reader(Client(client, "http://datahub.test/api/graphql", Deadline.after(5))).read(QUESTIONS)

    assert all(health.problems for health in reading.healths.values())
    assert reading.failure is not None
    assert f"HTTP {status}" in reading.failure.message


def test_asset_that_is_answered_twice_is_unknown(read: Callable[[Answering], tuple[Health, ...]]) -> None:
    orders, customers = read(lambda _: {"data": {"entities": [element(ORDERS, 1), element(ORDERS)]}})

    assert orders.problems
    assert orders.unread == 0
    assert customers.problems


@pytest.mark.parametrize(
    "path", [None, [], ["entities"], ["entities", 7], ["other"], "entities", [None, "entities", 1], ["entities", True]]
)
def test_error_that_leads_nowhere_spoils_the_whole_answer(
    read: Callable[[Answering], tuple[Health, ...]], path: object
) -> None:
    errors = [{"message": "lost", "path": path}]
    healths = read(lambda _: {"data": {"entities": [element(ORDERS), element(CUSTOMERS)]}, "errors": errors})

    assert all(health.problems for health in healths)


def test_other_asset_in_an_assets_place_is_unknown_on_an_old_server(
    read: Callable[[Answering], tuple[Health, ...]],
) -> None:
    def answer(asked: dict[str, Any]) -> Any:
        if asked["operationName"] == "incidentGateExistence":
            return {"data": {"a0": True, "a1": True}}
        if asked["operationName"] == "incidentGateHealthOfEach":
            return {"data": {"a0": element(CUSTOMERS), "a1": element(CUSTOMERS)}}
        missing = "Field 'entities' in type 'Query' is undefined"
        return {"errors": [{"message": f"Validation error (FieldUndefined@[entities]) : {missing}"}]}

    orders, customers = read(answer)

    assert orders.problems
    assert not customers.problems


def test_page_that_brings_nothing_new_is_the_last(read: Callable[[Answering], tuple[Health, ...]]) -> None:
    asked: list[int] = []

    def answer(question: dict[str, Any]) -> Any:
        asked.append(question["variables"]["start"])
        return {"data": {"entities": [element(ORDERS, total=10**9), element(CUSTOMERS)]}}

    orders, _ = read(answer)

    assert orders.unread == 10**9
    assert asked == [0, 100]


def test_progress_is_told_batch_by_batch() -> None:
    questions = [
        HealthQuery(parse_urn(f"urn:li:dataset:(urn:li:dataPlatform:hive,t{number},PROD)"))
        for number in range(2 * BATCH + 1)
    ]

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(
            200, json={"data": {"entities": [element(u) for u in json.loads(request.content)["variables"]["urns"]]}}
        )

    with httpx.Client(transport=httpx.MockTransport(respond)) as client:
        reader = Reader(Client(client, "http://datahub.test/api/graphql", Deadline.after(5)))
        reading = reader.read(questions)

    assert not any(health.problems for health in reading.healths.values())


def test_nothing_is_asked_about_no_asset() -> None:
    def respond(_request: httpx.Request) -> httpx.Response:
        raise AssertionError

    with httpx.Client(transport=httpx.MockTransport(respond)) as client:
        reading = Reader(Client(client, "http://datahub.test/api/graphql", Deadline.after(5))).read([])

    assert reading == Reading({})


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
