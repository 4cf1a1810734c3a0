"""`incident-gate check`, `raise`, `resolve` and `report`, and what the commands that connect have in common."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager
from functools import partial
from typing import TYPE_CHECKING

from incident_gate.api import announce, connect, report_outcome
from incident_gate.api import check as check_inputs
from incident_gate.cli.main import Call, today, width_of
from incident_gate.manifest.model import Manifest
from incident_gate.process import write
from incident_gate.report.files import write_reports
from incident_gate.report.json import chunks
from incident_gate.report.model import Report
from incident_gate.report.terminal import Progress, WaitLog, showing, terminal, trace
from incident_gate.settings.model import RunSettings
from incident_gate.settings.options import Mode
from incident_gate.settings.parse import STANDARD_OUTPUT
from incident_gate.settings.read import manifest_of, read_settings
from incident_gate.text import plain

if TYPE_CHECKING:
    from incident_gate.datahub.client import RequestLog


def check(call: Call) -> int:
    """Check the inputs."""
    settings = settings_of(call, Mode.GATE)
    manifest = manifest_of(settings, today())
    with progress_of(call, settings) as (progress, on_wait), connect(settings, progress) as client:
        report = check_inputs(settings, manifest, client, on_wait=on_wait)
    _show(call, settings, report, explain=call.options.explain)
    _notify(call, settings, manifest, report)
    return report.exit_code


def outcome(call: Call) -> int:
    """Raise or resolve incidents on the outputs."""
    settings = settings_of(call, Mode(call.command))
    manifest = manifest_of(settings, today())
    with progress_of(call, settings) as (progress, _), connect(settings, progress) as client:
        report = report_outcome(settings, manifest, settings.status, client)
    _show(call, settings, report)
    _notify(call, settings, manifest, report)
    return report.exit_code


def settings_of(call: Call, mode: Mode, *, needs_server: bool = True) -> RunSettings:
    """The settings of this call."""
    return read_settings(call.option, call.environment, mode=mode, command_line=True, needs_server=needs_server)


def progress_of(call: Call, settings: RunSettings) -> AbstractContextManager[tuple[Progress, WaitLog]]:
    """Progress on standard error, and every request with `--verbose`."""

    def printed(log: RequestLog) -> None:
        write(call.stderr, f"{trace(log)}\n")

    width = width_of(call.stderr)
    return showing(call.stderr, settings, time.monotonic, width=width, on_request=printed if call.verbose else None)


def _show(call: Call, settings: RunSettings, report: Report, *, explain: bool = False) -> None:
    """Print the report in the format of the call, and write the files that the settings name.

    Where one of these is standard output, it is alone there.
    """
    alone = any(file.path == STANDARD_OUTPUT for file in settings.report_files)
    stream = call.stderr if alone else call.stdout
    if call.options.format == "json":
        for text in chunks(report):
            write(stream, text)
    else:
        colour = call.has_colour and not alone
        write(stream, terminal(report, colour=colour, width=width_of(call.stdout), explain=explain))
    if settings.report_files:
        for warning in write_reports(
            report, settings.report_files, workspace=settings.workspace, print_text=partial(write, call.stdout)
        ):
            write(call.stderr, f"warning: {plain(warning, 1000)}\n")


def _notify(call: Call, settings: RunSettings, manifest: Manifest, report: Report) -> None:
    """Notify the services that the settings name; what goes wrong is printed and changes nothing."""
    for remark in announce(settings, manifest.people, report):
        level = "warning" if remark.is_warning else "note"
        write(call.stderr, f"{level}: {plain(remark.text, 1000)}\n")
