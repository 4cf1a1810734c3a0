"""`incident-gate check`, `raise`, `resolve` and `report`, and what the commands that connect have in common."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from incident_gate.api import announce, connect, report_outcome
from incident_gate.api import check as check_inputs
from incident_gate.cli.main import Call, today
from incident_gate.datahub.client import Exchange
from incident_gate.manifest.model import Manifest
from incident_gate.process import say
from incident_gate.report.files import write_reports
from incident_gate.report.json import document
from incident_gate.report.model import Report
from incident_gate.report.progress import Progress, waiting_on
from incident_gate.report.terminal import terminal
from incident_gate.report.trace import trace
from incident_gate.settings import Mode, RunSettings, manifest_of, read_settings
from incident_gate.settings.parse import STANDARD_OUTPUT
from incident_gate.text import plain


def check(call: Call) -> int:
    """Check the inputs."""
    settings = settings_of(call, Mode.GATE)
    manifest = manifest_of(settings, today())
    with (
        progress_of(call, settings) as progress,
        waiting_on(call.stderr, settings) as on_wait,
        connect(settings, progress.exchanged) as client,
    ):
        report, code = check_inputs(settings, manifest, client, on_progress=progress, on_wait=on_wait)
    _show(call, settings, report, explain=call.options.explain)
    _notify(call, settings, manifest, report)
    return code


def outcome(call: Call) -> int:
    """Raise or resolve incidents on the outputs."""
    settings = settings_of(call, Mode(call.command))
    manifest = manifest_of(settings, today())
    with progress_of(call, settings) as progress, connect(settings, progress.exchanged) as client:
        report, code = report_outcome(settings, manifest, settings.status, client)
    _show(call, settings, report)
    _notify(call, settings, manifest, report)
    return code


def settings_of(call: Call, mode: Mode, *, needs_server: bool = True) -> RunSettings:
    """The settings of this call."""
    return read_settings(call.option, call.environment, mode=mode, command_line=True, needs_server=needs_server)


def progress_of(call: Call, settings: RunSettings) -> Progress:
    """Progress on standard error, and every request with `--verbose`."""
    return Progress(
        call.stderr,
        time.monotonic,
        terminal=call.stderr.isatty(),
        server=settings.connection.address.server,
        on_exchange=_printed(call) if call.verbose else None,
    )


def _printed(call: Call) -> Callable[[Exchange], None]:
    return lambda exchange: say(call.stderr, f"{trace(exchange)}\n")


def _show(call: Call, settings: RunSettings, report: Report, *, explain: bool = False) -> None:
    """Print the report in the format of the call, and write the files that the settings name.

    Where one of these is standard output, it is alone there.
    """
    alone = any(file.path == STANDARD_OUTPUT for file in settings.report_files)
    stream = call.stderr if alone else call.stdout
    if call.options.format == "json":
        say(stream, document(report))
    else:
        colour = call.has_colour and not alone
        say(stream, terminal(report, colour=colour, width=call.width, explain=explain))
    if settings.report_files:
        for warning in write_reports(
            report, settings.report_files, workspace=settings.workspace, print_text=partial(say, call.stdout)
        ):
            say(call.stderr, f"warning: {plain(warning, 1000)}\n")


def _notify(call: Call, settings: RunSettings, manifest: Manifest, report: Report) -> None:
    """Notify the services that the settings name; what goes wrong is printed and changes nothing."""
    for remark in announce(settings, manifest.people, report):
        level = "warning" if remark.is_warning else "note"
        say(call.stderr, f"{level}: {plain(remark.text, 1000)}\n")
