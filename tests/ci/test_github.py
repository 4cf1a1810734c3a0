"""The workflow run, as GitHub's variables describe it."""

from __future__ import annotations

import pytest

from incident_gate.ci.github import Run, run_from

ENVIRONMENT = {
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_WORKFLOW": "Nightly",
    "GITHUB_WORKFLOW_REF": "acme/shop/.github/workflows/nightly.yml@refs/heads/a@b",
    "GITHUB_JOB": "build",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_NUMBER": "12",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SHA": "c0ffee",
    "GITHUB_REF_NAME": "main",
    "GITHUB_ACTOR": "ana",
    "GITHUB_TRIGGERING_ACTOR": "ben",
    "GITHUB_EVENT_NAME": "schedule",
    "GITHUB_SERVER_URL": "https://github.acme.com",
}


def test_everything_that_github_says_is_read() -> None:
    assert run_from(ENVIRONMENT) == Run(
        repository="acme/shop",
        workflow="Nightly",
        workflow_file=".github/workflows/nightly.yml",
        job="build",
        run_id="4711",
        attempt="2",
        number="12",
        commit="c0ffee",
        ref="main",
        actor="ben",
        event="schedule",
        url="https://github.acme.com/acme/shop/actions/runs/4711/attempts/2",
    )


def test_outside_github_everything_is_empty() -> None:
    assert run_from({}) == Run()
    assert Run().name == "a run outside GitHub Actions"
    assert not Run().is_pull_request


@pytest.mark.parametrize("branch", ["main", "feature/x", "a@b"])
def test_no_branch_is_part_of_the_workflow_file(branch: str) -> None:
    reference = f"acme/shop/.github/workflows/nightly.yml@refs/heads/{branch}"

    assert run_from({**ENVIRONMENT, "GITHUB_WORKFLOW_REF": reference}).workflow_file == ".github/workflows/nightly.yml"


def test_a_workflow_of_another_repository_is_told_apart_by_its_name() -> None:
    reference = "acme/.github/.github/workflows/required.yml@refs/heads/main"

    file = run_from({**ENVIRONMENT, "GITHUB_WORKFLOW_REF": reference}).workflow_file

    assert file == "acme/.github/.github/workflows/required.yml"


def test_an_old_runner_without_a_reference_leaves_the_name() -> None:
    assert run_from({**ENVIRONMENT, "GITHUB_WORKFLOW_REF": ""}).workflow_file == "Nightly"


@pytest.mark.parametrize(
    ("changes", "name"),
    [
        ({}, "Nightly #12, attempt 2"),
        ({"GITHUB_RUN_ATTEMPT": "1"}, "Nightly #12"),
        ({"GITHUB_RUN_ATTEMPT": "", "GITHUB_RUN_NUMBER": ""}, "Nightly #4711"),
        ({"GITHUB_WORKFLOW": "", "GITHUB_RUN_ATTEMPT": "1"}, ".github/workflows/nightly.yml #12"),
    ],
)
def test_a_run_has_a_name_for_people(changes: dict[str, str], name: str) -> None:
    assert run_from({**ENVIRONMENT, **changes}).name == name


def test_what_is_missing_is_made_up_for() -> None:
    missing = {"GITHUB_SERVER_URL": "", "GITHUB_RUN_ATTEMPT": "", "GITHUB_TRIGGERING_ACTOR": ""}

    run = run_from({**ENVIRONMENT, **missing})

    assert (run.url, run.actor) == ("https://github.com/acme/shop/actions/runs/4711", "ana")


@pytest.mark.parametrize("missing", ["GITHUB_REPOSITORY", "GITHUB_RUN_ID"])
def test_there_is_no_half_address(missing: str) -> None:
    assert run_from({**ENVIRONMENT, missing: ""}).url == ""


@pytest.mark.parametrize(
    ("event", "is_one"),
    [
        ("pull_request", True),
        ("pull_request_target", True),
        ("pull_request_review", True),
        ("pull_request_review_comment", True),
        ("push", False),
        ("schedule", False),
        ("merge_group", True),
    ],
)
def test_pull_requests_are_known_by_their_event(event: str, *, is_one: bool) -> None:
    assert run_from({"GITHUB_EVENT_NAME": event}).is_pull_request is is_one


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"GITHUB_ACTOR": "dependabot[bot]"}, "Dependabot's runs"),
        ({"GITHUB_ACTOR": "dependabot[bot]", "GITHUB_EVENT_NAME": "pull_request"}, "Dependabot's runs"),
        ({"GITHUB_EVENT_NAME": "pull_request"}, "Pull requests from forks"),
        # Runs in the context of the repository itself, with all its secrets.
        ({"GITHUB_EVENT_NAME": "pull_request_target"}, ""),
        ({"GITHUB_EVENT_NAME": "push"}, ""),
    ],
)
def test_who_gets_no_secrets_is_told_why(environment: dict[str, str], said: str) -> None:
    reason = run_from(environment).why_no_secrets

    assert reason.startswith(said)
    assert bool(reason) is bool(said)
