"""Walks along the lineage, and the ways in which their answer is too small."""

import itertools
from types import SimpleNamespace
from typing import Any

import pytest

from incident_gate.sandbox import Faults, Generation, Grant, Sandbox, ViewPolicy
from tests.helpers.asking import CHART, CUSTOMERS, MODEL, ORDERS, Asker

WALK = """query w($input: ScrollAcrossLineageInput!) { scrollAcrossLineage(input: $input) {
  nextScrollId count total searchResults { degree entity { urn type } } } }"""
PAGE = """query w($input: SearchAcrossLineageInput!) { searchAcrossLineage(input: $input) {
  start count total searchResults { degree entity { urn type } } } }"""
SOURCE = "urn:li:dataset:(urn:li:dataPlatform:kafka,source,PROD)"


def upstream_of(urn: str, degrees: list[str] | None = None, **more: Any) -> dict[str, Any]:
    filters = None if degrees is None else [{"and": [{"field": "degree", "condition": "EQUAL", "values": degrees}]}]
    flags = {"skipCache": True}
    return {"urn": urn, "direction": "UPSTREAM", "count": 100, "orFilters": filters, "searchFlags": flags, **more}


def walked(ask: Asker, server: Sandbox, given: dict[str, Any], field: str = "scrollAcrossLineage") -> list[Any]:
    answer = ask.data(server, WALK if field == "scrollAcrossLineage" else PAGE, input=given)[field]
    assert answer["total"] == len(answer["searchResults"])
    return [(result["entity"]["urn"], result["degree"]) for result in answer["searchResults"]]


@pytest.fixture(autouse=True)
def chain(sandbox: Sandbox) -> None:
    """SOURCE, MODEL, ORDERS, CUSTOMERS, CHART, each made from the one before."""
    fill(sandbox)


def fill(server: Sandbox) -> None:
    urns = [SOURCE, MODEL, ORDERS, CUSTOMERS, CHART]
    server.store.add_assets(urns)
    for upstream, downstream in itertools.pairwise(urns):
        server.store.add_lineage(upstream, downstream)


@pytest.mark.parametrize("field", ["scrollAcrossLineage", "searchAcrossLineage"])
def test_degrees_of_what_a_walk_reaches(ask: Asker, sandbox: Sandbox, field: str) -> None:
    def up(degrees: list[str] | None) -> list[Any]:
        return walked(ask, sandbox, upstream_of(CHART, degrees), field)

    everything = [(CUSTOMERS, 1), (ORDERS, 2), (MODEL, 3), (SOURCE, 4)]
    assert up(None) == everything
    assert up(["1"]) == everything[:1]
    assert up(["1", "2"]) == everything[:2]
    assert up(["2"]) == everything[1:2]
    assert up(["3+"]) == everything[2:]
    assert up(["1", "2", "3+"]) == everything
    down = upstream_of(MODEL, ["1"], direction="DOWNSTREAM")
    assert walked(ask, sandbox, down, field) == [(ORDERS, 1)]


@pytest.mark.parametrize("degree", ["0", "3", "4", "x"])
def test_other_degrees_are_refused(ask: Asker, sandbox: Sandbox, degree: str) -> None:
    error = ask.error(sandbox, WALK, input=upstream_of(CHART, [degree]))
    assert error["message"] == f"{degree} is not a valid filter value for degree filters"


def test_walks_leave_out_what_was_never_ingested(ask: Asker, sandbox: Sandbox) -> None:
    ghost = ORDERS.replace("orders", "ghost")
    sandbox.store.add_lineage(ghost, ORDERS)
    sandbox.store.add_lineage(SOURCE, ghost)
    sandbox.store.change_asset(MODEL, removed=True)
    assert walked(ask, sandbox, upstream_of(ORDERS, ["1"])) == [(MODEL, 1)]
    # What lies beyond a ghost is found all the same.
    assert walked(ask, sandbox, upstream_of(ORDERS)) == [(MODEL, 1), (SOURCE, 2)]
    sandbox.store.delete_asset(MODEL)  # of which the search index knows nothing
    assert walked(ask, sandbox, upstream_of(ORDERS, ["1"])) == []
    sandbox.faults = Faults(ghosts_in_walks=True)
    assert walked(ask, sandbox, upstream_of(ORDERS, ["1"])) == [(MODEL, 1), (ghost, 1)]


def relations(ask: Asker, server: Sandbox, urn: str, **given: Any) -> tuple[list[str], int, int | None]:
    """What is one step up, how many that are, and how many of them were left out."""
    counted = "filtered" if server.generation.schema_version >= (1, 1) else ""
    query = """query r($urn: String!, $input: LineageInput!) { dataset(urn: $urn) { lineage(input: $input) {
      total %s relationships { type degree entity { urn type } } } } }"""
    found = ask.data(server, query % counted, urn=urn, input={"direction": "UPSTREAM", **given})["dataset"]["lineage"]
    return [each["entity"]["urn"] for each in found["relationships"]], found["total"], found.get("filtered")


def test_relations_show_ghosts_where_they_are_asked_for(ask: Asker, each_sandbox: Sandbox) -> None:
    ghost = ORDERS.replace("orders", "ghost")
    fill(each_sandbox)
    each_sandbox.store.add_lineage(ghost, ORDERS)
    each_sandbox.store.change_asset(MODEL, removed=True)
    each_sandbox.store.add_lineage(SOURCE, ORDERS)
    version = each_sandbox.generation.schema_version
    left_out = None if version < (1, 1) else 0
    if version < (0, 15):
        assert relations(ask, each_sandbox, ORDERS) == ([MODEL, SOURCE, ghost], 3, left_out)
        assert "data" not in ask(
            each_sandbox,
            f'{{ dataset(urn: "{ORDERS}") {{ lineage(input: {{direction: UPSTREAM, includeGhostEntities: true}}) '
            "{ total } } }",
        )
    else:
        assert relations(ask, each_sandbox, ORDERS) == ([SOURCE], 3, None if version < (1, 1) else 2)
        expected = [MODEL, SOURCE, ghost], 3, left_out
        assert relations(ask, each_sandbox, ORDERS, includeGhostEntities=True) == expected
        page = relations(ask, each_sandbox, ORDERS, includeGhostEntities=True, start=2, count=1)
        assert page == ([ghost], 3, left_out)


def test_partial_walk_is_named_where_the_version_can(ask: Asker, each_sandbox: Sandbox) -> None:
    fill(each_sandbox)
    sources = [ORDERS.replace("orders", f"source{number}") for number in range(5)]
    for source in sources:
        each_sandbox.store.add_asset(source)
        each_sandbox.store.add_lineage(source, CHART)
    each_sandbox.faults = Faults(walk_limit=3)
    version = each_sandbox.generation.schema_version
    newer = "explored truncatedChildren ignoredAsHop" if version >= (0, 13, 3) else ""
    newest = "isPartial" if version >= (1, 4) else ""
    query = """query w($input: SearchAcrossLineageInput!) { searchAcrossLineage(input: $input) {
      total %s searchResults { degree %s entity { urn } } } }"""
    given = upstream_of(CHART)
    del given["searchFlags"]
    answer = ask.data(each_sandbox, query % (newest, newer), input=given)["searchAcrossLineage"]
    assert (answer["total"], len(answer["searchResults"])) == (3, 3)
    assert answer.get("isPartial") is (True if newest else None)
    for field, needed, since in (("isPartial", newest, "answer"), ("truncatedChildren", newer, "result")):
        parts = (field, "") if since == "answer" else ("", field)
        assert ("data" in ask(each_sandbox, query % parts, input=given)) is bool(needed)


def test_pages_by_scrolling_and_by_offset(ask: Asker, sandbox: Sandbox) -> None:
    pages: list[list[str]] = []
    scroll_id = None
    while scroll_id or not pages:
        page = ask.data(sandbox, WALK, input=upstream_of(CHART, count=2, scrollId=scroll_id))["scrollAcrossLineage"]
        pages.append([result["entity"]["urn"] for result in page["searchResults"]])
        scroll_id = page["nextScrollId"]
    assert pages == [[CUSTOMERS, ORDERS], [MODEL, SOURCE], []]
    page = ask.data(sandbox, PAGE, input=upstream_of(CHART, count=3, start=3))["searchAcrossLineage"]
    assert [result["entity"]["urn"] for result in page["searchResults"]] == [SOURCE]
    deep = upstream_of(CHART, count=1, start=10_000)
    assert "too large" in ask.error(sandbox, PAGE, input=deep)["message"]


def test_graph_index_lags_behind_its_edges(ask: Asker, sandbox: Sandbox, clock: SimpleNamespace) -> None:
    sandbox.store.add_lineage(SOURCE, ORDERS, lag=1.0)
    assert walked(ask, sandbox, upstream_of(ORDERS, ["1"])) == [(MODEL, 1)]
    clock.now += 1.0
    assert walked(ask, sandbox, upstream_of(ORDERS, ["1"])) == [(MODEL, 1), (SOURCE, 1)]
    sandbox.store.remove_lineage(SOURCE, ORDERS)
    assert walked(ask, sandbox, upstream_of(ORDERS, ["1"])) == [(MODEL, 1)]


@pytest.mark.parametrize(
    ("generation", "merges", "expected"),
    [
        (Generation.G4, None, [(SOURCE, 1)]),
        (Generation.G3, None, []),
        (Generation.G4, False, []),
        (Generation.G3, True, [(SOURCE, 1)]),
    ],
)
def test_newer_servers_follow_the_edges_of_siblings(
    ask: Asker, generation: Generation, *, merges: bool | None, expected: list[Any]
) -> None:
    with Sandbox.start(schema=generation, faults=Faults(merges_siblings=merges)) as server:
        server.store.add_asset(SOURCE)
        server.store.add_asset(ORDERS, siblings=[MODEL], primary=False)
        server.store.add_lineage(SOURCE, MODEL)
        assert walked(ask, server, upstream_of(ORDERS)) == expected


@pytest.mark.parametrize(
    ("generation", "left_out", "restricted"),
    [
        (Generation.G4, False, 1),
        (Generation.CLOUD, False, 1),
        (Generation.G4, True, 0),
        (Generation.G2_EARLY, False, 0),
    ],
)
def test_node_that_the_token_may_not_view_is_restricted_or_left_out(
    ask: Asker, generation: Generation, *, left_out: bool, restricted: int
) -> None:
    grant = Grant(token="t", views=(ViewPolicy(urns=(CHART, CUSTOMERS, MODEL)),))
    with Sandbox.start(schema=generation, tokens=[grant], faults=Faults(restricted_left_out=left_out)) as server:
        fill(server)
        given = upstream_of(CHART, ["1", "2", "3+"], types=["DATASET"])
        answer = ask.data(server, WALK, input=given)["scrollAcrossLineage"]
    entities = [(result["entity"]["type"], result["degree"]) for result in answer["searchResults"]]
    hidden = [("RESTRICTED", 2), ("RESTRICTED", 4)] if restricted else []
    assert sorted(entities) == sorted([("DATASET", 1), ("DATASET", 3), *hidden])
    urns = {result["entity"]["urn"] for result in answer["searchResults"]}
    assert not {ORDERS, SOURCE} & urns


def test_paths_lead_from_the_start_to_the_result(ask: Asker, sandbox: Sandbox) -> None:
    query = """query w($input: ScrollAcrossLineageInput!) { scrollAcrossLineage(input: $input) {
      searchResults { paths { path { urn } } } } }"""
    results = ask.data(sandbox, query, input=upstream_of(CHART, ["2"]))["scrollAcrossLineage"]["searchResults"]
    assert results == [{"paths": [{"path": [{"urn": CHART}, {"urn": CUSTOMERS}, {"urn": ORDERS}]}]}]


def test_other_filters_apply_to_what_is_returned(ask: Asker, sandbox: Sandbox) -> None:
    kafka = [{"and": [{"field": "platform", "values": ["urn:li:dataPlatform:kafka"]}]}]
    assert walked(ask, sandbox, upstream_of(CHART, orFilters=kafka)) == [(SOURCE, 4)]


def test_oldest_cloud_walks_by_offset_only(ask: Asker) -> None:
    with Sandbox.start(schema=Generation.G1) as server:
        fill(server)
        assert "data" not in ask(server, WALK, input=upstream_of(CHART))
        given = upstream_of(CHART, ["1"])
        del given["searchFlags"]
        assert walked(ask, server, given, "searchAcrossLineage") == [(CUSTOMERS, 1)]


def test_cycles_end(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_lineage(CHART, SOURCE)
    assert len(walked(ask, sandbox, upstream_of(CHART))) == 4
