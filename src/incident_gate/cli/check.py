"""`incident-gate check`."""

from __future__ import annotations

import argparse

from incident_gate.api.check import check
from incident_gate.api.manifest import manifest_of
from incident_gate.cli.call import Call, today
from incident_gate.cli.grammar import add_format, add_manifest, add_options
from incident_gate.cli.online import notify, progress_of, settings_of, show
from incident_gate.report.progress import waiting_on
from incident_gate.settings import Mode, Scope, options_of


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    add_manifest(parser)
    add_options(parser, options_of(Scope.CHECK))
    add_format(parser)
    parser.add_argument("--explain", action="store_true", help="name the rules that decided")


def run(call: Call) -> int:
    """Check the inputs."""
    settings = settings_of(call, Mode.GATE)
    manifest = manifest_of(settings, today())
    with progress_of(call, settings) as progress, waiting_on(call.stderr, settings) as on_wait:
        result = check(settings, manifest, on_exchange=progress.exchanged, on_progress=progress, on_wait=on_wait)
    show(call, settings, result.report, explain=call.options.explain)
    notify(call, settings, manifest, result.report)
    return result.exit_code
