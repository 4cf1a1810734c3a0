"""One run of a job, whichever CI system runs it, how the job ended, and whether that is reported."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from incident_gate.errors import Hint

OUTSIDE_CI = "a run outside CI"


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
            return self.workflow or self.workflow_file or OUTSIDE_CI
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


# Which runs report outcomes


def why_not_counted(run: Run, patterns: Sequence[str]) -> str:
    """Why this run's outcome does not count by `report-branches`, and what to set; empty if it counts."""
    if run.change:
        return f"This run is {run.change}: it tries out a change, so its outcome is not reported."
    if not run.has_branches or run.tag or _is_included(run, patterns):
        return ""
    if not run.branch:
        return "This run has no branch, so its outcome is not reported. Runs of branches and tags are."
    if patterns:
        why = f"which is not one of the branches that report ({', '.join(patterns)})"
    elif run.default_branch:
        why = f"which is not the default branch {run.default_branch}"
    else:
        why = "and the default branch is not known"
    return Hint(
        "This run is for branch {0}, {1}, so its outcome is not reported. "
        "If its runs write these outputs, include the branch in {report-branches}.",
        run.branch,
        why,
    )


def _is_included(run: Run, patterns: Sequence[str]) -> bool:
    if not run.branch:
        return False
    return any(matches(pattern, run.branch) for pattern in patterns) if patterns else run.branch == run.default_branch


def matches(pattern: str, branch: str) -> bool:
    """Whether a branch matches a pattern: `*` stands for any characters but `/`, `**` for any at all.

    Not by a regular expression: one with several stars tries every way to divide a long name.
    """
    # Several stars in a row are two.
    parts = [part[:2] for part in re.findall(r"\*+|.", pattern.removeprefix("refs/heads/"), re.DOTALL)]
    # The places in the pattern that the characters so far can have led to.
    places = _past_stars({0}, parts)
    for character in branch:
        following = set()
        for place in places:
            part = parts[place] if place < len(parts) else ""
            if part == "**" or (part == "*" and character != "/"):
                following.add(place)
            elif part == character:
                following.add(place + 1)
        places = _past_stars(following, parts)
    return len(parts) in places


def _past_stars(places: set[int], parts: Sequence[str]) -> set[int]:
    """The places, and those behind stars that stand for nothing."""
    return places | {place + 1 for place in places if parts[place : place + 1] in (["*"], ["**"])}
