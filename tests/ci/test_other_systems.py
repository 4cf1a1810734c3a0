"""Runs of GitLab, Jenkins and Airflow, as their variables describe them; and which system it is."""

from __future__ import annotations

import pytest

from incident_gate.ci import airflow, gitlab, jenkins
from incident_gate.ci.detect import current_run
from incident_gate.ci.run import Run

GITLAB = {
    "GITLAB_CI": "true",
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
    assert gitlab.run_from(GITLAB) == Run(
        system="GitLab CI/CD",
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


def gitlab_run(**changes: str) -> Run:
    found = gitlab.run_from({**GITLAB, **changes})
    assert found is not None
    return found


def test_gitlab_run_has_a_name_for_people() -> None:
    assert gitlab_run().name == "pipeline #4711"
    assert gitlab_run(CI_PIPELINE_NAME="Nightly").name == "Nightly #4711"


def test_gitlab_project_without_a_path_of_its_own_has_the_usual_file() -> None:
    assert gitlab_run(CI_CONFIG_PATH="").workflow_file == ".gitlab-ci.yml"


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
    assert gitlab_run(**changes).change == "a merge request"


def test_gitlab_tag_has_no_branch() -> None:
    found = gitlab_run(CI_COMMIT_BRANCH="", CI_COMMIT_TAG="v1")

    assert (found.branch, found.tag) == ("", "v1")


def test_everything_that_jenkins_provides_is_read() -> None:
    assert jenkins.run_from(JENKINS) == Run(
        system="Jenkins",
        repository="jenkins.acme.com",
        workflow="shop/nightly",
        workflow_file="shop/nightly",
        run_id="12",
        url="https://jenkins.acme.com/job/shop/job/nightly/12/",
        commit="c0ffee",
        actor="ana",
    )


def jenkins_run(**changes: str) -> Run:
    found = jenkins.run_from({**MULTIBRANCH, **changes})
    assert found is not None
    return found


@pytest.mark.parametrize(
    ("job_name", "branch", "workflow"),
    [
        ("shop/pipeline/feature%2Fx", "feature/x", "shop/pipeline"),
        ("shop/pipeline/feature/x", "feature/x", "shop/pipeline"),
        ("shop/pipeline/main", "main", "shop/pipeline"),
        ("pipeline/PR-3", "PR-3", "pipeline"),
        # Not a branch's job, only a parameter of this name.
        ("nightly", "main", "nightly"),
        ("shop/nightly", "main", "shop/nightly"),
        ("main", "main", "main"),
    ],
)
def test_branch_is_no_part_of_a_jenkins_workflow(job_name: str, branch: str, workflow: str) -> None:
    assert jenkins_run(JOB_NAME=job_name, BRANCH_NAME=branch).workflow_file == workflow


def test_primary_branch_of_a_multibranch_project_is_the_default_branch() -> None:
    assert jenkins_run().default_branch == ""
    primary = jenkins_run(JOB_NAME="shop/pipeline/trunk", BRANCH_NAME="trunk", BRANCH_IS_PRIMARY="true")
    assert (primary.branch, primary.default_branch, primary.has_branches) == ("trunk", "trunk", True)


def test_jenkins_pull_request_tries_out_a_change() -> None:
    assert jenkins_run(CHANGE_ID="3", BRANCH_NAME="PR-3").change == "a pull request"


def test_jenkins_tag_has_no_branch() -> None:
    found = jenkins_run(JOB_NAME="shop/pipeline/v1", BRANCH_NAME="v1", TAG_NAME="v1")

    assert (found.branch, found.tag, found.workflow_file) == ("", "v1", "shop/pipeline")


def test_everything_that_airflow_provides_is_read() -> None:
    found = airflow.run_from(AIRFLOW)

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
    found = airflow.run_from({**AIRFLOW, "AIRFLOW_CTX_DAG_RUN_ID": "", f"AIRFLOW_CTX_{name}": "2026-01-31"})

    assert found is not None
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
    found = airflow.run_from({**AIRFLOW, variable: "https://airflow/"})

    assert found is not None
    assert found.url == url


@pytest.mark.parametrize(
    ("environment", "system"),
    [
        (AIRFLOW | GITHUB | GITLAB | JENKINS, "Airflow"),
        (GITHUB | GITLAB | JENKINS, "GitHub Actions"),
        (GITLAB | JENKINS, "GitLab CI/CD"),
        (JENKINS, "Jenkins"),
        ({"CI": "true", "JOB_NAME": "x", "AIRFLOW_HOME": "/a", "GITHUB_TOKEN": "x"}, ""),
        ({}, ""),
    ],
)
def test_systems_are_recognized_in_a_fixed_order(environment: dict[str, str], system: str) -> None:
    assert current_run(environment).system == system


def test_outside_a_ci_system_everything_is_empty() -> None:
    assert current_run({"PATH": "/bin", "USER": "ana"}) == Run()
    assert Run().name == "a run outside CI"
