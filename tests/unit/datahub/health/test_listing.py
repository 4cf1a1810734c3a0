"""The incidents of one asset, page by page and look by look."""

import json
from typing import Any

import pytest

from incident_gate.datahub.health.listing import AssertionListing, Listing, read_summary
from incident_gate.incident import Reason
from incident_gate.text import NO_SECRETS
from tests.helpers.asking import ORDERS


def page(*numbers: int, total: int, state: str = "ACTIVE") -> dict[str, Any]:
    return {"total": total, "incidents": [{"urn": urn(number), "status": {"state": state}} for number in numbers]}


def urn(number: int) -> str:
    return f"urn:li:incident:{number}"


def listing(*pages: dict[str, Any], size: int = 2) -> Listing:
    found = Listing(ORDERS)
    for each in pages:
        found.add(each, size=size)
    return found


def summary(active: tuple[int, ...] = (), resolved: tuple[int, ...] = ()) -> dict[str, Any]:
    payload = {"activeIncidents": [*map(urn, active)], "resolvedIncidents": [*map(urn, resolved)]}
    return {"aspects": [{"aspectName": "incidentsSummary", "payload": json.dumps(payload)}]}


def looked(active: tuple[int, ...] = (), resolved: tuple[int, ...] = (), *listed: int) -> Listing:
    """A look at a summary and a list."""
    found = listing(page(*listed, total=len(listed)))
    found.add_summary(*read_summary(summary(active, resolved)["aspects"], ORDERS, NO_SECRETS))
    return found


def test_page_with_more_than_was_asked_for_is_a_problem() -> None:
    assert listing(page(1, 2, total=2)).problems == []
    assert [problem.reason for problem in listing(page(1, 2, 3, total=3)).problems] == [Reason.MALFORMED]


def test_greatest_count_of_all_pages_is_the_total() -> None:
    found = listing(page(1, 2, total=5), page(3, 4, total=4))

    assert (found.total, found.unread) == (5, 1)


@pytest.mark.parametrize(
    ("pages", "reached"),
    [
        ([page(1, 2, total=9)], 2),
        ([page(1, total=9)], 1),  # a server that cuts pages
        ([page(total=9)], 2),  # nothing of it was loaded
        ([page(1, 2, total=9), page(3, total=9)], 3),
    ],
)
def test_next_page_begins_where_the_last_one_ended(pages: list[dict[str, Any]], reached: int) -> None:
    assert listing(*pages).reached == reached


def test_page_that_shows_only_known_incidents_brings_nothing() -> None:
    found = Listing(ORDERS)

    assert found.add(page(1, 2, total=4), size=2)
    assert not found.add(page(1, 2, total=4), size=2)
    assert found.add(page(3, total=4, state="RESOLVED"), size=2)
    assert not any(found.add(none, size=2) for none in (None, {}, {"incidents": "x"}))
    assert not AssertionListing(ORDERS).add({"assertions": None}, size=2)


def test_only_what_no_answer_shows_of_a_summary_is_doubtful() -> None:
    found = looked((1, 2, 3, 4, 5), (), 1)
    found.add(page(2, total=1, state="RESOLVED"))
    found.verify(urn(3), {"urn": urn(3), "status": {"state": "ACTIVE"}})
    found.verify(urn(4), {"urn": urn(4), "status": {"state": "RESOLVED"}})

    assert [*found.unconfirmed] == [urn(5)]
    assert [*found.unlisted] == [urn(3)]


@pytest.mark.parametrize("element", [None, "x", {}, {"status": {"state": "OPEN"}}, {"status": None}])
def test_incident_whose_state_the_primary_store_does_not_show_stays_doubtful(element: object) -> None:
    found = looked((1,))
    found.verify(urn(1), element)

    assert [*found.unconfirmed] == [urn(1)]


def test_incident_that_a_later_list_shows_is_not_doubtful() -> None:
    found = looked((1, 2))
    later = looked((1, 2), (), 1)
    later.add(page(2, total=1, state="RESOLVED"))
    found.renew(later)

    assert [*found.unconfirmed] == []
    assert [*found.active] == [urn(1)]
    assert [*found.resolved] == [urn(2)]


def test_incident_that_a_later_summary_names_as_resolved_is_over() -> None:
    found = looked((1,))
    found.renew(looked((), (1,)))

    assert [*found.unconfirmed] == []


def test_incident_that_a_later_summary_does_not_name_stays_doubtful() -> None:
    """A summary drops the oldest."""
    found = looked((1,))
    found.renew(looked())

    assert [*found.unconfirmed] == [urn(1)]


def test_incident_that_a_later_summary_names_in_both_states_stays_doubtful() -> None:
    found = looked((1,))
    found.renew(looked((1,), (1,)))

    assert [*found.unconfirmed] == [urn(1)]


def test_incident_that_only_a_later_summary_names_is_doubtful() -> None:
    found = looked()
    found.renew(looked((1,)))

    assert [*found.unconfirmed] == [urn(1)]
