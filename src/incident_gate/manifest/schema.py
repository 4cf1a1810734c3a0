"""The manifest's JSON Schema, for editors."""

from __future__ import annotations

from typing import Any

from incident_gate.manifest.model import Manifest
from incident_gate.manifest.record import record_shape


def manifest_schema() -> dict[str, Any]:
    """Describe the format as the decoder reads it: draft 7, which every editor's YAML support knows."""
    shape = record_shape(Manifest)
    definitions: dict[str, Any] = {}
    mapping = shape.object_schema(definitions)
    mapping["anyOf"] = [{"required": [name], "properties": {name: {"minItems": 1}}} for name in ("inputs", "outputs")]
    plain_list = shape.members["inputs"].shape.schema(definitions) | {"minItems": 1}
    return {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "DataHub Incident Gate manifest",
        "description": "The DataHub assets that a job reads (inputs) and writes (outputs). A plain list is all inputs.",
        "anyOf": [plain_list, mapping],
        "definitions": definitions,
    }
