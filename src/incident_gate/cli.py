"""The command line: options in, text or JSON out, an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn, TextIO

from incident_gate import __version__
from incident_gate.console import end, on_interrupt, prepare_streams, say
from incident_gate.errors import ExitCode, GateError, SettingError

if TYPE_CHECKING:
    from incident_gate.config import Settings
    from incident_gate.datahub.transport import Exchange
    from incident_gate.report.model import Report

DESCRIPTION = "Stop a pipeline while its input datasets have active incidents in DataHub, and report its outcome back."
EPILOG = (
    "exit codes: 0 pass or warn, 1 blocked, 2 the manifest or an option is wrong, 3 DataHub could not be asked. "
    "DATAHUB_GMS_URL and DATAHUB_GMS_TOKEN stand in for --datahub-url and --datahub-token."
)
# Every option that is an input of the action too, with the words of its help.
OPTIONS: Mapping[str, str] = {
    "datahub-url": "server, UI or GraphQL address (else DATAHUB_GMS_URL)",
    "datahub-token": "personal access token; better in DATAHUB_GMS_TOKEN, where no process list shows it",
    "on-incident": "block or warn; an entry of the manifest overrides it",
    "on-unknown": "block or warn; an entry of the manifest overrides it",
    "incident-key": "told apart from incidents of the same job by this word, such as an environment",
    "title": "title of what is raised",
    "message": "what to say in the incident that is raised, or on the one that is resolved",
    "datahub-ui-url": "where links point",
    "headers": "an extra request header, `Name: value`; may be repeated",
    "ca-bundle": "PEM file with certificate authorities",
    "timeout": "seconds for all requests together (120)",
    "job-status": "success or failure, for report",
    "matrix": "the matrix leg as JSON",
}


def main() -> NoReturn:
    """Run the command line."""
    prepare_streams()
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
        options = parser(serves=list(arguments[:1]) == ["sandbox"]).parse_args(arguments)
        command: Callable[[_Call], int] = options.run
        return command(_Call(options, environment, stdout, stderr))
    except SystemExit as finished:  # argparse has printed the help or what is wrong
        return int(finished.code or 0)
    except GateError as error:
        from incident_gate.report.text import plain  # noqa: PLC0415

        lines = str(error).splitlines() if "\n" in error.message else [f"error: {error.message}", error.hint]
        say(stderr, "".join(f"{plain(line, 2000)}\n" for line in lines if line))
        return error.exit_code
    except Exception as error:
        if verbose:
            raise
        say(stderr, f"error: a defect of the gate itself: {type(error).__name__}. --verbose shows where.\n")
        return ExitCode.DATAHUB


def parser(*, serves: bool = False) -> argparse.ArgumentParser:
    """The command line's grammar; `serves` adds the options of `sandbox`, which cost more to import than all others."""
    top = argparse.ArgumentParser("incident-gate", description=DESCRIPTION, epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"incident-gate {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND")
    for name, text in (
        ("check", "ask for the active incidents of the manifest's inputs, and block on them"),
        ("raise", "raise an incident on each of the manifest's outputs"),
        ("resolve", "resolve what raise raised"),
        ("report", "raise or resolve, as --job-status says"),
    ):
        command = commands.add_parser(name, help=text, description=text.capitalize() + ".", epilog=EPILOG)
        _add_manifest(command)
        _add_options(command)
        if name == "check":
            command.add_argument("--explain", action="store_true", help="say which rule decided each asset")
        else:
            command.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
        command.set_defaults(run=_check if name == "check" else _outcome, mode=name)
    _add_validate(commands)
    commands.add_parser("schema", help="print the JSON Schema of the manifest").set_defaults(run=_schema)
    _add_sandbox(commands, serves=serves)
    demo = commands.add_parser("demo", help="show a blocked and a passing run against a sandbox DataHub")
    demo.set_defaults(run=_demo)
    return top


class _Call:
    """One command with its options and its edges."""

    def __init__(
        self, options: argparse.Namespace, environment: Mapping[str, str], stdout: TextIO, stderr: TextIO
    ) -> None:
        self.options = options
        self.environment = environment
        self.stdout = stdout
        self.stderr = stderr

    def option(self, name: str) -> str:
        value = getattr(self.options, name.replace("-", "_"), None)
        if value is True:
            return "true"
        return "\n".join(value) if isinstance(value, list) else str(value or "").strip()

    def settings(self) -> Settings:
        from incident_gate.config import Mode, read_settings  # noqa: PLC0415

        mode = Mode.GATE if self.options.mode == "check" else Mode(self.options.mode)
        return read_settings(self.option, self.environment, mode=mode)

    def trace(self, exchange: Exchange) -> None:
        say(self.stderr, f"{exchange}\n")

    def show(self, report: Report) -> None:
        if self.options.format == "json":
            from incident_gate.report.json import document  # noqa: PLC0415

            say(self.stdout, document(report))
            return
        from incident_gate.report.terminal import terminal  # noqa: PLC0415

        explain = getattr(self.options, "explain", False)
        text = terminal(report, colour=self.has_colour(), width=self.width(), explain=explain)
        say(self.stdout, text)

    def has_colour(self) -> bool:
        if self.environment.get("NO_COLOR"):
            return False
        return self.stdout.isatty() and self.environment.get("TERM", "") not in {"", "dumb"}

    def width(self) -> int:
        try:
            return os.get_terminal_size(self.stdout.fileno()).columns if self.stdout.isatty() else 100
        except OSError:
            return 100


def _check(call: _Call) -> int:
    from incident_gate.manifest.loader import read_manifest  # noqa: PLC0415
    from incident_gate.report.progress import Progress  # noqa: PLC0415
    from incident_gate.session import Session  # noqa: PLC0415

    settings = call.settings()
    manifest = read_manifest(settings.manifest, settings.manifest_shown, _today())
    progress = Progress(call.stderr, time.monotonic, terminal=call.stderr.isatty())
    on_exchange = call.trace if call.options.verbose else None
    result = Session(settings=settings, on_exchange=on_exchange, on_progress=progress).gate(manifest)
    progress.close()
    call.show(result.report)
    return result.exit_code


def _outcome(call: _Call) -> int:
    from incident_gate.manifest.loader import read_manifest  # noqa: PLC0415
    from incident_gate.session import Session  # noqa: PLC0415

    settings = call.settings()
    manifest = read_manifest(settings.manifest, settings.manifest_shown, _today())
    on_exchange = call.trace if call.options.verbose else None
    result = Session(settings=settings, on_exchange=on_exchange).report_outcome(manifest, settings.status)
    call.show(result.report)
    return result.exit_code


def _validate(call: _Call) -> int:
    from incident_gate.manifest.error import ManifestError  # noqa: PLC0415
    from incident_gate.manifest.loader import read_manifest  # noqa: PLC0415
    from incident_gate.report.text import plain  # noqa: PLC0415

    code = ExitCode.OK
    for name in call.options.files:
        try:
            manifest = read_manifest(Path(name), name, _today())
        except ManifestError as error:
            code = error.exit_code
            say(call.stdout, "".join(f"{plain(line, 2000)}\n" for line in str(error).splitlines()))
            continue
        for warning in manifest.warnings:
            say(
                call.stdout,
                f"{plain(f'{name}:{warning.position.line}:{warning.position.column}: warning: {warning}', 2000)}\n",
            )
        counts = f"{len(manifest.inputs):,} inputs, {len(manifest.outputs):,} outputs"
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

    return show(call.stdout, colour=call.has_colour(), width=call.width())


def _add_manifest(command: argparse.ArgumentParser) -> None:
    command.add_argument("manifest", metavar="MANIFEST", nargs="?", help="default: .github/incident-gate.yml")


def _add_options(command: argparse.ArgumentParser) -> None:
    for name, text in OPTIONS.items():
        if name == "headers":
            command.add_argument(f"--{name}", metavar="HEADER", action="append", help=text)
        else:
            command.add_argument(f"--{name}", metavar="TEXT", help=text)
    command.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    command.add_argument("--verbose", action="store_true", help="tell every request on standard error")


def _add_validate(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    text = "check manifests without asking DataHub; every mistake at once, as file:line:column"
    command = commands.add_parser("validate", help=text)
    command.add_argument("files", metavar="FILE", nargs="+")
    command.set_defaults(run=_validate)


def _add_sandbox(commands: argparse._SubParsersAction[argparse.ArgumentParser], *, serves: bool) -> None:
    text = "serve a stand-in DataHub on this machine"
    command = commands.add_parser("sandbox", help=text, description=text.capitalize() + ".")
    command.set_defaults(run=_sandbox)
    if serves:
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


def _today() -> date:
    return datetime.now(UTC).date()
