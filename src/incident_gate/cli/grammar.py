"""The command line's grammar: the options of one command, and the overview of all commands."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from difflib import get_close_matches
from typing import NoReturn, TextIO

from incident_gate.cli.commands import COMMANDS, Command
from incident_gate.errors import SettingError

_DESCRIPTION = "Stop a pipeline while its input datasets have active incidents in DataHub, and report its outcome back."
_EXIT_CODES = (
    "exit codes: 0 pass or warn, 1 blocked, 2 the manifest or an option is wrong, 3 DataHub could not be queried or an "
    "output could not be written. DATAHUB_GMS_URL and DATAHUB_GMS_TOKEN replace --datahub-url and --datahub-token."
)


class Parser(argparse.ArgumentParser):
    """Parses the options of one command; errors are a `SettingError`, and help goes to `stdout`."""

    def __init__(self, command: Command, stdout: TextIO) -> None:
        """Make a parser without arguments: the command's module adds them."""
        description = f"{command.help[0].upper()}{command.help[1:]}."
        super().__init__(f"incident-gate {command.name}", description=description, allow_abbrev=False)
        self.command = command
        self._stdout = stdout

    def parse(self, arguments: Sequence[str]) -> argparse.Namespace:
        """Parse the words that follow the command.

        Raises:
            SettingError: An option is unknown or has no value.
        """
        options, unknown = self.parse_known_args(list(arguments))
        if not unknown:
            return options
        # Only its name is shown: what follows a mistyped --datahub-token is the token.
        wrong = next((word.partition("=")[0] for word in unknown if word.startswith("-")), "")
        if not wrong:
            self.error(f"unexpected argument {unknown[0][:80]!r}")
        close = get_close_matches(wrong, self._option_string_actions, 1)
        hint = f"Did you mean {close[0]}?" if close else self._see
        raise SettingError(f"There is no option {wrong[:80]}.", hint=hint)

    def error(self, message: str) -> NoReturn:
        """Report what argparse found wrong."""
        raise SettingError(f"{message[0].upper()}{message[1:]}.", hint=self._see)

    def print_help(self, _file: object = None) -> None:
        """Print the help where the command's output goes."""
        super().print_help(self._stdout)

    @property
    def _see(self) -> str:
        return f"{self.prog} --help lists the options."


def overview() -> str:
    """The help of the whole command line."""
    parser = argparse.ArgumentParser(
        "incident-gate",
        description=_DESCRIPTION,
        epilog=_EXIT_CODES,
        usage="incident-gate [--verbose] COMMAND ...",
    )
    parser.add_argument("--version", action="store_true", help="print the version")
    parser.add_argument("--verbose", action="store_true", help="log every request, and where an error was raised")
    commands = parser.add_argument_group("commands", "incident-gate COMMAND --help lists a command's options")
    for command in COMMANDS.values():
        commands.add_argument(command.name, help=command.help, nargs="?")
    return parser.format_help()
