"""`incident-gate validate --online`."""

from __future__ import annotations

from pathlib import Path

from incident_gate.api import connect
from incident_gate.cli.call import Call
from incident_gate.cli.online import progress_of, settings_of
from incident_gate.doctor.existence import missing_assets
from incident_gate.manifest.errors import ManifestError
from incident_gate.manifest.model import Manifest
from incident_gate.settings import Mode


def check_existence(call: Call, manifest: Manifest) -> None:
    """Check that everything a manifest names exists.

    Raises:
        ManifestError: Something does not.
        DataHubError: DataHub could not be queried.
    """
    settings = settings_of(call, Mode.GATE)
    with progress_of(call, settings) as progress, connect(settings, progress.exchanged) as client:
        missing = missing_assets(client, manifest, root=Path.cwd(), resolve=settings.connection.resolved)
    if missing:
        raise ManifestError(manifest.path, missing)
