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
from incident_gate.manifest.reader import MAX_BYTES
from incident_gate.process import say
from incident_gate.report.amounts import count
from incident_gate.settings.options import DEFAULT_MANIFEST, VARIABLES, Mode, Scope, options_of
from incident_gate.text import plain, visible

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
    parser.add_argument("--online", action="store_true", help="also check that all it names exists in DataHub")
    add_options(parser, options_of(Scope.VALIDATE))
    parser.add_argument("--verbose", action="store_true", help="log every request, and where an error was raised")


def run(call: Call) -> int:
    """Check manifests, offline unless `--online` is used."""
    code = ExitCode.OK
    variables = VARIABLES.parse(call.option(VARIABLES.name), VARIABLES.flag)
    for name in call.options.files:
        shown = "<stdin>" if name == _STANDARD_INPUT else name
        try:
            manifest = _loaded(call, name, shown, variables)
            if manifest.selectors or manifest.output_selectors:
                from incident_gate.select.resolve import check_paths  # noqa: PLC0415 - for selectors only

                check_paths(manifest, Path.cwd())
            if call.options.online:
                _check_existence(call, manifest)
        except ManifestError as error:
            code = error.exit_code
            # A hint may be YAML to copy, so its spaces stay.
            lines = [
                *(plain(line, 2000) for line in error.message.splitlines()),
                *map(visible, error.hint.splitlines()),
            ]
            say(call.stdout, "".join(f"{line}\n" for line in lines))
            continue
        for warning in manifest.warnings:
            place = f"{shown}:{warning.position.line}:{warning.position.column}"
            say(call.stdout, f"{plain(f'{place}: warning: {warning}', 2000)}\n")
        selectors = len(manifest.selectors) + len(manifest.output_selectors)
        counts = f"{count(len(manifest.inputs), 'input')}, {count(len(manifest.outputs), 'output')}"
        counts += f", {count(selectors, 'selector')}" if selectors else ""
        say(call.stdout, f"{plain(shown, 500)}: valid, {counts}\n")
    return code


def _loaded(call: Call, name: str, shown: str, variables: Mapping[str, str]) -> Manifest:
    if name == _STANDARD_INPUT:
        return load_manifest(shown, call.stdin.read(MAX_BYTES + 1) if call.stdin else b"", today(), variables)
    return read_manifest(Path(name), shown, today(), variables)


def _check_existence(call: Call, manifest: Manifest) -> None:
    """Check that everything the manifest names exists.

    Raises:
        ManifestError: Something does not.
        DataHubError: DataHub could not be queried.
    """
    # The pre-commit hook validates offline and does not pay for an HTTP client: 60 ms of 150.
    from incident_gate.api.existence import missing_assets  # noqa: PLC0415
    from incident_gate.cli.online import progress_of, settings_of  # noqa: PLC0415

    settings = settings_of(call, Mode.GATE)
    with progress_of(call, settings) as progress:
        missing = missing_assets(settings, manifest, root=Path.cwd(), on_exchange=progress.exchanged)
    if missing:
        raise ManifestError(manifest.path, missing)
