"""What the commands that connect to DataHub have in common."""

from __future__ import annotations

import time

from incident_gate.api.connect import OnExchange
from incident_gate.cli.call import Call
from incident_gate.manifest.model import Manifest
from incident_gate.process import say
from incident_gate.report.model import Report
from incident_gate.report.progress import Progress
from incident_gate.report.terminal import terminal
from incident_gate.settings import Mode, Settings, read_settings
from incident_gate.text import plain


def settings_of(call: Call, mode: Mode, *, needs_server: bool = True) -> Settings:
    """The settings of this call."""
    return read_settings(call.option, call.environment, mode=mode, command_line=True, needs_server=needs_server)


def progress_of(call: Call, settings: Settings) -> Progress:
    """Progress on standard error, and every request with `--verbose`."""
    return Progress(
        call.stderr,
        time.monotonic,
        terminal=call.stderr.isatty(),
        server=settings.connection.address.server,
        on_exchange=_printed(call) if call.verbose else None,
    )


def _printed(call: Call) -> OnExchange:
    from incident_gate.report.trace import trace  # noqa: PLC0415 - for --verbose only

    return lambda exchange: say(call.stderr, f"{trace(exchange)}\n")


def show(call: Call, report: Report, *, explain: bool = False) -> None:
    """Print the report in the format of the call."""
    if call.options.format == "json":
        from incident_gate.report.json import document  # noqa: PLC0415 - for --format json only

        say(call.stdout, document(report))
    else:
        say(call.stdout, terminal(report, colour=call.has_colour, width=call.width, explain=explain))


def notify(call: Call, settings: Settings, manifest: Manifest, report: Report) -> None:
    """Notify the services that the settings name; what goes wrong is printed and changes nothing."""
    if not settings.notify.is_used:
        return
    from incident_gate.api.announce import announce_stage  # noqa: PLC0415 - most runs notify nobody

    for remark in announce_stage(settings, manifest.people, report):
        level = "warning" if remark.is_warning else "note"
        say(call.stderr, f"{level}: {plain(remark.text, 1000)}\n")
