"""GitLab CI/CD: `CI_*`."""

from __future__ import annotations

from collections.abc import Mapping

from incident_gate.ci.run import Run

SYSTEM = "GitLab CI/CD"
_CHANGE_SOURCES = {"merge_request_event", "external_pull_request_event"}


def run_from(environment: Mapping[str, str]) -> Run | None:
    """Read GitLab's variables; None outside GitLab."""

    def get(name: str) -> str:
        return environment.get(f"CI_{name}", "").strip()

    if not (environment.get("GITLAB_CI") or get("PROJECT_PATH")):
        return None
    is_change = (
        get("MERGE_REQUEST_IID")
        or get("EXTERNAL_PULL_REQUEST_IID")
        or get("PIPELINE_SOURCE") in _CHANGE_SOURCES
        or get("COMMIT_REF_NAME").startswith("refs/merge-requests/")
    )
    return Run(
        system=SYSTEM,
        repository=get("PROJECT_PATH"),
        workflow=get("PIPELINE_NAME") or "pipeline",
        workflow_file=get("CONFIG_PATH") or ".gitlab-ci.yml",
        # Legs of `parallel` have their values in the job's name.
        job=get("JOB_NAME"),
        run_id=get("PIPELINE_ID"),
        url=get("JOB_URL") or get("PIPELINE_URL"),
        commit=get("COMMIT_SHA"),
        branch=get("COMMIT_BRANCH"),
        tag=get("COMMIT_TAG"),
        default_branch=get("DEFAULT_BRANCH"),
        has_branches=True,
        actor=environment.get("GITLAB_USER_LOGIN", "").strip() or environment.get("GITLAB_USER_NAME", "").strip(),
        change="a merge request" if is_change else "",
        is_ordered=True,
        is_scheduled=get("PIPELINE_SOURCE") == "schedule",
        started=get("JOB_STARTED_AT"),
    )
