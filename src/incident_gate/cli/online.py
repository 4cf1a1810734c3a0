"""`incident-gate check`, `raise`, `resolve` and `report`, and what the commands that connect have in common."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from incident_gate.api import announce, check, connect, report_outcome
from incident_gate.cli.main import Call, today, width_of
from incident_gate.datahub.client import Client
from incident_gate.process import write
from incident_gate.report.files import write_reports
from incident_gate.report.json import chunks
from incident_gate.report.model import Report
from incident_gate.report.terminal import Progress, terminal, trace
from incident_gate.settings.model import RunSettings
from incident_gate.settings.options import Mode
from incident_gate.settings.parse import STANDARD_OUTPUT
from incident_gate.settings.read import manifest_of, read_settings
from incident_gate.text import plain


def run(call: Call) -> int:
    """Check the inputs, or raise or resolve incidents on the outputs."""
    mode = Mode.GATE if call.command == "check" else Mode(call.command)
    settings = settings_of(call, mode)
    manifest = manifest_of(settings, today())
    with connected(call, settings) as (client, progress):
        if mode is Mode.GATE:
            report = check(settings, manifest, client, on_wait=progress.note_wait)
        else:
            report = report_outcome(settings, manifest, settings.status, client)
    _show(call, settings, report)
    # What goes wrong with a notification is printed and changes nothing.
    for remark in announce(settings, manifest.people, report):
        level = "warning" if remark.is_warning else "note"
        write(call.stderr, f"{level}: {plain(remark.text, 1000)}\n")
    return report.exit_code


def settings_of(call: Call, mode: Mode, *, needs_server: bool = True) -> RunSettings:
    """The settings of this call."""
    return read_settings(call.option, call.environment, mode=mode, command_line=True, needs_server=needs_server)


@contextmanager
def connected(call: Call, settings: RunSettings) -> Iterator[tuple[Client, Progress]]:
    """A client, and its progress on standard error, which shows also for what the gate waits."""
    on_request = (lambda log: write(call.stderr, f"{trace(log)}\n")) if call.verbose else None
    server, width = settings.connection.address.server, width_of(call.stderr)
    with (
        Progress(call.stderr, server, clock=time.monotonic, width=width, on_request=on_request) as progress,
        connect(settings, progress.note_request) as client,
    ):
        yield client, progress


def _show(call: Call, settings: RunSettings, report: Report) -> None:
    """Print the report in the format of the call, and write the files that the settings name.

    Where one of these is standard output, it is alone there.
    """
    alone = any(file.path == STANDARD_OUTPUT for file in settings.report_files)
    stream = call.stderr if alone else call.stdout
    if call.options.format == "json":
        for text in chunks(report):
            write(stream, text)
    else:
        colour, explain = call.has_colour and not alone, getattr(call.options, "explain", False)
        write(stream, terminal(report, colour=colour, width=width_of(call.stdout), explain=explain))
    print_text = partial(write, call.stdout)
    for warning in write_reports(report, settings.report_files, workspace=settings.workspace, print_text=print_text):
        write(call.stderr, f"warning: {plain(warning, 1000)}\n")
