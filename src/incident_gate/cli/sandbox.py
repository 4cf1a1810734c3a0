"""`incident-gate sandbox`."""

from __future__ import annotations

from incident_gate.cli.call import Call
from incident_gate.sandbox.command import add_arguments
from incident_gate.sandbox.command import run as serve

__all__ = ["add_arguments", "run"]


def run(call: Call) -> int:
    """Serve until interrupted."""
    return serve(call.options)
