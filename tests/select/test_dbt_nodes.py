import json
from pathlib import Path

import pytest

from incident_gate.files import FileError
from incident_gate.select.dbt import DbtProject
from incident_gate.select.dbt_manifest import read_project
from incident_gate.select.dbt_nodes import ChosenNodes, listed, matching, outputs, read_list, sources
from tests.helpers.dbt import PROJECTS


@pytest.fixture(scope="module")
def shop() -> DbtProject:
    return read_project(PROJECTS / "shop-1.12" / "manifest.json")


def _ids(chosen: ChosenNodes) -> set[str]:
    return {node.unique_id for node in chosen.nodes}


def test_sources(shop: DbtProject) -> None:
    raw = {f"source.shop.raw.{name}" for name in ("customers", "events", "orders", "returns")}
    assert _ids(sources(shop)) == raw | {"source.shop.raw_static.customers_copy"}


def test_outputs(shop: DbtProject) -> None:
    chosen = _ids(outputs(shop))
    assert len(chosen) == 15
    assert "model.shop.int_order_totals" not in chosen
    assert "semantic_model.shop.order_facts" not in chosen


@pytest.mark.parametrize(
    ("pattern", "expected"),
    [
        ("source.shop.raw.*", {f"source.shop.raw.{name}" for name in ("customers", "events", "orders", "returns")}),
        ("source.shop.raw.orders", {"source.shop.raw.orders"}),
        ("*customers*v?", {"model.shop.customers.v1", "model.shop.customers.v2"}),
        ("tag:nightly", {"model.shop.stg_customers", "model.shop.stg_orders"}),
        ("tag:night*", {"model.shop.stg_customers", "model.shop.stg_orders"}),
    ],
)
def test_patterns(shop: DbtProject, pattern: str, expected: set[str]) -> None:
    chosen = matching(shop, [pattern])
    assert _ids(chosen) == expected
    assert not chosen.unmatched


@pytest.mark.parametrize("pattern", ["source.shop.Raw.*", "tag:nigthly", "orders", "test.shop.*", ""])
def test_a_pattern_that_matches_nothing_is_noted(shop: DbtProject, pattern: str) -> None:
    chosen = matching(shop, ["tag:nightly", pattern])
    assert len(chosen.nodes) == 2
    assert chosen.unmatched == {pattern}


def test_a_node_that_two_patterns_match_is_chosen_once(shop: DbtProject) -> None:
    assert len(matching(shop, ["tag:nightly", "model.shop.stg_orders"]).nodes) == 2


def test_a_list_chooses_datasets_only(shop: DbtProject) -> None:
    ids = ["source.shop.raw.orders", "test.shop.test_no_ref", "exposure.shop.x", "model.shop.orders", "metric.shop.m"]
    chosen = listed(shop, ids)
    assert _ids(chosen) == {"source.shop.raw.orders", "model.shop.orders"}
    assert not chosen.unmatched


def test_a_list_of_another_project_is_noted(shop: DbtProject) -> None:
    chosen = listed(shop, ["source.shop.raw.orders", "source.other.raw.orders"])
    assert chosen.unmatched == {"source.other.raw.orders"}


def test_a_list_as_dbt_writes_it(tmp_path: Path) -> None:
    path = tmp_path / "nodes.json"
    lines = [
        "02:00:01  Running with dbt=1.12.6",  # without --quiet
        "\x1b[0m02:00:02  Found 14 models",
        json.dumps({"unique_id": "model.shop.orders", "name": "orders"}),
        "",
        json.dumps({"unique_id": "source.shop.raw.orders"}),
    ]
    path.write_text("\n".join(lines), encoding="utf-8")
    assert read_list(path) == ("model.shop.orders", "source.shop.raw.orders")


@pytest.mark.parametrize(
    "line", ["shop.orders", '{"name": "orders"}', '{"unique_id": 5}', "[]", '{"unique_id": "mod', "[" * 5000]
)
def test_a_list_with_another_line_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "nodes.json"
    path.write_text(f'{{"unique_id": "model.shop.orders"}}\n{line}\n', encoding="utf-8")
    with pytest.raises(FileError, match="on line 2"):
        read_list(path)


def test_a_list_that_is_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match="does not exist"):
        read_list(tmp_path / "nodes.json")
