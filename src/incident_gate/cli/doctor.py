"""`incident-gate doctor`."""

from __future__ import annotations

from incident_gate.api import connect, manifest_of
from incident_gate.cli.call import Call, today
from incident_gate.cli.online import progress_of, settings_of
from incident_gate.doctor.checks import examine
from incident_gate.doctor.render import document, table
from incident_gate.process import say
from incident_gate.settings import Mode


def run(call: Call) -> int:
    """Examine settings, server and assets."""
    settings = settings_of(call, Mode.GATE)
    named = call.options.manifest or settings.inputs or settings.outputs
    # A first look at a server needs no manifest; one that was named must exist.
    manifest = manifest_of(settings, today()) if named or settings.manifest.exists() else None
    with progress_of(call, settings) as progress, connect(settings, progress.exchanged) as client:
        diagnosis = examine(settings, client, manifest)
    if call.options.format == "json":
        say(call.stdout, document(diagnosis))
    else:
        say(call.stdout, table(diagnosis, colour=call.has_colour, width=call.width))
    return diagnosis.exit_code
