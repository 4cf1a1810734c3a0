"""Which assets are asked for their existence, and what an answer shows."""

from typing import Any

import httpx
import pytest

from incident_gate.datahub.health.answer import HealthQuery, PartialHealth
from incident_gate.datahub.health.reader import EXISTENCE_ALIASES, Reader, ServerState, lower_case
from incident_gate.incident import Reason
from incident_gate.urn import parse_urn
from tests.helpers.answering import AnsweringServer, failing
from tests.helpers.asking import CUSTOMERS, DASHBOARD, ORDERS

MISSING = "Validation error (FieldUndefined@[entityExists]) : Field 'entityExists' in type 'Query' is undefined"
CAPITALS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,ANALYTICS.Orders,PROD)"


def partial(urn: str, *, exists: bool | None = None) -> PartialHealth:
    found = PartialHealth(HealthQuery(parse_urn(urn)))
    found.exists = exists
    return found


def ask(server: AnsweringServer, *partials: PartialHealth) -> bool:
    """Ask; whether the server is still taken to have `entityExists`."""
    with server.client() as client:
        state = ServerState(client)
        Reader(client, server=state, sleep=server.sleep).fetch_existence(partials)
    return state.discovery.known.accepts("Query", "entityExists")


def having(*urns: str) -> AnsweringServer:
    return AnsweringServer(
        lambda _name, variables: {f"a{name.removeprefix('u')}": urn in urns for name, urn in variables.items()}
    )


def asked(server: AnsweringServer) -> list[list[str]]:
    return [list(variables.values()) for _, variables in server.requests]


def test_open_assets_are_asked_for_together() -> None:
    server, orders, customers = having(ORDERS), partial(ORDERS), partial(CUSTOMERS)

    assert ask(server, orders, customers)
    assert (orders.exists, customers.exists) == (True, False)
    assert asked(server) == [[ORDERS, CUSTOMERS]]


def test_asset_that_exists_or_has_a_problem_is_not_asked_for() -> None:
    server, failed = having(), partial(CAPITALS)
    failed.problem(Reason.ERROR, "it throws")

    ask(server, partial(CAPITALS, exists=True), failed)

    assert server.requests == []


def test_asset_that_does_not_exist_is_looked_for_in_lower_case() -> None:
    server, missing = having(ORDERS), partial(CAPITALS, exists=False)

    ask(server, missing)

    assert (missing.exists, missing.lower_case) == (False, ORDERS)
    assert asked(server) == [[ORDERS]]


def test_asset_in_lower_case_that_does_not_exist_either_is_no_twin() -> None:
    missing = partial(CAPITALS)

    ask(having(), missing)

    assert (missing.exists, missing.lower_case) == (False, "")


def test_asset_in_lower_case_that_is_asked_for_anyway_is_no_twin() -> None:
    server, capitals = having(ORDERS), partial(CAPITALS, exists=False)

    ask(server, capitals, partial(ORDERS, exists=True))

    assert server.requests == []


@pytest.mark.parametrize(
    "answer",
    [
        failing("a0", data={"a0": True}),
        *(httpx.Response(200, json={"data": {"a0": value}}) for value in (None, "true")),
    ],
)
def test_answer_that_shows_nothing_leaves_it_open(answer: httpx.Response) -> None:
    orders = partial(ORDERS)

    assert ask(AnsweringServer(lambda _name, _variables: answer), orders)
    assert orders.exists is None


def test_asset_that_fails_alone_stays_open_and_the_others_are_answered() -> None:
    def answer(_name: str, variables: dict[str, Any]) -> object:
        return failing() if CUSTOMERS in variables.values() else dict.fromkeys(("a0", "a1"), True)

    partials = [partial(ORDERS), partial(CUSTOMERS), partial(DASHBOARD)]

    assert ask(AnsweringServer(answer), *partials)
    assert [each.exists for each in partials] == [True, None, True]


def test_server_that_refuses_the_query_is_not_asked_again() -> None:
    refusal = httpx.Response(200, json={"errors": [{"message": MISSING, "path": []}]})
    server = AnsweringServer(lambda _name, _variables: refusal)

    assert not ask(server, *(partial(f"urn:li:dashboard:(looker,{number})") for number in range(EXISTENCE_ALIASES + 1)))
    assert len(server.requests) == 1


def test_request_has_no_more_fields_than_servers_allow() -> None:
    server = having()

    ask(server, *(partial(f"urn:li:dashboard:(looker,{number})") for number in range(EXISTENCE_ALIASES + 1)))

    assert [len(urns) for urns in asked(server)] == [500, 1]


@pytest.mark.parametrize(
    ("urn", "lowered"),
    [
        (CAPITALS, ORDERS),
        (ORDERS, ""),
        ("urn:li:dataset:(urn:li:dataPlatform:S3,A/b,C,DEV)", "urn:li:dataset:(urn:li:dataPlatform:S3,a/b,c,DEV)"),
        ("urn:li:dashboard:(looker,Sales,Daily)", ""),
        ("urn:li:dataset:(Broken,PROD)", ""),
        ("urn:li:dataset:(Broken)", ""),
    ],
)
def test_only_the_name_of_a_dataset_is_put_in_lower_case(urn: str, lowered: str) -> None:
    assert lower_case(urn) == lowered
