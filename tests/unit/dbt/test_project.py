import io
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import ijson
import pytest

from incident_gate.dbt import project as reading
from incident_gate.dbt.project import DbtProject, NodeKind, parse_project, project_limits, read_project
from incident_gate.dbt.stream import Limits
from incident_gate.files import FileError
from tests.helpers.dbt import Entry, dbt_node, dbt_project, sample_project
from tests.helpers.dbt import dbt_manifest as manifest_of

VERSIONS = ("1.5", "1.7", "1.9", "1.12")


@pytest.fixture(scope="module", params=VERSIONS)
def shop(request: pytest.FixtureRequest) -> DbtProject:
    return sample_project(request.param)


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


def test_what_is_disabled_is_left_out() -> None:
    disabled = dbt_node("model.p.a", config={"enabled": False})
    assert list(dbt_project(disabled, dbt_node("model.p.b")).nodes) == ["model.p.b"]


def test_a_source_has_freshness_where_a_limit_has_a_count() -> None:
    limits = [{"warn_after": {"count": 0}}, {"error_after": {"count": 1}}, {"warn_after": {"count": None}}]
    project = dbt_project(*(dbt_node(f"source.p.raw.s{n}", freshness=limit) for n, limit in enumerate(limits)))
    assert [node.name for node in project.nodes.values() if node.has_freshness] == ["s0", "s1"]


def test_a_unit_test_belongs_to_the_first_node_it_depends_on() -> None:
    test = dbt_node("unit_test.p.u", depends_on={"nodes": ["model.p.a", "model.p.b"]})
    assert dbt_project(test).tests["unit_test.p.u"].nodes == ("model.p.a",)


def parse(data: bytes, limits: Limits | None = None) -> DbtProject:
    return parse_project(io.BytesIO(data), limits or project_limits())


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
        ("ref('orders')", ["source.p.orders.vault", "model.p.orders"], ["model.p.orders"]),
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
    project = parse(json.dumps({"nodes": entries, "sources": {}}).encode())
    assert project.nodes["model.p.a"].kind is NodeKind.MODEL
    assert (project.adapter, dict(project.tests)) == ("", {})


def test_what_has_unexpected_values_where_none_is_needed_is_read() -> None:
    odd = dbt_node("test.p.t", column_name=["a", "b"], config={"severity": {"x": 1}}, test_metadata={"name": [["x"]]})
    project = dbt_project(odd, dbt_node("model.p.a", tags="nightly", config={"tags": ["daily"]}))
    assert project.nodes["model.p.a"].tags == ("nightly", "daily")
    assert not project.tests["test.p.t"].function


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "is not complete JSON"),
        (b"[]", 'it has no "nodes"'),
        (b"{}", 'it has no "nodes"'),
        (b"5", 'it has no "nodes"'),
        (b'{"nodes": {}}', 'it has no "sources"'),
        (b'{"nodes": [], "sources": {}}', '"nodes" is not an object'),
        (b'{"nodes": 5, "sources": {}}', '"nodes" is not an object'),
        (b'{"nodes": {}, "sources": {}, "metadata": []}', '"metadata" is not an object'),
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
        parse(data)
    assert message in str(raised.value)


def test_more_nodes_or_names_than_the_limits_are_refused() -> None:
    data = manifest_of(*(dbt_node(f"model.p.m{number}") for number in range(100)))
    assert len(parse(data, Limits(what="nodes", entries=100)).nodes) == 100
    with pytest.raises(FileError, match="is beyond the limit of 99 nodes in all files together"):
        parse(data, Limits(what="nodes", entries=99))
    with pytest.raises(FileError, match=r"has more names and messages than fit into 19\.5 KiB"):
        parse(data, Limits(what="nodes", entries=100, kept=20_000))
    long = manifest_of(*(dbt_node(f"model.p.m{number}", alias="x" * 3000, tags=["y" * 3000]) for number in range(9)))
    with pytest.raises(FileError, match="has more names"):
        parse(long, Limits(what="nodes", entries=100, kept=50_000))


@pytest.mark.parametrize("key", ["name", "alias", "schema", "attached_node"])
def test_a_name_that_is_too_long_is_refused(key: str) -> None:
    for long in (dbt_node("model.p.a", **{key: "x" * 5000}), dbt_node("model.p." + "x" * 5000, name="a")):
        with pytest.raises(FileError, match="has a name of more than 4,000 characters"):
            parse(manifest_of(long))


def test_a_file_beyond_the_limit_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_FILE", 100)
    path = tmp_path / "manifest.json"
    path.write_bytes(manifest_of())
    with pytest.raises(FileError, match="more than the limit of 100 bytes"):
        read_project(path, project_limits())


def test_the_parser_is_the_fast_one() -> None:
    # The pure Python parser of ijson needs a minute for what this one reads in seconds.
    assert ijson.backend == "yajl2_c"


def test_pure_python_reads_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    fast: Any = sample_project("1.12")
    monkeypatch.setattr(ijson, "basic_parse_coro", ijson.get_backend("python").basic_parse_coro)
    assert sample_project("1.12") == fast


@pytest.mark.load
def test_a_large_file_is_read_in_little_memory() -> None:
    # 25 MB take 200 MB where they are read whole.
    bench = Path(__file__).parents[3] / "bench" / "dbt_manifest.py"
    ended = subprocess.run([sys.executable, bench, "25"], capture_output=True, text=True, check=True)
    measured = json.loads(ended.stdout)
    assert measured["bytes"] > 24_000_000
    assert measured["nodes"] > 500
    assert measured["megabytes"] < 60
