"""The command line: the commands, their arguments, and one call of one of them."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime
from difflib import get_close_matches
from functools import partial
from importlib import import_module
from types import MappingProxyType, ModuleType
from typing import BinaryIO, NamedTuple, NoReturn, TextIO

from incident_gate import __version__
from incident_gate.ci.run import mark_job_blocked
from incident_gate.errors import ExitCode, GateError, SettingError
from incident_gate.manifest.model import ManifestError
from incident_gate.process import end, on_interrupt, prepare, started, write
from incident_gate.text import plain, visible

_VERBOSE = "--verbose"
_READING = "Interrupted: nothing was decided."
_WRITING = (
    "Interrupted: some incidents may be raised or resolved already and others not. "
    "The next run finds those of this one and continues from there."
)
_DESCRIPTION = "Stop a pipeline while its input datasets have open incidents in DataHub, and report how it ended."
_EXIT_CODES = (
    "exit codes: 0 pass or warn, 1 blocked, 2 the manifest or an option is wrong, 3 DataHub could not be queried or an "
    "output could not be written. "
    "DATAHUB_GMS_URL and DATAHUB_GMS_TOKEN are used where --datahub-url and --datahub-token are not given."
)
_LOG = "log every request, and where an error was raised"
# How much an option must resemble a mistyped one to be proposed.
_CLOSE = 0.8


class Command(NamedTuple):
    """One command: a function of a module of this package, which is imported when the arguments are known.

    The arguments take 30 ms, and what runs a check another 50. `interrupted` is printed when it is interrupted.
    """

    name: str
    module: str
    function: str
    help: str
    interrupted: str = "Interrupted."


_COMMANDS = (
    Command("check", "online", "run", "check the inputs for open incidents, and block on them", _READING),
    Command("raise", "online", "run", "raise an incident on each output", _WRITING),
    Command("resolve", "online", "run", "resolve incidents created by `raise`", _WRITING),
    Command("report", "online", "run", "raise or resolve, depending on --job-status", _WRITING),
    Command("doctor", "examine", "doctor", "check address, token, privileges and server without writing"),
    Command("select", "examine", "select", "print what the manifest's selectors select, without checking it"),
    Command("init", "offline", "init", "print a manifest for URNs, or for links to pages of DataHub"),
    Command("validate", "offline", "validate", "check manifests offline; reports all errors as file:line:column"),
    Command("schema", "offline", "schema", "print the JSON Schema of the manifest"),
    Command("sandbox", "demo", "sandbox", "serve a mock DataHub server on this machine"),
    Command(
        "demo", "demo", "demo", "show a gate that blocks and passes, and a job that fails and succeeds, on a sandbox"
    ),
)
COMMANDS: Mapping[str, Command] = MappingProxyType({command.name: command for command in _COMMANDS})


class Call(NamedTuple):
    """One call of a command: its options, and the process's edges."""

    command: str
    options: argparse.Namespace
    environment: Mapping[str, str]
    stdout: TextIO
    stderr: TextIO
    stdin: BinaryIO | None
    verbose: bool

    def option(self, name: str) -> str:
        """An option's value as text, one line for each use; empty where it was not used."""
        value = getattr(self.options, name, None)
        if value is True:
            return "true"
        return "\n".join(value) if isinstance(value, list) else str(value or "").strip()

    @property
    def has_colour(self) -> bool:
        """Whether standard output shows colour."""
        if self.environment.get("NO_COLOR"):
            return False
        if self.environment.get("FORCE_COLOR"):
            return True
        return self.stdout.isatty() and self.environment.get("TERM", "") not in {"", "dumb"}


def width_of(stream: TextIO) -> int | None:
    """How many cells a line of a terminal has, 80 where it does not say; None where the stream is no terminal."""
    if not stream.isatty():
        return None
    try:
        return os.get_terminal_size(stream.fileno()).columns or 80
    except (OSError, ValueError):
        return 80


def main() -> NoReturn:
    """Run the command line."""
    prepare()
    arguments = sys.argv[1:]
    name = _command_name(arguments)

    def interrupted() -> str:
        _mark_job_blocked(name, os.environ, sys.stderr)
        return COMMANDS[name].interrupted if name in COMMANDS else "Interrupted."

    on_interrupt(interrupted)
    end(run(arguments, os.environ, sys.stdout, sys.stderr, sys.stdin.buffer if sys.stdin else None, ready=started))


def run(  # noqa: PLR0913 - the process's edges
    arguments: Sequence[str],
    environment: Mapping[str, str],
    stdout: TextIO,
    stderr: TextIO,
    stdin: BinaryIO | None = None,
    *,
    ready: Callable[[], None] = lambda: None,
) -> int:
    """Run one command and return its exit code; a check that does not pass on GitHub is left for the later steps.

    `ready` is called when everything is imported.
    """
    words = [word for word in arguments if word != _VERBOSE]
    call = Call("", argparse.Namespace(), environment, stdout, stderr, stdin, verbose=len(words) < len(arguments))
    try:
        code = _run(words, call, ready)
    except SystemExit as finished:  # the help was printed
        code = int(finished.code or 0)
    except Exception as error:  # noqa: BLE001 - an internal error must not look like a blocked gate
        code, text = ExitCode.DATAHUB, f"error: Internal error: {type(error).__name__}. --verbose shows where.\n"
        if isinstance(error, GateError):
            code, text = error.exit_code, error_text(error)
        write(stderr, text)
        if call.verbose:
            write(stderr, "".join(traceback.format_exception(error)))
    if code != ExitCode.OK:
        _mark_job_blocked(_command_name(words), environment, stderr)
    return code


def _run(words: Sequence[str], call: Call, ready: Callable[[], None]) -> int:
    if not words or words[0] in {"-h", "--help", "--version"}:
        write(call.stdout, f"incident-gate {__version__}\n" if "--version" in words else _overview())
        # A pipeline whose command is missing must not pass.
        return ExitCode.OK if words else ExitCode.USAGE
    options = parse(words, call.stdout)
    command = COMMANDS[words[0]]
    function = getattr(_module(command), command.function)
    ready()
    return int(function(call._replace(command=command.name, options=options)))


def parse(words: Sequence[str], stdout: TextIO | None = None) -> argparse.Namespace:
    """Parse a command with its options; asked for help, print it and end.

    Raises:
        SettingError: There is no such command or option, or its value is wrong.
    """
    name = words[0]
    if command := COMMANDS.get(name):
        return _Parser(command, stdout).parse(words[1:])
    if name.startswith("-"):
        meant = next((word for word in words if word in COMMANDS), "check")
        raise _Parser(COMMANDS[meant], stdout).misplaced(name.partition("=")[0])
    close = get_close_matches(name, COMMANDS, 1)
    hint = f"Did you mean {close[0]}?" if close else "incident-gate --help lists the commands."
    raise SettingError(f"{name[:80]!r} is not a command.", hint=hint)


def today() -> date:
    """The day on which `ignore` rules must be valid."""
    return datetime.now(UTC).date()


def error_text(error: GateError) -> str:
    """An error for a terminal. One in a manifest begins with its place, where an editor looks for it."""
    if isinstance(error, ManifestError):
        from incident_gate.report.manifest_text import mistake_text  # noqa: PLC0415 - 10 ms, only for errors

        return f"{mistake_text(error)}\n"
    # A hint may be YAML to copy, so its spaces stay.
    lines = [f"error: {plain(line, 2000)}" for line in error.message.splitlines()]
    return "".join(f"{line}\n" for line in [*lines, *map(visible, error.hint.splitlines())])


def _command_name(arguments: Sequence[str]) -> str:
    """The word that is taken for the command: the first, whatever the options after it hold."""
    return next((word for word in arguments if word != _VERBOSE), "")


def _mark_job_blocked(name: str, environment: Mapping[str, str], stderr: TextIO) -> None:
    """Leave for the job's later steps that the gate stopped the job; what is no command may have been meant as one."""
    if (name == "check" or name not in COMMANDS) and (warning := mark_job_blocked(environment)):
        write(stderr, f"warning: {warning}\n")


def _module(command: Command) -> ModuleType:
    try:
        return import_module(f"incident_gate.cli.{command.module}")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        ours = missing.startswith("incident_gate.") and missing != "incident_gate.sandbox"
        if command.module != "demo" or ours:
            raise
        # The image does not contain the sandbox, a plain installation not its libraries.
        raise SettingError(
            f"The sandbox is not installed here ({missing} is missing).",
            hint="Run it from a clone of the project: `make demo`, then .venv/bin/incident-gate; or, in the clone, "
            "pip install '.[sandbox]'.",
        ) from None


# Arguments


class _Parser(argparse.ArgumentParser):
    """Parses the options of one command; errors are a `SettingError`, and help goes to `stdout`."""

    def __init__(self, command: Command, stdout: TextIO | None) -> None:
        description = f"{command.help[0].upper()}{command.help[1:]}."
        prog = f"incident-gate {command.name}"
        super().__init__(prog, description=description, allow_abbrev=False, exit_on_error=False)
        self._stdout = stdout
        match command.name:
            case "init":
                self.add_argument(
                    "assets",
                    metavar="URN-OR-LINK",
                    nargs="*",
                    help="an asset's URN, or the address of its page in DataHub; - reads them from standard input, one "
                    "a line, which is also the default",
                )
            case "validate":
                default = self._add_options("validate", online="also check that everything it names exists in DataHub")
                text = f"- is standard input (default: {default})"
                self.add_argument("files", metavar="FILE", nargs="*", default=[default], help=text)
            case "sandbox":
                _module(command).add_arguments(self)
            case "schema" | "demo":
                pass
            case scope:
                self._add_scope(scope)

    def parse(self, words: Sequence[str]) -> argparse.Namespace:
        """Parse the words that follow the command."""
        try:
            options, unknown = self.parse_known_args(list(words))
        except argparse.ArgumentError as error:
            raise self._wrong_value(error) from None
        # Only its name is shown: what follows a mistyped --datahub-token is the token.
        if wrong := next((word.partition("=")[0] for word in unknown if word.startswith("-")), ""):
            raise self._no_option(wrong)
        if unknown:
            raise self._error(f"Unexpected argument {unknown[0][:80]!r}.")
        return options

    def print_help(self, _file: object = None) -> None:
        """Print the help where the command's output goes."""
        super().print_help(self._stdout)

    def misplaced(self, name: str) -> SettingError:
        """The error of an option before the command."""
        if name in self._option_string_actions:
            return SettingError(f"{name} is before the command.", hint=f"Write it after: {self.prog} {name}")
        return self._no_option(name)

    def _no_option(self, name: str) -> SettingError:
        message = f"There is no option {name[:80]}."
        close = get_close_matches(name, ["--manifest", *self._option_string_actions], 1, _CLOSE)
        if close == ["--manifest"]:
            return SettingError(message, hint=f"The manifest is an argument: {self.prog} FILE")
        return SettingError(message, hint=f"Did you mean {close[0]}?") if close else self._error(message)

    def _wrong_value(self, error: argparse.ArgumentError) -> SettingError:
        name, problem = error.argument_name or "", error.message
        if action := self._option_string_actions.get(name):
            if action.nargs == 0:
                problem = "takes no value"
            elif problem.startswith("expected"):  # argparse's word for an option that ends the line
                needed = f"a value: {name} {action.metavar or action.dest.upper()}"
                problem = f"needs {'a time, like 30m' if action.metavar == 'TIME' else needed}"
        return self._error(f"{name} {problem}.")

    def _error(self, message: str) -> SettingError:
        return SettingError(message, hint=f"{self.prog} --help lists the options.")

    def _add_scope(self, scope: str) -> None:
        """Add what every command has that reports: the manifest, the options of its scope, and the format."""
        from incident_gate.settings.parse import choice  # noqa: PLC0415 - as in `_add_options`

        explain = {"explain": "name the rules that decided"} if scope == "check" else {}
        default = self._add_options(scope, **explain)
        self.add_argument("manifest", metavar="MANIFEST", nargs="?", help=f"default: {default}")
        read = partial(choice, {name: name for name in ("table", "json")}, setting="--format")
        self.add_argument("--format", type=read, metavar="{table,json}", default="table", help="default: table")

    def _add_options(self, scope: str, **flags: str) -> str:
        """Add the options of a command from the table, and its own flags; returns the default manifest."""
        from incident_gate.settings.options import (  # noqa: PLC0415 - 30 ms, which --help and --version do without
            DEFAULT_MANIFEST,
            OptionScope,
            options_of,
        )

        for option in options_of(OptionScope(scope)):
            text = option.help + (f" (default: {option.default})" if option.default else "")
            if not option.metavar:
                self.add_argument(option.flag, dest=option.name, action="store_true", help=text)
            elif option.repeatable:
                text = f"{text}; repeatable"
                self.add_argument(option.flag, dest=option.name, metavar=option.metavar, action="append", help=text)
            else:
                self.add_argument(option.flag, dest=option.name, metavar=option.metavar, help=text)
        for name, text in {**flags, "verbose": _LOG}.items():
            self.add_argument(f"--{name}", action="store_true", help=text)
        return DEFAULT_MANIFEST


def _overview() -> str:
    """The help of the whole command line."""
    parser = argparse.ArgumentParser(
        "incident-gate",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        usage="incident-gate [--verbose] COMMAND ...",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--verbose", action="store_true", help=_LOG)
    commands = parser.add_argument_group("commands", "incident-gate COMMAND --help lists a command's options")
    for command in COMMANDS.values():
        commands.add_argument(command.name, help=command.help, nargs="?")
    return parser.format_help()
