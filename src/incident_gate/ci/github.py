"""The workflow run that this is part of, as GitHub describes it in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

_PULL_REQUEST_EVENTS = {
    "pull_request",
    "pull_request_target",
    "pull_request_review",
    "pull_request_review_comment",
    "merge_group",  # the merge queue tries a pull request out once more
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One run of a job; everything is empty outside GitHub Actions."""

    repository: str = ""
    workflow: str = ""  # its name, for people
    workflow_file: str = ""  # its path in the repository, without branch or commit
    job: str = ""
    run_id: str = ""
    attempt: str = ""
    number: str = ""
    commit: str = ""
    ref: str = ""
    actor: str = ""
    event: str = ""
    url: str = ""
    is_dependabots: bool = False

    @property
    def is_pull_request(self) -> bool:
        """Whether it only tries out a change: its outcome says nothing about the data."""
        return self.event in _PULL_REQUEST_EVENTS

    @property
    def why_no_secrets(self) -> str:
        """Why GitHub hands this run no secrets, and what to do; empty if it does, as far as can be told."""
        if self.is_dependabots:
            return (
                "Dependabot's runs see none of the repository's secrets: add the token as a Dependabot secret of the "
                "same name, or skip this step for it: `if: github.actor != 'dependabot[bot]'`."
            )
        if self.event == "pull_request":
            return (
                "Pull requests from forks see none of the repository's secrets: skip this step for them: "
                "`if: ${{ !github.event.pull_request.head.repo.fork }}`."
            )
        return ""

    @property
    def name(self) -> str:
        """What a person calls this run."""
        if not self.run_id:
            return "a run outside GitHub Actions"
        attempt = f", attempt {self.attempt}" if self.attempt not in {"", "1"} else ""
        return f"{self.workflow or self.workflow_file} #{self.number or self.run_id}{attempt}"


def run_from(environment: Mapping[str, str]) -> Run:
    """Read the `GITHUB_*` variables."""

    def get(name: str) -> str:
        return environment.get(f"GITHUB_{name}", "").strip()

    repository, run_id, attempt = get("REPOSITORY"), get("RUN_ID"), get("RUN_ATTEMPT")
    url = ""
    if repository and run_id:
        url = f"{get('SERVER_URL') or 'https://github.com'}/{repository}/actions/runs/{run_id}"
        url += f"/attempts/{attempt}" if attempt else ""
    # owner/name/.github/workflows/build.yml@refs/heads/main: the branch must not be part of the job's identity, and its
    # name may hold another @.
    workflow_file = get("WORKFLOW_REF").partition("@refs/")[0].removeprefix(f"{repository}/")
    return Run(
        repository=repository,
        workflow=get("WORKFLOW"),
        workflow_file=workflow_file or get("WORKFLOW"),
        job=get("JOB"),
        run_id=run_id,
        attempt=attempt,
        number=get("RUN_NUMBER"),
        commit=get("SHA"),
        ref=get("REF_NAME"),
        actor=get("TRIGGERING_ACTOR") or get("ACTOR"),
        event=get("EVENT_NAME"),
        url=url,
        # Whoever started it again: what the run may see goes by who started it first.
        is_dependabots=get("ACTOR") == "dependabot[bot]",
    )
