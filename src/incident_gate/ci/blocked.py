"""What a gate that stopped the job leaves for the job's later steps on GitHub: its scope, in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

BLOCKED = "INCIDENT_GATE_BLOCKED"


def leave_blocked(environment: Mapping[str, str], scope: str) -> None:
    """Leave for the job's later steps that a gate with this scope stopped the job.

    Raises:
        OSError: The runner's file cannot be written.
    """
    path = environment.get("GITHUB_ENV")
    # Gates of other scopes may have stopped the job before.
    scopes = environment.get(BLOCKED, "").split()
    if path and scope not in scopes:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{BLOCKED}={' '.join([*scopes, scope])}\n")


def is_blocked(environment: Mapping[str, str], scope: str) -> bool:
    """Whether a gate with this scope stopped the job."""
    return scope in environment.get(BLOCKED, "").split()
