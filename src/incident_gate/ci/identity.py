"""Key and scope: how a job recognizes its own incidents, and those of its workflow, over runs, branches and commits."""

from __future__ import annotations

import hashlib
import json
from typing import NamedTuple

from incident_gate.incident import Cause, Mark


class JobIdentity(NamedTuple):
    """Which job this is, whatever run, branch or commit it runs for.

    Args:
        server: DataHub's host, as `Address.server` names it.
        repository: `owner/name`.
        workflow: The workflow file's path in the repository.
        job: The job's id in that file.
        matrix: The matrix leg as canonical JSON; empty without a matrix.
        incident_key: What the user adds to separate environments that share a job.
    """

    server: str
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
        return _digest(
            self.server,
            self.repository.lower(),  # names of repositories ignore case
            self.workflow,
            self.job,
            self.matrix,
            self.incident_key,
            asset_urn,
        )

    def scope_of(self, asset_urn: str) -> str:
        """The scope of this workflow's incidents on one asset, whichever of its jobs raised them."""
        return _digest(self.server, self.repository.lower(), self.workflow, self.incident_key, asset_urn)

    @property
    def scope(self) -> str:
        """The scope without an asset or a server: what a gate that stopped the job leaves for later steps.

        Without the server, because a gate whose address is wrong stops the job all the same.
        """
        return _digest(self.repository.lower(), self.workflow, self.incident_key)

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
