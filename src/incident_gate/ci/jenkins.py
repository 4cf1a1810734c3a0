"""Jenkins: `JOB_NAME`, `BUILD_*`, and `BRANCH_*` of multibranch projects."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import unquote

from incident_gate.ci.run import Run

SYSTEM = "Jenkins"


def run_from(environment: Mapping[str, str]) -> Run | None:
    """Read Jenkins' variables; None outside Jenkins."""

    def get(name: str) -> str:
        return environment.get(name, "").strip()

    if not get("JOB_NAME") or not (get("JENKINS_URL") or get("JENKINS_HOME") or get("BUILD_NUMBER")):
        return None
    branch, tag = get("BRANCH_NAME"), get("TAG_NAME")
    workflow = _without_branch(get("JOB_NAME"), branch)
    return Run(
        system=SYSTEM,
        # Two servers may have jobs of the same name.
        repository=get("JENKINS_URL").partition("://")[2].rstrip("/"),
        workflow=workflow,
        workflow_file=workflow,
        run_id=get("BUILD_NUMBER") or get("BUILD_ID"),
        url=get("BUILD_URL") or get("RUN_DISPLAY_URL"),
        commit=get("GIT_COMMIT"),
        # A multibranch project builds tags and pull requests as branches.
        branch="" if tag else branch,
        tag=tag,
        default_branch=branch if get("BRANCH_IS_PRIMARY").lower() == "true" else "",
        has_branches=bool(branch or tag),
        actor=get("BUILD_USER_ID") or get("BUILD_USER") or get("CHANGE_AUTHOR"),
        change="a pull request" if get("CHANGE_ID") else "",
    )


def _without_branch(job_name: str, branch: str) -> str:
    """A multibranch project's name: the last part of its jobs' names is the branch, percent-encoded."""
    if branch and job_name.endswith(f"/{branch}"):
        return job_name.removesuffix(f"/{branch}")
    project, slash, last = job_name.rpartition("/")
    return project if slash and branch and unquote(last) == branch else job_name
