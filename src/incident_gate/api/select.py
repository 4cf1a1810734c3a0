"""Resolve a manifest's selectors."""

from __future__ import annotations

from pathlib import Path

from incident_gate.datahub.client import Client
from incident_gate.manifest.model import Dbt, Manifest
from incident_gate.select.resolve import resolve, resolve_outputs
from incident_gate.select.selection import Selection
from incident_gate.settings import RunSettings


def select(settings: RunSettings, manifest: Manifest, client: Client | None) -> Selection:
    """Resolve all selectors; the client may be None where none of them asks DataHub.

    Raises:
        ManifestError: A path leads out of the workspace.
    """
    return resolve(manifest, client=client, root=_root(settings))


def select_outputs(settings: RunSettings, manifest: Manifest) -> Selection:
    """Resolve the selectors among the outputs.

    Raises:
        ManifestError: A path leads out of the workspace.
    """
    return resolve_outputs(manifest, root=_root(settings))


def asks_datahub(manifest: Manifest) -> bool:
    """Whether a selector needs DataHub."""
    return any(not isinstance(selector.what, Dbt) for selector in manifest.selectors)


def _root(settings: RunSettings) -> Path:
    return settings.workspace or Path.cwd()
