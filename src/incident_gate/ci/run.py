"""One run of a job, whichever CI system runs it, and how the job ended."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple


class Run(NamedTuple):
    """A run as the CI system describes it; everything is empty outside of one.

    `server` is the CI server's address, without its scheme. `workflow_file` identifies the workflow in its repository
    and `workflow` is its name for people. `change` is what this run tries out, if it tries out a change instead of
    producing data ("a pull request"). `has_branches` is False where the system knows no branches; `default_branch` is
    empty where it is not known. `is_ordered` means that ids of runs grow and survive re-runs. `why_no_secrets` explains
    why the run has no secrets, if it has none. `is_scheduled` means that nobody started it. `started` is when the job
    started, in ISO 8601.
    """

    system: str = ""
    server: str = ""
    repository: str = ""
    workflow: str = ""
    workflow_file: str = ""
    job: str = ""
    run_id: str = ""
    attempt: str = ""
    number: str = ""
    url: str = ""
    commit: str = ""
    branch: str = ""
    tag: str = ""
    default_branch: str = ""
    has_branches: bool = False
    actor: str = ""
    change: str = ""
    is_ordered: bool = False
    why_no_secrets: str = ""
    is_scheduled: bool = False
    started: str = ""

    @property
    def ref(self) -> str:
        """The branch or tag."""
        return self.tag or self.branch

    @property
    def name(self) -> str:
        """The run's name for people."""
        number = self.number or self.run_id
        if not number:
            return self.workflow or self.workflow_file or "a run outside CI"
        attempt = f", attempt {self.attempt}" if self.attempt not in {"", "1"} else ""
        label = f"#{number}" if number.isdecimal() else f"run {number}"
        return f"{self.workflow or self.workflow_file} {label}{attempt}".strip()


def server_address(url: str) -> str:
    """A CI server's address without scheme, user and trailing slash: the same however it is written."""
    return url.strip().partition("://")[2].rpartition("@")[2].rstrip("/").lower()


# In lower case; what each means in the words of GitHub's `job.status`.
STATUSES: Mapping[str, str] = MappingProxyType(
    {
        "success": "success",
        "failure": "failure",
        "cancelled": "cancelled",
        "skipped": "skipped",
        "timed_out": "failure",
        # GitLab
        "failed": "failure",
        "canceled": "cancelled",
        "canceling": "cancelled",
        # Jenkins
        "unstable": "failure",
        "aborted": "cancelled",
        "not_built": "skipped",
        # Airflow: an upstream task failed, the gate's for instance, so this one did not run.
        "upstream_failed": "skipped",
        "removed": "skipped",
    }
)
# The job has not ended.
UNFINISHED = frozenset(
    {"running", "pending", "created", "queued", "in_progress", "scheduled", "up_for_retry", "preparing"}
)
