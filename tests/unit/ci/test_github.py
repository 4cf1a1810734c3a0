"""The workflow run, as GitHub's variables and event file describe it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from incident_gate.ci.github import pull_request_of, run_from
from incident_gate.ci.run import Run, variables

ENVIRONMENT = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_WORKFLOW": "Nightly",
    "GITHUB_WORKFLOW_REF": "acme/shop/.github/workflows/nightly.yml@refs/heads/a@b",
    "GITHUB_JOB": "build",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_NUMBER": "12",
    "GITHUB_RUN_ATTEMPT": "2",
    "GITHUB_SHA": "c0ffee",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_REF_TYPE": "branch",
    "GITHUB_ACTOR": "ana",
    "GITHUB_TRIGGERING_ACTOR": "ben",
    "GITHUB_EVENT_NAME": "schedule",
    "GITHUB_SERVER_URL": "https://github.acme.com",
}


def run(**changes: str) -> Run:
    """The run, with other values for some of GitHub's variables."""
    found = run_from(variables(ENVIRONMENT | {f"GITHUB_{name}": value for name, value in changes.items()}))
    assert found is not None
    return found


def run_for(folder: Path, event_name: str, event: dict[str, Any], **changes: str) -> Run:
    """The run for an event, with its file as the runner writes it."""
    path = folder / "event.json"
    repository = {"full_name": "acme/shop", "default_branch": "main"}
    path.write_text(json.dumps({"repository": repository, **event}), encoding="utf-8")
    return run(EVENT_NAME=event_name, EVENT_PATH=str(path), **changes)


def test_everything_that_github_provides_is_read() -> None:
    assert run() == Run(
        system="GitHub Actions",
        server="github.acme.com",
        repository="acme/shop",
        workflow="Nightly",
        workflow_file=".github/workflows/nightly.yml",
        job="build",
        run_id="4711",
        attempt="2",
        number="12",
        url="https://github.acme.com/acme/shop/actions/runs/4711/attempts/2",
        commit="c0ffee",
        branch="main",
        default_branch="main",
        has_branches=True,
        actor="ben",
        is_ordered=True,
        is_scheduled=True,
    )


def test_outside_github_there_is_no_run() -> None:
    # Set by other tools as well.
    assert run_from(variables({"GITHUB_TOKEN": "x", "GITHUB_REPOSITORY": "acme/shop"})) is None


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        # The workflow file is without branch and repository.
        *(
            ({"WORKFLOW_REF": reference}, {"workflow_file": file})
            for reference, file in (
                ("acme/shop/.github/workflows/nightly.yml@refs/heads/main", ".github/workflows/nightly.yml"),
                ("Acme/Shop/.github/workflows/nightly.yml@refs/heads/a@b", ".github/workflows/nightly.yml"),
                ("acme/.github/.github/workflows/all.yml@refs/heads/main", "acme/.github/.github/workflows/all.yml"),
                ("", "Nightly"),
            )
        ),
        ({}, {"name": "Nightly #12, attempt 2"}),
        ({"RUN_ATTEMPT": "1"}, {"name": "Nightly #12"}),
        ({"RUN_ATTEMPT": "", "RUN_NUMBER": ""}, {"name": "Nightly #4711"}),
        ({"WORKFLOW": "", "RUN_ATTEMPT": "1"}, {"name": ".github/workflows/nightly.yml #12"}),
        ({"TRIGGERING_ACTOR": ""}, {"actor": "ana"}),
        ({"SERVER_URL": "", "RUN_ATTEMPT": ""}, {"url": "https://github.com/acme/shop/actions/runs/4711"}),
        ({"REPOSITORY": ""}, {"url": ""}),
        ({"RUN_ID": ""}, {"url": ""}),
        ({"REF": "refs/heads/feature/x"}, {"branch": "feature/x", "tag": ""}),
        ({"REF": "refs/tags/v1"}, {"branch": "", "tag": "v1"}),
        ({"REF": "refs/pull/3/merge"}, {"branch": "", "tag": ""}),
        ({"REF": "", "REF_NAME": "dev"}, {"branch": "dev", "tag": ""}),
        ({"REF": "", "REF_NAME": "v1", "REF_TYPE": "tag"}, {"branch": "", "tag": "v1"}),
        ({"REF": "", "REF_NAME": "", "EVENT_NAME": "deployment"}, {"branch": "", "tag": ""}),
        # A schedule counts although nothing names its branch.
        ({"REF": "", "REF_NAME": ""}, {"branch": "the default branch", "default_branch": "the default branch"}),
        *(({"EVENT_NAME": event}, {"change": ""}) for event in ("push", "schedule", "workflow_dispatch", "release")),
        *(
            ({"EVENT_NAME": event}, {"change": "a pull request"})
            for event in ("pull_request", "pull_request_target", "pull_request_review", "merge_group")
        ),
        ({"EVENT_NAME": "push", "REF": "refs/pull/3/merge"}, {"change": "a pull request"}),
    ],
)
def test_what_variables_mean(changes: dict[str, str], fields: dict[str, Any]) -> None:
    found = run(**changes)
    assert {name: getattr(found, name) for name in fields} == fields


def test_default_branch_is_that_of_the_event_file(tmp_path: Path) -> None:
    event = {"repository": {"default_branch": "trunk"}}

    assert run_for(tmp_path, "push", event).default_branch == "trunk"


def test_schedule_runs_on_the_default_branch_which_its_event_does_not_name(tmp_path: Path) -> None:
    assert run_for(tmp_path, "schedule", {"repository": {}}, REF="refs/heads/trunk").default_branch == "trunk"


@pytest.mark.parametrize("content", [None, b"", b"[]", b"{", b'{"repository": []}', b"[" * 100_000, b"\xff"])
def test_default_branch_is_unknown_without_a_usable_event_file(content: bytes | None, tmp_path: Path) -> None:
    path = tmp_path / "event.json"
    if content is not None:
        path.write_bytes(content)

    assert run(EVENT_NAME="push", EVENT_PATH=str(path)).default_branch == ""
    assert run(EVENT_NAME="push", EVENT_PATH="").default_branch == ""


@pytest.mark.parametrize(
    ("event", "is_one"),
    [
        ({"issue": {"number": 3, "pull_request": {"url": "x"}}}, True),
        ({"issue": {"number": 3}}, False),
        ({"issue": {"number": 3, "pull_request": None}}, False),
        ({}, True),  # not known
    ],
)
def test_comment_counts_by_what_it_is_on(event: dict[str, Any], *, is_one: bool, tmp_path: Path) -> None:
    assert bool(run_for(tmp_path, "issue_comment", event).change) is is_one


@pytest.mark.parametrize(
    ("triggered_by", "change"),
    [
        ({"event": "push", "head_branch": "main", "head_repository": {"full_name": "acme/shop"}}, ""),
        ({"event": "schedule", "head_branch": "main", "head_repository": {"full_name": "Acme/Shop"}}, ""),
        ({"event": "pull_request", "head_branch": "main", "head_repository": {"full_name": "acme/shop"}}, "pull"),
        ({"event": "pull_request_target", "head_repository": {"full_name": "acme/shop"}}, "pull request"),
        ({"event": "merge_group", "head_repository": {"full_name": "acme/shop"}}, "pull request"),
        ({"event": "push", "head_branch": "main", "head_repository": {"full_name": "eve/shop"}}, "another repository"),
        ({"event": "push", "head_branch": "main", "head_repository": None}, "another repository"),
        (None, "the event file does not describe"),
    ],
)
def test_workflow_run_counts_by_what_started_the_other_one(
    triggered_by: dict[str, Any] | None, change: str, tmp_path: Path
) -> None:
    found = run_for(tmp_path, "workflow_run", {"workflow_run": triggered_by}).change

    assert change in found
    assert bool(found) is bool(change)


def test_workflow_run_has_the_branch_of_the_run_that_started_it(tmp_path: Path) -> None:
    other = {"event": "push", "head_branch": "feature/x", "head_repository": {"full_name": "acme/shop"}}

    assert run_for(tmp_path, "workflow_run", {"workflow_run": other}).branch == "feature/x"
    assert run_for(tmp_path, "workflow_run", {"workflow_run": {**other, "head_branch": None}}).branch == "main"


@pytest.mark.parametrize(
    ("changes", "start"),
    [
        ({"ACTOR": "dependabot[bot]"}, "Dependabot's runs"),
        ({"ACTOR": "dependabot[bot]", "EVENT_NAME": "pull_request"}, "Dependabot's runs"),
        ({"EVENT_NAME": "pull_request"}, "Pull requests from forks"),
        # Runs in the context of the repository itself, with all its secrets.
        ({"EVENT_NAME": "pull_request_target"}, ""),
        ({"EVENT_NAME": "push"}, ""),
    ],
)
def test_run_without_secrets_explains_why(changes: dict[str, str], start: str) -> None:
    reason = run(**changes).why_no_secrets

    assert reason.startswith(start)
    assert bool(reason) is bool(start)


@pytest.mark.parametrize(
    ("event", "ref", "number"),
    [
        ({"number": 3, "pull_request": {"number": 3}}, "refs/pull/3/merge", 3),
        ({"issue": {"number": 4, "pull_request": {}}}, "refs/heads/main", 0),
        ({"issue": {"number": 4, "pull_request": {"url": "x"}}}, "refs/heads/main", 4),
        ({"issue": {"number": 4}}, "refs/heads/main", 0),
        ({}, "refs/pull/5/merge", 5),
        ({"pull_request": {"number": "6"}}, "refs/heads/main", 0),
        ({"pull_request": {"number": True}}, "refs/heads/main", 0),
        ({}, "refs/heads/main", 0),
    ],
)
def test_pull_request_is_known_by_event_or_ref(tmp_path: Path, event: object, ref: str, number: int) -> None:
    file = tmp_path / "event.json"
    file.write_text(json.dumps(event), encoding="utf-8")
    environment = {"GITHUB_EVENT_PATH": str(file), "GITHUB_REF": ref, "GITHUB_REPOSITORY": "acme/shop"}

    assert pull_request_of(environment).number == number


def test_enterprise_servers_have_an_api_of_their_own() -> None:
    environment = {"GITHUB_REF": "refs/pull/5/merge", "GITHUB_REPOSITORY": "acme/shop"}

    assert pull_request_of(environment).api == "https://api.github.com"
    own = pull_request_of(environment | {"GITHUB_API_URL": "https://github.example.com/api/v3/"})
    assert own.api == "https://github.example.com/api/v3"
