"""Runs of GitLab, Jenkins and Airflow, as their variables describe them; and which system it is."""

from __future__ import annotations

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
MULTIBRANCH = JENKINS | {"JOB_NAME": "shop/pipeline/feature%2Fx", "BRANCH_NAME": "feature/x"}
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


def changed(environment: dict[str, str], **changes: str) -> Run:
    return current_run(environment | changes)


def test_gitlab_run_has_a_name_for_people() -> None:
    assert changed(GITLAB).name == "pipeline #4711"
    assert changed(GITLAB, CI_PIPELINE_NAME="Nightly").name == "Nightly #4711"


@pytest.mark.parametrize(
    ("path", "identity"),
    [
        ("", ".gitlab-ci.yml"),
        ("ci/build.yml@group/ci", "ci/build.yml@group/ci"),
        ("ci/build.yml@group/sub/ci:v1", "ci/build.yml@group/sub/ci"),
        ("build.yml@group/ci:refs/heads/a@b", "build.yml@group/ci"),
        ("https://ci.acme.com:8443/build.yml", "https://ci.acme.com:8443/build.yml"),
        ("https://ci.acme.com/build.yml?ref=v1&private_token=x", "https://ci.acme.com/build.yml"),
        ("https://gitlab.com/group/ci/-/raw/v1/build.yml", "https://gitlab.com/group/ci/-/raw/build.yml"),
        ("https://x:glpat-1@gitlab.com/group/ci/raw/v1/build.yml", "https://gitlab.com/group/ci/raw/build.yml"),
        (
            "https://raw.githubusercontent.com/acme/ci/v1/build.yml",
            "https://raw.githubusercontent.com/acme/ci/build.yml",
        ),
    ],
)
def test_version_of_a_shared_gitlab_configuration_is_no_part_of_the_workflow(path: str, identity: str) -> None:
    assert changed(GITLAB, CI_CONFIG_PATH=path).workflow_file == identity


@pytest.mark.parametrize(
    "changes",
    [
        {"CI_MERGE_REQUEST_IID": "3"},
        {"CI_EXTERNAL_PULL_REQUEST_IID": "3"},
        {"CI_PIPELINE_SOURCE": "merge_request_event"},
        {"CI_PIPELINE_SOURCE": "external_pull_request_event"},
        {"CI_COMMIT_REF_NAME": "refs/merge-requests/3/train"},
    ],
)
def test_gitlab_merge_requests_try_out_a_change(changes: dict[str, str]) -> None:
    assert changed(GITLAB, **changes).change == "a merge request"


def test_gitlab_tag_has_no_branch() -> None:
    found = changed(GITLAB, CI_COMMIT_BRANCH="", CI_COMMIT_TAG="v1")

    assert (found.branch, found.tag) == ("", "v1")


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


@pytest.mark.parametrize(
    ("job_name", "branch", "workflow"),
    [
        ("shop/pipeline/feature%2Fx", "feature/x", "shop/pipeline"),
        ("shop/pipeline/feature/x", "feature/x", "shop/pipeline"),
        ("shop/pipeline/main", "main", "shop/pipeline"),
        ("pipeline/PR-3", "PR-3", "pipeline"),
        ("shop/nightly", "main", "shop/nightly"),
        ("main", "main", "main"),
    ],
)
@pytest.mark.parametrize("proof", ["BRANCH_IS_PRIMARY", "CHANGE_ID", "TAG_NAME"])
def test_branch_is_no_part_of_the_workflow_where_a_multibranch_job_is_proven(
    job_name: str, branch: str, workflow: str, proof: str
) -> None:
    found = changed(JENKINS, JOB_NAME=job_name, BRANCH_NAME=branch, **{proof: branch})

    assert (found.workflow_file, found.has_branches) == (workflow, True)


@pytest.mark.parametrize(
    ("job_name", "parameter", "branch"),
    [
        ("etl/orders", "orders", "orders"),
        ("shop/pipeline/feature%2Fx", "feature/x", "feature/x"),
        ("main", "main", "main"),
        ("etl/orders", "main", ""),
        ("etl/orders", "etl/orders", ""),
        ("etl/orders", "", ""),
    ],
)
def test_elsewhere_the_whole_name_is_and_a_parameter_is_a_branch_only_if_the_job_is_named_after_it(
    job_name: str, parameter: str, branch: str
) -> None:
    found = changed(JENKINS, JOB_NAME=job_name, BRANCH_NAME=parameter, CHANGE_ID=" ", TAG_NAME="v1")

    assert (found.workflow_file, found.branch, found.has_branches) == (job_name, branch, bool(branch))


def test_primary_branch_of_a_multibranch_project_is_the_default_branch() -> None:
    assert changed(MULTIBRANCH).default_branch == ""
    primary = changed(MULTIBRANCH, JOB_NAME="shop/pipeline/trunk", BRANCH_NAME="trunk", BRANCH_IS_PRIMARY="true")
    assert (primary.branch, primary.default_branch, primary.has_branches) == ("trunk", "trunk", True)


@pytest.mark.parametrize(
    ("variables", "change"),
    [
        ({"ghprbPullId": "3"}, "a pull request"),
        ({"gitlabMergeRequestIid": "3"}, "a merge request"),
        ({"BITBUCKET_PULL_REQUEST_ID": "3"}, "a pull request"),
        ({"pullRequestId": "3", "sourceBranch": "x"}, "a pull request"),
        ({"GERRIT_CHANGE_NUMBER": "3", "GERRIT_EVENT_TYPE": "patchset-created"}, "for a change under review"),
        ({"GERRIT_CHANGE_NUMBER": "3"}, "for a change under review"),
        ({"GERRIT_CHANGE_NUMBER": "3", "GERRIT_EVENT_TYPE": "change-merged"}, ""),
        ({"GERRIT_CHANGE_NUMBER": "3", "GERRIT_EVENT_TYPE": "ref-updated"}, ""),
        ({"pullRequestId": "3"}, ""),
        ({"pullRequestId": "3", "sourceBranch": " "}, ""),
        ({"GERRIT_EVENT_TYPE": "patchset-created"}, ""),
        # Plugins set empty ones on pushes.
        (
            dict.fromkeys(
                ["ghprbPullId", "gitlabMergeRequestIid", "BITBUCKET_PULL_REQUEST_ID", "GERRIT_CHANGE_NUMBER"], " "
            ),
            "",
        ),
        ({"ghprbPullId": "3", "TAG_NAME": "v1"}, "a pull request"),
        # A multibranch job shows its pull requests itself.
        ({"gitlabMergeRequestIid": "3", "BRANCH_IS_PRIMARY": "true"}, ""),
        ({"CHANGE_ID": "3", "BRANCH_NAME": "PR-3"}, "a pull request"),
    ],
)
def test_jenkins_pull_request_tries_out_a_change(variables: dict[str, str], change: str) -> None:
    assert changed(JENKINS, **variables).change == change


def test_jenkins_tag_has_no_branch() -> None:
    found = changed(MULTIBRANCH, JOB_NAME="shop/pipeline/v1", BRANCH_NAME="v1", TAG_NAME="v1")

    assert (found.branch, found.tag, found.workflow_file) == ("", "v1", "shop/pipeline")


def test_everything_that_airflow_provides_is_read() -> None:
    found = changed(AIRFLOW)

    assert found == Run(
        system="Airflow",
        workflow="orders",
        workflow_file="orders",
        job="load.daily",
        run_id="scheduled__2026-01-31T06:00:00+00:00",
        attempt="2",
        actor="ana",
    )
    assert found.name == "orders run scheduled__2026-01-31T06:00:00+00:00, attempt 2"


@pytest.mark.parametrize("name", ["EXECUTION_DATE", "LOGICAL_DATE"])
def test_airflow_without_a_run_id_has_the_date_in_either_spelling(name: str) -> None:
    found = changed(AIRFLOW, AIRFLOW_CTX_DAG_RUN_ID="", **{f"AIRFLOW_CTX_{name}": "2026-01-31"})

    assert found.run_id == "2026-01-31"


@pytest.mark.parametrize(
    ("variable", "url"),
    [
        ("AIRFLOW__API__BASE_URL", "https://airflow/dags/orders/runs/scheduled__2026-01-31T06%3A00%3A00%2B00%3A00"),
        (
            "AIRFLOW__WEBSERVER__BASE_URL",
            "https://airflow/dags/orders/grid?dag_run_id=scheduled__2026-01-31T06%3A00%3A00%2B00%3A00",
        ),
    ],
)
def test_airflow_run_has_a_link_where_the_base_address_is_known(variable: str, url: str) -> None:
    assert changed(AIRFLOW, **{variable: "https://airflow/"}).url == url


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


CHANGES = [
    (GITHUB | {"GITHUB_EVENT_NAME": "pull_request"}, "a pull request"),
    (GITLAB | {"CI_MERGE_REQUEST_IID": "3"}, "a merge request"),
    (JENKINS | {"CHANGE_ID": "3"}, "a pull request"),
    (GITHUB | {"GITHUB_REF": "refs/heads/gh-readonly-queue/main/pr-3-c0ffee"}, "for a merge queue"),
]


@pytest.mark.parametrize(("environment", "change"), CHANGES)
@pytest.mark.parametrize("inner", [{}, AIRFLOW])
def test_change_in_any_system_is_a_change(environment: dict[str, str], change: str, inner: dict[str, str]) -> None:
    """`airflow dags test` in the job of a pull request: identity is Airflow's, and the run does not count."""
    found = current_run(inner | environment)

    assert found.change == change
    assert (found.system == "Airflow") is bool(inner)


def test_branch_is_that_of_the_first_system_with_branches() -> None:
    found = current_run(AIRFLOW | GITLAB | {"CI_COMMIT_BRANCH": "topic"})

    assert (found.workflow_file, found.branch, found.default_branch, found.has_branches) == (
        "orders",
        "topic",
        "main",
        True,
    )


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
