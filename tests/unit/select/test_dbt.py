import json
from pathlib import Path

import pytest

from incident_gate.dbt.project import DbtProject
from incident_gate.dbt.stream import Limits
from incident_gate.files import FileError
from incident_gate.incident import Reason
from incident_gate.manifest.model import Dbt
from incident_gate.select.dbt import choose_nodes, read_list, select_nodes
from tests.helpers.dbt import PROJECTS, dbt_manifest, dbt_node, sample_project


@pytest.fixture(scope="module")
def shop() -> DbtProject:
    return sample_project("1.12")


def chosen(shop: DbtProject, *unique_ids: str, built: bool = False, **options: tuple[str, ...] | str) -> set[str]:
    """The unique ids of what is chosen; what matches nothing begins with a question mark."""
    nodes, unmatched = choose_nodes(shop, Dbt(("manifest.json",), **options), unique_ids, built=built)  # type: ignore[arg-type]
    assert len({node.unique_id for node in nodes}) == len(nodes)
    return {node.unique_id for node in nodes} | {f"?{text}" for text in unmatched}


RAW = {f"source.shop.raw.{name}" for name in ("customers", "events", "orders", "returns")}
STAGING = {"model.shop.stg_customers", "model.shop.stg_orders"}


def test_what_a_project_reads_and_builds(shop: DbtProject) -> None:
    assert chosen(shop) == RAW | {"source.shop.raw_static.customers_copy"}
    outputs = chosen(shop, built=True)
    assert len(outputs) == 15
    assert not {"model.shop.int_order_totals", "semantic_model.shop.order_facts"} & outputs


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("source.shop.raw.*", RAW),
        ("source.shop.raw.orders", {"source.shop.raw.orders"}),
        ("*customers*v?", {"model.shop.customers.v1", "model.shop.customers.v2"}),
        ("tag:nightly", STAGING),
        ("tag:night*", STAGING),
    ],
)
def test_patterns(shop: DbtProject, pattern: str, expected: set[str]) -> None:
    assert chosen(shop, select=(pattern,)) == expected


@pytest.mark.parametrize("pattern", ["source.shop.Raw.*", "tag:nigthly", "orders", "test.shop.*", ""])
def test_a_pattern_that_matches_nothing_is_noted(shop: DbtProject, pattern: str) -> None:
    assert chosen(shop, select=("tag:nightly", "model.shop.stg_orders", pattern)) == STAGING | {f"?{pattern}"}


def test_a_list_chooses_datasets_only(shop: DbtProject) -> None:
    ids = ["source.shop.raw.orders", "test.shop.test_no_ref", "exposure.shop.x", "model.shop.orders", "metric.shop.m"]
    expected = {"source.shop.raw.orders", "model.shop.orders", "?source.other.raw.orders"}
    assert chosen(shop, *ids, "source.other.raw.orders", nodes="nodes.json") == expected


DBT_LS = "dbt --quiet ls --output json --output-keys unique_id"


@pytest.mark.parametrize(
    ("pattern", "command"),
    [
        ("+revenue_daily", "+revenue_daily"),
        ("source:raw.orders", "source:raw.orders"),
        ("model.shop.orders+1", "model.shop.orders+1"),
        ("@orders", "@orders"),
        ("tag:nightly+", "tag:nightly+"),
        ("tag:a,config.materialized:table", "tag:a,config.materialized:table"),
        ("orders", "orders"),
        ("a; rm x", "'a; rm x'"),
        ("", "''"),
        ("model.shop.nothing", None),
        ("tag:none", None),
        ("*none*", None),
    ],
)
def test_dbts_own_syntax_goes_through_a_list(pattern: str, command: str | None) -> None:
    choice = select_nodes(Dbt(("manifest.json",), select=(pattern,)), PROJECTS / "shop-1.12", built=False, at_most=9)
    [(problem, _)] = choice.problems
    assert problem.reason is Reason.NOT_FOUND
    if command:
        assert f"run `{DBT_LS} --select {command} > nodes.json` and set `nodes: nodes.json`." in problem.hint
    else:
        assert problem.hint == f"Compare it with the unique ids that `{DBT_LS}` prints."


def test_more_than_at_most_are_counted_and_not_kept(tmp_path: Path) -> None:
    (tmp_path / "m.json").write_bytes(dbt_manifest(*(dbt_node(f"model.p.m{n}", schema="s") for n in range(7))))
    choice = select_nodes(Dbt(("m.json",)), tmp_path, built=True, at_most=3)
    assert len(choice.assets) == 3
    assert [problem.message for problem, _ in choice.problems] == ["Selects 7 assets, more than `at-most` (3)"]


def limits(entries: int = 9) -> Limits:
    return Limits(what="nodes", entries=entries)


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_a_list_as_dbt_writes_it(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "nodes.json"
    lines = [
        "02:00:01  Running with dbt=1.12.6",  # without --quiet
        "\x1b[0m02:00:02  Found 14 models",
        json.dumps({"unique_id": "model.shop.orders", "name": "orders"}),
        "",
        json.dumps({"unique_id": "source.shop.raw.orders"}),
    ]
    path.write_text("\n".join(lines), encoding=encoding)
    assert read_list(path, limits()) == ("model.shop.orders", "source.shop.raw.orders")


@pytest.mark.parametrize(
    "line",
    [
        "shop.orders",
        '{"name": "orders"}',
        '{"unique_id": 5}',
        "[]",
        '{"unique_id": "mod',
        "[" * 5000,
        '{"unique_id": "%s"}' % ("x" * 5000),
    ],
)
def test_a_list_with_another_line_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "nodes.json"
    path.write_text(f'{{"unique_id": "model.shop.orders"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(FileError, match="on line 2"):
        read_list(path, limits())


def test_a_list_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        read_list(tmp_path / "nodes.json", limits())


def test_a_list_is_read_within_bounds(tmp_path: Path) -> None:
    path = tmp_path / "nodes.json"
    path.write_text('{"unique_id": "a"}\n{"unique_id": "' + "x" * (1 << 20), encoding="utf-8")
    with pytest.raises(FileError, match="has more than 1 MiB on line 2"):
        read_list(path, limits())
    path.write_text('{"unique_id": "a"}\n' * 3, encoding="utf-8")
    with pytest.raises(FileError, match="is beyond the limit of 2 nodes"):
        read_list(path, limits(2))
