"""Which further pages of a list are asked for, and when reading ends."""

from typing import Any

import pytest

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.health.listing import Listing
from incident_gate.datahub.health.request import ACTIVE, FURTHER_PAGE, IN_ALL_STATES, MOST_PAGES, read_pages
from tests.helpers.answering import AnsweringServer, failing
from tests.helpers.asking import ORDERS


def incidents(start: int, end: int) -> list[dict[str, Any]]:
    return [{"urn": f"urn:li:incident:{number}", "status": {"state": "ACTIVE"}} for number in range(start, end)]


def begun(total: int, shown: int = 100) -> Listing:
    """A list of which the first page was read."""
    listing = Listing(ORDERS)
    listing.add({"total": total, "incidents": incidents(0, shown)})
    return listing


def read(server: AnsweringServer, listing: Listing, selection: Any = ACTIVE) -> list[tuple[int, int]]:
    """Read on; the start and the size of every page that was asked for."""
    with server.client() as client:
        read_pages(client, Capabilities(), listing, selection)
    return [(variables["start"], variables["count"]) for _, variables in server.requests]


def listing_server(total: int, page: int = FURTHER_PAGE, name: str = "incidents") -> AnsweringServer:
    """A server that cuts its pages to a size of its own."""

    def answer(_name: str, variables: dict[str, Any]) -> object:
        start = variables["start"]
        listed = incidents(start, min(start + min(page, variables["count"]), total))
        return {"entities": [{"urn": ORDERS, name: {"total": total, "incidents": listed}}]}

    return AnsweringServer(answer)


def test_complete_list_is_not_asked_for_again() -> None:
    assert read(listing_server(100), begun(100)) == []


@pytest.mark.parametrize(
    ("total", "pages"),
    [(101, [(100, 1)]), (1100, [(100, 1000)]), (2500, [(100, 1000), (1100, 1000), (2100, 400)])],
)
def test_no_page_reaches_beyond_the_end(total: int, pages: list[tuple[int, int]]) -> None:
    listing = begun(total)

    assert read(listing_server(total), listing) == pages
    assert (len(listing.active), listing.unread, listing.problems) == (total, 0, [])


def test_server_with_smaller_pages_is_asked_more_often() -> None:
    listing = begun(220)

    assert read(listing_server(220, page=50), listing) == [(100, 120), (150, 70), (200, 20)]
    assert listing.unread == 0


def test_history_is_read_as_the_history() -> None:
    listing = begun(150)

    read(listing_server(150, name="history"), listing, IN_ALL_STATES)

    assert len(listing.active) == 150


@pytest.mark.parametrize(
    "answer",
    [
        failing(),
        failing(
            "entities",
            0,
            data={"entities": [{"urn": ORDERS, "incidents": {"total": 300, "incidents": incidents(100, 300)}}]},
        ),
        {"entities": [{"urn": ORDERS, "incidents": None}]},
        {"entities": [{"urn": ORDERS}]},
        {"entities": [None]},
        {"entities": [{"urn": ORDERS, "incidents": {"total": 300, "incidents": incidents(0, 100)}}]},
        {"entities": [{"urn": ORDERS, "incidents": {"total": 300, "incidents": []}}]},
    ],
    ids=["refused", "with an error", "null", "without the list", "no asset", "nothing new", "empty"],
)
def test_page_that_brings_nothing_ends_it_and_the_rest_stays_unread(answer: object) -> None:
    listing = begun(300)

    assert len(read(AnsweringServer(lambda _name, _variables: answer), listing)) == 1
    assert listing.unread == 200
    assert listing.problems == []


def test_server_that_counts_without_end_is_given_up() -> None:
    def answer(_name: str, variables: dict[str, Any]) -> object:
        start = variables["start"]
        return {
            "entities": [{"urn": ORDERS, "incidents": {"total": start + 200, "incidents": incidents(start, start + 1)}}]
        }

    listing = begun(300)

    assert len(read(AnsweringServer(answer), listing)) == MOST_PAGES
    assert listing.unread > 0
