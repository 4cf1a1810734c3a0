"""The assertions of one dataset with their latest results, out of answers of any shape."""

from typing import Any

import pytest

from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.listing import AssertionListing
from incident_gate.datahub.health.reading import combined
from incident_gate.incident import Assertion, AssertionResult, Health
from incident_gate.text import Redactor
from incident_gate.urn import parse_urn
from tests.helpers.asking import CUSTOMERS, ORDERS

SECRET = "s3cr3t-t0ken"
URN = "urn:li:assertion:1"


def run(result: object, ms: object = None) -> dict[str, Any]:
    return {"timestampMillis": ms, "result": {"type": result}}


def assertion(number: int, *runs: object, **fields: Any) -> dict[str, Any]:
    return {"urn": f"urn:li:assertion:{number}", "runEvents": {"runEvents": [*runs]}, **fields}


def page(*assertions: object, total: object = None, **fields: Any) -> dict[str, Any]:
    return {"total": len(assertions) if total is None else total, "assertions": [*assertions], **fields}


def listing(*pages: object, size: int = 2) -> AssertionListing:
    found = AssertionListing(ORDERS)
    for each in pages:
        found.add(each, size=size)
    return found


def result_of(element: dict[str, Any]) -> Assertion:
    [found] = listing(page(element)).found.values()
    return found


@pytest.mark.parametrize(
    "answer",
    [
        None,
        "x",
        [],
        {},
        {"total": 0},
        {"total": 0, "assertions": {}},
        *[page(total=total) for total in (-1, True, "1", 2**31 + 1, 0.0)],
        page(assertion(1), assertion(2), assertion(3)),
    ],
)
def test_page_that_is_none_is_a_problem(answer: object) -> None:
    found = listing(answer)

    assert [problem.message for problem in found.problems] == ["DataHub does not list its assertions"]
    assert not found.found


def test_greatest_count_of_all_pages_is_the_total() -> None:
    found = listing(page(assertion(1), assertion(2), total=4), page(assertion(3), total=3))

    assert [problem.message for problem in found.problems] == ["DataHub counts 1 more of its assertions than it shows"]


def test_soft_deleted_assertion_is_counted_and_left_out() -> None:
    found = listing(page(assertion(1, status={"removed": True}), assertion(2, status={"removed": False})))

    assert [*found.found] == ["urn:li:assertion:2"]
    assert found.problems == ()


@pytest.mark.parametrize("removed", ["true", 1, None])
def test_assertion_that_is_not_said_to_be_removed_counts(removed: object) -> None:
    assert listing(page(assertion(1, status={"removed": removed}))).found


@pytest.mark.parametrize("element", [None, "x", {}, {"urn": None}, {"urn": ""}, {"urn": 5}])
def test_element_that_is_no_assertion_is_counted(element: object) -> None:
    found = listing(page(element, total=0))

    assert [problem.message for problem in found.problems] == ["DataHub counts 1 more of its assertions than it shows"]


def test_reason_why_a_list_cannot_be_read_is_its_only_problem() -> None:
    found = listing(page(assertion(1), total=9))
    found.fail("It is odd")

    assert [problem.message for problem in found.problems] == ["It is odd"]


@pytest.mark.parametrize(
    ("answer", "reached"),
    [
        (page(assertion(1), total=9, count=2), 2),  # the store did not load the other one
        (page(assertion(1), total=9, count=1), 1),  # the server cut the page
        (page(assertion(1), total=9), 1),
        (page(total=9), 2),
        (page(total=9, count=0), 2),
        (page(assertion(1), assertion(2), total=9, count=1), 2),
        (page(assertion(1), total=9, count=3), 1),
        (page(assertion(1), total=9, count="2"), 1),
        (page(assertion(1), assertion(2), total=9, count=True), 2),
    ],
)
def test_next_page_begins_where_the_server_counted_to_if_that_can_be(answer: dict[str, Any], reached: int) -> None:
    assert listing(answer).reached == reached


def test_page_that_shows_only_known_assertions_brings_nothing() -> None:
    found = AssertionListing(ORDERS)

    assert found.add(page(assertion(1), total=3), size=2)
    assert not found.add(page(assertion(1), total=3), size=2)
    assert found.add(page(assertion(2, status={"removed": True}), total=3), size=2)


# Results


def test_latest_result_that_is_one_is_the_assertions() -> None:
    found = result_of(assertion(1, run("INIT", 3), run("FAILURE", 2), run("SUCCESS", 1)))

    assert (found.result, found.run_ms, found.since_ms) == (AssertionResult.FAILURE, 2, 2)


@pytest.mark.parametrize(
    "runs",
    [
        (run("SUCCESS", 1), run("FAILURE", 2)),
        (run("SUCCESS", 2), run("FAILURE", 2)),
        (run("FAILURE", 1), run("SUCCESS", 2)),
        (run("SUCCESS"), run("FAILURE", 2)),
    ],
)
def test_of_runs_that_are_not_sorted_the_failure_counts(runs: tuple[object, ...]) -> None:
    assert result_of(assertion(1, *runs)).result is AssertionResult.FAILURE


def test_runs_that_were_cut_off_and_do_not_come_again_are_unreadable() -> None:
    found = listing(page(assertion(1, *[run("INIT", 3)] * 3)))

    found.add_runs("urn:li:assertion:1", {"runEvents": []})

    assert [each.result for each in found.found.values()] == [AssertionResult.UNREADABLE]


@pytest.mark.parametrize("runs", [(), (run("INIT", 3),)])
def test_assertion_without_a_result_has_none(runs: tuple[object, ...]) -> None:
    never = result_of(assertion(1, *runs))

    assert never.result is Assertion(urn="", asset="").result
    assert never.run_ms is None


@pytest.mark.parametrize("shown", [None, "x", {"timestampMillis": 1}, {"result": None}, run(None), run("NEW"), run([])])
def test_latest_result_that_cannot_be_read_is_unreadable(shown: object) -> None:
    assert result_of(assertion(1, shown, run("SUCCESS", 1))).result is AssertionResult.UNREADABLE


@pytest.mark.parametrize("events", [None, "x", {}, {"runEvents": None}, {"runEvents": {}}])
def test_runs_that_cannot_be_read_are_unreadable(events: object) -> None:
    assert result_of(assertion(1) | {"runEvents": events}).result is AssertionResult.UNREADABLE


@pytest.mark.parametrize("time", [None, "1", True, 1.5])
def test_time_that_is_none_is_unknown(time: object) -> None:
    assert result_of(assertion(1, run("FAILURE", time))).run_ms is None


def failing(since_ms: int | None = 9) -> AssertionListing:
    found = AssertionListing(ORDERS)
    found.found[URN] = Assertion(urn=URN, asset=ORDERS, result=AssertionResult.FAILURE, since_ms=since_ms)
    return found


def since(*runs: object, known: int | None = 9) -> int | None:
    found = failing(known)
    found.add_runs(URN, {"runEvents": [*runs]})
    return found.found[URN].since_ms


def test_assertion_fails_since_the_first_failure_after_any_other_result() -> None:
    assert since(run("FAILURE", 9), run("INIT", 8), run("FAILURE", 7), run("SUCCESS", 6), run("FAILURE", 5)) == 7
    assert since(run("FAILURE", 9), run("FAILURE", 7), run("ERROR", 6), run("FAILURE", 5)) == 7


def test_failure_without_a_time_leaves_the_one_after_it() -> None:
    assert since(run("FAILURE", 9), run("FAILURE")) == 9


@pytest.mark.parametrize("events", [None, "x", {}, {"runEvents": "x"}])
def test_runs_that_do_not_come_leave_what_is_known(events: object) -> None:
    found = failing()
    found.add_runs(URN, events)

    assert found.found == failing().found


@pytest.mark.parametrize(
    ("later", "result"),
    [
        ([run("INIT")] * 4 + [run("FAILURE", 1)], AssertionResult.FAILURE),
        ([run("INIT")] * 4, AssertionResult.NEVER),  # now all of them were read
        ([run("INIT")] * 50, AssertionResult.UNREADABLE),
        (None, AssertionResult.UNREADABLE),
    ],
)
def test_runs_that_were_cut_off_before_any_result_are_read_on(later: object, result: AssertionResult) -> None:
    found = listing(page(assertion(1, *[run("INIT")] * 3)))
    assert found.found[URN].result is AssertionResult.UNREADABLE

    found.add_runs(URN, {"runEvents": later})

    assert found.found[URN].result is result


def test_assertion_whose_runs_are_all_read_and_initial_never_ran() -> None:
    assert result_of(assertion(1, run("INIT"), run("INIT"))).result is AssertionResult.NEVER
    counted = {"urn": URN, "runEvents": {"total": 9, "runEvents": [run("INIT")]}}
    assert result_of(counted).result is AssertionResult.UNREADABLE


@pytest.mark.parametrize("others", [("SUCCESS",), ("ERROR", "SUCCESS"), ("NONSENSE",), ("INIT",)])
def test_of_several_listings_of_an_assertion_the_failure_counts(others: tuple[str, ...]) -> None:
    listed = [assertion(1, run("FAILURE", 5)), *(assertion(1, run(other, 9)) for other in others)]

    for order in (listed, listed[::-1]):
        found = listing(*(page(element, total=1) for element in order))
        assert found.found[URN].result is AssertionResult.FAILURE


def test_more_assertions_than_are_counted_are_a_problem() -> None:
    assert [problem.message for problem in listing(page(assertion(1), assertion(2), total=1)).problems] == [
        "DataHub shows 2 of its assertions and counts 1"
    ]


def test_no_text_shows_a_secret() -> None:
    found = AssertionListing(ORDERS, Redactor((SECRET,)))
    info = {"type": SECRET, "description": SECRET, "externalUrl": f"https://x/{SECRET}"}
    found.add(page({"urn": f"urn:li:assertion:{SECRET}", "info": info}), size=2)

    assert SECRET not in str([*found.found.values()])


def test_assertion_that_two_urns_of_an_asset_list_counts_once_with_the_worse_result() -> None:
    urns = parse_urn(ORDERS), parse_urn(CUSTOMERS)
    worst = Assertion(URN, ORDERS, result=AssertionResult.FAILURE)
    healths = [
        Health(ORDERS, assertions=(worst,)),
        Health(CUSTOMERS, assertions=(worst._replace(result=AssertionResult.SUCCESS),)),
    ]

    for order in (healths, healths[::-1]):
        assert combined(HealthQuery(urns[0], alternate_urns=urns[1:]), order).assertions == (worst,)
