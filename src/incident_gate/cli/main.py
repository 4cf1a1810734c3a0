"""The command line: options in, text or JSON out, an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from incident_gate.cli.arguments import parser
from incident_gate.errors import ExitCode, GateError, SettingError
from incident_gate.process import end, on_interrupt, prepare, say

if TYPE_CHECKING:
    from incident_gate.datahub.client import Exchange
    from incident_gate.manifest.model import Manifest
    from incident_gate.report.model import Report
    from incident_gate.settings import Settings

# Every module that only some commands need is imported where they do: `validate` in a pre-commit hook pays for no
# HTTP client, and no command but `sandbox` and `demo` for a server.


def main() -> NoReturn:
    """Run the command line."""
    prepare()
    on_interrupt(lambda: "Interrupted. The next run finds what this one raised and goes on from there.")
    end(run(sys.argv[1:], os.environ, sys.stdout, sys.stderr))


def run(arguments: Sequence[str], environment: Mapping[str, str], stdout: TextIO, stderr: TextIO) -> int:
    """Run one command.

    Args:
        arguments: Without the program's name.
        environment: For fallbacks, colour and what GitHub says of the run.
        stdout: For the report.
        stderr: For errors, progress and `--verbose`.

    Returns:
        The exit code.
    """
    verbose = "--verbose" in arguments
    try:
        serves = list(arguments[:1]) == ["sandbox"]
        options = parser(_sandbox_options if serves else None).parse_args(arguments)
        return _COMMANDS[options.command](_Call(options, environment, stdout, stderr))
    except SystemExit as finished:  # argparse has printed the help or what is wrong
        return int(finished.code or 0)
    except GateError as error:
        _say_error(error, stderr)
        _say_where(error, stderr, verbose=verbose)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - a defect of ours must not look like a blocked gate
        say(stderr, f"error: a defect of the gate itself: {type(error).__name__}. --verbose shows where.\n")
        _say_where(error, stderr, verbose=verbose)
        return ExitCode.DATAHUB


@dataclass(frozen=True, slots=True)
class _Call:
    """One command with its options and its edges."""

    options: argparse.Namespace
    environment: Mapping[str, str]
    stdout: TextIO
    stderr: TextIO

    def option(self, name: str) -> str:
        value = getattr(self.options, name.replace("-", "_"), None)
        if value is True:
            return "true"
        return "\n".join(value) if isinstance(value, list) else str(value or "").strip()

    def settings(self) -> Settings:
        from incident_gate.settings import Mode, read_settings  # noqa: PLC0415

        mode = Mode(self.options.command) if self.options.command in list(Mode) else Mode.GATE
        return read_settings(self.option, self.environment, mode=mode)

    def manifest(self, settings: Settings) -> Manifest:
        from incident_gate.manifest.load import read_manifest  # noqa: PLC0415

        return read_manifest(settings.manifest, settings.manifest_shown, _today())

    @property
    def on_exchange(self) -> Callable[[Exchange], None] | None:
        if not self.options.verbose:
            return None
        from incident_gate.report.trace import trace  # noqa: PLC0415

        return lambda exchange: say(self.stderr, f"{trace(exchange)}\n")

    def show(self, report: Report) -> None:
        if self.options.format == "json":
            from incident_gate.report.json import document  # noqa: PLC0415

            say(self.stdout, document(report))
            return
        from incident_gate.report.terminal import terminal  # noqa: PLC0415

        explain = getattr(self.options, "explain", False)
        say(self.stdout, terminal(report, colour=self.has_colour, width=self.width, explain=explain))

    @property
    def has_colour(self) -> bool:
        if self.environment.get("NO_COLOR"):
            return False
        return self.stdout.isatty() and self.environment.get("TERM", "") not in {"", "dumb"}

    @property
    def width(self) -> int:
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns if self.stdout.isatty() else 100
        except OSError:
            return 100


def _check(call: _Call) -> int:
    from incident_gate.api import Session  # noqa: PLC0415
    from incident_gate.report.progress import Progress  # noqa: PLC0415

    settings = call.settings()
    manifest = call.manifest(settings)
    progress = Progress(call.stderr, time.monotonic, terminal=call.stderr.isatty())
    result = Session(settings=settings, on_exchange=call.on_exchange, on_progress=progress).gate(manifest)
    progress.close()
    call.show(result.report)
    return result.exit_code


def _outcome(call: _Call) -> int:
    from incident_gate.api import Session  # noqa: PLC0415

    settings = call.settings()
    manifest = call.manifest(settings)
    result = Session(settings=settings, on_exchange=call.on_exchange).report_outcome(manifest, settings.status)
    call.show(result.report)
    return result.exit_code


def _doctor(call: _Call) -> int:
    from incident_gate.api import Session  # noqa: PLC0415
    from incident_gate.doctor import render as shown  # noqa: PLC0415

    settings = call.settings()
    # A first look at a server needs no manifest; one that was named must be there.
    manifest = call.manifest(settings) if call.options.manifest or settings.manifest.exists() else None
    diagnosis = Session(settings=settings, on_exchange=call.on_exchange).diagnose(manifest)
    as_json = call.options.format == "json"
    text = shown.document(diagnosis) if as_json else shown.table(diagnosis, colour=call.has_colour, width=call.width)
    say(call.stdout, text)
    return diagnosis.exit_code


def _validate(call: _Call) -> int:
    from incident_gate.manifest.errors import ManifestError  # noqa: PLC0415
    from incident_gate.manifest.load import read_manifest  # noqa: PLC0415
    from incident_gate.report.view import count  # noqa: PLC0415
    from incident_gate.text import plain  # noqa: PLC0415

    code = ExitCode.OK
    for name in call.options.files:
        try:
            manifest = read_manifest(Path(name), name, _today())
        except ManifestError as error:
            code = error.exit_code
            say(call.stdout, "".join(f"{plain(line, 2000)}\n" for line in str(error).splitlines()))
            continue
        for warning in manifest.warnings:
            place = f"{name}:{warning.position.line}:{warning.position.column}"
            say(call.stdout, f"{plain(f'{place}: warning: {warning}', 2000)}\n")
        counts = f"{count(len(manifest.inputs), 'input')}, {count(len(manifest.outputs), 'output')}"
        say(call.stdout, f"{plain(name, 500)}: valid, {counts}\n")
    return code


def _schema(call: _Call) -> int:
    import json  # noqa: PLC0415

    from incident_gate.manifest.schema import manifest_schema  # noqa: PLC0415

    say(call.stdout, f"{json.dumps(manifest_schema(), indent=2)}\n")
    return ExitCode.OK


def _sandbox(call: _Call) -> int:
    from incident_gate.sandbox.command import run as serve  # noqa: PLC0415

    return serve(call.options)


def _demo(call: _Call) -> int:
    with _sandbox_extra():
        from incident_gate.demo import show  # noqa: PLC0415

    return show(call.stdout, colour=call.has_colour, width=call.width)


_COMMANDS: Mapping[str, Callable[[_Call], int]] = {
    "check": _check,
    "raise": _outcome,
    "resolve": _outcome,
    "report": _outcome,
    "doctor": _doctor,
    "validate": _validate,
    "schema": _schema,
    "sandbox": _sandbox,
    "demo": _demo,
}


def _sandbox_options(command: argparse.ArgumentParser) -> None:
    with _sandbox_extra():
        from incident_gate.sandbox.command import add_arguments  # noqa: PLC0415

    add_arguments(command)


@contextmanager
def _sandbox_extra() -> Iterator[None]:
    """Say what to install where the sandbox's libraries are missing: the image and a plain installation lack them."""
    try:
        yield
    except ImportError as error:
        raise SettingError(
            f"The sandbox is not installed ({error.name} is missing).",
            hint="Install it: pip install 'datahub-incident-gate[sandbox]'.",
        ) from None


def _say_error(error: GateError, stderr: TextIO) -> None:
    from incident_gate.manifest.errors import ManifestError  # noqa: PLC0415
    from incident_gate.text import plain, visible  # noqa: PLC0415

    # A mistake in a manifest begins with its place, where an editor looks for it. A hint may be YAML to copy, so its
    # spaces stay.
    start = "" if isinstance(error, ManifestError) else "error: "
    lines = [f"{start}{plain(line, 2000)}" for line in error.message.splitlines()]
    say(stderr, "".join(f"{line}\n" for line in [*lines, *map(visible, error.hint.splitlines())]))


def _say_where(error: Exception, stderr: TextIO, *, verbose: bool) -> None:
    if verbose:
        import traceback  # noqa: PLC0415 - for --verbose only

        say(stderr, "".join(traceback.format_exception(error)))


def _today() -> date:
    return datetime.now(UTC).date()
