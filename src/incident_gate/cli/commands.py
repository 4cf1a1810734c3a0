"""The commands: their help, and the module that runs each."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

_READING = "Interrupted: nothing was decided."
_WRITING = (
    "Interrupted: some incidents may be raised or resolved already and others not. "
    "The next run finds those of this one and continues from there."
)


class Command(NamedTuple):
    """One command.

    Args:
        name: The word for it.
        module: The module in this package that has `run`.
        help: What it does, in a few words.
        interrupted: What to print when it is interrupted.
        arguments: The module in this package that has `add_arguments`; empty for a command without arguments.
        needs_sandbox: Whether it runs only where the sandbox's libraries are installed.
    """

    name: str
    module: str
    help: str
    interrupted: str = "Interrupted."
    arguments: str = "arguments"
    needs_sandbox: bool = False


COMMANDS: Mapping[str, Command] = MappingProxyType(
    {
        command.name: command
        for command in (
            Command("check", "check", "check the inputs for active incidents, and block on them", _READING),
            Command("raise", "outcome", "raise an incident on each output", _WRITING),
            Command("resolve", "outcome", "resolve incidents created by `raise`", _WRITING),
            Command("report", "outcome", "raise or resolve, depending on --job-status", _WRITING),
            Command("doctor", "doctor", "check address, token, privileges and server without writing", _READING),
            Command("select", "select", "print what the manifest's selectors select, without judging it", _READING),
            Command("init", "init", "print a manifest for URNs, or for links to pages of DataHub"),
            Command("validate", "validate", "check manifests offline; reports all errors as file:line:column"),
            Command("schema", "schema", "print the JSON Schema of the manifest", arguments=""),
            Command(
                "sandbox",
                "sandbox",
                "serve a stand-in DataHub on this machine",
                arguments="sandbox",
                needs_sandbox=True,
            ),
            Command(
                "demo", "demo", "show a blocked and a passing run against a sandbox", arguments="", needs_sandbox=True
            ),
        )
    }
)
