"""`incident-gate init`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import BinaryIO

import yaml

from incident_gate.cli.call import Call
from incident_gate.errors import ExitCode, SettingError
from incident_gate.process import say
from incident_gate.text import quote
from incident_gate.urn import UrnError, parse_urn, urn_behind

_STANDARD_INPUT = "-"
_MAX_BYTES = 2 << 20


def run(call: Call) -> int:
    """Print a manifest with these assets as inputs."""
    urns: dict[str, None] = {}
    errors: list[str] = []
    for text in _texts(call.options.assets or [_STANDARD_INPUT], call.stdin):
        try:
            urns[_urn(text)] = None
        except UrnError as error:
            errors.append(f"{quote(text)}: {error}.")
    if errors:
        raise SettingError("\n".join(errors), hint="Copy the URN or the address from the asset's page in DataHub.")
    if not urns:
        raise SettingError("There is no asset.", hint="Name URNs or links, or pipe them in, one a line.")
    # `${` begins a variable in a manifest.
    inputs = [urn.replace("${", "$${") for urn in urns]
    manifest = {"version": 1, "inputs": inputs}
    say(call.stdout, yaml.safe_dump(manifest, sort_keys=False, allow_unicode=True, width=float("inf")))
    return ExitCode.OK


def _urn(text: str) -> str:
    """The URN that a text is or stands for; one that is well-formed stays as it is, its escapes included."""
    try:
        return parse_urn(text).text
    except UrnError:
        if urn := urn_behind(text):
            return urn
        raise


def _texts(arguments: Iterable[str], stdin: BinaryIO | None) -> Iterator[str]:
    for argument in arguments:
        if argument != _STANDARD_INPUT:
            yield argument.strip()
        elif stdin:
            lines = stdin.read(_MAX_BYTES).decode("utf-8", errors="replace").splitlines()
            yield from (line.strip() for line in lines if line.strip())
