"""Which runs report outcomes; key and scope; and the mark of a gate that stopped the job."""

from pathlib import Path

import pytest

from incident_gate.ci.run import (
    BLOCKED,
    JobIdentity,
    Run,
    canonical_matrix,
    is_blocked,
    mark_job_blocked,
    matches,
    why_not_counted,
)

JOB = JobIdentity(
    server="datahub:8080",
    ci_server="github.com",
    repository="acme/pipelines",
    workflow=".github/workflows/b.yml",
    job="build",
    matrix='{"region":"eu"}',
    incident_key="production",
)
ASSET = "urn:li:dataset:(urn:li:dataPlatform:snowflake,a,PROD)"
MAIN = Run(system="any", branch="main", default_branch="main", has_branches=True)


@pytest.mark.parametrize(
    "run",
    [
        MAIN,
        MAIN._replace(branch="", tag="v1"),
        MAIN._replace(branch="", tag="v1", default_branch=""),
        # No branches here: Airflow, plain Jenkins jobs, a bare command line.
        Run(),
        Run(system="Airflow"),
    ],
)
def test_default_branch_tags_and_what_has_no_branches_count(run: Run) -> None:
    assert why_not_counted(run, ()) == ""


@pytest.mark.parametrize(
    ("run", "said"),
    [
        (MAIN._replace(change="a pull request"), "This run is a pull request"),
        (MAIN._replace(change="a pull request", tag="v1"), "This run is a pull request"),
        (Run(change="a merge request"), "This run is a merge request"),
        (MAIN._replace(branch="dev"), "branch dev, which is not the default branch main"),
        (MAIN._replace(branch="dev"), "include the branch in report-branches"),
        (MAIN._replace(branch="Main"), "branch Main"),
        (MAIN._replace(branch="main", default_branch=""), "branch main, and the default branch is not known"),
        (MAIN._replace(branch=""), "This run has no branch"),
        (MAIN._replace(branch="", default_branch=""), "This run has no branch"),
    ],
)
def test_every_other_run_is_explained(run: Run, said: str) -> None:
    assert said in why_not_counted(run, ())


def test_patterns_decide_where_they_are_set() -> None:
    run = MAIN._replace(branch="release/1", default_branch="")
    assert why_not_counted(run, ("main", "release/*")) == ""
    assert "not one of the branches that report (release/*)" in why_not_counted(MAIN, ("release/*",))


def test_patterns_do_not_let_pull_requests_through_nor_hold_tags_back() -> None:
    assert why_not_counted(MAIN._replace(change="a pull request"), ("**",)) != ""
    assert why_not_counted(MAIN._replace(branch="", tag="v1"), ("none",)) == ""


@pytest.mark.parametrize(
    ("pattern", "branch", "expected"),
    [
        ("main", "main", True),
        ("refs/heads/main", "main", True),
        ("main", "mainline", False),
        ("main", "MAIN", False),
        ("release/*", "release/1", True),
        ("release/*", "release/1/fix", False),
        ("release/**", "release/1/fix", True),
        ("rel-*", "rel-", True),
        ("*/fix", "a/b/fix", False),
        ("a*c", "a/c", False),
        ("a***c", "a/b/c", True),
        ("*", "", True),
        ("*/*", "a/b/c", False),
        ("*a", "*a", True),
        # What a regular expression would try in every way.
        ("**a**a**a**a**a**a**b", "a" * 240, False),
        ("**/" * 100 + "x", "a/" * 200, False),
        # Everything else is literal.
        ("a+b", "aab", False),
        ("[ab]", "a", False),
        ("a?", "ab", False),
        ("main", "main\n", False),
    ],
)
def test_one_star_stays_below_a_slash_and_two_do_not(pattern: str, branch: str, *, expected: bool) -> None:
    assert matches(pattern, branch) is expected


# Key and scope


def test_key_is_the_same_for_ever() -> None:
    """A new way to compute it would leave every open incident without its owner."""
    assert JOB.key_of(ASSET) == "45cd79fe4714f9ee36deb120a0cccbd5"
    assert JobIdentity(server="s").key_of(ASSET) == "0c259318231f1ba41c00230a125664b7"


def test_case_of_the_repository_does_not_matter_and_that_of_the_rest_does() -> None:
    assert JOB._replace(repository="Acme/Pipelines").key_of(ASSET) == JOB.key_of(ASSET)
    for part in ("workflow", "job", "matrix", "incident_key"):
        assert JOB._replace(**{part: getattr(JOB, part).upper()}).key_of(ASSET) != JOB.key_of(ASSET)


def test_scope_is_the_key_without_job_and_matrix_leg() -> None:
    assert JOB.scope_of(ASSET) == "e2b71ae039cd8614ff99ec0de19d411a"
    for part in ("job", "matrix"):
        assert JOB._replace(**{part: "x"}).scope_of(ASSET) == JOB.scope_of(ASSET)


def test_without_workflow_and_incident_key_nothing_is_known() -> None:
    assert not JobIdentity(server="s", repository="acme/shop", job="build").is_known
    assert JobIdentity(server="s", workflow="w").is_known
    assert JobIdentity(server="s", incident_key="k").is_known


@pytest.mark.parametrize("text", ["", "  ", "null", "{}", " null\n", "[]"])
def test_no_matrix_is_empty_however_it_is_printed(text: str) -> None:
    assert canonical_matrix(text) == ""


def test_layout_and_order_of_a_matrix_leg_do_not_matter() -> None:
    pretty = '{\n  "python": "3.11",\n  "os": "linux"\n}'
    assert canonical_matrix(pretty) == canonical_matrix('{"os":"linux","python":"3.11"}')
    assert canonical_matrix(pretty) == '{"os":"linux","python":"3.11"}'


def test_values_and_types_of_a_matrix_leg_matter() -> None:
    legs = ['{"a": 1}', '{"a": "1"}', '{"a": 2}', '{"b": 1}', '{"a": [1]}', '{"a": {"b": 1}}', '{"a": true}']
    assert len({canonical_matrix(leg) for leg in legs}) == len(legs)


def test_what_is_no_json_is_taken_as_it_stands() -> None:
    assert canonical_matrix(" eu-west ") == "eu-west"
    deep = "[" * 100_000
    assert canonical_matrix(deep) == deep


# A gate that stopped the job


@pytest.mark.parametrize("before", ["", "OTHER=1\n", "OTHER=1"])
def test_that_a_gate_stopped_the_job_is_left_once_in_the_runners_file(tmp_path: Path, before: str) -> None:
    path = tmp_path / "env"
    path.write_text(before, encoding="utf-8")

    assert mark_job_blocked({"GITHUB_ENV": str(path)}) == ""
    assert mark_job_blocked({"GITHUB_ENV": str(path), BLOCKED: "true"}) == ""

    assert path.read_text(encoding="utf-8").splitlines() == [*before.splitlines(), f"{BLOCKED}=true"]


@pytest.mark.parametrize(("value", "blocks"), [("true", True), ("True ", True), ("false", False), ("", False)])
def test_job_is_blocked_where_the_mark_is_true(value: str, *, blocks: bool) -> None:
    assert is_blocked({BLOCKED: value}) is blocks
    assert not is_blocked({})


def test_mark_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    assert mark_job_blocked({}) == ""
    assert mark_job_blocked({"GITHUB_ENV": str(tmp_path)}).startswith(
        "Later steps will not know that the gate stopped this job: "
    )
