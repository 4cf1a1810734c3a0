"""Which requests complete a list of assertions, and what they add."""

from typing import Any

import httpx
import pytest

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.health.answer import HealthQuery, PartialHealth
from incident_gate.datahub.health.listing import AssertionListing, Listing
from incident_gate.datahub.health.request import DATED, MOST_PAGES, read_assertions, read_runs
from incident_gate.incident import AssertionResult
from incident_gate.urn import parse_urn
from tests.helpers.answering import AnsweringServer, failing
from tests.helpers.asking import CUSTOMERS, ORDERS

FAILURE, SUCCESS = "FAILURE", "SUCCESS"


def urn(number: int) -> str:
    return f"urn:li:assertion:{number}"


def runs(*results: tuple[int, str]) -> dict[str, Any]:
    return {"runEvents": [{"timestampMillis": time, "result": {"type": result}} for time, result in results]}


def page(start: int, end: int, total: int, result: str = SUCCESS) -> dict[str, Any]:
    listed = [{"urn": urn(number), "info": {}, "runEvents": runs((1_000, result))} for number in range(start, end)]
    return {"total": total, "count": len(listed), "assertions": listed}


def begun(total: int, shown: int = 100, *, result: str = SUCCESS, asset: str = ORDERS) -> PartialHealth:
    """A dataset of whose assertions the first page was read."""
    partial = PartialHealth(HealthQuery(parse_urn(asset)))
    partial.own.assertions = AssertionListing(asset)
    partial.own.assertions.add(page(0, shown, total, result))
    return partial


def read(server: AnsweringServer, listing: Listing) -> list[tuple[int, int]]:
    """Read on; the start and the size of every page that was asked for."""
    with server.client() as client:
        read_assertions(client, Capabilities(), listing)
    return [(variables["start"], variables["count"]) for _, variables in server.requests]


def answered(assertions: object) -> object:
    return {"entities": [{"urn": ORDERS, "assertions": assertions}]}


def date(server: AnsweringServer, *partials: PartialHealth) -> list[list[str]]:
    """Date the failures; the assertions of each request."""
    with server.client() as client:
        read_runs(client, [listing for partial in partials for listing in partial.assertion_lists])
    return [variables["urns"] for _, variables in server.requests]


def since(partial: PartialHealth) -> list[int | None]:
    return [assertion.since_ms for listing in partial.assertion_lists for assertion in listing.found.values()]


def test_every_page_is_read() -> None:
    def answer(_name: str, variables: dict[str, Any]) -> object:
        start = variables["start"]
        return answered(page(start, min(start + 100, 250), 250))

    partial = begun(250)

    assert read(AnsweringServer(answer), partial.own) == [(100, 100), (200, 100)]
    [listing] = partial.assertion_lists
    assert (len(listing.found), listing.problems) == (250, ())


def test_complete_list_and_one_that_is_not_read_cost_nothing() -> None:
    server = AnsweringServer(lambda _name, _variables: None)

    assert read(server, begun(100).own) == []
    assert read(server, Listing(ORDERS)) == []


def test_list_that_could_not_be_read_is_not_asked_for_again() -> None:
    partial = begun(250)
    [listing] = partial.assertion_lists
    listing.fail("DataHub does not list its assertions")

    assert read(AnsweringServer(lambda _name, _variables: answered(page(100, 200, 250))), partial.own) == []


@pytest.mark.parametrize(
    ("answer", "message"),
    [
        (failing(), "DataHub does not list its assertions: it throws (code 500)"),
        (answered(None), "DataHub does not list its assertions"),
        ({"entities": [None]}, "DataHub does not list its assertions"),
        (answered({"total": 250, "assertions": []}), "DataHub counts 150 more of its assertions than it shows"),
        (answered(page(0, 100, 250)), "DataHub counts 150 more of its assertions than it shows"),
    ],
    ids=["refused", "null", "no asset", "empty", "nothing new"],
)
def test_page_that_brings_nothing_is_the_last_and_a_problem(answer: object, message: str) -> None:
    partial = begun(250)

    assert len(read(AnsweringServer(lambda _name, _variables: answer), partial.own)) == 1
    assert [problem.message for listing in partial.assertion_lists for problem in listing.problems] == [message]


def beside_an_error(data: object) -> httpx.Response:
    error = {"message": "it throws", "path": ["entities", 0, "assertions", "assertions", 0]}
    return httpx.Response(200, json={"data": data, "errors": [error]})


def test_page_beside_an_error_is_a_problem() -> None:
    partial = begun(101)
    page_of_one = {"entities": [{"urn": ORDERS, "assertions": page(100, 101, 101)}]}

    read(AnsweringServer(lambda _name, _variables: beside_an_error(page_of_one)), partial.own)

    [problem] = [problem for listing in partial.assertion_lists for problem in listing.problems]
    assert problem.message == "DataHub fails on some of its assertions"


def test_runs_beside_an_error_leave_what_was_cut_off_unreadable() -> None:
    partial = begun(1, 1)
    [listing] = partial.assertion_lists
    listing.found.clear()
    initial = {"urn": urn(0), "runEvents": runs(*[(1_000, "INIT")] * 3)}
    listing.add({"total": 1, "assertions": [initial]})

    date(AnsweringServer(lambda _name, _variables: beside_an_error({"entities": [initial]})), partial)

    assert listing.found[urn(0)].result is AssertionResult.UNREADABLE


def test_server_that_counts_without_end_is_given_up() -> None:
    def answer(_name: str, variables: dict[str, Any]) -> object:
        start = variables["start"]
        return answered(page(start, start + 1, start + 200))

    assert len(read(AnsweringServer(answer), begun(300).own)) == MOST_PAGES


def test_only_failures_are_dated() -> None:
    assert date(AnsweringServer(lambda _name, _variables: None), begun(3, 3)) == []


def test_failure_is_dated_by_the_first_after_any_other_result() -> None:
    partial = begun(1, 1, result=FAILURE)
    earlier = runs((900, FAILURE), (800, "INIT"), (700, FAILURE), (600, SUCCESS), (500, FAILURE))

    date(AnsweringServer(lambda _name, _variables: {"entities": [{"urn": urn(0), "runEvents": earlier}]}), partial)

    assert since(partial) == [700]


def test_assertions_are_dated_in_parts_that_a_server_accepts_and_each_once() -> None:
    partials = [begun(100, result=FAILURE), begun(1, 1, result=FAILURE, asset=CUSTOMERS)]
    server = AnsweringServer(lambda _name, _variables: {"entities": []})

    assert [len(urns) for urns in date(server, *partials)] == [DATED, 1] == [100, 1]


def test_assertion_of_two_assets_is_asked_for_once_and_dated_in_both() -> None:
    partials = [begun(1, 1, result=FAILURE), begun(1, 1, result=FAILURE, asset=CUSTOMERS)]
    entities = [{"urn": urn(0), "runEvents": runs((700, FAILURE))}]

    assert date(AnsweringServer(lambda _name, _variables: {"entities": entities}), *partials) == [[urn(0)]]
    assert [since(partial) for partial in partials] == [[700], [700]]


@pytest.mark.parametrize(
    "answer",
    [
        failing(),
        *(
            {"entities": value}
            for value in (
                None,
                5,
                True,
                [],
                [None],
                [{"urn": [urn(0)], "runEvents": runs((700, FAILURE))}],
                [{"urn": urn(0), "runEvents": None}],
                [{"urn": urn(1), "runEvents": runs((700, FAILURE))}],
            )
        ),
    ],
)
def test_failure_that_cannot_be_dated_is_as_old_as_its_last_run(answer: object) -> None:
    partial = begun(1, 1, result=FAILURE)

    date(AnsweringServer(lambda _name, _variables: answer), partial)

    [assertion] = [assertion for listing in partial.assertion_lists for assertion in listing.found.values()]
    assert (assertion.result, assertion.since_ms) == (AssertionResult.FAILURE, 1_000)


def test_server_that_cannot_date_failures_is_asked_once() -> None:
    refusal = httpx.Response(200, json={"errors": [{"message": "Validation error", "path": []}]})
    server = AnsweringServer(lambda _name, _variables: refusal)

    assert len(date(server, begun(100, result=FAILURE), begun(100, result=FAILURE, asset=CUSTOMERS))) == 1
