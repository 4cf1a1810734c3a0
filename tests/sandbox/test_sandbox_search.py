"""Searches for assets, and along their lineage."""

from collections.abc import Mapping

import pytest

from incident_gate.sandbox import Generation, Sandbox
from tests.helpers.asking import CHART, CUSTOMERS, MODEL, ORDERS, Asker

ENTITIES = """query s($filters: [AndFilterInput!], $types: [EntityType!], $query: String!, $start: Int, $count: Int) {
  searchAcrossEntities(input: {
    types: $types, query: $query, start: $start, count: $count, orFilters: $filters }) {
    start count total searchResults { entity { urn type } } } }"""
LINEAGE = """query s($urn: String!, $direction: LineageDirection!, $filters: [AndFilterInput!]) {
  searchAcrossLineage(input: {
    urn: $urn, direction: $direction, query: "*", start: 0, count: 10, orFilters: $filters }) {
    total searchResults { degree entity { urn } } } }"""
SCROLL = """query s($id: String) {
  scrollAcrossEntities(input: { types: [DATASET], query: "*", count: 2, scrollId: $id }) {
    nextScrollId total searchResults { entity { urn } } } }"""


@pytest.fixture(autouse=True)
def assets(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(MODEL, tags=["urn:li:tag:gold"], owners=["urn:li:corpuser:ana"])
    sandbox.store.add_asset(ORDERS, upstreams=[MODEL], domains=["urn:li:domain:sales"], tags=["urn:li:tag:gold"])
    sandbox.store.add_asset(CUSTOMERS, upstreams=[ORDERS], terms=["urn:li:glossaryTerm:pii"])
    sandbox.store.add_asset(CHART, upstreams=[CUSTOMERS])
    sandbox.store.add_asset("urn:li:dataset:(urn:li:dataPlatform:hive,gone,DEV)", removed=True)
    sandbox.store.raise_incident(ORDERS)


def found(ask: Asker, sandbox: Sandbox, *conditions: Mapping[str, object], **arguments: object) -> set[str]:
    variables = {"query": "*", "filters": [{"and": list(conditions)}], **arguments}
    results = ask.data(sandbox, ENTITIES, **variables)["searchAcrossEntities"]["searchResults"]
    return {result["entity"]["urn"] for result in results}


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("platform", "urn:li:dataPlatform:dbt", {MODEL}),
        ("platform", "dbt", {MODEL}),
        ("tags", "urn:li:tag:gold", {MODEL, ORDERS}),
        ("owners", "urn:li:corpuser:ana", {MODEL}),
        ("domains", "urn:li:domain:sales", {ORDERS}),
        ("glossaryTerms", "urn:li:glossaryTerm:pii", {CUSTOMERS}),
        ("origin", "PROD", {MODEL, ORDERS, CUSTOMERS}),
        ("hasActiveIncidents", "true", {ORDERS}),
    ],
)
def test_filter_by_field(ask: Asker, sandbox: Sandbox, field: str, value: str, expected: set[str]) -> None:
    assert found(ask, sandbox, {"field": field, "values": [value]}) == expected


def test_conditions_join_and_alternatives_add_up(ask: Asker, sandbox: Sandbox) -> None:
    gold = {"field": "tags", "values": ["urn:li:tag:gold"]}
    dbt = {"field": "platform", "values": ["dbt"]}
    assert found(ask, sandbox, gold, dbt) == {MODEL}
    assert found(ask, sandbox, gold, {**dbt, "negated": True}) == {ORDERS}
    terms = {"field": "glossaryTerms", "values": ["urn:li:glossaryTerm:pii"]}
    assert found(ask, sandbox, filters=[{"and": [dbt]}, {"and": [terms]}]) == {MODEL, CUSTOMERS}


def test_words_types_and_removed(ask: Asker, sandbox: Sandbox) -> None:
    assert found(ask, sandbox, filters=None) == {MODEL, ORDERS, CUSTOMERS, CHART}
    assert found(ask, sandbox, filters=None, types=["CHART"]) == {CHART}
    assert found(ask, sandbox, filters=None, query="Customers") == {CUSTOMERS}


def test_pages_and_offset_limit(ask: Asker, sandbox: Sandbox) -> None:
    pages = [ask.data(sandbox, ENTITIES, query="*", start=start, count=3)["searchAcrossEntities"] for start in (0, 3)]
    assert [len(page["searchResults"]) for page in pages] == [3, 1]
    assert {page["total"] for page in pages} == {4}
    limit = Generation.G4.offset_limit
    assert "too large" in ask.error(sandbox, ENTITIES, query="*", start=limit, count=1)["message"]


def test_scroll_goes_through_everything(ask: Asker, sandbox: Sandbox) -> None:
    first = ask.data(sandbox, SCROLL)["scrollAcrossEntities"]
    second = ask.data(sandbox, SCROLL, id=first["nextScrollId"])["scrollAcrossEntities"]
    assert (first["total"], second["nextScrollId"]) == (3, None)
    urns = [result["entity"]["urn"] for page in (first, second) for result in page["searchResults"]]
    assert sorted(urns) == sorted([MODEL, ORDERS, CUSTOMERS])


def test_lineage_by_degree(ask: Asker, sandbox: Sandbox) -> None:
    def lineage(urn: str, direction: str, degrees: list[str] | None = None) -> list[tuple[str, int]]:
        filters = None if degrees is None else [{"and": [{"field": "degree", "values": degrees}]}]
        data = ask.data(sandbox, LINEAGE, urn=urn, direction=direction, filters=filters)["searchAcrossLineage"]
        assert data["total"] == len(data["searchResults"])
        return [(result["entity"]["urn"], result["degree"]) for result in data["searchResults"]]

    assert lineage(MODEL, "DOWNSTREAM") == [(ORDERS, 1), (CUSTOMERS, 2), (CHART, 3)]
    assert lineage(MODEL, "DOWNSTREAM", ["1"]) == [(ORDERS, 1)]
    assert lineage(MODEL, "DOWNSTREAM", ["2", "3+"]) == [(CUSTOMERS, 2), (CHART, 3)]
    assert lineage(CUSTOMERS, "UPSTREAM") == [(ORDERS, 1), (MODEL, 2)]
    assert lineage(CHART, "DOWNSTREAM") == []
