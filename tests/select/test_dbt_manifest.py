import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import ijson
import pytest

from incident_gate.files import FileError
from incident_gate.select import dbt_manifest, json_parts
from incident_gate.select.dbt import DbtProject, NodeKind, TestKind
from incident_gate.select.dbt_manifest import parse_project, read_project
from tests.helpers.dbt import PROJECTS, Entry, dbt_node, dbt_project
from tests.helpers.dbt import dbt_manifest as manifest_of

VERSIONS = ("1.5", "1.7", "1.9", "1.12")


@pytest.fixture(scope="module", params=VERSIONS)
def shop(request: pytest.FixtureRequest) -> DbtProject:
    return read_project(PROJECTS / f"shop-{request.param}" / "manifest.json")


def test_metadata(shop: DbtProject) -> None:
    assert shop.name in {"shop", None}  # dbt 1.5 leaves it out
    assert shop.adapter == "duckdb"
    assert shop.invocation_id


def test_disabled_nodes_are_left_out(shop: DbtProject) -> None:
    assert "model.shop.old_orders" not in shop.nodes
    assert not any(unique_id.startswith(("operation.", "exposure.", "test.")) for unique_id in shop.nodes)


def test_outputs_are_what_dbt_builds(shop: DbtProject) -> None:
    built = {unique_id for unique_id, node in shop.nodes.items() if node.is_output}
    assert {"model.shop.orders", "seed.shop.regions", "snapshot.shop.orders_snapshot"} < built
    assert "model.shop.int_order_totals" not in built  # ephemeral
    assert not any(shop.nodes[unique_id].kind in {NodeKind.SOURCE, NodeKind.SEMANTIC_MODEL} for unique_id in built)


def test_a_node_has_what_names_it(shop: DbtProject) -> None:
    node = shop.nodes["source.shop.raw.orders"]
    assert (node.kind, node.name, node.identifier, node.database, node.schema) == (
        NodeKind.SOURCE,
        "orders",
        "ORDERS_RAW",
        "Lake",
        "Raw",
    )
    assert shop.nodes["model.shop.stg_orders"].tags == ("nightly",)


def test_a_relationship_belongs_to_the_node_it_is_attached_to(shop: DbtProject) -> None:
    [test] = [test for unique_id, test in shop.tests.items() if unique_id.startswith("test.shop.relationships_")]
    assert test.nodes == ("model.shop.orders",)
    assert (test.kind, test.function, test.column) == (TestKind.GENERIC, "relationships", "customer_id")


def test_a_singular_test_belongs_to_all_its_parents(shop: DbtProject) -> None:
    test = shop.tests["test.shop.assert_orders_match_stg_orders"]
    assert test.kind is TestKind.SINGULAR
    assert set(test.nodes) == {"model.shop.orders", "model.shop.stg_orders"}
    assert test.function is None


def test_a_test_without_parents_belongs_to_nobody(shop: DbtProject) -> None:
    assert shop.tests["test.shop.test_no_ref"].nodes == ()


def test_a_disabled_test_is_no_test_of_its_node(shop: DbtProject) -> None:
    test = shop.tests["test.shop.not_null_old_orders_id.d3987f32d1"]
    assert not test.enabled
    assert "model.shop.old_orders" not in shop.tests_by_node()


def test_severity_is_in_upper_case(shop: DbtProject) -> None:
    assert shop.tests["test.shop.source_not_null_raw_orders_amount.d00057dc0c"].severity == "WARN"
    assert shop.tests["test.shop.test_bad_sql"].severity == "ERROR"


def test_enabled_tests_of_each_node(shop: DbtProject) -> None:
    tests = shop.tests_by_node()
    assert len(tests["model.shop.orders"]) == 7
    assert "model.shop.finance_summary" not in tests


@pytest.mark.parametrize("version", ["1.9", "1.12"])
def test_a_unit_test_belongs_to_the_first_node_it_depends_on(version: str) -> None:
    project = read_project(PROJECTS / f"shop-{version}" / "manifest.json")
    test = project.tests["unit_test.shop.order_events.events_are_kept"]
    assert (test.kind, test.nodes) == (TestKind.UNIT, ("model.shop.order_events",))


def _generic(model: str, *parents: str) -> Entry:
    return dbt_node(
        "test.p.t",
        depends_on={"nodes": [*parents]},
        test_metadata={"name": "relationships", "kwargs": {"model": model}},
    )


@pytest.mark.parametrize(
    ("model", "parents", "expected"),
    [
        # dbt 1.4: no attached_node, and the referenced model comes first
        ("{{ get_where_subquery(ref('orders')) }}", ["model.p.customers", "model.p.orders"], ["model.p.orders"]),
        ('{{ ref("orders") }}', ["model.p.customers", "model.p.orders"], ["model.p.orders"]),
        ("ref('p', 'orders')", ["model.q.orders", "model.p.orders"], ["model.p.orders"]),
        ("ref('customers', v=2)", ["model.p.customers.v1", "model.p.customers.v2"], ["model.p.customers.v2"]),
        ("ref('customers', version='2')", ["model.p.customers.v1", "model.p.customers.v2"], ["model.p.customers.v2"]),
        ("ref('customers')", ["model.p.orders", "model.p.customers.v2"], ["model.p.customers.v2"]),
        ("source('raw', 'orders')", ["model.p.orders", "source.p.raw.orders"], ["source.p.raw.orders"]),
        ("ref('regions')", ["model.p.orders", "seed.p.regions"], ["seed.p.regions"]),
        ("{{ something_else() }}", ["model.p.a", "model.p.b"], ["model.p.a", "model.p.b"]),
        ("ref('elsewhere')", ["model.p.a", "model.p.b"], ["model.p.a", "model.p.b"]),
        ("ref('elsewhere')", ["model.p.a"], ["model.p.a"]),
    ],
)
def test_a_generic_test_without_attached_node_belongs_to_its_model(
    model: str, parents: list[str], expected: list[str]
) -> None:
    assert list(dbt_project(_generic(model, *parents)).tests["test.p.t"].nodes) == expected


def test_a_file_in_which_only_ids_and_names_are_given() -> None:
    entries = {"model.p.a": {"name": "a"}}
    project = parse_project(io.BytesIO(json.dumps({"nodes": entries, "sources": {}}).encode()))
    assert project.nodes["model.p.a"].kind is NodeKind.MODEL
    assert (project.name, project.adapter, dict(project.tests)) == (None, None, {})


def test_what_has_unexpected_values_where_none_is_needed_is_read() -> None:
    odd = dbt_node("test.p.t", column_name=["a", "b"], config={"severity": {"x": 1}}, test_metadata={"name": [["x"]]})
    project = dbt_project(odd, dbt_node("model.p.a", tags="nightly", config={"tags": ["daily"]}))
    assert project.nodes["model.p.a"].tags == ("nightly", "daily")
    assert project.tests["test.p.t"].kind is TestKind.SINGULAR


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not complete JSON"),
        (b"{", "is not complete JSON"),
        (manifest_of(dbt_node("model.p.a"))[:-3], "is not complete JSON"),
        (manifest_of() + b"x", "is not complete JSON"),
        (b'{"nodes": {"\xff": {}}, "sources": {}}', "is not complete JSON"),
        (b'{"nodes": {"a": {"name": 1e999}}, "sources": {}}', "is not complete JSON"),
        (b"[]", 'it has no "nodes"'),
        (b"{}", 'it has no "nodes"'),
        (b"5", 'it has no "nodes"'),
        (b'{"nodes": {}}', 'it has no "sources"'),
        (b'{"nodes": [], "sources": {}}', '"nodes" of "the file" is not an object'),
        (b'{"nodes": 5, "sources": {}}', '"nodes" of "the file" is not an object'),
        (b'{"nodes": {}, "sources": {}, "metadata": []}', '"metadata" of "the file" is not an object'),
        (manifest_of(("model.p.a", [])), '"model.p.a" is not an object'),  # type: ignore[arg-type]
        (manifest_of(("model.p.a", 5)), '"model.p.a" is not an object'),  # type: ignore[arg-type]
        (manifest_of(("model.p.a", {})), '"model.p.a" has no name'),
        (manifest_of(dbt_node("model.p.a", schema=5)), '"schema" of "model.p.a" is not a text'),
        (manifest_of(dbt_node("model.p.a", database={"a": 1})), '"database" of "model.p.a" is not a text'),
        (manifest_of(dbt_node("model.p.a", config=[])), '"config" of "model.p.a" is not an object'),
        (
            manifest_of(metadata={"dbt_schema_version": "https://schemas.getdbt.com/dbt/run-results/v6.json"}),
            'its schema is "https://schemas.getdbt.com/dbt/run-results/v6.json"',
        ),
    ],
)
def test_what_is_not_dbts_manifest_is_refused(data: bytes, message: str) -> None:
    with pytest.raises(FileError) as raised:
        parse_project(io.BytesIO(data))
    assert message in str(raised.value)


def test_a_value_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_parts, "MAX_VALUE", 200_000)
    data = manifest_of(dbt_node("model.p.a", raw_code="x" * 400_000))
    with pytest.raises(FileError, match=r"has a value of more than 195\.3 KiB"):
        parse_project(io.BytesIO(data))
    data = manifest_of(dbt_node("model.p.a", raw_code="x" * 100_000))
    assert parse_project(io.BytesIO(data)).nodes


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
@pytest.mark.parametrize("place", [b'{"macros":', b'{"nodes":{"model.p.a":{"meta":'])
def test_nesting_beyond_the_limit_is_refused(opening: bytes, place: bytes) -> None:
    with pytest.raises(FileError, match="nested more than 200 levels deep"):
        parse_project(io.BytesIO(place + opening * 1_000_000))


def test_more_names_than_the_limit_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(json_parts, "MAX_KEPT", 1 << 20)
    data = manifest_of(*(dbt_node(f"model.p.m{number}") for number in range(10_000)))
    with pytest.raises(FileError, match="has more of what is read than fits into 1 MiB"):
        parse_project(io.BytesIO(data))
    tags = manifest_of(dbt_node("model.p.a", tags=["t"] * 20_000))
    with pytest.raises(FileError, match="has more of what is read than fits into 1 MiB"):
        parse_project(io.BytesIO(tags))


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dbt_manifest, "MAX_BYTES", 100)
    path = tmp_path / "manifest.json"
    path.write_bytes(manifest_of())
    with pytest.raises(FileError, match="more than the limit of 100 bytes"):
        read_project(path)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "manifest.json")
    with pytest.raises(FileError, match="is not a regular file"):
        read_project(tmp_path / "manifest.json")


def test_the_parser_is_the_fast_one() -> None:
    # The pure Python parser of ijson needs a minute for what this one reads in seconds.
    assert ijson.backend == "yajl2_c"


def test_pure_python_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    path = PROJECTS / "shop-1.12" / "manifest.json"
    fast: Any = read_project(path)
    monkeypatch.setattr(ijson, "basic_parse_coro", ijson.get_backend("python").basic_parse_coro)
    assert read_project(path) == fast


def test_a_large_file_is_read_in_little_memory() -> None:
    # 25 MB take 200 MB where they are read whole.
    bench = Path(__file__).parents[2] / "bench" / "dbt_manifest.py"
    ended = subprocess.run([sys.executable, bench, "25"], capture_output=True, text=True, check=True)
    measured = json.loads(ended.stdout)
    assert measured["bytes"] > 24_000_000
    assert measured["nodes"] > 500
    assert measured["megabytes"] < 60
