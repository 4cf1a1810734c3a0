"""Which check a result is of, and what a failure means that belongs to none."""

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from incident_gate.dbt.project import project_limits, read_project
from incident_gate.incident import Cause
from incident_gate.outcome.result import Effect, Evaluation
from incident_gate.outcome.results.dbt import Projects
from tests.helpers.dbt import dbt_node, dbt_project
from tests.helpers.results import FIXTURES, dbt_results, judge, output

RAISE, RESOLVE, NOTHING = Effect


def urn(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:duckdb,db.mart.{name},PROD)"


ORDERS, CUSTOMERS = urn("orders"), urn("customers")
OK, FAIL, ERROR = "", "<failure/>", '<error message="broken"/>'


def case(content: str = "", *, urn: str = "", name: str = "fresh", **attributes: str) -> str:
    found = "".join(f' {key}="{value}"' for key, value in ({"classname": "t", "name": name} | attributes).items())
    properties = f'<properties><property name="datahub.urn" value="{urn}"/></properties>' if urn else ""
    return f"<testcase{found}>{properties}{content}</testcase>"


def suite(*content: str, **attributes: str) -> str:
    found = "".join(f' {key}="{value}"' for key, value in attributes.items())
    return f"<testsuite{found}>{''.join(content)}</testsuite>"


def at(second: int) -> str:
    return f"2026-11-25T02:00:{second:02}Z"


def evaluated(folder: Path, *texts: str, failed: bool = False, **patterns: str) -> Evaluation:
    """Two outputs, `orders` and `customers`, by files with these texts."""
    for number, text in enumerate(texts):
        (folder / f"r{number}").write_text(text, encoding="utf-8")
    place = {"database": "db", "schema": "mart"}
    nodes = [dbt_node(f"model.p.{name}", **place) for name in ("orders", "customers")]
    tests = [dbt_node(f"test.p.{name}", attached_node=f"model.p.{name}") for name in ("orders", "customers")]
    outputs = [output(urn(name), *filter(None, [patterns.get(name)])) for name in ("orders", "customers")]
    projects = Projects([dbt_project(*nodes, *tests)] if "unique_id" in "".join(texts) else [])
    return judge(folder, "r*", outputs=outputs, projects=projects, job_failed=failed)


def effects(evaluation: Evaluation) -> list[Effect]:
    return [decision.effect for decision in evaluation.decisions]


@pytest.mark.parametrize("failed", [True, False])
def test_a_case_of_another_dataset_is_another_check(tmp_path: Path, *, failed: bool) -> None:
    orders, customers = case(FAIL, urn=ORDERS), case(urn=CUSTOMERS)
    one = suite(suite(orders, name="a"), suite(customers, name="b"))
    assert effects(evaluated(tmp_path, one, failed=failed)) == [RAISE, RESOLVE]
    two = (suite(orders, timestamp=at(1)), suite(customers, timestamp=at(41)))
    assert effects(evaluated(tmp_path, *two, failed=failed)) == [RAISE, RESOLVE]


def junit(status: str, second: int, **values: str) -> str:
    attributes = {key: values[key] for key in values.keys() & {"file", "name"}}
    own = {"file": values["case_file"]} if "case_file" in values else {}
    return suite(case(FAIL if status == "fail" else OK, urn=ORDERS, **own), timestamp=at(second), **attributes)


def dbt(status: str, second: int, **args: str) -> str:
    return dbt_results(("test.p.orders", status), generated_at=at(second), **args)


def gx(status: str, second: int, **values: str) -> str:
    is_good = status == "pass"
    own = {key: value for key, value in values.items() if key in {"column", "batch_id", "column_A", "row_condition"}}
    config = {"type": "expect_x", "kwargs": {"column": "id", "batch_id": "b"} | own}
    ids = {"month": values.get("month", "1")}
    definition = {"datasource_name": "s", "data_asset_name": "orders", "batch_identifiers": ids} | values
    kind = "batch_kwargs" if "path" in values else "active_batch_definition"
    meta = {kind: definition, "run_id": {"run_time": at(second)}, "expectation_suite_name": values.get("old_suite")}
    result = {"success": is_good, "expectation_config": config}
    return json.dumps({"success": is_good, "results": [result], "suite_name": values.get("suite"), "meta": meta})


def soda(status: str, second: int, **values: str) -> str:
    check = {"name": "n", "table": "orders", "dataSource": "a", "definition": "d", "outcome": status}
    scan = {"hasErrors": False, "scanEndTimestamp": at(second), "defaultDataSource": values.get("defaultDataSource")}
    return json.dumps(scan | {"checks": [check | values]})


@pytest.mark.parametrize(
    ("write", "first", "second"),
    [
        (junit, {"file": "a.py"}, {"file": "b.py"}),
        (junit, {"case_file": "a.py"}, {"case_file": "b.py"}),
        (junit, {"name": "a"}, {"name": "b"}),
        (dbt, {"target": "dev"}, {"target": "prod"}),
        (dbt, {"project_dir": "a"}, {"project_dir": "b"}),
        (dbt, {"profile": "a"}, {"profile": "b"}),
        (dbt, {"__other__": {"target": "a"}}, {"__other__": {"target": "b"}}),
        *(
            (gx, {key: "1"}, {key: "2"})
            for key in (
                "datasource_name",
                "batch_id",
                "month",
                "suite",
                "old_suite",
                "column_A",
                "row_condition",
                "path",
            )
        ),
        (soda, {"dataSource": "a"}, {"dataSource": "b"}),
        (soda, {"definition": "a"}, {"definition": "b"}),
        (soda, {"filter": "a"}, {"filter": "b"}),
        (soda, {"defaultDataSource": "a", "dataSource": ""}, {"defaultDataSource": "b", "dataSource": ""}),
    ],
)
def test_a_pass_elsewhere_erases_no_failure_and_a_pass_of_the_same_does(
    tmp_path: Path, write: Any, first: dict[str, str], second: dict[str, str]
) -> None:
    def effect(*texts: str) -> Effect:
        return evaluated(tmp_path, *texts, orders="orders.*", failed=False).decisions[0].effect

    assert effect(write("fail", 1, **first), write("pass", 41, **second)) is RAISE
    assert effect(write("fail", 1, **first), write("pass", 41, **first)) is RESOLVE
    assert effect(write("pass", 1, **first), write("fail", 41, **first)) is RAISE
    # At one time, the failure counts.
    for both in (("fail", "pass"), ("pass", "fail")):
        assert effect(*(write(status, 1, **first) for status in both)) is RAISE


def test_twice_in_one_file_the_failure_counts(tmp_path: Path) -> None:
    for both in ((FAIL, OK), (OK, FAIL)):
        assert effects(evaluated(tmp_path, suite(*(case(c, urn=ORDERS) for c in both))))[0] is RAISE


def test_two_local_times_are_compared_as_they_are_written(tmp_path: Path) -> None:
    texts = [suite(case(bad, urn=ORDERS), timestamp=f"2026-11-25T02:00:0{n}") for n, bad in enumerate((FAIL, OK))]
    for first, second in ((5, 6), (6, 5)):  # whatever was copied last
        evaluated(tmp_path, *texts)
        os.utime(tmp_path / "r0", (0, 1_795_572_000 + first))
        os.utime(tmp_path / "r1", (0, 1_795_572_000 + second))
        decisions = judge(tmp_path, "r*", outputs=[output(ORDERS)]).decisions
        assert decisions[0].effect is RESOLVE
    # With a zone, the times are those that they are.
    zoned = texts[1].replace('01"', '01+00:00"')
    (tmp_path / "r1").write_text(zoned, encoding="utf-8")
    assert judge(tmp_path, "r*", outputs=[output(ORDERS)]).decisions[0].effect is RAISE


PASSED = case(urn=ORDERS)
STRAYS: Mapping[str, tuple[str, str]] = {
    "a module that cannot be imported": (case(ERROR, classname="", name="x.mod"), "x.mod"),
    "the same without a class": ('<testcase name="x.mod"><error/></testcase>', "x.mod"),
    "the same of unittest": (case(ERROR, classname="unittest.loader._FailedTest", name="x.mod"), "x.mod"),
    "the same of xmlrunner": (case(ERROR, classname="unittest.loader._FailedTest.x", name="mod"), "x.mod"),
    "a file that Node cannot load": (case(FAIL, classname="mod", name="/repository/x.mjs"), ""),
    "a class that cannot be set up": (case(FAIL, classname="x.mod", name=""), "x.mod"),
    "a class that JUnit cannot start": (case(FAIL, classname="x.mod", name="initializationError"), "x.mod"),
    "a package that Go cannot build": (case(ERROR, classname="x.mod", name="[build failed]"), "x.mod"),
    "a package whose main fails": (suite(case(FAIL, classname="", name="TestMain"), name="x.mod"), "x.mod"),
    "what unittest cannot set up": (case(ERROR, classname="", name="setUpClass (x.mod)"), "x.mod"),
    "a file that Jest cannot load": (case(FAIL, classname="Test suite failed to run", name="x.mod"), "x.mod"),
    "a file that Vitest cannot load": (suite(case(FAIL, classname="mod", name="mod"), name="mod"), ""),
    "a hook of Mocha": (case(FAIL, classname="mod", name="a &quot;before all&quot; hook for b"), ""),
    "an error in pytest": (case(ERROR, classname="pytest", name="internal"), ""),
    "an error in a suite": (suite(ERROR, name="x.mod"), "x.mod"),
    "a failure in a suite": (suite(FAIL, name="x.mod"), "x.mod"),
    "a claim as status": (case(status="failed", name="mod", classname="x"), "x.mod"),
    "a claim as result": (case(result="Error", name="mod", classname="x"), "x.mod"),
    "a claim beside a skip": (case("<skipped/>", status="failed", name="mod", classname="x"), "x.mod"),
    "a try that repeats a failure": (case("<rerunFailure/>", name="mod", classname="x"), "x.mod"),
    "a success that is none": (case(success="False", name="mod", classname="x"), "x.mod"),
    "a count of errors": (suite(errors="1"), ""),
    "a count with a fraction": (suite(failures=" 1.0"), ""),
    "a count of failures and errors": (suite(case(FAIL), failures="1", errors="1"), ""),
    "a case inside a case": (case(case()), ""),
}


@pytest.mark.parametrize("content", [content for content, _ in STRAYS.values()], ids=STRAYS)
def test_a_failure_of_nobody_keeps_its_file_from_resolving(tmp_path: Path, content: str) -> None:
    for text in (suite(PASSED, content), suite(content, PASSED), suite(suite(PASSED), suite(content))):
        evaluation = evaluated(tmp_path, text)
        assert effects(evaluation) == [NOTHING, NOTHING]
        assert evaluation.decisions[0].reason == "a check of it is in a file that proves nothing"
        assert evaluation.warnings[0].startswith(("r0 has a", "r0 is incomplete: it declares"))
        # Nothing explains the job's failure, so its status decides.
        if "<failure" not in content or "mod" in content:
            assert [(d.effect, d.cause) for d in evaluated(tmp_path, text, failed=True).decisions] == [
                (RAISE, Cause.JOB)
            ] * 2
    # Another file still does.
    other = suite(case(urn=CUSTOMERS, name="other"))
    assert effects(evaluated(tmp_path, suite(PASSED, content), other)) == [NOTHING, RESOLVE]


@pytest.mark.parametrize(
    ("content", "name"), [one for one in STRAYS.values() if one[1]], ids=[n for n, o in STRAYS.items() if o[1]]
)
@pytest.mark.parametrize("pattern", ["{}", "{}.*", "{}.test_a", "*mod.*", "x.*"])
def test_a_failure_of_nobody_raises_where_a_pattern_fits(tmp_path: Path, content: str, name: str, pattern: str) -> None:
    evaluation = evaluated(tmp_path, suite(PASSED, content), failed=True, customers=pattern.format(name))
    assert [(d.effect, d.cause) for d in evaluation.decisions] == [(NOTHING, Cause.JOB), (RAISE, Cause.CHECKS)]
    assert [failed.name for failed in evaluation.decisions[1].failed] == [name]


@pytest.mark.parametrize("pattern", ["x.model.*", "x.mo", "y.mod.*", "x.mod?a"])
def test_other_patterns_do_not_fit(tmp_path: Path, pattern: str) -> None:
    text = suite(PASSED, STRAYS["a module that cannot be imported"][0])
    assert effects(evaluated(tmp_path, text, customers=pattern)) == [NOTHING, NOTHING]


def test_a_module_that_was_skipped_did_not_pass(tmp_path: Path) -> None:
    text = suite(case(classname="x.other"), case("<skipped/>", classname="", name="x.mod"))
    assert evaluated(tmp_path, text, orders="x.*.*").decisions[0].reason == "a check of it was skipped"


@pytest.mark.parametrize("tag", ["flakyFailure", "flakyError"])
def test_tries_that_a_writer_counts_are_no_failures(tmp_path: Path, tag: str) -> None:
    flaky = suite(case(f"<{tag}/>", urn=ORDERS), failures="1", errors="0")
    assert effects(evaluated(tmp_path, f'<testsuites failures="1">{flaky}</testsuites>'))[0] is RESOLVE
    one_more = suite(case(f"<{tag}/>", urn=ORDERS), failures="1", errors="1")
    assert effects(evaluated(tmp_path, one_more))[0] is NOTHING


@pytest.mark.parametrize(
    ("text", "phrase"),
    [
        ('<testsuites failures="2"><testsuite/></testsuites>', "it declares 2 failures and contains none"),
        ('<testsuite errors="1"/>', "it declares 1 failure and contains none"),
        (suite(case(FAIL), failures="1", errors="2"), "it declares 3 failures and contains 1"),
    ],
)
def test_a_file_that_is_incomplete_says_what_is_missing(tmp_path: Path, text: str, phrase: str) -> None:
    assert evaluated(tmp_path, text).warnings[0] == f"r0 is incomplete: {phrase}."


@pytest.mark.parametrize("kind", ["function", "saved_query", "exposure", "widget"])
@pytest.mark.parametrize("status", ["error", "fail", "runtime error"])
def test_a_failed_node_of_any_kind_explains_a_failed_job(tmp_path: Path, kind: str, status: str) -> None:
    rows = (
        (f"{kind}.p.x", status),
        ("model.p.customers", "skipped"),
        ("model.p.orders", "success"),
        ("test.p.orders", "pass"),
    )
    evaluation = evaluated(tmp_path, dbt_results(*rows), failed=True)
    # A kind that does not exist yet may be a test of anything.
    assert effects(evaluation) == [NOTHING if kind == "widget" else RESOLVE, NOTHING]
    assert evaluation.decisions[1].reason == "its build was skipped"
    assert f"1 output was skipped, so its data is old: db.mart.customers. Failed: `{kind}.p.x`." in evaluation.warnings


def test_a_failed_function_of_dbt() -> None:
    folder = FIXTURES / "dbt/functions-1.11"
    project = read_project(folder / "manifest.json", project_limits())
    names = ("orders", "customers")
    outputs = [output(f"urn:li:dataset:(urn:li:dataPlatform:dbt,shop.public.{name},PROD)") for name in names]
    evaluation = judge(folder, "build*", outputs=outputs, projects=Projects([project]), job_failed=True)
    assert effects(evaluation) == [RESOLVE, NOTHING]
    assert "customers. Failed: `function.shop.double_it`." in evaluation.warnings[0]


@pytest.mark.parametrize(
    ("unique_id", "status", "expected"),
    [
        ("model.p.orders", "warn", [RESOLVE, RESOLVE]),
        *(("model.p.orders", status, [NOTHING, RESOLVE]) for status in ("reused", "no-op", "built")),
        ("model.p.orders", "partial success", [RAISE, RESOLVE]),
        ("test.p.orders", "exploded", [NOTHING, RESOLVE]),
        # A kind that does not exist yet may be a test of anything.
        ("widget.p.orders", "exploded", [NOTHING, NOTHING]),
    ],
)
def test_what_a_status_of_dbt_means(tmp_path: Path, unique_id: str, status: str, expected: list[Effect]) -> None:
    assert effects(evaluated(tmp_path, dbt_results((unique_id, status), ("model.p.customers", "success")))) == expected


def test_a_model_that_was_built_earlier_is_not_built_now(tmp_path: Path) -> None:
    text = dbt_results(("model.p.orders", "reused"), ("test.p.orders", "pass"))
    assert evaluated(tmp_path, text).decisions[0].reason == "its check passed"


@pytest.mark.parametrize("row", [{"status": "error"}, {"unique_id": 5, "status": "error"}, "error", None])
def test_a_result_without_a_unique_id_may_be_of_any_node(tmp_path: Path, row: Any) -> None:
    results = json.loads(dbt_results(("model.p.orders", "success")))
    results["results"].append(row)
    evaluation = evaluated(tmp_path, json.dumps(results))
    assert effects(evaluation) == [NOTHING, NOTHING]
    assert evaluation.warnings[0].startswith("r0 has a result")


def test_results_of_dbt_without_a_schema(tmp_path: Path) -> None:
    results = json.loads(dbt_results(("test.p.orders", "fail")))
    del results["metadata"]["dbt_schema_version"]
    assert effects(evaluated(tmp_path, json.dumps(results)))[0] is RAISE


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16", "utf-16-le"])
@pytest.mark.parametrize("write", [dbt, gx, soda, junit])
def test_encodings(tmp_path: Path, write: Any, encoding: str) -> None:
    (tmp_path / "r").write_text(write("fail", 1), encoding=encoding)
    if write is junit and encoding == "utf-16-le":
        pytest.skip("XML in UTF-16 has a byte order mark")
    project = Projects([dbt_project(dbt_node("model.p.orders", database="db", schema="mart"))])
    [decision] = judge(tmp_path, "r", outputs=[output(ORDERS, "orders.*", "test.*")], projects=project).decisions
    assert decision.effect is RAISE


def test_failed_checks_of_no_output_are_named(tmp_path: Path) -> None:
    evaluation = evaluated(tmp_path, suite(case(FAIL, name="a"), case(FAIL, name="b"), case(name="c"), PASSED))
    assert (evaluation.unrelated, evaluation.unrelated_failed) == (3, ("t.a", "t.b"))
