"""The incidents of one asset, page by page and look by look, and those that its summary names."""

import json
from typing import Any

import pytest

from incident_gate.datahub.health.listing import AssertionListing, Listing, read_summary
from incident_gate.incident import Incident, Reason
from incident_gate.text import NO_SECRETS, Redactor
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


def aspect(value: object, name: str = "incidentsSummary") -> dict[str, Any]:
    return {"aspectName": name, "payload": value if isinstance(value, str) else json.dumps(value)}


def looked(active: tuple[int, ...] = (), resolved: tuple[int, ...] = (), *listed: int) -> Listing:
    """A look at a summary and a list."""
    found = listing(page(*listed, total=len(listed)))
    named = {"activeIncidents": [*map(urn, active)], "resolvedIncidents": [*map(urn, resolved)]}
    found.add_summary(*read_summary([aspect(named)], ORDERS, NO_SECRETS))
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


@pytest.mark.parametrize(
    ("first", "later", "unconfirmed"),
    [
        (looked((1,)), looked((), (1,)), []),
        (looked((1,)), looked(), [urn(1)]),  # a summary drops the oldest
        (looked((1,)), looked((1,), (1,)), [urn(1)]),
        (looked(), looked((1,)), [urn(1)]),
    ],
    ids=["resolved", "no longer named", "in both states", "new"],
)
def test_incident_of_a_later_summary(first: Listing, later: Listing, unconfirmed: list[str]) -> None:
    first.renew(later)

    assert [*first.unconfirmed] == unconfirmed


# What a summary names, in any shape that it may come in

SECRET = "s3cr3t-t0ken"
FIRST, SECOND = urn(1), urn(2)


def active(*aspects: object, redact: Redactor = NO_SECRETS) -> list[Incident]:
    return [*read_summary([*aspects], ORDERS, redact)[0].values()]


def test_both_forms_of_a_summary_are_read_by_state() -> None:
    summary = {
        "activeIncidents": [FIRST],
        "activeIncidentDetails": [{"urn": SECOND}],
        "resolvedIncidents": ["urn:li:incident:3"],
        "resolvedIncidentDetails": [{"urn": "urn:li:incident:4"}],
    }

    claimed, settled = read_summary([aspect(summary)], ORDERS, NO_SECRETS)

    assert [*claimed] == [FIRST, SECOND]
    assert settled == {"urn:li:incident:3", "urn:li:incident:4"}


def test_other_aspects_are_not_read() -> None:
    assert active(aspect({"activeIncidents": [FIRST]}, name="status")) == []


@pytest.mark.parametrize("payload", ["", "{", "[]", "[" * 100_000, '"x"'])
def test_payload_that_cannot_be_read_is_passed_over(payload: str) -> None:
    assert [incident.urn for incident in active(aspect(payload), aspect({"activeIncidents": [FIRST]}))] == [FIRST]


def test_payload_beyond_any_summary_is_not_read() -> None:
    padding = "x" * 600_000

    assert active(aspect({"activeIncidents": [FIRST], "padding": padding})) == []


@pytest.mark.parametrize("urn", [None, 5, ORDERS, f"{FIRST}{'0' * 500}"])
def test_entry_that_names_no_incident_is_none(urn: object) -> None:
    assert active(aspect({"activeIncidents": [urn], "activeIncidentDetails": [{"urn": urn}]})) == []


@pytest.mark.parametrize("created", [None, "1", True, 1.5])
def test_time_that_is_none_is_unknown(created: object) -> None:
    [incident] = active(aspect({"activeIncidentDetails": [{"urn": FIRST, "createdAt": created}]}))

    assert incident.created_ms is None


def test_text_is_cut_and_shows_no_secret() -> None:
    details = {"urn": f"{FIRST}{SECRET}", "type": f"{SECRET}{'x' * 10_000}"}

    [incident] = active(aspect({"activeIncidentDetails": [details]}), redact=Redactor((SECRET,)))

    assert SECRET not in str(incident)
    assert len(incident.type or "") == 500
