"""Which part of an answer about many assets is about which of them."""

from typing import Any

import pytest

from incident_gate.datahub.failure import GraphqlError, RequestFailure
from incident_gate.datahub.health.answer import Element
from incident_gate.datahub.health.request import split_by_alias, split_by_urn
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
