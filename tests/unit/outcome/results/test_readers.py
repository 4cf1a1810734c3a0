"""What each format's reader makes of its own peculiarities."""

import json
from pathlib import Path
from typing import Any

import pytest

from incident_gate.outcome.results.model import CheckStatus, FileResults
from tests.helpers.results import FIXTURES, dbt_results, read_files


def read(folder: Path, text: str) -> FileResults:
    (folder / "file").write_text(text, encoding="utf-8")
    (results,) = read_files(folder, "file", job_start=0)
    return results


ARGS: list[tuple[dict[str, Any], str]] = [
    *(({"which": which}, "") for which in ("run", "build", "test", "seed", "snapshot")),
    ({"which": "build", "empty": False, "sample": None}, ""),
    ({"which": "build", "empty": True}, "--empty"),
    ({"which": "build", "__other__": {"empty": True}}, "--empty"),
    ({"which": "build", "sample": True}, "--sample"),
    ({"which": "build", "sample": "3 days"}, "--sample"),
    ({"which": "build", "sample": {"start": "2026-01-01"}}, "--sample"),
    ({}, "does not name the command"),
    ({"which": ["run"]}, "does not name the command"),
]


@pytest.mark.parametrize(("args", "note"), ARGS)
def test_of_dbt_on_part_of_the_data_or_by_an_unknown_command_only_failures_count(
    tmp_path: Path, args: dict[str, Any], note: str
) -> None:
    text = dbt_results(("model.p.a", "success"), ("test.p.b", "pass"), ("test.p.c", "fail"))
    results = read(tmp_path, json.dumps(json.loads(text) | {"args": args}))
    assert [one.name for one in results.results] == (["test.p.c"] if note else ["model.p.a", "test.p.b", "test.p.c"])
    assert note in results.note
    assert bool(results.note) is bool(note)


@pytest.mark.parametrize("which", ["compile", "generate", "show", "clone", "list", "run-operation", "retry"])
def test_other_commands_of_dbt_report_nothing(tmp_path: Path, which: str) -> None:
    results = read(tmp_path, dbt_results(("model.p.a", "success"), ("test.p.b", "fail"), which=which))
    assert results.results == ()
    assert "neither builds nor tests" in results.note


def test_old_data_is_a_failure_and_what_could_not_be_asked_is_an_error() -> None:
    (results,) = read_files(FIXTURES, "dbt/shop-1.7/source-freshness.sources.json", job_start=0)
    found = {check.name: check for check in results.results}
    assert found["source.shop.raw.orders"].status is CheckStatus.FAILED
    returns = found["source.shop.raw.returns"]
    assert (returns.status, returns.message) == (
        CheckStatus.ERROR,
        "Runtime Error in source returns (models/sources.yml): Catalog Error: Table with name returns does not exist!",
    )


def test_a_hook_is_neither_check_nor_build(tmp_path: Path) -> None:
    results = read(tmp_path, dbt_results(("operation.p.p-on-run-end-0", "error"), ("exposure.p.e", "skipped")))
    assert (results.results, results.note) == ((), "has no results")


def expectation(*, success: Any, **values: Any) -> dict[str, Any]:
    config = {"type": "expect_column_to_exist", "kwargs": {"column": "id"}}
    return {"success": success, "expectation_config": config} | values


@pytest.mark.parametrize(
    "info",
    [
        {"raised_exception": True, "exception_message": "no such column\nselect secret"},
        {"('column.mean', ())": {"raised_exception": True, "exception_message": "no such column\nselect secret"}},
    ],
)
def test_an_expectation_that_raised_could_not_be_run(tmp_path: Path, info: dict[str, Any]) -> None:
    for success in (True, False):
        value = {"success": False, "results": [expectation(success=success, exception_info=info)]}
        (check,) = read(tmp_path, json.dumps(value)).results
        assert (check.status, check.message) == (CheckStatus.ERROR, "no such column")


@pytest.mark.parametrize(
    ("kind", "result", "message"),
    [
        ("expect_x", {"unexpected_count": 1200, "element_count": 5000}, "1,200 of 5,000 values are unexpected"),
        ("expect_x", {"unexpected_count": 2}, "2 values are unexpected"),
        ("expect_table_row_count_to_equal", {"observed_value": 1200}, "observed 1,200"),
        # A value of a row.
        ("expect_column_max_to_be_between", {"observed_value": 1200}, ""),
    ],
)
def test_what_an_expectation_measured_is_shown_without_values_of_rows(
    tmp_path: Path, kind: str, result: dict[str, int], message: str
) -> None:
    config = {"type": kind, "kwargs": {"column": "id"}}
    failed = {"success": False, "expectation_config": config, "result": result}
    (check,) = read(tmp_path, json.dumps({"success": False, "results": [failed]})).results
    assert check.message == message


@pytest.mark.parametrize("success", [None, "true", 1])
def test_an_expectation_without_a_verdict_is_unknown(tmp_path: Path, success: Any) -> None:
    (check,) = read(tmp_path, json.dumps({"success": True, "results": [expectation(success=success)]})).results
    assert check.status is CheckStatus.UNKNOWN


def test_a_validation_that_failed_without_a_failed_expectation_is_a_problem(tmp_path: Path) -> None:
    failed = {"success": False, "results": [expectation(success=True)]}
    counted = {"success": True, "results": [], "statistics": {"unsuccessful_expectations": 1}}
    for value in (
        counted,
        failed,
        {"run_results": {"a": failed}},
        {"run_results": {"a": {"validation_result": failed}}},
    ):
        assert read(tmp_path, json.dumps(value)).stray == "reports a failure without the expectation that failed"


@pytest.mark.parametrize("results", [[1], [None], [[]], ["text"]])
def test_expectations_of_another_shape_are_unknown(tmp_path: Path, results: list[Any]) -> None:
    found = read(tmp_path, json.dumps({"success": True, "results": results})).results
    assert [check.status for check in found] == [CheckStatus.UNKNOWN] * len(found)


def soda(*checks: dict[str, Any], **values: Any) -> str:
    return json.dumps({"hasErrors": False, "hasFailures": False, "checks": checks} | values)


def test_a_scan_with_errors_passes_nothing(tmp_path: Path) -> None:
    listed = ({"name": "a", "outcome": "pass"}, {"name": "b", "outcome": "fail"})
    for errors in (True, None, "no"):
        results = read(tmp_path, soda(*listed, hasErrors=errors))
        assert [check.status for check in results.results] == [CheckStatus.PASSED, CheckStatus.FAILED]
        assert results.problem


@pytest.mark.parametrize("failures", [True, "true", 1])
def test_a_scan_that_failed_without_a_failed_check_is_a_problem(tmp_path: Path, failures: Any) -> None:
    results = read(tmp_path, soda({"name": "a", "outcome": "pass"}, hasFailures=failures))
    assert results.stray == "reports a failure without the check that failed"
    automated = [{"name": "b", "outcome": "fail"}]
    results = read(
        tmp_path, soda({"name": "a", "outcome": "pass"}, hasFailures=True, automatedMonitoringChecks=automated)
    )
    assert (results.stray, results.results[1].status) == ("", CheckStatus.FAILED)
    results = read(tmp_path, soda({"name": "a", "outcome": "FAIL"}, hasFailures=failures))
    assert (results.stray, results.results[0].status) == ("", CheckStatus.FAILED)


@pytest.mark.parametrize(
    ("definition", "column", "incident"),
    [
        ("checks for t:\n  row_count > 0", None, "VOLUME"),
        ("checks for t:\n  - anomaly detection for row_count", None, "VOLUME"),
        ("checks for t:\n  missing_count(row_count) = 0", "row_count", "FIELD"),
        ("checks for t:\n  freshness(loaded_at) < 1d", "loaded_at", "FRESHNESS"),
        ("checks for t:\n  - schema:\n      fail: {}", None, "DATA_SCHEMA"),
        ("checks for schema:\n  - failed rows:\n      name: freshness", None, "OPERATIONAL"),
        (None, None, "OPERATIONAL"),
    ],
)
def test_the_kind_of_a_soda_check_is_in_its_definition(
    tmp_path: Path, definition: str | None, column: str | None, incident: str
) -> None:
    check = {"name": "named by the user", "outcome": "fail", "definition": definition, "column": column}
    assert [c.type for c in read(tmp_path, soda(check)).results] == [incident]


@pytest.mark.parametrize("outcome", [None, "unknown", 1, [], {}])
def test_a_soda_check_without_a_verdict_is_unknown(tmp_path: Path, outcome: Any) -> None:
    assert [c.status for c in read(tmp_path, soda({"name": "a", "outcome": outcome})).results] == [CheckStatus.UNKNOWN]
