"""The manifest: which assets a job reads and writes, and what counts as blocking."""

from __future__ import annotations

from incident_gate.manifest.error import ManifestError
from incident_gate.manifest.loader import load_manifest, read_manifest
from incident_gate.manifest.schema import manifest_schema

__all__ = ["ManifestError", "load_manifest", "manifest_schema", "read_manifest"]
