"""What the answers about one asset establish together."""

from typing import Any

import pytest

from incident_gate.datahub.failure import GraphqlError, RequestFailure
from incident_gate.datahub.health.answer import HealthQuery, PartialHealth
from incident_gate.datahub.health.listing import Listing
from incident_gate.incident import Incident, Question, Reason
from incident_gate.urn import parse_urn
from tests.helpers.asking import CUSTOMERS, DASHBOARD, MODEL, ORDERS


def partial(urn: str = ORDERS, *, exists: bool | None = True, sibling: str = "") -> PartialHealth:
    found = PartialHealth(HealthQuery(parse_urn(urn)))
    for question in (Question.NOT_REMOVED, Question.VISIBLE, Question.SIBLINGS):
        found.answered.add(question)
    found.own.is_read = found.own.has_summary = True
    found.exists = exists
    if sibling:
        found.siblings[sibling] = Listing(sibling)
    return found


def page(*numbers: int, total: int = 0, **fields: Any) -> dict[str, Any]:
    return {"total": total, "incidents": [{"urn": f"urn:li:incident:{number}", **fields} for number in numbers]}


def incident(number: int) -> Incident:
    return Incident(urn=f"urn:li:incident:{number}", asset=ORDERS)


def numbers(incidents: tuple[Incident, ...]) -> list[str]:
    return [found.urn.rpartition(":")[2] for found in incidents]


RESOLVED: Any = {"state": "RESOLVED"}


def test_incident_that_only_the_history_shows_counts_with_what_the_list_shows_of_the_others() -> None:
    found = partial()
    found.own.add(page(1, title="as listed"))
    found.history.add(page(1, 2, title="as in the history"))
    found.history.add(page(3, status=RESOLVED))
    found.own.add(page(4, status=RESOLVED))

    health = found.health()

    assert {i.urn[-1]: i.title for i in health.incidents} == {"1": "as listed", "2": "as in the history"}
    assert numbers(health.resolved) == ["3", "4"]


def test_problem_of_either_list_is_the_assets_once() -> None:
    own, history = partial(), partial()
    own.own.add(None)
    history.history.add("x")
    history.history.add("x")

    assert [problem.reason for problem in own.health().problems] == [Reason.NO_INCIDENTS_FIELD]
    assert [problem.reason for problem in history.health().problems] == [Reason.MALFORMED]


def test_siblings_incidents_count_with_those_that_are_not_shown() -> None:
    found = partial(sibling=MODEL)
    sibling = found.siblings[MODEL]
    sibling.add(page(1, total=3))
    found.own.add(page(total=1))
    sibling.unlisted["urn:li:incident:5"] = incident(5)
    sibling.summary_active["urn:li:incident:6"] = incident(6)

    health = found.health()

    assert health.siblings == (MODEL,)
    assert health.unread == 3
    assert numbers(health.incidents) == ["1", "5"]
    assert health.unlisted == 1
    assert numbers(health.unverified) == ["6"]


def test_later_look_renews_the_asset_and_each_sibling_that_it_shows() -> None:
    found, later = partial(sibling=MODEL), partial(sibling=MODEL)
    found.siblings[CUSTOMERS] = Listing(CUSTOMERS)
    later.own.add(page(1))
    later.siblings[MODEL].add(page(2))

    found.renew(later)

    assert numbers(found.health().incidents) == ["1", "2"]


def test_list_that_was_not_read_leaves_its_question_open() -> None:
    found = partial(DASHBOARD)
    assert Question.INCIDENTS in found.health().answered
    found.own.is_read = False

    assert Question.INCIDENTS not in found.health().answered


# Existence


def test_asset_that_failed_is_not_reported_as_of_unknown_existence_too() -> None:
    found = partial(exists=None)
    found.problem(Reason.ERROR, "DataHub reported an error for this asset")

    assert [problem.reason for problem in found.health().problems] == [Reason.ERROR]


def test_asset_that_does_not_exist_is_reported_as_such_first() -> None:
    found = partial(exists=False)
    found.problem(Reason.MALFORMED, "DataHub's answer for it lacks status")

    assert [problem.reason for problem in found.health().problems] == [Reason.NOT_FOUND, Reason.MALFORMED]


@pytest.mark.parametrize(
    ("urn", "may_differ"),
    [
        (ORDERS, False),
        ("urn:li:dataset:(urn:li:dataPlatform:snowflake,Analytics.orders,PROD)", True),
        (DASHBOARD, False),
        ("urn:li:dashboard:(looker,Sales)", True),
    ],
)
def test_hint_names_the_case_where_the_name_has_capitals(urn: str, *, may_differ: bool) -> None:
    found = partial(urn, exists=False)

    [problem] = found.health().problems

    assert ("many sources write them in lower case" in problem.hint) is may_differ


def test_hint_names_the_asset_in_lower_case_that_exists() -> None:
    found = partial(ORDERS.replace("orders", "ORDERS"), exists=False)
    found.lower_case = ORDERS

    [problem] = found.health().problems

    assert problem.hint == f"DataHub has it in lower case: `{ORDERS}`. URNs are case-sensitive."


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        (RequestFailure("may not", errors=(GraphqlError("may not", code=403),)), Reason.REFUSED),
        (RequestFailure("throws", errors=(GraphqlError("throws", code=500),)), Reason.ERROR),
        (RequestFailure("too slow", status=504), Reason.NO_ANSWER),
    ],
)
def test_refused_request_about_an_asset_alone_is_its_problem(failure: RequestFailure, reason: Reason) -> None:
    found = partial(exists=None)
    found.refused(failure)

    [problem] = found.health().problems

    assert (problem.reason, problem.message) == (reason, f"DataHub reported an error for this asset: {failure.message}")
