"""`incident-gate validate`."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from pathlib import Path

from incident_gate.cli.call import Call, today
from incident_gate.cli.grammar import add_options
from incident_gate.errors import ExitCode
from incident_gate.manifest.errors import ManifestError
from incident_gate.manifest.load import load_manifest, read_manifest
from incident_gate.manifest.model import Manifest
from incident_gate.manifest.nodes import MAX_BYTES
from incident_gate.process import say
from incident_gate.report.view import count
from incident_gate.settings.options import DEFAULT_MANIFEST, VARIABLES, Scope, options_of
from incident_gate.text import plain

_STANDARD_INPUT = "-"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the command's options."""
    parser.add_argument(
        "files",
        metavar="FILE",
        nargs="*",
        default=[DEFAULT_MANIFEST],
        help=f"- is standard input (default: {DEFAULT_MANIFEST})",
    )
    add_options(parser, options_of(Scope.VALIDATE))


def run(call: Call) -> int:
    """Check manifests offline."""
    code = ExitCode.OK
    variables = VARIABLES.parse(call.option(VARIABLES.name), VARIABLES.flag)
    for name in call.options.files:
        shown = "<stdin>" if name == _STANDARD_INPUT else name
        try:
            manifest = _loaded(call, name, shown, variables)
        except ManifestError as error:
            code = error.exit_code
            say(call.stdout, "".join(f"{plain(line, 2000)}\n" for line in str(error).splitlines()))
            continue
        for warning in manifest.warnings:
            place = f"{shown}:{warning.position.line}:{warning.position.column}"
            say(call.stdout, f"{plain(f'{place}: warning: {warning}', 2000)}\n")
        counts = f"{count(len(manifest.inputs), 'input')}, {count(len(manifest.outputs), 'output')}"
        say(call.stdout, f"{plain(shown, 500)}: valid, {counts}\n")
    return code


def _loaded(call: Call, name: str, shown: str, variables: Mapping[str, str]) -> Manifest:
    if name == _STANDARD_INPUT:
        return load_manifest(shown, call.stdin.read(MAX_BYTES + 1) if call.stdin else b"", today(), variables)
    return read_manifest(Path(name), shown, today(), variables)
