"""Which part of an answer is about which asset, and which further pages of a list are asked for."""

from typing import Any

import pytest

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.failure import GraphqlError, RequestFailure
from incident_gate.datahub.health.answer import Element
from incident_gate.datahub.health.listing import Listing
from incident_gate.datahub.health.request import (
    ACTIVE,
    FURTHER_PAGE,
    IN_ALL_STATES,
    MOST_PAGES,
    read_pages,
    split_by_alias,
    split_by_urn,
)
from tests.helpers.answering import AnsweringServer, failing
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS

ASKED = [ORDERS, CUSTOMERS]


def value(urn: str, **fields: Any) -> dict[str, Any]:
    return {"urn": urn, **fields}


def by_urn(values: object, *errors: GraphqlError) -> list[Element]:
    return split_by_urn(ASKED, {"entities": values}, errors, "entities")


def test_value_is_an_assets_by_its_urn_and_not_by_its_place() -> None:
    assert by_urn([value(CUSTOMERS), value(ORDERS)]) == [Element(value(ORDERS)), Element(value(CUSTOMERS))]


def test_error_is_an_assets_by_its_place_in_the_answer() -> None:
    error = GraphqlError("lost", ("entities", 0, "incidents"))

    orders, customers = by_urn([value(CUSTOMERS), value(ORDERS)], error)

    assert orders.errors == ()
    assert customers.errors == (GraphqlError("lost", ("incidents",)),)


@pytest.mark.parametrize("values", [[value(ORDERS), None], [value(ORDERS)]])
def test_error_in_the_place_of_an_asset_that_is_missing_is_its_own(values: list[object]) -> None:
    orders, customers = by_urn(values, GraphqlError("lost", ("entities", 1)))

    assert orders == Element(value(ORDERS))
    assert customers == Element(None, (GraphqlError("lost"),))


def test_of_two_values_for_one_asset_neither_is_believed() -> None:
    orders, customers = by_urn([value(ORDERS, exists=True), value(ORDERS, exists=False)])

    assert not isinstance(orders.value, dict)
    assert customers == Element(None)


def test_values_for_other_assets_are_nobodys() -> None:
    assert by_urn([value(MODEL), {"urn": [ORDERS]}]) == [Element(None), Element(None)]


def test_one_value_more_than_was_asked_for_spoils_the_answer() -> None:
    with pytest.raises(RequestFailure, match="answers with 3 assets, where 2 were asked for"):
        by_urn([value(ORDERS), value(CUSTOMERS), None])


@pytest.mark.parametrize("values", [None, {}, "x", 5])
def test_answer_without_a_list_is_about_no_asset(values: object) -> None:
    with pytest.raises(RequestFailure, match="has no assets in it"):
        by_urn(values)
    with pytest.raises(RequestFailure, match="throws") as raised:
        by_urn(values, GraphqlError("throws", ("entities",), 500))
    assert raised.value.codes == {500}


@pytest.mark.parametrize("path", [(), ("entities",), ("entities", 2), ("entities", "0"), ("other", 0)])
def test_error_that_leads_to_no_asset_may_concern_any(path: tuple[str | int, ...]) -> None:
    with pytest.raises(RequestFailure, match="throws"):
        by_urn([value(ORDERS), value(CUSTOMERS)], GraphqlError("throws", path))


def by_alias(data: dict[str, Any], *errors: GraphqlError) -> list[Element]:
    return split_by_alias(ASKED, data, errors)


def test_aliased_value_and_error_are_the_assets_of_that_alias() -> None:
    orders, customers = by_alias({"a0": value(ORDERS), "a1": "text"}, GraphqlError("lost", ("a1", "incidents")))

    assert orders == Element(value(ORDERS))
    assert customers == Element("text", (GraphqlError("lost", ("incidents",)),))


@pytest.mark.parametrize("urn", [CUSTOMERS, None, 5])
def test_aliased_value_with_another_urn_is_nobodys(urn: object) -> None:
    assert by_alias({"a0": {"urn": urn}})[0] == Element(None)


def test_aliased_value_without_a_urn_is_the_aliass() -> None:
    assert by_alias({"a0": {"incidents": None}})[0] == Element({"incidents": None})


@pytest.mark.parametrize("path", [(), ("a2",), ("entities", 0)])
def test_error_of_no_alias_may_concern_any(path: tuple[str | int, ...]) -> None:
    with pytest.raises(RequestFailure, match="throws"):
        by_alias({"a0": value(ORDERS), "a1": value(CUSTOMERS)}, GraphqlError("throws", path))


def test_error_beyond_a_list_that_was_closed_up_may_concern_any() -> None:
    with pytest.raises(RequestFailure, match="broken"):
        by_urn([value(CUSTOMERS)], GraphqlError("broken", ("entities", 1, "incidents")))


# Further pages


def incidents(start: int, end: int) -> list[dict[str, Any]]:
    return [{"urn": f"urn:li:incident:{number}", "status": {"state": "ACTIVE"}} for number in range(start, end)]


def begun(total: int, shown: int = 100) -> Listing:
    """A list of which the first page was read."""
    listing = Listing(ORDERS)
    listing.add({"total": total, "incidents": incidents(0, shown)})
    return listing


def read_on(server: AnsweringServer, listing: Listing, selection: Any = ACTIVE) -> list[tuple[int, int]]:
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
    assert read_on(listing_server(100), begun(100)) == []


@pytest.mark.parametrize(
    ("total", "pages"),
    [(101, [(100, 1)]), (1100, [(100, 1000)]), (2500, [(100, 1000), (1100, 1000), (2100, 400)])],
)
def test_no_page_reaches_beyond_the_end(total: int, pages: list[tuple[int, int]]) -> None:
    listing = begun(total)

    assert read_on(listing_server(total), listing) == pages
    assert (len(listing.active), listing.unread, listing.problems) == (total, 0, [])


def test_server_with_smaller_pages_is_asked_more_often() -> None:
    listing = begun(220)

    assert read_on(listing_server(220, page=50), listing) == [(100, 120), (150, 70), (200, 20)]
    assert listing.unread == 0


def test_history_is_read_as_the_history() -> None:
    listing = begun(150)

    read_on(listing_server(150, name="history"), listing, IN_ALL_STATES)

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

    assert len(read_on(AnsweringServer(lambda _name, _variables: answer), listing)) == 1
    assert listing.unread == 200
    assert listing.problems == []


def test_server_that_counts_without_end_is_given_up() -> None:
    def answer(_name: str, variables: dict[str, Any]) -> object:
        start = variables["start"]
        return {
            "entities": [{"urn": ORDERS, "incidents": {"total": start + 200, "incidents": incidents(start, start + 1)}}]
        }

    listing = begun(300)

    assert len(read_on(AnsweringServer(answer), listing)) == MOST_PAGES
    assert listing.unread > 0
