"""One run of a job, whichever CI system runs it: whether its end is reported, and which incidents are the job's own."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from incident_gate.errors import Hint
from incident_gate.incident import Cause, Mark

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


Variables = Callable[..., str]
"""Takes names of variables and returns the value of the first that is not empty."""


def variables(environment: Mapping[str, str]) -> Variables:
    """What looks up variables in an environment."""

    def get(*names: str) -> str:
        return next(filter(None, (environment.get(name, "").strip() for name in names)), "")

    return get


def server_address(url: str) -> str:
    """A CI server's address without scheme, user and trailing slash: the same however it is written."""
    return url.strip().partition("://")[2].rpartition("@")[2].rstrip("/").lower()


_WORDS = {
    "success": ("success",),
    "failure": ("failure", "timed_out", "failed", "unstable"),
    "cancelled": ("cancelled", "canceled", "canceling", "aborted"),
    # In Airflow an upstream task failed, the gate's for instance, so this one did not run.
    "skipped": ("skipped", "not_built", "upstream_failed", "removed"),
}
# The words of all systems for how a job ended, in lower case; each with the word of GitHub's `job.status`.
STATUSES: Mapping[str, str] = MappingProxyType({word: status for status, words in _WORDS.items() for word in words})
# The job has not ended.
UNFINISHED = frozenset(
    {"running", "pending", "created", "queued", "in_progress", "scheduled", "up_for_retry", "preparing"}
)


# Which runs report outcomes


def why_not_counted(run: Run, patterns: Sequence[str]) -> str:
    """Why this run's outcome does not count by `report-branches`, and what to set; empty if it counts."""
    if run.change:
        return f"This run is {run.change}: it tries out a change, so its outcome is not reported."
    is_included = any(matches(p, run.branch) for p in patterns) if patterns else run.branch == run.default_branch
    if not run.has_branches or run.tag or (run.branch and is_included):
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


def matches(pattern: str, branch: str) -> bool:
    """Whether a branch matches a pattern: `*` stands for any characters but `/`, `**` for any at all.

    Not by a regular expression: one with several stars tries every way to divide a long name.
    """
    end = len(branch) + 1
    places = {0}  # up to which the pattern so far can stand for the branch
    for part in re.findall(r"\*+|[^*]+", pattern.removeprefix("refs/heads/")):
        if part == "*":
            places = {later for place in places for later in range(place, (branch + "/").index("/", place) + 1)}
        elif part.startswith("*"):
            places = set(range(min(places, default=end), end))
        else:
            places = {place + len(part) for place in places if branch.startswith(part, place)}
    return len(branch) in places


# Key and scope


class JobIdentity(NamedTuple):
    """Which job this is, whatever run, branch or commit it runs for.

    `server` is DataHub's host, as `Address.server` names it, and `ci_server` the CI server's address: two of them may
    have repositories of one name. `workflow` is the workflow file's path, `matrix` the leg as canonical JSON.
    """

    server: str
    ci_server: str = ""
    repository: str = ""
    workflow: str = ""
    job: str = ""
    matrix: str = ""
    incident_key: str = ""

    @property
    def is_known(self) -> bool:
        """Whether this identifies a workflow; if not, every pipeline would share one identity."""
        return bool(self.workflow or self.incident_key)

    def key_of(self, asset_urn: str) -> str:
        """The key of this job's incidents on one asset: 32 hexadecimal digits."""
        # Names of repositories ignore case.
        return _digest(*self._replace(repository=self.repository.lower()), asset_urn)

    def scope_of(self, asset_urn: str) -> str:
        """The scope of this workflow's incidents on one asset, whichever of its jobs raised them."""
        repository = self.repository.lower()
        return _digest(self.server, self.ci_server, repository, self.workflow, self.incident_key, asset_urn)

    def mark_of(self, asset_urn: str, *, run: str, cause: Cause = Cause.JOB) -> Mark:
        """The mark of an incident that a run of this job raises."""
        return Mark(self.key_of(asset_urn), self.scope_of(asset_urn), run, cause)


def canonical_matrix(matrix: str) -> str:
    """A matrix leg as `toJSON(matrix)` prints it, freed of layout and order; empty where there is none."""
    text = matrix.strip()
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text
    return json.dumps(value, sort_keys=True, separators=(",", ":")) if value else ""


def _digest(*parts: str) -> str:
    # As JSON, so that no part can run over into the next.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


# A gate that stopped the job

BLOCKED = "INCIDENT_GATE_BLOCKED"


def mark_job_blocked(environment: Mapping[str, str]) -> str:
    """Leave for the job's later steps on GitHub that a gate stopped the job; returns a warning if that fails."""
    path = environment.get("GITHUB_ENV")
    if not path or is_blocked(environment):
        return ""
    try:
        with Path(path).open("ab+") as file:
            # An earlier command of the same step may have left its last line open. Some runners refuse an empty one.
            file.seek(max(file.tell() - 1, 0))
            start = b"" if file.read(1) in {b"", b"\n"} else b"\n"
            file.write(start + f"{BLOCKED}=true\n".encode())
    except (OSError, ValueError) as error:
        return (
            f"Later steps will not know that the gate stopped this job: {error}. "
            "Let steps that report its outcome run only if the gate succeeded."
        )
    return ""


def is_blocked(environment: Mapping[str, str]) -> bool:
    """Whether a gate stopped the job, whatever its `incident-key`."""
    return environment.get(BLOCKED, "").strip().lower() == "true"
