"""The command line's grammar: commands, their options and the words of their help."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from incident_gate import __version__

if TYPE_CHECKING:
    # Named with an underscore by argparse, and the only name there is for what add_subparsers returns.
    _Commands = argparse._SubParsersAction[argparse.ArgumentParser]  # noqa: SLF001

DESCRIPTION = "Stop a pipeline while its input datasets have active incidents in DataHub, and report its outcome back."
EPILOG = (
    "exit codes: 0 pass or warn, 1 blocked, 2 the manifest or an option is wrong, 3 DataHub could not be asked. "
    "DATAHUB_GMS_URL and DATAHUB_GMS_TOKEN stand in for --datahub-url and --datahub-token."
)
# Every option that is an input of the action too, with the words of its help.
_CONNECTION = {
    "datahub-url": "server, UI or GraphQL address (else DATAHUB_GMS_URL)",
    "datahub-token": "personal access token; better in DATAHUB_GMS_TOKEN, where no process list shows it",
    "datahub-ui-url": "where links point",
    "headers": "an extra request header, `Name: value`; may be repeated",
    "ca-bundle": "PEM file with certificate authorities",
    "timeout": "seconds for all requests together (default: 120)",
}
_POLICY = {
    "on-incident": "block or warn; an entry of the manifest overrides it",
    "on-unknown": "block or warn; an entry of the manifest overrides it",
}
_IDENTITY = {
    "incident-key": "tells this job's incidents apart from others of the same job, by environment for instance",
    "matrix": "the matrix leg as JSON",
}
_WORDS = {
    "title": "title of what is raised",
    "message": "what to say in the incident that is raised, or on the one that is resolved",
}
_JOB_STATUS = {"job-status": "success or failure: how the job ended"}

_ASKING: tuple[tuple[str, str, dict[str, str]], ...] = (
    ("check", "ask for the active incidents of the manifest's inputs, and block on them", _POLICY | _IDENTITY),
    ("raise", "raise an incident on each of the manifest's outputs", _IDENTITY | _WORDS),
    ("resolve", "resolve what raise raised", _IDENTITY | _WORDS),
    ("report", "raise or resolve, as --job-status says", _JOB_STATUS | _IDENTITY | _WORDS),
    ("doctor", "check address, token, privileges and server without writing, and say what to change", {}),
)


def parser(sandbox_options: Callable[[argparse.ArgumentParser], None] | None = None) -> argparse.ArgumentParser:
    """The whole grammar. The command's name is parsed into `command`.

    Args:
        sandbox_options: Adds the options of `sandbox`, which cost more to import than all others together.
    """
    top = argparse.ArgumentParser("incident-gate", description=DESCRIPTION, epilog=EPILOG)
    top.add_argument("--version", action="version", version=f"incident-gate {__version__}")
    commands = top.add_subparsers(required=True, metavar="COMMAND", dest="command")
    for name, text, options in _ASKING:
        command = _add(commands, name, text)
        command.add_argument("manifest", metavar="MANIFEST", nargs="?", help="default: .github/incident-gate.yml")
        _add_options(command, _CONNECTION | options)
        command.add_argument("--format", choices=("table", "json"), default="table", help="default: table")
        command.add_argument(
            "--verbose", action="store_true", help="tell every request on standard error, and where an error arose"
        )
        if name == "check":
            command.add_argument("--explain", action="store_true", help="say which rules decided each asset")
        elif name != "doctor":
            command.add_argument("--dry-run", action="store_true", help="say what would be written, and write nothing")
    text = "check manifests without asking DataHub; every mistake at once, as file:line:column"
    _add(commands, "validate", text).add_argument("files", metavar="FILE", nargs="+")
    _add(commands, "schema", "print the JSON Schema of the manifest")
    sandbox = _add(commands, "sandbox", "serve a stand-in DataHub on this machine")
    if sandbox_options:
        sandbox_options(sandbox)
    _add(commands, "demo", "show a blocked and a passing run against a sandbox DataHub")
    return top


def _add(commands: _Commands, name: str, text: str) -> argparse.ArgumentParser:
    return commands.add_parser(name, help=text, description=f"{text[0].upper()}{text[1:]}.", epilog=EPILOG)


def _add_options(command: argparse.ArgumentParser, options: Mapping[str, str]) -> None:
    for name, text in options.items():
        if name == "headers":
            command.add_argument(f"--{name}", metavar="HEADER", action="append", help=text)
        else:
            command.add_argument(f"--{name}", metavar="TEXT", help=text)
