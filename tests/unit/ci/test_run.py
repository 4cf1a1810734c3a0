"""Which runs report outcomes."""

import pytest

from incident_gate.ci.run import Run, matches, why_not_counted
from incident_gate.settings.parse import items

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


@pytest.mark.parametrize(
    ("patterns", "branch", "counts"),
    [
        ("release/*", "release/1", True),
        ("release/*", "main", False),  # the default branch is no longer implied
        ("main, release/*", "main", True),
        ("main\nrelease/*", "release/1", True),
        ("release/*", "release/1/fix", False),
        ("release/**", "release/1/fix", True),
        ("**", "a/b/c", True),
        ("*", "a/b", False),
    ],
)
def test_patterns_decide_where_they_are_set(patterns: str, branch: str, *, counts: bool) -> None:
    run = MAIN._replace(branch=branch, default_branch="")

    assert (why_not_counted(run, items(patterns, "report-branches")) == "") is counts


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
