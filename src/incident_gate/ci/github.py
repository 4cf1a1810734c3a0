"""GitHub Actions: `GITHUB_*` and the event file."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from incident_gate.ci.run import Run, Variables, server_address, variables
from incident_gate.files import FileError, read_regular
from incident_gate.json_values import at, mapping, text, whole

SYSTEM = "GitHub Actions"
_LONGEST_EVENT = 64 << 20  # GitHub caps them at 25 MB


def run_from(get: Variables) -> Run | None:
    """Read GitHub's variables; None outside GitHub Actions."""
    if not get("GITHUB_ACTIONS", "GITHUB_RUN_ID", "GITHUB_WORKFLOW_REF", "GITHUB_WORKFLOW", "GITHUB_EVENT_NAME"):
        return None
    repository, run_id, attempt = get("GITHUB_REPOSITORY"), get("GITHUB_RUN_ID"), get("GITHUB_RUN_ATTEMPT")
    server, url = get("GITHUB_SERVER_URL").rstrip("/") or "https://github.com", ""
    if repository and run_id:
        url = f"{server}/{repository}/actions/runs/{run_id}"
        url += f"/attempts/{attempt}" if attempt else ""
    event_name = get("GITHUB_EVENT_NAME")
    event = _event(get("GITHUB_EVENT_PATH"))
    ref = get("GITHUB_REF") or f"refs/{'tags' if get('GITHUB_REF_TYPE') == 'tag' else 'heads'}/{get('GITHUB_REF_NAME')}"
    branch = ref.removeprefix("refs/heads/") if ref.startswith("refs/heads/") else ""
    default_branch = text(event, "repository", "default_branch")
    if event_name == "schedule" and not ref.startswith(("refs/pull/", "refs/tags/")):
        # Schedules run on the default branch only, and their event does not name it.
        default_branch = branch = branch or default_branch or "the default branch"
    if event_name == "workflow_run":
        branch = text(event, "workflow_run", "head_branch") or branch
    return Run(
        system=SYSTEM,
        server=server_address(server),
        repository=repository,
        workflow=get("GITHUB_WORKFLOW"),
        workflow_file=_workflow_file(get("GITHUB_WORKFLOW_REF"), repository) or get("GITHUB_WORKFLOW"),
        job=get("GITHUB_JOB"),
        run_id=run_id,
        attempt=attempt,
        number=get("GITHUB_RUN_NUMBER"),
        url=url,
        commit=get("GITHUB_SHA"),
        branch=branch,
        tag=ref.removeprefix("refs/tags/") if ref.startswith("refs/tags/") else "",
        default_branch=default_branch,
        has_branches=True,
        actor=get("GITHUB_TRIGGERING_ACTOR", "GITHUB_ACTOR"),
        change=_change(event_name, ref, event, repository),
        is_ordered=True,
        # A re-run sees the secrets that the first run saw, so its actor counts.
        why_no_secrets=_why_no_secrets(event_name, get("GITHUB_ACTOR")),
        is_scheduled=event_name == "schedule",
    )


class PullRequest(NamedTuple):
    """The pull request that a run is for, and the addresses of GitHub's two APIs; `number` is 0 for none."""

    api: str = ""
    number: int = 0
    graphql: str = ""


NO_PULL_REQUEST = PullRequest()


def pull_request_of(environment: Mapping[str, str]) -> PullRequest:
    """The pull request that this run is for, by its event or its ref."""
    get = variables(environment)
    event = _event(get("GITHUB_EVENT_PATH"))
    number = whole(event, "pull_request", "number") or 0
    if not number and at(event, "issue", "pull_request"):
        number = whole(event, "issue", "number") or 0
    if not number and (ref := re.fullmatch(r"refs/pull/(\d{1,9})/\w+", get("GITHUB_REF"))):
        number = int(ref[1])
    api = get("GITHUB_API_URL").rstrip("/") or "https://api.github.com"
    # On GitHub Enterprise Server, /api/graphql is beside /api/v3.
    graphql = get("GITHUB_GRAPHQL_URL") or f"{api.removesuffix('/v3')}/graphql"
    has_one = number > 0 and get("GITHUB_REPOSITORY")
    return PullRequest(api, number, graphql) if has_one else NO_PULL_REQUEST


def _workflow_file(reference: str, repository: str) -> str:
    """The path in `owner/name/.github/workflows/build.yml@refs/heads/main`; branch names may contain another @."""
    path = reference.partition("@refs/")[0]
    prefix = f"{repository}/"
    # Names of repositories ignore case.
    return path[len(prefix) :] if path.lower().startswith(prefix.lower()) else path


def _event(path: str) -> Mapping[str, Any]:
    try:
        event = json.loads(read_regular(Path(path), max_bytes=_LONGEST_EVENT)) if path else {}
    except (FileError, ValueError, RecursionError):
        return {}
    return event if isinstance(event, dict) else {}


def _is_change(event_name: str) -> bool:
    return event_name.startswith("pull_request") or event_name == "merge_group"


def _change(event_name: str, ref: str, event: Mapping[str, Any], repository: str) -> str:
    """What this run tries out, if it is no run on the data of a branch."""
    if _is_change(event_name) or ref.startswith("refs/pull/"):
        return "a pull request"
    if event_name == "issue_comment":
        issue = mapping(event, "issue")
        if not issue or issue.get("pull_request"):
            return "for a comment on a pull request"
    if event_name == "workflow_run":
        return _workflow_runs_change(
            mapping(event, "workflow_run"), text(event, "repository", "full_name") or repository
        )
    return ""


def _workflow_runs_change(triggered_by: Mapping[str, Any], repository: str) -> str:
    if not triggered_by:
        return "for another workflow run, which the event file does not describe"
    if _is_change(text(triggered_by, "event")):
        return "for a workflow run of a pull request"
    # Null where a fork was deleted meanwhile.
    if "head_repository" in triggered_by:
        head = text(triggered_by, "head_repository", "full_name")
        if head.lower() != repository.lower():
            return "for a workflow run of another repository"
    return ""


def _why_no_secrets(event_name: str, actor: str) -> str:
    if actor == "dependabot[bot]":
        return (
            "Dependabot's runs see none of the repository's secrets: add the token as a Dependabot secret of the "
            "same name, or skip this step for it: `if: github.actor != 'dependabot[bot]'`."
        )
    if event_name == "pull_request":
        return (
            "Pull requests from forks see none of the repository's secrets: skip this step for them: "
            "`if: ${{ !github.event.pull_request.head.repo.fork }}`."
        )
    return ""
