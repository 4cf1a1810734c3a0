"""Searches over assets, as the search index knows them."""

from collections.abc import Mapping
from types import SimpleNamespace
from typing import Any

import pytest

from incident_gate.sandbox import Faults, Generation, Grant, Sandbox, ViewPolicy
from tests.helpers.asking import CHART, CUSTOMERS, MODEL, ORDERS, Asker

SEARCH = """query s($filters: [AndFilterInput!], $types: [EntityType!], $query: String!, $start: Int, $count: Int,
    $flags: SearchFlags, $sort: SearchSortInput) {
  searchAcrossEntities(input: { types: $types, query: $query, start: $start, count: $count, orFilters: $filters,
    searchFlags: $flags, sortInput: $sort }) {
    start count total searchResults { entity { urn type } } } }"""
SCROLL = """query s($id: String, $count: Int, $sort: SearchSortInput) {
  scrollAcrossEntities(input: { query: "*", count: $count, scrollId: $id, keepAlive: "5m", sortInput: $sort }) {
    nextScrollId count total searchResults { entity { urn } } } }"""
GOLD, ANA, SALES = "urn:li:tag:gold", "urn:li:corpuser:ana", "urn:li:domain:sales"
PII, PRODUCT = "urn:li:glossaryTerm:pii", "urn:li:dataProduct:shop"
OUTER, INNER = "urn:li:container:database", "urn:li:container:schema"
GONE = "urn:li:dataset:(urn:li:dataPlatform:hive,gone,DEV)"
LABELS = {GOLD, SALES, PII, PRODUCT}


@pytest.fixture(autouse=True)
def assets(sandbox: Sandbox) -> None:
    store = sandbox.store
    store.add_asset(MODEL, tags=[GOLD], owners=[ANA], subtypes=["View"])
    store.add_asset(ORDERS, containers=[INNER, OUTER], subtypes=["Table"], removed=False)
    store.add_domain(ORDERS, SALES)
    store.add_tag(ORDERS, GOLD)
    store.add_asset(CUSTOMERS, title="Clients", platform_instance="urn:li:dataPlatformInstance:(x,eu)")
    store.add_term(CUSTOMERS, PII)
    store.add_data_product(CUSTOMERS, PRODUCT)
    store.add_asset(CHART)
    store.add_asset(GONE, removed=True)
    store.raise_incident(ORDERS)


def found(ask: Asker, sandbox: Sandbox, *conditions: Mapping[str, object], **arguments: Any) -> set[str]:
    variables = {"query": "*", "filters": [{"and": list(conditions)}], "count": 100, **arguments}
    results = ask.data(sandbox, SEARCH, **variables)["searchAcrossEntities"]["searchResults"]
    return {result["entity"]["urn"] for result in results} - LABELS


@pytest.mark.parametrize(
    ("field", "value", "expected"),
    [
        ("urn", MODEL, {MODEL}),
        ("urn.keyword", MODEL, {MODEL}),
        ("platform", "urn:li:dataPlatform:dbt", {MODEL}),
        ("platform", "dbt", set()),
        ("platformInstance", "urn:li:dataPlatformInstance:(x,eu)", {CUSTOMERS}),
        ("tags", GOLD, {MODEL, ORDERS}),
        ("tags", "urn:li:tag:mistyped", set()),
        ("owners", ANA, {MODEL}),
        ("domains", SALES, {ORDERS}),
        ("glossaryTerms", PII, {CUSTOMERS}),
        ("dataProducts", PRODUCT, {CUSTOMERS}),
        ("origin", "PROD", {MODEL, ORDERS, CUSTOMERS}),
        ("container", INNER, {ORDERS}),
        ("container", OUTER, set()),
        ("browsePathV2", OUTER, {ORDERS}),
        ("typeNames", "View", {MODEL}),
        ("hasActiveIncidents", "true", {ORDERS}),
        ("hasActiveIncidents", "false", {MODEL, CUSTOMERS, CHART}),
        ("removed", "true", {GONE}),
        ("removed", "false", {ORDERS}),
        ("noSuchField", "x", set()),
    ],
)
def test_filter_by_field(ask: Asker, sandbox: Sandbox, field: str, value: str, expected: set[str]) -> None:
    assert found(ask, sandbox, {"field": field, "values": [value]}) == expected


@pytest.mark.parametrize(
    ("condition", "value", "expected"),
    [
        ("EQUAL", ORDERS, {ORDERS}),
        ("IN", ORDERS, {ORDERS}),
        ("IEQUAL", ORDERS.upper(), {ORDERS}),
        ("CONTAIN", "orders", {ORDERS, MODEL}),
        ("START_WITH", "urn:li:chart", {CHART}),
        ("END_WITH", "sales_per_day)", {CHART}),
        ("GREATER_THAN", MODEL, {ORDERS, CUSTOMERS}),
        ("GREATER_THAN_OR_EQUAL_TO", ORDERS, {ORDERS}),
        ("LESS_THAN", MODEL, {CHART}),
        ("LESS_THAN_OR_EQUAL_TO", CHART, {CHART}),
    ],
)
def test_conditions(ask: Asker, sandbox: Sandbox, condition: str, value: str, expected: set[str]) -> None:
    assert found(ask, sandbox, {"field": "urn", "condition": condition, "values": [value]}) == expected


def test_condition_that_a_field_exists(ask: Asker, sandbox: Sandbox) -> None:
    tagged = {"field": "tags", "condition": "EXISTS", "values": ["true"]}
    assert found(ask, sandbox, tagged) == {MODEL, ORDERS}
    assert found(ask, sandbox, {**tagged, "negated": True}) == {CUSTOMERS, CHART}


def test_conditions_join_and_alternatives_add_up(ask: Asker, sandbox: Sandbox) -> None:
    gold = {"field": "tags", "values": [GOLD]}
    dbt = {"field": "platform", "values": ["urn:li:dataPlatform:dbt"]}
    terms = {"field": "glossaryTerms", "values": [PII]}
    assert found(ask, sandbox, gold, dbt) == {MODEL}
    assert found(ask, sandbox, gold, {**dbt, "negated": True}) == {ORDERS}
    assert found(ask, sandbox, filters=[{"and": [dbt]}, {"and": [terms]}]) == {MODEL, CUSTOMERS}
    assert found(ask, sandbox, {"field": "urn", "values": [CHART, MODEL]}) == {CHART, MODEL}


def test_words_types_and_removed(ask: Asker, sandbox: Sandbox) -> None:
    assert found(ask, sandbox, filters=None) == {MODEL, ORDERS, CUSTOMERS, CHART}
    assert found(ask, sandbox, filters=None, types=["CHART"]) == {CHART}
    assert found(ask, sandbox, filters=None, query="clients") == {CUSTOMERS}
    with_removed = found(ask, sandbox, filters=None, types=["DATASET"], flags={"includeSoftDeleted": True})
    assert with_removed == {MODEL, ORDERS, CUSTOMERS, GONE}


def test_results_can_be_sorted(ask: Asker, sandbox: Sandbox) -> None:
    def names(order: str) -> list[str]:
        sort = {"sortCriteria": [{"field": "name", "sortOrder": order}]}
        results = ask.data(sandbox, SEARCH, query="*", types=["DATASET"], sort=sort)
        return [result["entity"]["urn"] for result in results["searchAcrossEntities"]["searchResults"]]

    assert names("ASCENDING") == [CUSTOMERS, MODEL, ORDERS]
    assert names("DESCENDING") == [ORDERS, MODEL, CUSTOMERS]


def test_pages_and_offset_limit(ask: Asker, sandbox: Sandbox) -> None:
    arguments: dict[str, Any] = {"query": "*", "types": ["DATASET", "CHART"], "count": 3}
    pages = [ask.data(sandbox, SEARCH, **arguments, start=start)["searchAcrossEntities"] for start in (0, 3)]
    assert [len(page["searchResults"]) for page in pages] == [3, 1]
    assert {page["total"] for page in pages} == {4}
    assert "too large" in ask.error(sandbox, SEARCH, query="*", start=10_000, count=1)["message"]


@pytest.mark.parametrize(
    ("field", "value", "since"),
    [
        ("browsePathV2", OUTER, Generation.G2_EARLY),
        ("hasActiveIncidents", "true", Generation.G2_EARLY),
        ("dataProducts", PRODUCT, Generation.G3_EARLY),
    ],
)
def test_fields_are_younger_than_the_oldest_index(ask: Asker, field: str, value: str, since: Generation) -> None:
    query = f"""{{ searchAcrossEntities(input: {{ query: "*", orFilters: [{{ and: [
      {{ field: "{field}", values: ["{value}"] }}] }}] }}) {{ total }} }}"""
    for generation in Generation:
        with Sandbox.start(schema=generation) as server:
            server.store.add_asset(ORDERS, containers=[INNER, OUTER], data_products=[PRODUCT])
            server.store.raise_incident(ORDERS)
            total = ask.data(server, query)["searchAcrossEntities"]["total"]
        assert total == (1 if generation.schema_version >= since.schema_version else 0)


def test_old_single_value_is_gone_from_the_newest(ask: Asker) -> None:
    query = f"""{{ searchAcrossEntities(input: {{ query: "*", orFilters: [{{ and: [
      {{ field: "urn", value: "{ORDERS}" }}] }}] }}) {{ searchResults {{ entity {{ urn }} }} }} }}"""
    with Sandbox.start(schema=Generation.G3) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])
        data = ask.data(server, query)
        assert data["searchAcrossEntities"]["searchResults"] == [{"entity": {"urn": ORDERS}}]
    with Sandbox.start(schema=Generation.G4) as server:
        assert "data" not in ask(server, query)


def scrolled(ask: Asker, sandbox: Sandbox, count: int, **more: Any) -> list[list[str]]:
    pages: list[list[str]] = []
    following: str | None = None
    while following or not pages:
        page = ask.data(sandbox, SCROLL, id=following, count=count, **more)["scrollAcrossEntities"]
        pages.append([result["entity"]["urn"] for result in page["searchResults"]])
        following = page["nextScrollId"]
    return pages


def test_scroll_goes_through_everything_and_a_full_page_names_a_next_one(ask: Asker, sandbox: Sandbox) -> None:
    everything = sorted({MODEL, ORDERS, CUSTOMERS, CHART} | LABELS)
    assert scrolled(ask, sandbox, 3) == [everything[:3], everything[3:6], everything[6:]]
    assert scrolled(ask, sandbox, 4) == [everything[:4], everything[4:], []]
    downwards = {"sortCriterion": {"field": "urn", "sortOrder": "DESCENDING"}}
    assert scrolled(ask, sandbox, 5, sort=downwards) == [everything[:2:-1], everything[2::-1]]


def test_scroll_goes_on_behind_an_asset_that_is_gone(ask: Asker, sandbox: Sandbox) -> None:
    first = ask.data(sandbox, SCROLL, count=2)["scrollAcrossEntities"]
    last = first["searchResults"][-1]["entity"]["urn"]
    sandbox.store.change_asset(last, removed=True)
    second = ask.data(sandbox, SCROLL, count=2, id=first["nextScrollId"])["scrollAcrossEntities"]
    assert (first["total"], second["total"]) == (8, 7)
    assert all(result["entity"]["urn"] > last for result in second["searchResults"])


def test_scroll_id_of_another_server_is_refused(ask: Asker, sandbox: Sandbox) -> None:
    assert ask.error(sandbox, SCROLL, id="no scroll id")["extensions"]["code"] == 400


def test_oldest_cloud_cannot_scroll(ask: Asker) -> None:
    with Sandbox.start(schema=Generation.G1) as server:
        assert "data" not in ask(server, '{ scrollAcrossEntities(input: { query: "*" }) { total } }')
        assert ask.data(server, '{ searchAcrossEntities(input: { query: "*" }) { total } }')


def test_large_pages_are_cut(ask: Asker, sandbox: Sandbox) -> None:
    assert ask.data(sandbox, SCROLL, count=10_000)["scrollAcrossEntities"]["count"] == 10_000
    assert ask.data(sandbox, SCROLL, count=10_001)["scrollAcrossEntities"]["count"] == 5_000
    sandbox.faults = Faults(strict_pages=True)
    assert ask.error(sandbox, SCROLL, count=10_001)["extensions"]["code"] == 400
    sandbox.faults = Faults(search_page_limit=2)
    page = ask.data(sandbox, SCROLL, count=1_000)["scrollAcrossEntities"]
    assert (page["count"], len(page["searchResults"]), page["total"]) == (2, 2, 8)


def test_index_lags_behind_a_new_tag(ask: Asker, sandbox: Sandbox, clock: SimpleNamespace) -> None:
    sandbox.store.add_tag(CUSTOMERS, GOLD, lag=1.0)
    gold = {"field": "tags", "values": [GOLD]}
    assert found(ask, sandbox, gold) == {MODEL, ORDERS}
    clock.now += 1.0
    assert found(ask, sandbox, gold) == {MODEL, ORDERS, CUSTOMERS}


def test_deleted_asset_is_still_found_and_does_not_exist(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.delete_asset(ORDERS)
    assert found(ask, sandbox, {"field": "domains", "values": [SALES]}) == {ORDERS}
    assert ask.data(sandbox, f'{{ entityExists(urn: "{ORDERS}") }}') == {"entityExists": False}


def test_hook_that_failed_leaves_the_mark_wrong(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.raise_incident(CUSTOMERS, hook_lag=None)
    assert found(ask, sandbox, {"field": "hasActiveIncidents", "values": ["true"]}) == {ORDERS}


def test_labels_exist_as_entities(ask: Asker, sandbox: Sandbox) -> None:
    for urn in LABELS:
        assert ask.data(sandbox, f'{{ entityExists(urn: "{urn}") }}') == {"entityExists": True}
    query = f'{{ tag(urn: "{GOLD}x") {{ exists }} domain(urn: "{SALES}") {{ exists properties {{ name }} }} }}'
    assert ask.data(sandbox, query) == {
        "tag": {"exists": False},
        "domain": {"exists": True, "properties": {"name": "sales"}},
    }


def test_labels_of_an_asset(ask: Asker, sandbox: Sandbox) -> None:
    query = """query q($u: String!) { dataset(urn: $u) { tags { tags { tag { urn name } } } domain { domain { urn } }
      glossaryTerms { terms { term { urn } } } subTypes { typeNames } container { urn }
      parentContainers { count containers { urn } } } }"""
    assert ask.data(sandbox, query, u=ORDERS)["dataset"] == {
        "tags": {"tags": [{"tag": {"urn": GOLD, "name": "gold"}}]},
        "domain": {"domain": {"urn": SALES}},
        "glossaryTerms": None,
        "subTypes": {"typeNames": ["Table"]},
        "container": {"urn": INNER},
        "parentContainers": {"count": 2, "containers": [{"urn": INNER}, {"urn": OUTER}]},
    }


@pytest.mark.parametrize(
    ("generation", "left_out", "shown"),
    [
        (Generation.CLOUD, False, 1),
        (Generation.G4, True, 1),
        (Generation.G2_EARLY, False, 1),
        (Generation.G4, False, 2),
    ],
)
def test_what_the_token_may_not_view_is_left_out_or_restricted(
    ask: Asker, generation: Generation, *, left_out: bool, shown: int
) -> None:
    grant = Grant(token="t", views=(ViewPolicy(urns=(ORDERS,)),))
    with Sandbox.start(schema=generation, tokens=[grant], faults=Faults(restricted_left_out=left_out)) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])
        query = '{ searchAcrossEntities(input: { query: "*" }) { total searchResults { entity { urn type } } } }'
        page = ask.data(server, query)["searchAcrossEntities"]
    assert (page["total"], len(page["searchResults"])) == (shown, shown)
    hidden = [result["entity"] for result in page["searchResults"] if result["entity"]["type"] == "RESTRICTED"]
    assert len(hidden) == shown - 1
    assert all(entity["urn"].startswith("urn:li:restricted:") for entity in hidden)
