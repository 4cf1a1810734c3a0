"""`incident-gate validate`."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from incident_gate.cli.call import Call, today
from incident_gate.errors import ExitCode
from incident_gate.manifest.errors import ManifestError
from incident_gate.manifest.load import load_manifest, read_manifest
from incident_gate.manifest.model import Manifest
from incident_gate.manifest.reader import MAX_BYTES
from incident_gate.process import say
from incident_gate.report.amounts import count
from incident_gate.select.paths import check_paths
from incident_gate.settings.options import VARIABLES
from incident_gate.text import plain, visible

_STANDARD_INPUT = "-"


def run(call: Call) -> int:
    """Check manifests, offline unless `--online` is used."""
    code = ExitCode.OK
    variables = VARIABLES.parse(call.option(VARIABLES.name), VARIABLES.flag)
    for name in call.options.files:
        shown = "<stdin>" if name == _STANDARD_INPUT else name
        try:
            manifest = _loaded(call, name, shown, variables)
            check_paths(manifest, Path.cwd())
            if call.options.online:
                from incident_gate.cli.existence import check_existence  # noqa: PLC0415 - 30 of 90 ms, for HTTP

                check_existence(call, manifest)
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
