"""How a job ended, in the words of each CI system."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

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
