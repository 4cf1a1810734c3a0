"""`incident-gate check`."""

from __future__ import annotations

from incident_gate.api import check, connect, manifest_of
from incident_gate.cli.call import Call, today
from incident_gate.cli.online import notify, progress_of, settings_of, show
from incident_gate.report.progress import waiting_on
from incident_gate.settings import Mode


def run(call: Call) -> int:
    """Check the inputs."""
    settings = settings_of(call, Mode.GATE)
    manifest = manifest_of(settings, today())
    with (
        progress_of(call, settings) as progress,
        waiting_on(call.stderr, settings) as on_wait,
        connect(settings, progress.exchanged) as client,
    ):
        result = check(settings, manifest, client, on_progress=progress, on_wait=on_wait)
    show(call, settings, result.report, explain=call.options.explain)
    notify(call, settings, manifest, result.report)
    return result.exit_code
