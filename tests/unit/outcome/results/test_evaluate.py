"""What each combination of results and job status does to an output."""

import time
from collections.abc import Mapping
from fnmatch import fnmatchcase
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.incident import Cause
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.result import Effect, Evaluation, OutputDecision
from incident_gate.outcome.results.dbt import Projects
from incident_gate.outcome.results.evaluate import evaluate, matching
from incident_gate.outcome.results.model import CheckStatus, FileResults, ResultKind
from incident_gate.outcome.results.model import ReportedResult as Check
from tests.helpers.dbt import dbt_node, dbt_project
from tests.helpers.results import output

PASSED, FAILED, ERROR, SKIPPED, UNKNOWN, _ = CheckStatus
RAISE, RESOLVE, NOTHING = Effect
ALL, BUILD_AND_JOB, JOB = frozenset(Cause), frozenset({Cause.BUILD, Cause.JOB}), frozenset({Cause.JOB})


def urn(name: str) -> str:
    return f"urn:li:dataset:(urn:li:dataPlatform:duckdb,db.mart.{name},PROD)"


A, B = urn("a"), urn("b")


def project() -> Projects:
    """Model `a` has two tests, model `b` none, source `c` freshness and a test."""
    place = {"database": "db", "schema": "mart"}
    return Projects(
        [
            dbt_project(
                dbt_node("model.p.a", **place),
                dbt_node("model.p.b", **place),
                dbt_node("source.p.raw.c", name="c", freshness={"warn_after": {"count": 1}}, **place),
                dbt_node("test.p.a1", attached_node="model.p.a"),
                dbt_node("test.p.a2", attached_node="model.p.a", config={"severity": "warn"}),
                dbt_node("test.p.off", attached_node="model.p.a", config={"enabled": False}),
                dbt_node("test.p.c1", depends_on={"nodes": ["source.p.raw.c"]}),
            )
        ]
    )


def dbt(statuses: Mapping[str, CheckStatus], **values: Any) -> FileResults:
    """A file of dbt's with a verdict for each unique id."""
    results = tuple(
        Check(i, status, kind=ResultKind.BUILD if i.startswith(("model.", "seed.")) else ResultKind.CHECK)
        for i, status in statuses.items()
    )
    return FileResults(**({"path": "r.json", "format": "dbt", "results": results} | values))


def other(*checks: Check, **values: Any) -> FileResults:
    """A file of another tool."""
    return FileResults(**({"path": "r.xml", "format": "JUnit", "results": checks} | values))


def run(
    *files: FileResults, outputs: tuple[OutputEntry, ...] = (output(A),), job_failed: bool = False, known: bool = True
) -> Evaluation:
    return evaluate(outputs, files, project() if known else Projects(), job_failed=job_failed)


def decide(
    *files: FileResults, urn: str = A, patterns: tuple[str, ...] = (), job_failed: bool = False
) -> OutputDecision:
    return run(*files, outputs=(output(urn, *patterns),), job_failed=job_failed).decisions[0]


@pytest.mark.parametrize(
    ("results", "answers"),
    [
        ({"model.p.a": PASSED, "test.p.a1": PASSED, "test.p.a2": PASSED}, ALL),
        ({"model.p.a": PASSED, "test.p.a1": PASSED}, BUILD_AND_JOB),
        ({"model.p.a": PASSED}, BUILD_AND_JOB),
        ({"test.p.a1": PASSED, "test.p.a2": PASSED}, ALL),
        ({"test.p.a1": PASSED}, None),
        ({"model.p.a": PASSED, "test.p.a1": PASSED, "test.p.a2": SKIPPED}, None),
        ({"model.p.a": SKIPPED, "test.p.a1": PASSED, "test.p.a2": PASSED}, None),
        ({"model.p.a": UNKNOWN, "test.p.a1": PASSED, "test.p.a2": PASSED}, None),
        ({"model.p.a": PASSED, "test.p.a1": PASSED, "test.p.a2": UNKNOWN}, None),
        ({"model.p.b": PASSED}, None),
        ({"test.p.off": PASSED}, None),
    ],
)
def test_which_causes_a_success_answers(results: dict[str, CheckStatus], answers: frozenset[Cause] | None) -> None:
    decision = decide(dbt(results))
    assert decision.effect is (RESOLVE if answers else NOTHING)
    assert decision.answers == (answers or frozenset())
    assert decision.by_results
    assert decision.reason


def test_a_node_without_checks_succeeds_when_it_is_built() -> None:
    assert decide(dbt({"model.p.b": PASSED}), urn=B).answers == ALL


def test_a_source_needs_its_freshness_too() -> None:
    assert decide(dbt({"test.p.c1": PASSED}), urn=urn("c")).effect is NOTHING
    both = {"test.p.c1": PASSED, "source.p.raw.c": PASSED}
    assert decide(dbt(both), urn=urn("c")).answers == ALL


@pytest.mark.parametrize("job_failed", [True, False])
@pytest.mark.parametrize(
    ("results", "cause", "headline"),
    [
        ({"model.p.a": FAILED}, Cause.BUILD, "its build failed"),
        ({"model.p.a": PASSED, "test.p.a1": FAILED}, Cause.CHECKS, "1 of 1 checks failed"),
        ({"test.p.a1": ERROR, "test.p.a2": PASSED}, Cause.CHECKS, "1 of 2 checks failed"),
        ({"test.p.a1": FAILED, "test.p.a2": SKIPPED}, Cause.CHECKS, "1 of 1 checks failed"),
        ({"model.p.a": FAILED, "test.p.a1": ERROR}, Cause.CHECKS, "its build failed and 1 of 1 checks failed"),
    ],
)
def test_a_failure_raises_whatever_the_jobs_status(
    results: dict[str, CheckStatus], cause: Cause, headline: str, *, job_failed: bool
) -> None:
    decision = decide(dbt(results), job_failed=job_failed)
    assert (decision.effect, decision.cause, decision.headline) == (RAISE, cause, headline)
    assert decision.by_results


@pytest.mark.parametrize("job_failed", [True, False])
def test_what_is_not_mentioned_is_left_alone(*, job_failed: bool) -> None:
    results = {"model.p.a": PASSED, "test.p.a1": FAILED}
    a, b = run(dbt(results), outputs=(output(A), output(B)), job_failed=job_failed).decisions
    assert (a.effect, b.effect, b.by_results) == (RAISE, NOTHING, True)


@pytest.mark.parametrize(
    "file",
    [
        dbt({}),
        dbt({}, note="was written by dbt compile"),
        dbt({"model.p.a": PASSED, "test.p.a1": PASSED, "test.p.a2": PASSED}),
        dbt({"model.p.a": SKIPPED}),
    ],
)
def test_a_failure_that_nothing_explains_is_the_jobs(file: FileResults) -> None:
    evaluation = run(file, outputs=(output(A), output(B)), job_failed=True)
    assert {(d.effect, d.cause, d.by_results) for d in evaluation.decisions} == {(RAISE, Cause.JOB, False)}
    assert evaluation.warnings[-1] == (
        "2 outputs: the job's status was used instead of the result files. No result explains why the job failed."
    )


def test_a_check_without_an_output_explains_a_failure() -> None:
    evaluation = run(other(Check("tests.test_code", FAILED), Check("tests.test_more", PASSED)), job_failed=True)
    assert [d.effect for d in evaluation.decisions] == [NOTHING]
    assert (evaluation.unrelated, evaluation.unrelated_failed) == (2, ("tests.test_code",))
    assert not evaluation.warnings


UNUSABLE = FileResults(path="target/run_results.json", problem="is older than this job: another one wrote it")


def test_without_a_usable_file_the_jobs_status_decides() -> None:
    failed, succeeded = (run(UNUSABLE, job_failed=job_failed) for job_failed in (True, False))
    assert [(d.effect, d.cause, d.by_results) for d in failed.decisions] == [(RAISE, Cause.JOB, False)]
    # Nothing is known of checks or builds.
    assert [(d.effect, d.answers, d.by_results) for d in succeeded.decisions] == [(RESOLVE, JOB, False)]
    for evaluation in (failed, succeeded):
        assert evaluation.warnings[0] == "target/run_results.json is older than this job: another one wrote it."


def test_beside_an_unusable_file_the_others_speak_for_what_they_mention() -> None:
    green = {"model.p.a": PASSED, "test.p.a1": PASSED, "test.p.a2": PASSED}
    red = {"model.p.a": PASSED, "test.p.a1": FAILED}
    outputs = (output(A), output(B))

    def decisions(results: dict[str, CheckStatus], *, job_failed: bool) -> list[tuple[Effect, bool]]:
        evaluation = run(UNUSABLE, dbt(results), outputs=outputs, job_failed=job_failed)
        return [(d.effect, d.by_results) for d in evaluation.decisions]

    assert decisions(red, job_failed=True) == [(RAISE, True), (RAISE, False)]
    assert decisions(red, job_failed=False) == [(RAISE, True), (RESOLVE, False)]
    assert decisions(green, job_failed=False) == [(RESOLVE, True), (RESOLVE, False)]
    assert decisions(green, job_failed=True) == [(RAISE, False), (RAISE, False)]


def test_a_failed_job_with_an_unusable_file_resolves_nothing() -> None:
    results = {"model.p.b": PASSED, "model.p.a": FAILED}
    assert decide(UNUSABLE, dbt(results), urn=B, job_failed=True).effect is NOTHING
    assert decide(dbt(results), urn=B, job_failed=True).effect is RESOLVE


def test_a_scan_with_errors_still_reports_failures() -> None:
    scan = other(Check("a.x", FAILED), Check("b.y", UNKNOWN), problem="is of a scan with errors")
    a, b = run(scan, outputs=(output(A, "a.*"), output(B, "b.*"))).decisions
    assert (a.effect, b.effect) == (RAISE, NOTHING)


def test_checks_that_nothing_lists_are_incomplete_beside_an_unusable_file() -> None:
    file = other(Check("x", PASSED, urns=(B,)))
    assert decide(file, urn=B, patterns=("x",)).answers == ALL
    evaluation = evaluate([output(B)], [file, UNUSABLE], Projects(), job_failed=False)
    assert evaluation.decisions[0].effect is NOTHING


def test_a_file_of_another_project_is_unusable() -> None:
    strange = dbt({"model.q.a": FAILED, "test.q.a1": PASSED})
    evaluation = run(strange)
    assert [(d.effect, d.by_results) for d in evaluation.decisions] == [(RESOLVE, False)]
    assert "is of a dbt project to which no output belongs" in evaluation.warnings[0]
    # Without any manifest it is the same, unless a pattern names its checks.
    assert "manifest.json is not known" in run(dbt({"model.p.a": PASSED}), known=False).warnings[0]
    matched = evaluate([output(A, "test.q.*")], [strange], Projects(), job_failed=False)
    assert (matched.decisions[0].answers, matched.warnings) == (ALL, ())


def test_a_project_to_which_no_output_belongs_is_another_project() -> None:
    red = dbt({"model.p.a": FAILED})
    stranger = output(urn("stranger"))
    evaluation = run(red, outputs=(stranger,), job_failed=True)
    assert [(d.effect, d.cause, d.by_results) for d in evaluation.decisions] == [(RAISE, Cause.JOB, False)]
    assert "is of a dbt project to which no output belongs" in evaluation.warnings[0]
    # With one that does, the others are not mentioned.
    assert [d.effect for d in run(red, outputs=(stranger, output(A)), job_failed=True).decisions] == [NOTHING, RAISE]


def test_a_failure_that_the_manifest_does_not_know_may_be_any_outputs() -> None:
    green = {"model.p.a": PASSED, "test.p.a1": PASSED, "test.p.a2": PASSED}
    evaluation = run(dbt(green | {"test.p.new": FAILED}), outputs=(output(A), output(B)), job_failed=True)
    assert [(d.effect, d.by_results) for d in evaluation.decisions] == [(NOTHING, True), (RAISE, False)]
    assert 'has a failure that manifest.json does not know ("test.p.new")' in evaluation.warnings[0]


def test_failures_of_dbt_are_to_blame_for_what_it_skipped_and_nodes_first() -> None:
    file = dbt({"test.p.a1": FAILED, "model.p.a": FAILED, "model.p.b": SKIPPED})
    evaluation = run(file, other(Check("x", FAILED)), outputs=(output(A), output(B)), job_failed=True)
    assert evaluation.warnings == (
        "1 output was skipped, so its data is old: db.mart.b. Failed: `model.p.a`, `test.p.a1`.",
    )


def test_the_latest_result_of_each_node_counts() -> None:
    first = dbt({"model.p.a": FAILED, "test.p.a1": FAILED, "test.p.a2": PASSED}, time=1.0)
    second = dbt({"model.p.a": PASSED, "test.p.a1": PASSED}, time=2.0)
    for files in ((first, second), (second, first)):
        assert decide(*files).answers == ALL
    # Of the same time: the worse one.
    for files in ((first, dbt({"model.p.a": PASSED}, time=1.0)), (dbt({"model.p.a": PASSED}, time=1.0), first)):
        assert decide(*files).headline.startswith("its build failed")
    # A later command without tests does not answer them.
    assert decide(first, dbt({"model.p.a": PASSED}, time=2.0)).cause is Cause.CHECKS


def test_a_copy_of_a_file_counts_once() -> None:
    files = [dbt({"test.p.a1": FAILED, "test.p.a2": PASSED}, path=path, time=1.0) for path in ("a", "b")]
    assert decide(*files).headline == "1 of 2 checks failed"
    files = [other(Check("x", FAILED, urns=(B,)), path=path, time=1.0) for path in ("a", "b")]
    assert decide(*files, urn=B).headline == "1 of 1 checks failed"
    # Two unusable files are two.
    assert len(run(UNUSABLE, FileResults(path="other", problem="is empty")).warnings) == 3


def test_a_long_name_does_not_take_long() -> None:
    started = time.process_time()
    file = other(Check("a" * 100_000, FAILED), Check("ab" * 50_000 + "c", FAILED))
    assert decide(file, urn=B, patterns=("*a*a*a*a*a*a*a*a?b", "*ab*ab*ab*ab*ab*bc?")).effect is NOTHING
    assert time.process_time() - started < 2


@given(name=st.text("aAb[.", max_size=8), pattern=st.text("aAb[.*?", max_size=8))
def test_a_pattern_means_what_fnmatch_means_without_brackets(name: str, pattern: str) -> None:
    expected = fnmatchcase(name, pattern.replace("[", "[[]"))
    assert (matching([name], [pattern]) == {name}) is expected


def test_a_check_that_matches_in_two_ways_is_counted_once() -> None:
    file = other(Check("x", FAILED, urns=(A,)))
    assert decide(file, patterns=("x", "*")).headline == "1 of 1 checks failed"


@pytest.mark.parametrize(
    ("types", "incident"),
    [(("FIELD", "FIELD"), "FIELD"), (("FIELD", "VOLUME"), "OPERATIONAL"), (("FRESHNESS",), "FRESHNESS")],
)
def test_failures_of_several_kinds_have_the_general_type(types: tuple[str, ...], incident: str) -> None:
    file = other(*(Check(f"x{n}", FAILED, type=kind) for n, kind in enumerate(types)), Check("y", PASSED, type="SQL"))
    assert decide(file, urn=B, patterns=("*",)).type == incident
