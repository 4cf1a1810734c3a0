import itertools
import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from incident_gate.dbt.project import DbtProject
from incident_gate.dbt.stream import Limits
from incident_gate.files import FileError
from incident_gate.incident import Reason
from incident_gate.manifest.model import Dbt, DbtUrns, Manifest, OutputSelector, Position, Selector, Waiver
from incident_gate.select.dbt import choose_nodes, read_list, select_nodes
from incident_gate.select.resolve import resolve
from incident_gate.select.selection import SelectorResult
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


def test_a_list_is_read_within_the_time(tmp_path: Path) -> None:
    path = tmp_path / "nodes.json"
    path.write_text('{"unique_id": "a"}\n' * 9, encoding="utf-8")
    clock = itertools.count(0, 10)
    with pytest.raises(FileError, match="may take 60 seconds"):
        read_list(path, Limits(what="nodes", entries=99, clock=lambda: next(clock)))


ALL = {
    "a": dbt_node("model.p.a", schema="s"),
    "b": dbt_node("model.p.b", schema="s", config={"materialized": "ephemeral"}),
    "c": dbt_node("source.p.raw.c", schema="s"),
    "same": dbt_node("source.p.raw.a", schema="s"),  # DataHub ingests the model of this name only
    "odd": dbt_node("model.p.odd", name="o\x01dd", schema="s"),
}


def selected(folder: Path, nodes: str, *, built: bool, adapter: str | None = "duckdb", **dbt: Any) -> SelectorResult:
    """What is selected of a project with some of these nodes."""
    metadata = {"adapter_type": adapter} if adapter else {}
    (folder / "m.json").write_bytes(dbt_manifest(*(ALL[name] for name in nodes.split()), metadata=metadata))
    return select_nodes(Dbt(("m.json",), **({"select": ("*",)} | dbt)), folder, built=built, at_most=99)


@pytest.mark.parametrize(("built", "names"), [(True, ["s.a"]), (False, ["s.a", "s.b", "s.c"])])
def test_what_has_no_dataset_of_its_own_is_left_out_and_counted(
    tmp_path: Path, names: list[str], *, built: bool
) -> None:
    result = selected(tmp_path, "a b c same", built=built)
    assert [urns[0].name for urns in result.assets] == names
    assert (result.left_out, result.problems) == (4 - len(names), ())


@pytest.mark.parametrize(
    ("adapter", "options", "platform"),
    [("sqlserver", {}, "mssql"), ("duckdb", {}, "duckdb"), ("duckdb", {"target_platform": "redshift"}, "redshift")],
)
def test_the_warehouse_is_that_of_the_adapter(
    tmp_path: Path, adapter: str, options: dict[str, str], platform: str
) -> None:
    [(_, warehouse)] = selected(tmp_path, "a", built=True, adapter=adapter, **options).assets
    assert warehouse.text == f"urn:li:dataset:(urn:li:dataPlatform:{platform},s.a,PROD)"


def test_one_kind_of_urns_is_that_one_alone(tmp_path: Path) -> None:
    [(dbt, warehouse)] = selected(tmp_path, "a", built=True).assets
    assert selected(tmp_path, "a", built=True, urns=DbtUrns.DBT).assets == ((dbt,),)
    assert selected(tmp_path, "a", built=True, urns=DbtUrns.WAREHOUSE).assets == ((warehouse,),)


def test_what_a_project_does_not_say_is_a_problem(tmp_path: Path) -> None:
    nameless = selected(tmp_path, "a", built=True, adapter=None)
    assert [problem.message for problem, _ in nameless.problems] == ['"m.json" does not name its adapter']
    odd = selected(tmp_path, "a odd", built=True)
    assert ([urns[0].name for urns in odd.assets], len(odd.problems)) == (["s.a"], 1)
    assert odd.problems[0][0].message.startswith('"m.json": "model.p.odd" has no usable URN: ')


def test_problems_of_many_nodes_are_bounded(tmp_path: Path) -> None:
    nodes = [dbt_node(f"model.p.m{number}", name=f"\x01{number}") for number in range(99)]
    (tmp_path / "m.json").write_bytes(dbt_manifest(*nodes))
    assert len(select_nodes(Dbt(("m.json",)), tmp_path, built=True, at_most=99).problems) < 30


def test_a_pattern_may_be_meant_for_one_of_several_projects(tmp_path: Path) -> None:
    for name in "ac":
        (tmp_path / f"{name}.json").write_bytes(dbt_manifest(ALL[name]))
    dbt = Dbt(("a.json", "c.json"), select=("model.p.a", "source.p.raw.c", "model.p.none"))
    result = select_nodes(dbt, tmp_path, built=False, at_most=9)
    assert [urns[0].name for urns in result.assets] == ["s.a", "s.c"]
    assert [problem.message.rpartition(" ")[2] for problem, _ in result.problems] == ['"model.p.none"']


def test_a_selectors_rules_and_label_go_to_what_it_selects_and_what_it_leaves_out_is_noted(tmp_path: Path) -> None:
    selected(tmp_path, "a b same", built=True)
    over = Waiver(date(2020, 1, 1), "over", Position(3, 1), incident="urn:li:incident:1")
    chosen = Selector(Dbt(("m.json",), select=("*.a",)), Position(2, 1), name="Shop", expired=(over,))
    built = OutputSelector(Dbt(("m.json",), select=("*",)), Position(5, 1))
    empty = built._replace(what=Dbt(("m.json",), select=("*.b",)))
    manifest = Manifest("gate.yml", selectors=(chosen,), output_selectors=(built, empty))

    found = resolve(manifest, client=None, root=tmp_path)

    assert found.notices == ('"Shop" (line 2) leaves out 1 of what it selects: no incidents are tracked there.',)
    assert [(entry.selected_by, entry.expired) for entry in found.inputs] == [("Shop", (over,))]
    assert [output.urn.name for output in found.outputs] == ["s.a"]
    assert [problem.message for _, problem in found.output_problems] == ["Selects nothing that can have incidents"]
