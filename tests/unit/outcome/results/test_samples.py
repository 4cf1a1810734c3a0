"""Real files of every tool, with the answers that are right for them, node by node."""

import json
from typing import Any

import pytest

from incident_gate.incident import Cause
from incident_gate.outcome.result import Effect, Evaluation, OutputDecision
from incident_gate.outcome.results.model import ResultKind
from tests.helpers.results import FIXTURES, judge, output, shop

ALL, BUILD_AND_JOB = frozenset(Cause), frozenset({Cause.BUILD, Cause.JOB})
ORDERS = "urn:li:dataset:(urn:li:dataPlatform:duckdb,shop.mart.orders_v2,PROD)"
CUSTOMERS = "urn:li:dataset:(urn:li:dataPlatform:duckdb,shop.mart.dim_customers,PROD)"


def _answers() -> list[Any]:
    return [
        pytest.param(version, command, answers["outputs"], id=f"{version}-{command}")
        for version in ("1.5", "1.7", "1.9", "1.12")
        for command, answers in json.loads(
            (FIXTURES / "dbt" / f"shop-{version}" / "answers-outcomes.json").read_text(encoding="utf-8")
        ).items()
    ]


def _word(outcome: OutputDecision) -> str:
    """The outcome in the words of the answers."""
    if outcome.effect is Effect.RAISE:
        return "failed"
    if outcome.effect is Effect.NOTHING:
        return "not mentioned"
    if outcome.answers == BUILD_AND_JOB:
        return "succeeded" if "of its checks passed" in outcome.reason else "built only"
    assert outcome.answers == ALL
    return "succeeded" if "it was built" in outcome.reason else "checked only"


def _failed_checks(outcome: OutputDecision) -> list[str]:
    """The names as the answers have them: without kind and package."""
    return sorted(check.name.split(".", 2)[2] for check in outcome.failed if check.kind is not ResultKind.BUILD)


def test_there_are_answers_for_every_file() -> None:
    assert len(_answers()) == 25


def _explained(answers: dict[str, Any]) -> bool:
    return any(answer["outcome"] == "failed" for answer in answers.values())


@pytest.mark.parametrize(
    ("version", "command", "answers", "job_failed"),
    [
        pytest.param(*p.values, failed, id=f"{p.id}-{failed}")
        for p in _answers()
        for failed in (False, True)
        if not failed or _explained(p.values[2])
    ],
)
def test_the_outcome_of_each_node_is_the_right_answer(
    version: str, command: str, answers: dict[str, Any], job_failed: Any
) -> None:
    folder, urns, projects = shop(version)
    evaluation = judge(
        folder,
        f"{command}.run_results.json",
        outputs=[output(urns[unique_id]) for unique_id in answers],
        projects=projects,
        job_failed=job_failed,
    )
    for (unique_id, answer), outcome in zip(answers.items(), evaluation.decisions, strict=True):
        assert outcome.by_results, unique_id
        assert _word(outcome) == answer["outcome"], unique_id
        assert _failed_checks(outcome) == sorted(answer.get("failed_checks", [])), unique_id
        if answer.get("failed_checks"):
            assert outcome.headline.endswith(answer["checks"].partition(",")[0]), unique_id
            assert outcome.cause is Cause.CHECKS
        elif answer["outcome"] == "failed":
            assert (outcome.headline, outcome.cause) == ("its build failed", Cause.BUILD)


def test_of_three_commands_the_latest_result_of_each_node_counts() -> None:
    folder, urns, projects = shop("1.12")
    nodes = ["payments", "orders", "stg_customers", "customers.v2", "mixed"]
    ids = [*(f"model.shop.{node}" for node in nodes), "seed.shop.regions", "snapshot.shop.orders_snapshot"]
    evaluation = judge(folder, "then-*", outputs=[output(urns[i]) for i in ids], projects=projects, job_failed=True)
    assert [(_word(o), o.headline) for o in evaluation.decisions] == [
        ("failed", "its build failed and 1 of 1 checks failed"),
        ("failed", "4 of 7 checks failed"),
        ("succeeded", ""),
        ("succeeded", ""),
        ("succeeded", ""),
        ("failed", "1 of 2 checks failed"),
        ("failed", "1 of 1 checks failed"),
    ]
    assert [o.answers for o in evaluation.decisions[2:5]] == [ALL] * 3


@pytest.mark.parametrize(
    ("version", "expected"),
    [
        ("1.5", {"raw.orders": "fail", "raw.events": "pass", "raw.customers": "pass", "raw.returns": "error"}),
        ("1.7", {"raw.orders": "fail", "raw.events": "pass", "raw.customers": "pass", "raw.returns": "error"}),
        ("1.9", {"raw.orders": "fail", "raw.events": "pass", "raw.customers": "pass", "raw.returns": "none"}),
        ("1.12", {"raw.orders": "fail", "raw.events": "pass", "raw.customers": "pass", "raw.returns": "none"}),
    ],
)
def test_freshness_is_a_check_of_its_source(version: str, expected: dict[str, str]) -> None:
    folder, urns, projects = shop(version)
    evaluation = judge(
        folder,
        "source-freshness.sources.json",
        outputs=[output(urns[f"source.shop.{name}"]) for name in expected],
        projects=projects,
    )
    outcomes = dict(zip(expected, evaluation.decisions, strict=True))
    for name, word in expected.items():
        outcome = outcomes[name]
        assert outcome.effect is {"pass": Effect.RESOLVE, "none": Effect.NOTHING}.get(word, Effect.RAISE), name
        if outcome.effect is Effect.RAISE:
            assert (outcome.headline, outcome.type) == ("1 of 1 checks failed", "FRESHNESS")
    # Only of what has no other checks.
    assert outcomes["raw.events"].answers == ALL


def _single(file: str, *outputs: tuple[str, str]) -> Evaluation:
    return judge(FIXTURES / "results", file, outputs=[output(urn, pattern) for urn, pattern in outputs])


@pytest.mark.parametrize(
    ("file", "asset", "headline", "incident"),
    [
        ("gx-1.24/validation.json", "orders", "7 of 8", "OPERATIONAL"),
        ("gx-1.24/validation-boolean-only.json", "orders", "7 of 8", "OPERATIONAL"),
        ("gx-1.24/checkpoint.json", "orders", "7 of 8", "OPERATIONAL"),
        ("gx-1.24/checkpoint-describe.json", "warehouse-orders", "7 of 8", "OPERATIONAL"),
        ("gx-0.18/validation-orders.json", "orders", "4 of 5", "OPERATIONAL"),
        ("gx-0.18/checkpoint-two-assets.json", "orders", "5 of 6", "OPERATIONAL"),
        ("soda-3.5/scan.json", "orders", "5 of 7", "OPERATIONAL"),
        ("soda-3.5/scan.json", "events", "1 of 1", "FRESHNESS"),
    ],
)
def test_checks_of_an_asset_that_patterns_name(file: str, asset: str, headline: str, incident: str) -> None:
    (outcome,) = _single(file, (ORDERS, f"{asset}.*")).decisions
    assert (outcome.headline, outcome.type) == (f"{headline} checks failed", incident)
    assert outcome.cause is Cause.CHECKS


@pytest.mark.parametrize("file", ["gx-0.18/checkpoint-two-assets.json", "soda-3.5/scan.json"])
def test_an_asset_succeeds_although_the_whole_failed(file: str) -> None:
    orders, customers = _single(file, (ORDERS, "orders.*"), (CUSTOMERS, "customers.*")).decisions
    assert orders.effect is Effect.RAISE
    assert (customers.effect, customers.answers) == (Effect.RESOLVE, ALL)


@pytest.mark.parametrize("file", ["junit/pytest-orders.xml", "junit/pytest-orders-xunit1.xml"])
def test_cases_find_their_output_by_a_property(file: str) -> None:
    evaluation = judge(FIXTURES / "results", file, outputs=[output(ORDERS), output(CUSTOMERS)])
    orders, customers = evaluation.decisions
    assert orders.headline == "4 of 7 checks failed"
    assert [check.name for check in orders.failed if check.kind is not ResultKind.BUILD] == [
        "test_orders.test_amounts_are_positive",
        "test_orders.test_freshness",
        "test_orders.test_not_null[status]",
        "test_orders.test_passes_then_teardown_fails",
    ]
    assert (customers.effect, customers.reason) == (Effect.RESOLVE, "its check passed")
    assert (evaluation.unrelated, evaluation.unrelated_failed) == (1, ())


def test_a_property_of_a_suite_holds_for_its_cases() -> None:
    (outcome,) = judge(
        FIXTURES / "results", "junit/surefire-shape.xml", outputs=[output(ORDERS)], job_start=0
    ).decisions
    assert outcome.headline == "2 of 4 checks failed"
    assert [check.name.rpartition(".")[2] for check in outcome.failed if check.kind is not ResultKind.BUILD] == [
        "isFresh",
        "keysAreUnique",
    ]


def test_suites_that_broke_are_failures_and_1970_is_no_time() -> None:
    (outcome,) = _single("junit/jest-suite-errors.xml", (ORDERS, "*")).decisions
    # Of seven cases one was skipped.
    assert outcome.headline == "3 of 6 checks failed"


def test_a_file_without_cases_reports_nothing() -> None:
    evaluation = _single("junit/pytest-no-tests.xml", (ORDERS, "*"))
    assert evaluation.decisions[0].effect is Effect.NOTHING
    assert evaluation.warnings == ("junit/pytest-no-tests.xml has no results.",)


def test_dbts_own_file_decides_before_junit_that_was_made_from_it() -> None:
    folder, urns, projects = shop("1.12")
    patterns = ("dbt/shop-1.12/build.run_results.json", "results/junit/dbt-to-junit.xml")
    warned = output(urns["model.shop.stg_customers"], "test.shop.not_null_stg_customers_name*")
    for order in (patterns, patterns[::-1]):
        (outcome,) = judge(FIXTURES, *order, outputs=[warned], projects=projects).decisions
        assert outcome.effect is Effect.RESOLVE
    (converted,) = judge(FIXTURES, patterns[1], outputs=[warned], projects=projects).decisions
    assert converted.effect is Effect.RAISE
    assert folder.is_dir()
