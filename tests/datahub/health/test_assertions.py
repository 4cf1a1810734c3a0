"""A dataset's assertions out of pages of any shape: what is missing is a problem, and where the next page starts."""

from typing import Any

import pytest

from incident_gate.datahub.health.assertions import AssertionListing, failing_since
from incident_gate.incident import Assertion, AssertionResult
from tests.helpers.asking import ORDERS


def run(result: str, time: object = 1_000) -> dict[str, Any]:
    return {"timestampMillis": time, "result": {"type": result}}


def element(number: int, *runs: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return {"urn": f"urn:li:assertion:{number}", "runEvents": {"runEvents": list(runs)}, **changes}


def listing_of(page: object, size: int = 100) -> AssertionListing:
    listing = AssertionListing(ORDERS)
    listing.add(page, size=size)
    return listing


def result_of(found: dict[str, Any]) -> AssertionResult:
    [assertion] = listing_of({"total": 1, "assertions": [found]}).found.values()
    return assertion.result


@pytest.mark.parametrize(
    ("total", "assertions"),
    [
        (None, []),
        (True, []),
        (-1, []),
        (2**31 + 1, []),
        ("1", []),
        (1, None),
        (1, {}),
        (3, [element(1), element(2), element(3)]),
    ],
)
def test_page_that_is_not_as_promised_is_a_problem(total: object, assertions: object) -> None:
    [problem] = listing_of({"total": total, "assertions": assertions}, size=2).problems

    assert problem.message == "DataHub does not list its assertions"


@pytest.mark.parametrize("page", [None, [], "text", {}])
def test_page_that_is_none_is_a_problem(page: object) -> None:
    assert len(listing_of(page).problems) == 1


@pytest.mark.parametrize(
    ("count", "reached"),
    # Less than is shown, or more than was asked for, is no count of the page.
    [(2, 2), (5, 5), (10, 10), (1, 2), (11, 2), (0, 2), (None, 2), (True, 2), ("5", 2)],
)
def test_next_page_starts_where_the_server_went(count: object, reached: int) -> None:
    listing = listing_of({"total": 20, "count": count, "assertions": [element(1), element(2)]}, size=10)

    assert listing.reached == reached


def test_empty_page_is_passed_as_a_whole() -> None:
    assert listing_of({"total": 20, "count": 0, "assertions": []}, size=10).reached == 10


def test_element_that_cannot_be_read_is_counted() -> None:
    [problem] = listing_of({"total": 0, "assertions": [None, {}, {"urn": ""}, {"urn": 1}]}).problems

    assert problem.message == "DataHub counts 4 more of its assertions than it shows"


def test_removed_assertion_counts_as_shown() -> None:
    listing = listing_of({"total": 2, "assertions": [element(1), element(2, status={"removed": True})]})

    assert (list(listing.found), listing.problems) == (["urn:li:assertion:1"], ())


def test_greatest_count_counts() -> None:
    listing = listing_of({"total": 3, "assertions": [element(1)]})
    listing.add({"total": 1, "assertions": [element(1)]}, size=100)

    assert len(listing.problems) == 1


@pytest.mark.parametrize(
    ("found", "result"),
    [
        (element(1, run("SUCCESS"), run("FAILURE")), AssertionResult.SUCCESS),
        (element(1, run("INIT"), run("FAILURE")), AssertionResult.FAILURE),
        (element(1, runEvents=None), AssertionResult.UNREADABLE),
        (element(1, runEvents={"runEvents": None}), AssertionResult.UNREADABLE),
        (element(1, {"timestampMillis": 1}), AssertionResult.UNREADABLE),
        (element(1, run("MAYBE")), AssertionResult.UNREADABLE),
    ],
)
def test_latest_result_that_is_one_counts(found: dict[str, Any], result: AssertionResult) -> None:
    assert result_of(found) is result


def test_assertion_without_a_run_differs_from_an_unreadable_one() -> None:
    assert result_of(element(1)) is result_of(element(1, run("INIT"))) is not AssertionResult.UNREADABLE


def test_run_without_a_time_leaves_the_last_one_known() -> None:
    assertion = Assertion(urn="urn:li:assertion:1", asset=ORDERS, since_ms=1_000)

    dated = failing_since(assertion, {"runEvents": [run("FAILURE", 900), run("FAILURE", None), run("SUCCESS")]})

    assert dated.since_ms == 900
