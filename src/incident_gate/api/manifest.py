"""The manifest of a run: its file, and the assets that the settings name besides."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from incident_gate.errors import SettingError
from incident_gate.manifest.load import EXAMPLE, load_manifest, read_manifest
from incident_gate.manifest.model import NOWHERE, InputEntry, Manifest, OutputEntry
from incident_gate.settings import RunSettings
from incident_gate.settings.options import DEFAULT_MANIFEST
from incident_gate.urn import Urn, UrnError, parse_urn


def manifest_of(settings: RunSettings, today: date, data: bytes | None = None) -> Manifest:
    """The manifest that the settings describe.

    Args:
        settings: The file, further inputs and outputs, and the variables.
        today: The day on which waivers must be valid.
        data: The file's content, where it was read before.

    Raises:
        SettingError: `inputs` or `outputs` holds something else than URNs.
        ManifestError: The file is missing or has errors. Where the settings name assets, the default file may be
            missing and may name none.
    """
    named = _urns(settings.named("inputs"), settings.inputs), _urns(settings.named("outputs"), settings.outputs)
    errors = [error for urns in named for error in urns if isinstance(error, str)]
    if errors:
        raise SettingError("\n".join(errors))
    inputs, outputs = ([urn for urn in urns if isinstance(urn, Urn)] for urns in named)
    alone = not inputs and not outputs
    if data is not None:
        manifest = load_manifest(settings.manifest_shown, data, today, settings.variables, needs_assets=alone)
    elif not alone and settings.manifest_shown == DEFAULT_MANIFEST and not settings.manifest.exists():
        manifest = Manifest(path=settings.manifest_shown)
    else:
        manifest = read_manifest(
            settings.manifest,
            settings.manifest_shown,
            today,
            settings.variables,
            needs_assets=alone,
            if_missing=_if_missing(settings.workspace),
        )
    # An entry of the file has rules of its own, so it comes before the same URN without any.
    read, written = ({entry.urn for entry in entries} for entries in (manifest.inputs, manifest.outputs))
    more_inputs = (InputEntry(urn, NOWHERE) for urn in dict.fromkeys(inputs) if urn not in read)
    more_outputs = (OutputEntry(urn, NOWHERE) for urn in dict.fromkeys(outputs) if urn not in written)
    return manifest._replace(
        inputs=(*manifest.inputs, *more_inputs),
        outputs=(*manifest.outputs, *more_outputs),
    )


def _urns(setting: str, lines: tuple[str, ...]) -> list[Urn | str]:
    """Parse the lines; what is wrong with one is a sentence in its place."""
    parsed: list[Urn | str] = []
    for number, line in enumerate(lines, start=1):
        try:
            parsed.append(parse_urn(line))
        except UrnError as error:
            parsed.append(f"{setting}, URN {number}: {error}")
    return parsed


def _if_missing(workspace: Path | None) -> str:
    """What to do where the manifest's file does not exist."""
    create = f"Create it, for instance with:\n{EXAMPLE}"
    if workspace and not (workspace / ".git").exists():
        checkout = "The repository is not checked out here: add a step with actions/checkout before this one."
        return f"{checkout} If the file does not exist yet: {create[0].lower()}{create[1:]}"
    return create
