"""What was done on each output."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple

from incident_gate.manifest.model import OutputEntry


class Change(StrEnum):
    """What was done on one output."""

    RAISED = "raised"
    KEPT = "kept"  # still active, and updated with the new run
    LEFT = "left"  # success, and left active: a newer run failed, or this one does not answer its cause
    RESOLVED = "resolved"
    CLEAR = "clear"  # success, and nothing of ours was active
    UNTOUCHED = "untouched"  # the results say neither success nor failure
    FAILED = "failed"  # could not be written
    WOULD_RAISE = "would raise"  # the same three under dry-run
    WOULD_KEEP = "would keep"
    WOULD_RESOLVE = "would resolve"


class OutputResult(NamedTuple):
    """What was done on one output.

    `by_results` means that files with results decided, not the job's status; `reason` is what in them did, and `failed`
    are the names and messages of the checks that failed: untrusted text.
    `incidents` are the URNs that the change is about, `title` is that of an incident that was raised, `message` is why
    it failed. `raised` and `resolved` are what was written, whatever failed after it.
    """

    entry: OutputEntry
    change: Change
    incidents: tuple[str, ...] = ()
    raised: tuple[str, ...] = ()
    resolved: tuple[str, ...] = ()
    title: str = ""
    message: str = ""
    hint: str = ""
    by_results: bool = False
    reason: str = ""
    failed: tuple[tuple[str, str], ...] = ()


class OutcomeReport(NamedTuple):
    """The outcome's half: `outcome` is the job's status as given; `nothing` is why nothing had to be done, if so.

    `warnings` are sentences about files with results. `unrelated_checks` counts those that belong to no output;
    `unrelated_failures` are the names of those of them that failed. `on_request` means that the step raises or resolves
    whatever the job's status is.
    """

    outcome: str
    results: tuple[OutputResult, ...] = ()
    nothing: str = ""
    warnings: tuple[str, ...] = ()
    unrelated_checks: int = 0
    unrelated_failures: tuple[str, ...] = ()
    on_request: bool = False
