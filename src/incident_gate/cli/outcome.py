"""`incident-gate raise`, `resolve` and `report`."""

from __future__ import annotations

from incident_gate.api import connect, manifest_of, report_outcome
from incident_gate.cli.call import Call, today
from incident_gate.cli.online import notify, progress_of, settings_of, show
from incident_gate.settings import Mode


def run(call: Call) -> int:
    """Raise or resolve incidents on the outputs."""
    settings = settings_of(call, Mode(call.command))
    manifest = manifest_of(settings, today())
    with progress_of(call, settings) as progress, connect(settings, progress.exchanged) as client:
        result = report_outcome(settings, manifest, settings.status, client)
    show(call, settings, result.report)
    notify(call, settings, manifest, result.report)
    return result.exit_code
