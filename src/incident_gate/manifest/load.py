"""Loading a manifest: from a file's bytes to a value without errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import Any

from incident_gate.files import FileError, MissingError, read_regular
from incident_gate.manifest.grammar import MANIFEST
from incident_gate.manifest.model import (
    NOWHERE,
    InputEntry,
    Manifest,
    ManifestError,
    Mistake,
    Mistakes,
    OutputEntry,
    OutputSelector,
    Position,
    Selector,
    UnreadableError,
    Waiver,
)
from incident_gate.manifest.yaml import MAX_BYTES, MappingNode, Node, ScalarNode, read_nodes
from incident_gate.text import quote
from incident_gate.urn import nearest

EXAMPLE = """inputs:
  - urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD)"""
_START = Position(1, 1)
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def read_manifest(
    path: Path,
    shown: str,
    today: date,
    variables: Mapping[str, str] = _NO_VARIABLES,
    *,
    needs_assets: bool = True,
) -> Manifest:
    """Read and load a manifest's file.

    Args:
        path: The file; the caller has checked that it may be read.
        shown: The path as the user wrote it, for messages.
        today: The day on which waivers must be valid.
        variables: The values of `${NAME}`.
        needs_assets: Whether a manifest that names no asset is an error.

    Raises:
        ManifestError: There is no such file, it cannot be read, or it has errors.
    """
    content = read_content(path, shown, if_missing="Check the path, or create the file with `incident-gate init`.")
    return load_manifest(shown, content, today, variables, needs_assets=needs_assets)


def read_content(path: Path, shown: str, *, if_missing: str) -> bytes:
    """Read a manifest's file without loading it; raises what `read_manifest` does."""
    try:
        return read_regular(path, max_bytes=MAX_BYTES)
    except MissingError:
        raise _unusable(shown, NOWHERE, "there is no such file", hint=if_missing) from None
    except FileError as error:
        hint = "Check the path and its permissions."
        raise _unusable(shown, NOWHERE, f"the file {error}", hint=hint) from None


def load_manifest(
    shown: str,
    data: bytes,
    today: date,
    variables: Mapping[str, str] = _NO_VARIABLES,
    *,
    needs_assets: bool = True,
) -> Manifest:
    """Load a manifest from a file's content.

    Raises:
        ManifestError: It has errors; all of them are reported.
    """
    mistakes = Mistakes()
    manifest: Manifest | None = None
    text = data.decode("utf-8-sig", errors="replace")
    try:
        root = read_nodes(data, mistakes, variables)
        if root is None and not needs_assets:
            return Manifest(path=shown)
        if root is None:
            raise _unusable(shown, _START, "the file is empty", hint=f"Add your assets, for instance:\n{EXAMPLE}")
        if isinstance(root, MappingNode) and root.pairs and not any(_is_known(key.text) for key, _ in root.pairs):
            # Another file, whose lines may be secret: none is shown.
            raise _unusable(shown, _START, "this is not a manifest: none of its keys is known", hint="Check the path.")
        manifest = _decoded(shown, root, mistakes, needs_assets=needs_assets)
    except UnreadableError as error:
        mistakes.add(*error.mistake)
    if manifest is None or mistakes:
        raise ManifestError(shown, mistakes.sorted(), text=text)
    return _without_expired(manifest, today)._replace(text=text)


def _unusable(shown: str, position: Position, message: str, *, hint: str) -> ManifestError:
    return ManifestError(shown, (Mistake(position, message),), hint=hint)


def _is_known(key: str) -> bool:
    return bool(nearest(key, tuple(MANIFEST.keys)))


def _decoded(shown: str, root: Node, mistakes: Mistakes, *, needs_assets: bool) -> Manifest | None:
    """Decode either form: a mapping, or a list of inputs."""
    if isinstance(root, ScalarNode):
        expected = f"a list of URNs, or the keys {', '.join(MANIFEST.keys)}"
        mistakes.add(root.position, f"the manifest is {root}", expected)
        return None
    values = MANIFEST.decode(root, "the manifest", mistakes)
    if values is None:
        return None
    values.pop("version", None)
    inputs, outputs = values.pop("inputs", ()), values.pop("outputs", ())
    if needs_assets and not inputs and not outputs:
        # An empty gate would let every run pass.
        mistakes.add(root.position, "the manifest names no asset", "at least one URN in inputs or outputs")
    return Manifest(
        path=shown,
        inputs=tuple(entry for entry in inputs if isinstance(entry, InputEntry)),
        selectors=tuple(entry for entry in inputs if isinstance(entry, Selector)),
        outputs=tuple(entry for entry in outputs if isinstance(entry, OutputEntry)),
        output_selectors=tuple(entry for entry in outputs if isinstance(entry, OutputSelector)),
        **values,
    )


def _without_expired(manifest: Manifest, today: date) -> Manifest:
    """Drop the waivers that have expired, with a warning each: what they name counts again."""
    entries: list[InputEntry | Selector] = [*manifest.inputs, *manifest.selectors]
    warnings = [_expired(waiver, entry.label) for entry in entries for waiver in entry.ignore if waiver.until < today]
    if not warnings:
        return manifest
    return manifest._replace(
        inputs=tuple(entry._replace(**_split(entry.ignore, today)) for entry in manifest.inputs),
        selectors=tuple(entry._replace(**_split(entry.ignore, today)) for entry in manifest.selectors),
        warnings=tuple(warnings),
    )


def _split(waivers: tuple[Waiver, ...], today: date) -> dict[str, Any]:
    return {
        "ignore": tuple(waiver for waiver in waivers if waiver.until >= today),
        "expired": tuple(waiver for waiver in waivers if waiver.until < today),
    }


def _expired(waiver: Waiver, label: str) -> Mistake:
    message = f"the `ignore` rule for {waiver.urn} on {quote(label)} expired on {waiver.until}"
    return Mistake(waiver.position, f"{message}; extend `until` or delete it")
