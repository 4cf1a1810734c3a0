"""What a gate that stopped the job leaves for the job's later steps on GitHub: its scope, in the environment."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from incident_gate.ci.detect import current_run
from incident_gate.ci.identity import JobIdentity

BLOCKED = "INCIDENT_GATE_BLOCKED"


def leave_blocked(environment: Mapping[str, str], incident_key: str) -> str:
    """Leave for the job's later steps that a gate stopped the job, whatever made it fail.

    Returns:
        Empty if it worked or there is nothing to do, else a warning.
    """
    run, path = current_run(environment), environment.get("GITHUB_ENV")
    identity = JobIdentity(
        server="", repository=run.repository, workflow=run.workflow_file, incident_key=incident_key.strip()
    )
    # Gates of other scopes may have stopped the job before.
    scopes = environment.get(BLOCKED, "").split()
    if not path or not identity.is_known or identity.scope in scopes:
        return ""
    try:
        with Path(path).open("a", encoding="utf-8") as file:
            file.write(f"{BLOCKED}={' '.join([*scopes, identity.scope])}\n")
    except (OSError, ValueError) as error:
        return f"Later steps will not know that the gate stopped this job: {error}."
    return ""


def is_blocked(environment: Mapping[str, str], scope: str) -> bool:
    """Whether a gate with this scope stopped the job."""
    return scope in environment.get(BLOCKED, "").split()
