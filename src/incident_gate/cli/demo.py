"""`incident-gate demo`."""

from __future__ import annotations

from incident_gate.cli.call import Call
from incident_gate.demo import show


def run(call: Call) -> int:
    """Show a blocked and a passing run."""
    return show(call.stdout, colour=call.has_colour, width=call.width)
