"""The arguments of each command. To parse them takes no HTTP client: only the command's own module imports one."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from types import MappingProxyType

from incident_gate.cli.grammar import Parser
from incident_gate.settings.options import DEFAULT_MANIFEST, Scope, options_of


def add_arguments(parser: Parser) -> None:
    """Add the arguments of the parser's command."""
    _ARGUMENTS[parser.command.name](parser)


def _add_check(parser: Parser) -> None:
    _add_scope(parser)
    parser.add_argument("--explain", action="store_true", help="name the rules that decided")


def _add_init(parser: Parser) -> None:
    parser.add_argument(
        "assets",
        metavar="URN-OR-LINK",
        nargs="*",
        help="an asset's URN, or the address of its page in DataHub; - reads them from standard input, one a line, "
        "which is also the default",
    )


def _add_validate(parser: Parser) -> None:
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[DEFAULT_MANIFEST],
        help=f"- is standard input (default: {DEFAULT_MANIFEST})",
    )
    parser.add_argument("--online", action="store_true", help="also check that all it names exists in DataHub")
    _add_options(parser, Scope.VALIDATE)
    _add_verbose(parser)


def _add_scope(parser: Parser) -> None:
    """Add what every command has that reports: the manifest, the options of its scope, and the format."""
    parser.add_argument("manifest", metavar="MANIFEST", nargs="?", help=f"default: {DEFAULT_MANIFEST}")
    _add_options(parser, Scope(parser.command.name))
    parser.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
    _add_verbose(parser)


def _add_options(parser: argparse.ArgumentParser, scope: Scope) -> None:
    for option in options_of(scope):
        text = option.help + (f" (default: {option.default})" if option.default else "")
        if not option.metavar:
            parser.add_argument(option.flag, dest=option.name, action="store_true", help=text)
        elif option.repeatable:
            repeated = f"{text}; repeatable"
            parser.add_argument(option.flag, dest=option.name, metavar=option.metavar, action="append", help=repeated)
        else:
            parser.add_argument(option.flag, dest=option.name, metavar=option.metavar, help=text)


def _add_verbose(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--verbose", action="store_true", help="log every request, and where an error was raised")


_ARGUMENTS: Mapping[str, Callable[[Parser], None]] = MappingProxyType(
    {
        "check": _add_check,
        "raise": _add_scope,
        "resolve": _add_scope,
        "report": _add_scope,
        "doctor": _add_scope,
        "select": _add_scope,
        "init": _add_init,
        "validate": _add_validate,
    }
)
