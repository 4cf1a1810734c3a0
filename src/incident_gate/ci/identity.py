"""The key: by what a job knows its own incidents again, over runs, branches and commits."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

_LABEL = "Incident Gate key: "


@dataclass(frozen=True, slots=True, kw_only=True)
class JobIdentity:
    """Which job this is, whatever run, branch or commit it runs for.

    Args:
        server: DataHub's host, as `Address.server` names it.
        repository: `owner/name`.
        workflow: The workflow file's path in the repository.
        job: The job's id in that file.
        matrix: The matrix leg as canonical JSON; empty without a matrix.
        incident_key: What the user adds to tell apart environments that share a job.
    """

    server: str
    repository: str = ""
    workflow: str = ""
    job: str = ""
    matrix: str = ""
    incident_key: str = ""

    def key_of(self, asset_urn: str) -> str:
        """The key of this job's incidents on one asset: 32 hexadecimal digits."""
        parts = [
            self.server,
            self.repository.lower(),  # GitHub's names ignore case
            self.workflow,
            self.job,
            self.matrix,
            self.incident_key,
            asset_urn,
        ]
        # As JSON, so that no part can run over into the next.
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def canonical_matrix(matrix: str) -> str:
    """A matrix leg as `toJSON(matrix)` prints it, freed of layout and order; empty where there is none."""
    text = matrix.strip()
    try:
        value = json.loads(text) if text else None
    except (ValueError, RecursionError):
        return text
    return json.dumps(value, sort_keys=True, separators=(",", ":")) if value else ""


def sign(description: str, key: str) -> str:
    """A description with the key as its last line."""
    return f"{description.rstrip()}\n\n{_LABEL}{key}"


def key_in(description: str | None) -> str | None:
    """The key in an incident's description: the last line that is one, or nothing.

    A person may have written below it. A quoted line is none, so that quoting somebody's incident does not make one's
    own out of it.
    """
    lines = (line.strip() for line in reversed((description or "").splitlines()))
    return next((line.removeprefix(_LABEL) for line in lines if line.startswith(_LABEL)), None)
