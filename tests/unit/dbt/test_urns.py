"""The URNs of dbt's nodes are those that DataHub's own ingestion made from the same files.

`tests/fixtures/dbt/*/answers-urns.json` holds what DataHub 1.7.0 made of each `manifest.json`, for several recipes.
"""

from pathlib import Path
from typing import Any

import pytest

from incident_gate.dbt.project import DbtProject
from incident_gate.dbt.urns import DbtRecipe, NodeUrns
from tests.helpers.dbt import dbt_node, dbt_project, sample_project, sample_recipes


def dataset_urns(project: DbtProject, recipe: DbtRecipe) -> dict[str, NodeUrns]:
    """The URNs of every node that DataHub ingests."""
    dropped = recipe.not_ingested(project)
    return {i: recipe.urns_of(node) for i, node in project.nodes.items() if i not in dropped}


@pytest.mark.parametrize(("folder", "answer"), sample_recipes())
def test_urns_are_those_of_datahubs_own_ingestion(folder: Path, answer: Any) -> None:
    made = dataset_urns(sample_project(folder.name.removeprefix("shop-")), DbtRecipe(**answer["recipe"]))
    expected = {unique_id: (urns["dbt"], urns["warehouse"]) for unique_id, urns in answer["datasets"].items()}
    assert {unique_id: (urns.dbt, urns.warehouse) for unique_id, urns in made.items()} == expected


def test_the_samples_cover_every_state_of_the_case_option() -> None:
    states = {parameter.values[1]["recipe"].get("convert_urns_to_lowercase") for parameter in sample_recipes()}
    assert states == {None, True, False}


def _name(project: DbtProject, unique_id: str, **options: Any) -> str:
    urns = dataset_urns(project, DbtRecipe(target_platform="snowflake", **options))[unique_id]
    return urns.dbt.split(",", 1)[1].rpartition(",")[0]


SOURCE = {"name": "Orders", "database": "Lake", "schema": "Raw", "identifier": "ORDERS_RAW"}


def test_a_source_with_the_very_name_of_a_model_is_dropped() -> None:
    same = {"name": "orders", "database": "Lake", "schema": "Raw"}
    project = dbt_project(dbt_node("model.p.orders", **same), dbt_node("source.p.raw.orders", **same))
    assert set(dataset_urns(project, DbtRecipe(target_platform="duckdb"))) == {"model.p.orders"}


@pytest.mark.parametrize(
    ("unique_id", "changes"),
    [
        ("seed.p.orders", {}),
        ("snapshot.p.orders", {}),
        ("model.p.orders", {"config": {"materialized": "ephemeral"}}),
        ("model.p.orders", {"name": "ORDERS"}),
    ],
)
def test_a_source_named_like_anything_else_is_kept(unique_id: str, changes: dict[str, Any]) -> None:
    same = {"name": "orders", "database": "Lake", "schema": "Raw"}
    project = dbt_project(dbt_node(unique_id, **(same | changes)), dbt_node("source.p.raw.orders", **same))
    assert set(dataset_urns(project, DbtRecipe(target_platform="duckdb"))) == {unique_id, "source.p.raw.orders"}


def test_a_source_is_dropped_by_the_name_that_its_options_give_it() -> None:
    model = dbt_node("model.p.orders_raw", name="ORDERS_RAW", database="Lake", schema="Raw")
    project = dbt_project(model, dbt_node("source.p.raw.orders", **SOURCE))
    assert len(dataset_urns(project, DbtRecipe(target_platform="redshift"))) == 2
    assert len(dataset_urns(project, DbtRecipe(target_platform="redshift", use_identifiers=True))) == 1


@pytest.mark.parametrize(
    ("convert", "instance", "warehouse", "other"),
    [
        (None, None, "lake.raw.orders", "Lake.Raw.Orders"),
        (None, "Wh", "Wh.lake.raw.orders", "Wh.Lake.Raw.Orders"),
        (True, "Wh", "wh.lake.raw.orders", "Wh.Lake.Raw.Orders"),
        (False, "Wh", "Wh.Lake.Raw.Orders", "Wh.lake.raw.orders"),
    ],
)
def test_a_sources_table_has_both_cases(convert: Any, instance: str | None, warehouse: str, other: str) -> None:
    project = dbt_project(dbt_node("source.p.raw.orders", **SOURCE))
    recipe = DbtRecipe(
        target_platform="snowflake", target_platform_instance=instance, convert_urns_to_lowercase=convert
    )
    urns = dataset_urns(project, recipe)["source.p.raw.orders"]
    form = "urn:li:dataset:(urn:li:dataPlatform:snowflake,{},PROD)"
    assert (urns.warehouse, urns.warehouse_other_case) == (form.format(warehouse), form.format(other))


def test_a_source_in_lower_case_has_one_table() -> None:
    project = dbt_project(dbt_node("source.p.raw.orders", name="orders", database="lake", schema="raw"))
    urns = dataset_urns(project, DbtRecipe(target_platform="snowflake"))["source.p.raw.orders"]
    assert urns.warehouse_other_case is None


@pytest.mark.parametrize(
    ("values", "options", "name"),
    [
        ({"name": "a", "database": None, "schema": "S"}, {}, "s.a"),
        ({"name": "a", "database": "", "schema": "S"}, {}, "s.a"),
        ({"name": "a", "database": "D", "schema": None}, {}, "d.a"),
        ({"name": "a", "database": "D", "schema": "S"}, {"include_database_name": False}, "s.a"),
        ({"name": "a", "alias": "B", "database": "D", "schema": "S"}, {}, "d.s.b"),
        ({"name": '"A"', "database": '"D"', "schema": "`S`"}, {}, "d.`s`.a"),
        ({"name": "a,b(c)", "database": "D", "schema": "S"}, {}, "d.s.a%2Cb%28c%29"),
        ({"name": "a,b", "database": "D", "schema": "S"}, {"convert_urns_to_lowercase": True}, "d.s.a%2cb"),
        ({"name": "A B*", "database": "D-1", "schema": "S"}, {"convert_urns_to_lowercase": False}, "D-1.S.A B*"),
        ({"name": "100%", "database": "D", "schema": "S"}, {}, "d.s.100%"),
        ({"name": "a", "identifier": "B", "database": "D", "schema": "S"}, {"use_identifiers": True}, "d.s.b"),
        ({"name": "a", "identifier": "", "database": "D", "schema": "S"}, {"use_identifiers": True}, "d.s.a"),
    ],
)
def test_names(values: dict[str, Any], options: dict[str, Any], name: str) -> None:
    project = dbt_project(dbt_node("model.p.a", **values))
    assert _name(project, "model.p.a", **options) == name


def test_the_environment_is_in_upper_case() -> None:
    project = dbt_project(dbt_node("model.p.a", name="a", schema="s"))
    urns = dataset_urns(project, DbtRecipe(target_platform="duckdb", env="dev"))["model.p.a"]
    assert urns.dbt == "urn:li:dataset:(urn:li:dataPlatform:dbt,s.a,DEV)"


def test_the_target_platform_may_be_a_urn() -> None:
    project = dbt_project(dbt_node("model.p.a", name="a", schema="s"))
    urns = dataset_urns(project, DbtRecipe(target_platform="urn:li:dataPlatform:duckdb"))["model.p.a"]
    assert urns.warehouse == "urn:li:dataset:(urn:li:dataPlatform:duckdb,s.a,PROD)"
