"""`incident-gate init`, `validate` and `schema`, which need no DataHub."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from textwrap import indent
from typing import BinaryIO

import yaml

from incident_gate.cli.main import Call, error_text, today
from incident_gate.errors import ExitCode, SettingError
from incident_gate.manifest.grammar import manifest_schema
from incident_gate.manifest.load import load_manifest, read_content
from incident_gate.manifest.model import ManifestError
from incident_gate.manifest.yaml import MAX_BYTES
from incident_gate.process import write
from incident_gate.select.selection import check_paths
from incident_gate.settings.options import VARIABLES
from incident_gate.text import count, plain, quote
from incident_gate.urn import UrnError, extract_urn, parse_urn

_STANDARD_INPUT = "-"
_OUTPUTS = """
# What the job writes: its incidents say that the job failed.
# outputs:
#   - urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.public.orders_daily,PROD)
"""


def init(call: Call) -> int:
    """Print a manifest with these assets as inputs."""
    urns: dict[str, None] = {}
    errors: list[str] = []
    for text in _texts(call.options.assets or [_STANDARD_INPUT], call.stdin):
        try:
            urns[_urn(text)] = None
        except UrnError as error:
            shown = quote(text)
            errors.append(f"{error}." if shown in error.message else f"{shown}: {error}.")
    if errors:
        raise SettingError("\n".join(errors), hint="Copy the URN or the address from the asset's page in DataHub.")
    if not urns:
        raise SettingError("There is no asset.", hint="Name URNs or links, or pipe them in, one a line.")
    # `${` begins a variable in a manifest.
    inputs = [urn.replace("${", "$${") for urn in urns]
    items = indent(yaml.safe_dump(inputs, allow_unicode=True, width=float("inf")), "  ")
    write(call.stdout, f"inputs:\n{items}{_OUTPUTS}")
    return ExitCode.OK


def _urn(text: str) -> str:
    """The URN that a text is or stands for; one that is well-formed stays as it is, its escapes included."""
    try:
        return parse_urn(text).text
    except UrnError:
        if urn := extract_urn(text):
            return urn
        raise


def _texts(arguments: Iterable[str], stdin: BinaryIO | None) -> Iterator[str]:
    for argument in arguments:
        if argument != _STANDARD_INPUT:
            yield argument.strip()
        elif stdin:
            lines = stdin.read(MAX_BYTES).decode("utf-8", errors="replace").splitlines()
            yield from (line.strip() for line in lines if line.strip())


def validate(call: Call) -> int:
    """Check manifests, offline unless `--online` is used."""
    code = ExitCode.OK
    variables = VARIABLES.parse(call.option(VARIABLES.name), VARIABLES.flag)
    for name in call.options.files:
        shown = "<stdin>" if name == _STANDARD_INPUT else name
        try:
            manifest = load_manifest(shown, _content(call, name), today(), variables)
            check_paths(manifest, Path.cwd())
            if call.options.online:
                from incident_gate.cli.examine import check_existence  # noqa: PLC0415 - 30 of 90 ms, for HTTP

                check_existence(call, manifest)
        except ManifestError as error:
            code = error.exit_code
            write(call.stdout, error_text(error))
            continue
        for warning in manifest.warnings:
            place = f"{shown}:{warning.position.line}:{warning.position.column}"
            write(call.stdout, f"{plain(f'{place}: warning: {warning}', 2000)}\n")
        selectors = len(manifest.selectors) + len(manifest.output_selectors)
        counts = f"{count(len(manifest.inputs), 'input')}, {count(len(manifest.outputs), 'output')}"
        counts += f", {count(selectors, 'selector')}" if selectors else ""
        write(call.stdout, f"{plain(shown, 500)}: valid, {counts}\n")
    return code


def _content(call: Call, name: str) -> bytes:
    if name == _STANDARD_INPUT:
        return call.stdin.read(MAX_BYTES + 1) if call.stdin else b""
    return read_content(Path(name), name)


def schema(call: Call) -> int:
    """Print the JSON Schema of the manifest."""
    write(call.stdout, f"{json.dumps(manifest_schema(), indent=2)}\n")
    return ExitCode.OK
