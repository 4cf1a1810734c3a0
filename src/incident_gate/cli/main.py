"""The command line: options in, text or JSON out, an exit code."""

from __future__ import annotations

import argparse
import os
import sys
import traceback
from collections.abc import Callable, Mapping, Sequence
from difflib import get_close_matches
from importlib import import_module
from types import ModuleType
from typing import BinaryIO, NoReturn, TextIO

from incident_gate import __version__
from incident_gate.ci.identity import mark_job_blocked
from incident_gate.cli.call import Call
from incident_gate.cli.commands import COMMANDS, Command
from incident_gate.cli.grammar import Parser, overview
from incident_gate.errors import ExitCode, GateError, SettingError
from incident_gate.manifest.errors import ManifestError
from incident_gate.process import end, on_interrupt, prepare, say, started
from incident_gate.text import plain, visible

_VERBOSE = "--verbose"


def main() -> NoReturn:
    """Run the command line."""
    prepare()
    arguments = sys.argv[1:]
    command = COMMANDS.get(_command_word(arguments))

    def interrupted() -> str:
        _mark_job_blocked(arguments, os.environ, sys.stderr)
        return command.interrupted if command else "Interrupted."

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
    """Run one command; a check that does not pass on GitHub is left for the job's later steps.

    Args:
        arguments: Without the program's name.
        environment: For fallbacks, colour and the CI system's description of the run.
        stdout: For the report.
        stderr: For errors, progress and `--verbose`.
        stdin: For a manifest that is piped in.
        ready: Called when everything is imported.

    Returns:
        The exit code.
    """
    code = _run(arguments, environment, stdout, stderr, stdin, ready)
    if code != ExitCode.OK:
        _mark_job_blocked(arguments, environment, stderr)
    return code


def _run(  # noqa: PLR0913, PLR0917 - the process's edges
    arguments: Sequence[str],
    environment: Mapping[str, str],
    stdout: TextIO,
    stderr: TextIO,
    stdin: BinaryIO | None,
    ready: Callable[[], None],
) -> int:
    verbose = _VERBOSE in arguments
    try:
        words = [word for word in arguments if word != _VERBOSE]
        if not words or words[0] in {"-h", "--help", "--version"}:
            say(stdout, f"incident-gate {__version__}\n" if "--version" in words else overview())
            # A pipeline whose command is missing must not pass.
            return ExitCode.OK if words else ExitCode.USAGE
        command = _command(words[0])
        options = _parser(command, stdout).parse(words[1:])
        module = _module(command, command.module)
        ready()
        call = Call(command.name, options, environment, stdout, stderr, stdin, verbose=verbose)
        return int(module.run(call))
    except SystemExit as finished:  # the help was printed
        return int(finished.code or 0)
    except GateError as error:
        _print_error(error, stderr)
        _print_traceback(error, stderr, verbose=verbose)
        return error.exit_code
    except Exception as error:  # noqa: BLE001 - an internal error must not look like a blocked gate
        say(stderr, f"error: Internal error: {type(error).__name__}. --verbose shows where.\n")
        _print_traceback(error, stderr, verbose=verbose)
        return ExitCode.DATAHUB


def parse(arguments: Sequence[str]) -> argparse.Namespace:
    """Parse a command with its options, without running it.

    Raises:
        SettingError: There is no such command or option.
    """
    return _parser(_command(arguments[0]), sys.stdout).parse(arguments[1:])


def _command_word(arguments: Sequence[str]) -> str:
    """The word that is taken for the command: the first, whatever the options after it hold."""
    return next((word for word in arguments if word != _VERBOSE), "")


def _mark_job_blocked(arguments: Sequence[str], environment: Mapping[str, str], stderr: TextIO) -> None:
    """Leave for the job's later steps that the gate stopped the job; what is no command may have been meant as one."""
    word = _command_word(arguments)
    if word != "check" and word in COMMANDS:
        return
    if warning := mark_job_blocked(environment):
        say(stderr, f"warning: {warning}\n")


def _command(name: str) -> Command:
    if command := COMMANDS.get(name):
        return command
    close = get_close_matches(name, COMMANDS, 1)
    what = "an option before the command" if name.startswith("-") else "not a command"
    hint = f"Did you mean {close[0]}?" if close else "incident-gate --help lists the commands."
    raise SettingError(f"{name[:80]!r} is {what}.", hint=hint)


def _module(command: Command, name: str) -> ModuleType:
    """Import a module of this package when its turn comes: arguments take 30 ms, and what runs a check another 50."""
    try:
        return import_module(f"incident_gate.cli.{name}")
    except ModuleNotFoundError as error:
        missing = error.name or ""
        ours = missing.startswith("incident_gate.") and missing != "incident_gate.sandbox"
        if not command.needs_sandbox or ours:
            raise
        # The image does not contain the sandbox, a plain installation not its libraries.
        raise SettingError(
            f"The sandbox is not installed here ({missing} is missing).",
            hint="Run it from a clone of the project: `make demo`, then .venv/bin/incident-gate; or, in the clone, "
            "pip install '.[sandbox]'.",
        ) from None


def _parser(command: Command, stdout: TextIO) -> Parser:
    parser = Parser(command, stdout)
    if command.arguments:
        _module(command, command.arguments).add_arguments(parser)
    return parser


def _print_error(error: GateError, stderr: TextIO) -> None:
    # An error in a manifest begins with its place, where an editor looks for it. A hint may be YAML to copy, so its
    # spaces stay.
    start = "" if isinstance(error, ManifestError) else "error: "
    lines = [f"{start}{plain(line, 2000)}" for line in error.message.splitlines()]
    say(stderr, "".join(f"{line}\n" for line in [*lines, *map(visible, error.hint.splitlines())]))


def _print_traceback(error: Exception, stderr: TextIO, *, verbose: bool) -> None:
    if verbose:
        say(stderr, "".join(traceback.format_exception(error)))
