"""Runs of GitLab, Jenkins and Airflow, as their variables describe them; and which system it is."""

from __future__ import annotations

from typing import Any

import pytest

from incident_gate.ci.run import STATUSES, Run
from incident_gate.ci.systems import current_run

GITLAB = {
    "GITLAB_CI": "true",
    "CI_SERVER_URL": "https://GitLab.com:8443/sub/",
    "CI_PROJECT_PATH": "acme/shop",
    "CI_CONFIG_PATH": "ci/nightly.yml",
    "CI_JOB_NAME": "load: [eu]",
    "CI_PIPELINE_ID": "4711",
    "CI_JOB_URL": "https://gitlab.com/acme/shop/-/jobs/99",
    "CI_COMMIT_SHA": "c0ffee",
    "CI_COMMIT_BRANCH": "main",
    "CI_COMMIT_REF_NAME": "main",
    "CI_DEFAULT_BRANCH": "main",
    "CI_PIPELINE_SOURCE": "schedule",
    "GITLAB_USER_LOGIN": "ana",
}
JENKINS = {
    "JENKINS_URL": "https://jenkins.acme.com/",
    "JOB_NAME": "shop/nightly",
    "BUILD_NUMBER": "12",
    "BUILD_URL": "https://jenkins.acme.com/job/shop/job/nightly/12/",
    "GIT_COMMIT": "c0ffee",
    "BUILD_USER_ID": "ana",
}
AIRFLOW = {
    "AIRFLOW_CTX_DAG_ID": "orders",
    "AIRFLOW_CTX_TASK_ID": "load.daily",
    "AIRFLOW_CTX_DAG_RUN_ID": "scheduled__2026-01-31T06:00:00+00:00",
    "AIRFLOW_CTX_TRY_NUMBER": "2",
    "AIRFLOW_CTX_DAG_OWNER": "ana",
}
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_WORKFLOW_REF": "a/b/.github/workflows/c.yml@refs/heads/main"}


def test_everything_that_gitlab_provides_is_read() -> None:
    assert current_run(GITLAB) == Run(
        system="GitLab CI/CD",
        server="gitlab.com:8443/sub",
        repository="acme/shop",
        workflow="pipeline",
        workflow_file="ci/nightly.yml",
        job="load: [eu]",
        run_id="4711",
        url="https://gitlab.com/acme/shop/-/jobs/99",
        commit="c0ffee",
        branch="main",
        default_branch="main",
        has_branches=True,
        actor="ana",
        is_ordered=True,
        is_scheduled=True,
    )


def test_everything_that_jenkins_provides_is_read() -> None:
    assert current_run(JENKINS) == Run(
        system="Jenkins",
        server="jenkins.acme.com",
        repository="jenkins.acme.com",
        workflow="shop/nightly",
        workflow_file="shop/nightly",
        run_id="12",
        url="https://jenkins.acme.com/job/shop/job/nightly/12/",
        commit="c0ffee",
        actor="ana",
    )


def test_everything_that_airflow_provides_is_read() -> None:
    assert current_run(AIRFLOW) == Run(
        system="Airflow",
        workflow="orders",
        workflow_file="orders",
        job="load.daily",
        run_id="scheduled__2026-01-31T06:00:00+00:00",
        attempt="2",
        actor="ana",
    )


def multibranch(name: str, branch: str, proof: str = "BRANCH_IS_PRIMARY") -> dict[str, str]:
    return {"JOB_NAME": name, "BRANCH_NAME": branch, proof: branch if proof == "TAG_NAME" else "true"}


def parameter(name: str, branch: str) -> dict[str, str]:
    """A Jenkins job that is not proven to be a multibranch one: the branch may be a parameter of its user's."""
    return {"JOB_NAME": name, "BRANCH_NAME": branch, "BRANCH_IS_PRIMARY": "", "CHANGE_ID": " ", "TAG_NAME": "v1"}


@pytest.mark.parametrize(
    ("environment", "changes", "fields"),
    [
        (GITLAB, {}, {"name": "pipeline #4711"}),
        (GITLAB, {"CI_PIPELINE_NAME": "Nightly"}, {"name": "Nightly #4711"}),
        (GITLAB, {"CI_COMMIT_BRANCH": "", "CI_COMMIT_TAG": "v1"}, {"branch": "", "tag": "v1"}),
        # The version of a shared configuration is no part of the workflow.
        *(
            (GITLAB, {"CI_CONFIG_PATH": path}, {"workflow_file": identity})
            for path, identity in (
                ("", ".gitlab-ci.yml"),
                ("ci/build.yml@group/ci", "ci/build.yml@group/ci"),
                ("ci/build.yml@group/sub/ci:v1", "ci/build.yml@group/sub/ci"),
                ("build.yml@group/ci:refs/heads/a@b", "build.yml@group/ci"),
                ("https://ci.acme.com:8443/build.yml", "https://ci.acme.com:8443/build.yml"),
                ("https://ci.acme.com/build.yml?ref=v1&private_token=x", "https://ci.acme.com/build.yml"),
                ("https://gitlab.com/group/ci/-/raw/v1/build.yml", "https://gitlab.com/group/ci/-/raw/build.yml"),
                ("https://gitlab.com/raw/ci/-/raw/v1/build.yml", "https://gitlab.com/raw/ci/-/raw/build.yml"),
                ("https://x:glpat-1@gitlab.com/group/ci/raw/v1/b.yml", "https://gitlab.com/group/ci/raw/b.yml"),
                (
                    "https://raw.githubusercontent.com/acme/ci/v1/b.yml",
                    "https://raw.githubusercontent.com/acme/ci/b.yml",
                ),
            )
        ),
        # Nor is the branch of a multibranch job.
        *(
            (JENKINS, multibranch(name, branch), {"workflow_file": workflow, "has_branches": True})
            for name, branch, workflow in (
                ("shop/pipeline/feature%2Fx", "feature/x", "shop/pipeline"),
                ("shop/pipeline/feature/x", "feature/x", "shop/pipeline"),
                ("shop/nightly", "main", "shop/nightly"),
                ("main", "main", "main"),
            )
        ),
        (
            JENKINS,
            multibranch("pipeline/PR-3", "PR-3", "CHANGE_ID"),
            {"workflow_file": "pipeline", "has_branches": True},
        ),
        (JENKINS, multibranch("a/v1", "v1", "TAG_NAME"), {"workflow_file": "a", "branch": "", "tag": "v1"}),
        (JENKINS, multibranch("a/trunk", "trunk"), {"branch": "trunk", "default_branch": "trunk"}),
        (JENKINS, multibranch("a/trunk", "trunk", "CHANGE_ID"), {"branch": "trunk", "default_branch": ""}),
        # In any other job it is a branch only if the job is named after it, and the whole name is the workflow.
        *(
            (JENKINS, parameter(name, given), {"workflow_file": name, "branch": branch, "has_branches": bool(branch)})
            for name, given, branch in (
                ("etl/orders", "orders", "orders"),
                ("shop/pipeline/feature%2Fx", "feature/x", "feature/x"),
                ("main", "main", "main"),
                ("etl/orders", "main", ""),
                ("etl/orders", "etl/orders", ""),
                ("etl/orders", "", ""),
            )
        ),
        (AIRFLOW, {}, {"name": f"orders run {AIRFLOW['AIRFLOW_CTX_DAG_RUN_ID']}, attempt 2"}),
        *(
            (
                AIRFLOW,
                {"AIRFLOW_CTX_DAG_RUN_ID": "", f"AIRFLOW_CTX_{name}_DATE": "2026-01-31"},
                {"run_id": "2026-01-31"},
            )
            for name in ("EXECUTION", "LOGICAL")
        ),
        *(
            (
                AIRFLOW,
                {variable: "https://airflow/"},
                {"url": f"https://airflow/dags/orders/{page}scheduled__2026-01-31T06%3A00%3A00%2B00%3A00"},
            )
            for variable, page in (
                ("AIRFLOW__API__BASE_URL", "runs/"),
                ("AIRFLOW__WEBSERVER__BASE_URL", "grid?dag_run_id="),
            )
        ),
    ],
)
def test_what_variables_mean(environment: dict[str, str], changes: dict[str, str], fields: dict[str, Any]) -> None:
    found = current_run(environment | changes)
    assert {name: getattr(found, name) for name in fields} == fields


@pytest.mark.parametrize(
    ("environment", "change"),
    [
        (GITLAB | {"CI_MERGE_REQUEST_IID": "3"}, "a merge request"),
        (GITLAB | {"CI_EXTERNAL_PULL_REQUEST_IID": "3"}, "a merge request"),
        (GITLAB | {"CI_PIPELINE_SOURCE": "merge_request_event"}, "a merge request"),
        (GITLAB | {"CI_PIPELINE_SOURCE": "external_pull_request_event"}, "a merge request"),
        (GITLAB | {"CI_COMMIT_REF_NAME": "refs/merge-requests/3/train"}, "a merge request"),
        (JENKINS | {"ghprbPullId": "3"}, "a pull request"),
        (JENKINS | {"gitlabMergeRequestIid": "3"}, "a merge request"),
        (JENKINS | {"BITBUCKET_PULL_REQUEST_ID": "3"}, "a pull request"),
        (JENKINS | {"pullRequestId": "3", "sourceBranch": "x"}, "a pull request"),
        (JENKINS | {"GERRIT_CHANGE_NUMBER": "3", "GERRIT_EVENT_TYPE": "patchset-created"}, "for a change under review"),
        (JENKINS | {"GERRIT_CHANGE_NUMBER": "3"}, "for a change under review"),
        (JENKINS | {"GERRIT_CHANGE_NUMBER": "3", "GERRIT_EVENT_TYPE": "change-merged"}, ""),
        (JENKINS | {"GERRIT_CHANGE_NUMBER": "3", "GERRIT_EVENT_TYPE": "ref-updated"}, ""),
        (JENKINS | {"pullRequestId": "3"}, ""),
        (JENKINS | {"GERRIT_EVENT_TYPE": "patchset-created"}, ""),
        # Plugins set empty ones on pushes.
        (JENKINS | {"pullRequestId": "3", "sourceBranch": " "}, ""),
        (JENKINS | dict.fromkeys(("ghprbPullId", "gitlabMergeRequestIid", "GERRIT_CHANGE_NUMBER"), " "), ""),
        (JENKINS | {"ghprbPullId": "3", "TAG_NAME": "v1"}, "a pull request"),
        # A multibranch job shows its pull requests itself.
        (JENKINS | {"gitlabMergeRequestIid": "3", "BRANCH_IS_PRIMARY": "true"}, ""),
        (JENKINS | {"CHANGE_ID": "3", "BRANCH_NAME": "PR-3"}, "a pull request"),
        (GITHUB | {"GITHUB_EVENT_NAME": "pull_request"}, "a pull request"),
        (GITHUB | {"GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-3-c0ffee"}, "for a merge queue"),
    ],
)
def test_which_runs_try_out_a_change(environment: dict[str, str], change: str) -> None:
    assert current_run(environment).change == change
    # `airflow dags test` in that job: identity is Airflow's, and the run does not count either.
    inner = current_run(AIRFLOW | environment)
    assert (inner.system, inner.change) == ("Airflow", change)


@pytest.mark.parametrize(
    ("environment", "system"),
    [
        (AIRFLOW | GITHUB | GITLAB | JENKINS, "Airflow"),
        (GITHUB | GITLAB | JENKINS, "GitHub Actions"),
        (GITLAB | JENKINS, "GitLab CI/CD"),
        (JENKINS, "Jenkins"),
        ({"CI": "true", "JOB_NAME": "x", "AIRFLOW_HOME": "/a", "GITHUB_TOKEN": "x"}, ""),
        ({}, ""),
        # What a runner that imitates GitHub's sets, or a step that passes on what it needs.
        ({"GITHUB_WORKFLOW": "Nightly"}, "GitHub Actions"),
    ],
)
def test_systems_are_recognized_in_a_fixed_order(environment: dict[str, str], system: str) -> None:
    assert current_run(environment).system == system


def test_outside_a_ci_system_everything_is_empty() -> None:
    assert current_run({"PATH": "/bin", "USER": "ana"}) == Run()
    assert Run().name == "a run outside CI"


def test_branch_is_that_of_the_first_system_with_branches() -> None:
    found = current_run(AIRFLOW | GITLAB | {"CI_COMMIT_BRANCH": "topic"})
    assert (found.workflow_file, found.branch, found.default_branch) == ("orders", "topic", "main")
    assert found.has_branches


@pytest.mark.parametrize(
    ("status", "words"),
    [
        ("success", "GitHub, GitLab, Jenkins, Airflow: success"),
        ("failure", "GitHub, Jenkins: failure, timed_out, unstable; GitLab, Airflow: failed"),
        ("cancelled", "GitHub: cancelled; GitLab: canceled, canceling; Jenkins: aborted"),
        ("skipped", "GitHub, GitLab, Airflow: skipped, upstream_failed, removed; Jenkins: not_built"),
    ],
)
def test_each_word_of_each_system_for_how_a_job_ended_is_known(status: str, words: str) -> None:
    named = [word.strip() for part in words.split(";") for word in part.partition(":")[2].split(",")]

    assert {word: STATUSES[word] for word in named} == dict.fromkeys(named, status)
    assert {word for word, meaning in STATUSES.items() if meaning == status} == set(named)
