"""Examine everything that a check and an outcome depend on."""

from __future__ import annotations

from dataclasses import replace

from incident_gate.api.connect import OnExchange, connect
from incident_gate.doctor.checks import Diagnosis, examine
from incident_gate.manifest.model import Manifest
from incident_gate.settings import RunSettings


def diagnose(settings: RunSettings, manifest: Manifest | None, *, on_exchange: OnExchange | None = None) -> Diagnosis:
    """Examine address, token, server and assets; the manifest is None where there is none yet.

    Raises:
        SettingError: The CA bundle or the proxy cannot be used.
    """
    with connect(settings, on_exchange) as client:
        diagnosis = examine(settings, client, manifest)
    resolve = settings.connection.resolved
    return Diagnosis(tuple(replace(finding, hint=resolve(finding.hint)) for finding in diagnosis.findings))
