"""`incident-gate schema`."""

from __future__ import annotations

import json

from incident_gate.cli.call import Call
from incident_gate.errors import ExitCode
from incident_gate.manifest.schema import manifest_schema
from incident_gate.process import say


def run(call: Call) -> int:
    """Print the JSON Schema of the manifest."""
    say(call.stdout, f"{json.dumps(manifest_schema(), indent=2)}\n")
    return ExitCode.OK
