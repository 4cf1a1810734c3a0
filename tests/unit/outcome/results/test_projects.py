"""Typed URNs find their nodes, whatever recipe of DataHub's ingestion made them."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from incident_gate.outcome.results.dbt import Projects
from incident_gate.outcome.results.model import CheckStatus, ReportedResult
from tests.helpers.dbt import dbt_node, dbt_project, sample_project, sample_recipes


@pytest.mark.parametrize(("folder", "answer"), sample_recipes())
def test_a_node_is_found_by_either_of_its_urns(folder: Path, answer: Any) -> None:
    project = sample_project(folder.name.removeprefix("shop-"))
    projects = Projects([project], [answer["recipe"]["target_platform"]])
    behind: dict[str, set[str]] = {}
    for unique_id, urns in answer["datasets"].items():
        if not unique_id.startswith("semantic_model.") and urns["warehouse"]:
            for urn in (urns["dbt"], urns["warehouse"]):
                behind.setdefault(urn, set()).add(unique_id)
    for urn, nodes in behind.items():
        # Two nodes can be one table: a source that the project builds itself as a seed.
        builds = {node for node in nodes if not node.startswith("source.")}
        found = nodes_of(projects, urn)
        assert found >= (builds or nodes), urn
        # Two sources can be one table as well: the identifier of one is the name of the other.
        identifiers = {n for n in found if (i := project.nodes[n].identifier) and i.lower() in urn.lower()}
        assert found - identifiers <= (builds or nodes), urn


def nodes_of(projects: Projects, urn: str) -> frozenset[str]:
    [found] = projects.behind([[urn]])
    return found.nodes


TABLE = {"database": "Db", "schema": "Mart"}


def _urn(name: str, platform: str = "snowflake", env: str = "PROD") -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},{env})"


@pytest.mark.parametrize(
    ("urn", "found"),
    [
        (_urn("db.mart.orders"), True),
        (_urn("Db.Mart.orders", env="DEV"), True),
        (_urn("wh.db.mart.orders"), True),
        (_urn("wh.x.db.mart.orders", "dbt"), True),
        (_urn("mart.orders"), True),
        (_urn("other.mart.orders"), False),
        (_urn("orders"), False),
        (_urn("db.mart.orders", "postgres"), False),
        (_urn("xdb.mart.orders"), False),
        ("urn:li:dashboard:(looker,db.mart.orders)", False),
    ],
)
def test_which_urns_name_a_node(urn: str, *, found: bool) -> None:
    project = dbt_project(dbt_node("model.p.orders", **TABLE))
    projects = Projects([replace(project, adapter="snowflake")])
    assert nodes_of(projects, urn) == ({"model.p.orders"} if found else set())


def test_tables_of_an_adapter_may_be_of_a_platform_with_another_name() -> None:
    projects = Projects([replace(dbt_project(dbt_node("model.p.orders", **TABLE)), adapter="sqlserver")])
    assert nodes_of(projects, _urn("db.mart.orders", "mssql")) == {"model.p.orders"}


def test_letter_case_decides_between_two_tables() -> None:
    project = dbt_project(
        dbt_node("model.p.a", alias="Orders", **TABLE), dbt_node("model.p.b", alias="orders", **TABLE)
    )
    projects = Projects([project])
    assert nodes_of(projects, _urn("Db.Mart.Orders", "duckdb")) == {"model.p.a"}
    # Both where the URN does not show which.
    assert nodes_of(projects, _urn("db.mart.orders", "duckdb")) == {"model.p.a", "model.p.b"}


def test_an_instance_is_no_part_of_a_name_without_database() -> None:
    projects = Projects([dbt_project(dbt_node("model.p.orders", schema="mart"))])
    assert nodes_of(projects, _urn("wh.mart.orders", "duckdb")) == {"model.p.orders"}


def test_a_source_with_the_name_of_what_is_built_is_the_same_table() -> None:
    projects = Projects([dbt_project(dbt_node("seed.p.orders", **TABLE), dbt_node("source.p.raw.orders", **TABLE))])
    assert nodes_of(projects, _urn("db.mart.orders", "duckdb")) == {"seed.p.orders"}


@pytest.mark.parametrize(
    ("test", "incident"),
    [
        ({"test_metadata": {"name": "not_null", "kwargs": {}}, "column_name": "id"}, "FIELD"),
        ({"test_metadata": {"name": "recency", "namespace": "dbt_utils", "kwargs": {}}}, "FRESHNESS"),
        ({"test_metadata": {"name": "equal_rowcount", "namespace": "dbt_utils", "kwargs": {}}}, "VOLUME"),
        ({"test_metadata": {"name": "expect_table_row_count_to_be_between", "kwargs": {}}}, "VOLUME"),
        ({"test_metadata": {"name": "volume_anomalies", "namespace": "elementary", "kwargs": {}}}, "VOLUME"),
        ({"test_metadata": {"name": "schema_changes", "namespace": "elementary", "kwargs": {}}}, "DATA_SCHEMA"),
        ({"test_metadata": {"name": "expect_table_columns_to_match_set", "kwargs": {}}}, "DATA_SCHEMA"),
        ({"test_metadata": {"name": "expression_is_true", "kwargs": {}}}, "OPERATIONAL"),
        ({}, "OPERATIONAL"),
    ],
)
def test_the_incidents_type_follows_the_kind_of_test(test: dict[str, Any], incident: str) -> None:
    projects = Projects([dbt_project(dbt_node("test.p.t", **test))])
    assert projects.typed(ReportedResult("test.p.t", CheckStatus.FAILED)).type == incident
