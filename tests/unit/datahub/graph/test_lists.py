"""Every sign that a list is not whole."""

from typing import Any
from unittest.mock import Mock

import httpx
import pytest

from incident_gate.datahub.capabilities import Capabilities, Discovery
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import Answer, GraphqlError
from incident_gate.datahub.graph.lists import EntityList, ListField, read_lists, siblings_of
from incident_gate.datahub.graph.lookup import look_up
from incident_gate.incident import Reason
from incident_gate.text import Redactor
from tests.helpers.answering import AnsweringServer
from tests.helpers.asking import ORDERS


def _result(name: str, **fields: Any) -> dict[str, Any]:
    return {"entity": {"urn": f"urn:li:dataset:{name}", "type": "DATASET"}} | fields


def _page(*results: Any, total: Any = None, **fields: Any) -> dict[str, Any]:
    return {"total": len(results) if total is None else total, "searchResults": [*results]} | fields


def _read(*pages: Any, errors: tuple[GraphqlError, ...] = (), **form: Any) -> EntityList:
    read = EntityList(**form)
    for page in pages:
        assert not read.finished
        read.add(page, errors)
    return read


def _reasons(pages: EntityList) -> set[Reason]:
    return {problem.reason for problem in pages.problems}


def test_a_whole_list() -> None:
    read = _read(_page(_result("a", degree=2), _result("b")))
    assert [found.degree for found in read.found.values()] == [2, None]
    for whole in (read, _read(_page())):
        assert (whole.finished, whole.problems) == (True, {})


def test_the_next_page_is_asked_for() -> None:
    read = _read(_page(_result("a"), total=2, nextScrollId="x"), scrolls=True)
    assert (read.finished, read.cursor) == (False, ("String", "x"))
    read = _read(_page(_result("a"), total=2))
    assert (read.finished, read.cursor) == (False, ("Int", 1))


@pytest.mark.parametrize(
    "pages",
    [
        [_page(_result("a"), _result("b"), nextScrollId=None)],
        [_page(_result("a"), total=2, nextScrollId="x"), _page(_result("b"), total=2, nextScrollId=None)],
        # A full page has a scroll id even where the total is reached.
        [_page(_result("a"), nextScrollId="x"), _page(total=1, nextScrollId=None)],
    ],
)
def test_a_list_by_scroll_ids_ends_where_there_is_none(pages: list[Any]) -> None:
    read = _read(*pages, scrolls=True)
    assert (read.finished, len(read.found), read.problems) == (True, pages[0]["total"], {})


@pytest.mark.parametrize(
    "pages",
    [
        [_page(_result("a"), total=2, nextScrollId=None)],  # cut short
        [_page(_result("a"), total=3, nextScrollId="x"), _page(total=3, nextScrollId="y")],  # an empty page
        [_page(_result("a"), total=3, nextScrollId="x"), _page(total=3, nextScrollId=None)],
        [_page(_result("a"), total=1, nextScrollId="x"), _page(total=1, nextScrollId="y")],  # that has no end
        [_page(_result("a"), total=2, nextScrollId="x"), _page(_result("a"), total=2, nextScrollId="x")],
        # more than are counted
        [
            _page(_result("a"), _result("b"), total=2, nextScrollId="x"),
            _page(_result("c"), total=2, nextScrollId=None),
        ],
        [_page(_result("a"), _result("b"), total=1, nextScrollId=None)],
    ],
)
def test_scroll_ids_that_do_not_fit_the_total_are_incomplete(pages: list[Any]) -> None:
    read = _read(*pages, scrolls=True)
    assert read.finished
    assert _reasons(read) == {Reason.INCOMPLETE}


@pytest.mark.parametrize("scroll", [{}, {"nextScrollId": 5}, {"nextScrollId": ""}, {"nextScrollId": False}])
def test_a_scroll_id_that_is_none_is_malformed(scroll: dict[str, Any]) -> None:
    read = _read(_page(_result("a")) | scroll, scrolls=True)
    assert read.finished
    assert _reasons(read) == {Reason.MALFORMED}


@pytest.mark.parametrize(
    "pages",
    [
        [_page(_result("a"), total=3), _page(total=3)],  # an empty page
        [_page(_result("a"), total=2), _page(_result("a"), total=2)],  # the same page again
        [_page(_result("a"), _result("a"), total=2)],  # one twice, another not at all
        [_page(_result("a"), total=2), _page(_result("b"), total=3), _page(_result("c"), total=3)],  # changed
        [_page(_result("a"), total=3), _page(_result("b"), total=2), _page(_result("c"), total=2)],  # changed
        [_page(_result("a"), _result("b"), total=1)],  # more than are counted
        [_page(_result("a"), isPartial=True)],
        [_page(_result("a"), filtered=1)],
        [_page(_result("a"), filtered=[])],
    ],
)
def test_what_does_not_add_up_is_incomplete(pages: list[Any]) -> None:
    read = _read(*pages)
    assert read.finished
    assert _reasons(read) == {Reason.INCOMPLETE}
    assert read.found


def test_an_entity_may_be_related_in_several_ways() -> None:
    relations = [_result("a", type="Consumes"), _result("a", type="DownstreamOf")]
    read = _read({"total": 2, "filtered": 0, "relationships": relations}, entries="relationships")
    assert (list(read.found), read.problems) == (["urn:li:dataset:a"], {})


@pytest.mark.parametrize("name", ["x" * 2_100, "\u00e4" * 1_100, "\ud800" * 1_000])
def test_urns_that_are_too_long_end_the_list(name: str) -> None:
    read = _read(_page(_result(name), total=2, nextScrollId="x"), scrolls=True)
    assert (read.finished, read.found) == (True, {})
    assert _reasons(read) == {Reason.MALFORMED}
    assert siblings_of({"siblings": {"siblings": [{"urn": name}]}}, "a") is None


@pytest.mark.parametrize("total", [None, -1, True, "3", 2**40, 1.0])
def test_a_total_that_is_none_is_a_problem(total: Any) -> None:
    assert _reasons(_read({"total": total, "searchResults": [_result("a")]})) == {Reason.MALFORMED}


@pytest.mark.parametrize("page", [None, [], {}, {"total": 0}, {"total": 0, "searchResults": None}, "x"])
def test_what_is_no_list_is_a_problem(page: Any) -> None:
    read = _read(page)
    assert read.finished
    assert _reasons(read) == {Reason.MALFORMED}


@pytest.mark.parametrize(
    "result",
    [
        None,
        {},
        {"entity": None},
        {"entity": {"urn": None, "type": "DATASET"}},
        {"entity": {"urn": "", "type": "DATASET"}},
        {"entity": {"urn": "urn:li:restricted:x", "type": "RESTRICTED"}},
        {"entity": {"urn": "urn:li:restricted:x"}},
        {"entity": {"urn": "urn:li:dataset:x", "type": "RESTRICTED"}},
    ],
)
def test_an_entity_that_is_not_shown_is_a_problem(result: Any) -> None:
    read = _read(_page(_result("a"), result))
    assert list(read.found) == ["urn:li:dataset:a"]
    assert _reasons(read) == {Reason.HIDDEN}


def test_an_error_is_a_problem() -> None:
    assert _reasons(_read(_page(_result("a")), errors=(GraphqlError("broken"),))) == {Reason.ERROR}
    assert _reasons(_read(None, errors=(GraphqlError("broken"),))) == {Reason.ERROR}


@pytest.mark.parametrize(
    ("path", "failed"),
    [([], (True, True)), (["l0"], (True, False)), (["l1", "searchResults", 0], (False, True)), (["x"], (True, True))],
)
def test_an_error_concerns_the_list_that_its_path_leads_to_and_else_all(path: list[Any], failed: Any) -> None:
    error = {"message": "broken", "path": path, "extensions": {"code": 500}}
    data = {"l0": _page(_result("a")), "l1": _page(_result("b"))}
    server = AnsweringServer(lambda *_: httpx.Response(200, json={"data": data, "errors": [error]}))
    with server.client() as client:
        schema = Discovery(client, Capabilities())
        lists = read_lists(client, "incidentGateSearch", schema, lambda _: [ListField("a"), ListField("b")])

    assert lists
    assert tuple(bool(read.problems) for read in lists) == failed


@pytest.mark.parametrize(
    ("siblings", "expected"),
    [
        (None, ()),
        ({"siblings": None}, ()),
        ({"siblings": []}, ()),
        ({"siblings": [{"urn": "b"}, {"urn": "a"}, {"urn": "b"}]}, ("b",)),
        ({"siblings": [{"urn": "b"}, None]}, None),
        ({"siblings": [{"urn": None}]}, None),
        ({"siblings": {"urn": "b"}}, None),
    ],
)
def test_siblings(siblings: Any, expected: Any) -> None:
    assert siblings_of({"siblings": siblings}, "a") == expected


@pytest.mark.parametrize(
    ("data", "errors"),
    [
        ({"e0": True}, ()),  # an answer that leaves the asset out
        ({"d0": None, "e0": True}, ()),
        ({"d0": {"urn": ORDERS, "platform": {"name": "dbt"}, "siblings": None}}, (GraphqlError("broken"),)),
        ({"d0": {"urn": ORDERS, "platform": {"name": "dbt"}}}, (GraphqlError("broken", ("d0", "siblings")),)),
    ],
)
def test_an_asset_that_the_lookup_does_not_show_is_not_without_siblings(data: Any, errors: Any) -> None:
    schema = {"types": [{"name": name, "fields": [{"name": "dataset"}]} for name in ("Query", "Dataset")]}
    client = Mock(spec=Client, execute=Mock(return_value=Answer({"__schema": schema} | data, errors)))
    known = look_up(client, [ORDERS]).of(ORDERS)
    assert known.hidden or known.siblings is None


def test_entity_named_by_a_secret_is_no_input() -> None:
    read = EntityList(Redactor(("secret-token",)))
    of_secret = {"siblings": {"siblings": [{"urn": "urn:li:dataset:secret-token"}]}}
    orders = {"entity": {"urn": "urn:li:dataset:orders", "type": "DATASET"} | of_secret}
    read.add(_page(_result("secret-token"), orders), ())

    assert read.found == {}
    assert _reasons(read) == {Reason.MALFORMED}
    assert not any("secret-token" in problem.message for problem in read.problems)
