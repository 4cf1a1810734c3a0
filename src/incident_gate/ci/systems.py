"""Which CI system runs this job, and how GitLab, Jenkins and Airflow describe it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import quote, unquote

from incident_gate.ci import github
from incident_gate.ci.run import Run, Variables, server_address, variables

GITLAB = "GitLab CI/CD"
_MERGE_REQUEST_SOURCES = frozenset({"merge_request_event", "external_pull_request_event"})
# What Jenkins' plugins for pull requests set in jobs that are no multibranch jobs; they set empty ones on pushes.
_JENKINS_CHANGES = (
    (("ghprbPullId",), "a pull request"),
    (("gitlabMergeRequestIid",), "a merge request"),
    (("BITBUCKET_PULL_REQUEST_ID",), "a pull request"),
    (("pullRequestId", "sourceBranch"), "a pull request"),
)
# Gerrit's events for what is in the branch already.
_GERRIT_MERGED = frozenset({"change-merged", "ref-updated"})
# GitHub's merge queue pushes to branches of this name.
_MERGE_QUEUE = "gh-readonly-queue/"


def current_run(environment: Mapping[str, str]) -> Run:
    """The run as its CI system describes it; empty outside of one.

    Several systems may be detected: `airflow dags test` in the job of another one. Identity comes from the first. But a
    change in any of them is a change, and the branch is that of the first system which knows branches.
    """
    # Airflow first: its workers may run inside another system's job.
    readers = (airflow_run, github.run_from, gitlab_run, jenkins_run)
    found = [run for read in readers if (run := read(variables(environment)))]
    if not found:
        return Run()
    branched = next((run for run in found if run.has_branches), found[0])
    return found[0]._replace(
        change=next(filter(None, map(_change, found)), ""),
        why_no_secrets=next((run.why_no_secrets for run in found if run.why_no_secrets), ""),
        branch=branched.branch,
        tag=branched.tag,
        default_branch=branched.default_branch,
        has_branches=branched.has_branches,
    )


def _change(run: Run) -> str:
    return run.change or ("for a merge queue" if run.branch.startswith(_MERGE_QUEUE) else "")


def airflow_run(get: Variables) -> Run | None:
    """Read `AIRFLOW_CTX_*`, which operators hand to the processes that they start; None outside of Airflow."""
    dag = get("AIRFLOW_CTX_DAG_ID")
    if not dag:
        return None
    # Airflow 3 renamed the execution date.
    run_id = get("AIRFLOW_CTX_DAG_RUN_ID", "AIRFLOW_CTX_LOGICAL_DATE", "AIRFLOW_CTX_EXECUTION_DATE")
    return Run(
        system="Airflow",
        workflow=dag,
        workflow_file=dag,
        job=get("AIRFLOW_CTX_TASK_ID"),
        run_id=run_id,
        attempt=get("AIRFLOW_CTX_TRY_NUMBER"),
        url=_airflow_url(get, dag, run_id),
        actor=get("AIRFLOW_CTX_DAG_OWNER"),
    )


def _airflow_url(get: Variables, dag: str, run_id: str) -> str:
    dag, run_id = quote(dag, safe=""), quote(run_id, safe="")
    if base := get("AIRFLOW__API__BASE_URL").rstrip("/"):  # Airflow 3
        return f"{base}/dags/{dag}/runs/{run_id}"
    if base := get("AIRFLOW__WEBSERVER__BASE_URL").rstrip("/"):
        return f"{base}/dags/{dag}/grid?dag_run_id={run_id}"
    return ""


def gitlab_run(get: Variables) -> Run | None:
    """Read GitLab's `CI_*`; None outside of GitLab."""
    if not get("GITLAB_CI", "CI_PROJECT_PATH"):
        return None
    is_change = (
        get("CI_MERGE_REQUEST_IID", "CI_EXTERNAL_PULL_REQUEST_IID")
        or get("CI_PIPELINE_SOURCE") in _MERGE_REQUEST_SOURCES
        or get("CI_COMMIT_REF_NAME").startswith("refs/merge-requests/")
    )
    return Run(
        system=GITLAB,
        server=server_address(get("CI_SERVER_URL")),
        repository=get("CI_PROJECT_PATH"),
        workflow=get("CI_PIPELINE_NAME") or "pipeline",
        workflow_file=_without_ref(get("CI_CONFIG_PATH")) or ".gitlab-ci.yml",
        # Legs of `parallel` have their values in the job's name.
        job=get("CI_JOB_NAME"),
        run_id=get("CI_PIPELINE_ID"),
        url=get("CI_JOB_URL", "CI_PIPELINE_URL"),
        commit=get("CI_COMMIT_SHA"),
        branch=get("CI_COMMIT_BRANCH"),
        tag=get("CI_COMMIT_TAG"),
        default_branch=get("CI_DEFAULT_BRANCH"),
        has_branches=True,
        actor=get("GITLAB_USER_LOGIN", "GITLAB_USER_NAME"),
        change="a merge request" if is_change else "",
        is_ordered=True,
        is_scheduled=get("CI_PIPELINE_SOURCE") == "schedule",
        started=get("CI_JOB_STARTED_AT"),
    )


def _without_ref(config_path: str) -> str:
    """A configuration without its version: `path`, `path@group/project:ref`, or the URL of a file."""
    if "://" in config_path:
        # The query may name a ref, or hold a token, and so may the user.
        url = re.sub(r"://[^/]*@", "://", re.split(r"[?#]", config_path, maxsplit=1)[0])
        # A dash ends GitLab's project, of which a part may be called raw itself.
        dash = "/-" if "/-/" in url else ""
        places = rf"{dash}/raw|{dash}/blob|//raw\.githubusercontent\.com/[^/]+/[^/]+"
        return re.sub(rf"({places})/[^/]+/", r"\1/", url, count=1)
    path, at, project = config_path.partition("@")
    return f"{path}{at}{project.partition(':')[0]}"


def jenkins_run(get: Variables) -> Run | None:
    """Read Jenkins' `JOB_NAME`, `BUILD_*`, and `BRANCH_*` of multibranch projects; None outside of Jenkins."""
    name, branch = get("JOB_NAME"), get("BRANCH_NAME")
    # The tag that a multibranch job builds is its branch's name as well; any other is a parameter.
    tag = branch if branch == get("TAG_NAME") else ""
    if not name or not get("JENKINS_URL", "JENKINS_HOME", "BUILD_NUMBER"):
        return None
    is_multibranch = bool(get("BRANCH_IS_PRIMARY", "CHANGE_ID") or tag)
    # In any other job BRANCH_NAME may be a parameter, so there it is a branch only if the job is named after it.
    if not is_multibranch and unquote(name.rpartition("/")[2]) != branch:
        branch = ""
    workflow = _without_branch(name, branch) if is_multibranch else name
    return Run(
        system="Jenkins",
        server=server_address(get("JENKINS_URL")),
        repository=server_address(get("JENKINS_URL")),
        workflow=workflow,
        workflow_file=workflow,
        run_id=get("BUILD_NUMBER", "BUILD_ID"),
        url=get("BUILD_URL", "RUN_DISPLAY_URL"),
        commit=get("GIT_COMMIT"),
        # A multibranch project builds tags and pull requests as branches.
        branch="" if tag else branch,
        tag=tag,
        default_branch=branch if get("BRANCH_IS_PRIMARY").lower() == "true" else "",
        has_branches=bool(branch or tag),
        actor=get("BUILD_USER_ID", "BUILD_USER", "CHANGE_AUTHOR"),
        change="a pull request" if get("CHANGE_ID") else "" if is_multibranch else _plugins_change(get),
    )


def _without_branch(job_name: str, branch: str) -> str:
    """A multibranch project's name: the last part of its jobs' names is the branch, percent-encoded."""
    if branch and job_name.endswith(f"/{branch}"):
        return job_name.removesuffix(f"/{branch}")
    project, slash, last = job_name.rpartition("/")
    return project if slash and branch and unquote(last) == branch else job_name


def _plugins_change(get: Variables) -> str:
    if get("GERRIT_CHANGE_NUMBER") and get("GERRIT_EVENT_TYPE") not in _GERRIT_MERGED:
        return "for a change under review"
    return next((change for names, change in _JENKINS_CHANGES if all(map(get, names))), "")
