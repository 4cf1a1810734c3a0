"""How a job recognizes its own incidents, over runs, branches and commits, and that a gate stopped it."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from incident_gate.incident import Cause, Mark

BLOCKED = "INCIDENT_GATE_BLOCKED"


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


def _digest(*parts: str) -> str:
    # As JSON, so that no part can run over into the next.
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]
