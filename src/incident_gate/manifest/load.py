"""Loading a manifest: from a file's bytes to a value without errors."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

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
)
from incident_gate.manifest.yaml import MAX_BYTES, MappingNode, Node, ScalarNode, lacks_space, read_nodes
from incident_gate.text import quote
from incident_gate.urn import nearest

EXAMPLE = """inputs:
  - urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD)"""
EntryT = TypeVar("EntryT", InputEntry, Selector)
_START = Position(1, 1)
_NO_VARIABLES: Mapping[str, str] = MappingProxyType({})


def read_content(
    path: Path, shown: str, *, if_missing: str = "Check the path, or create the file with `incident-gate init`."
) -> bytes:
    """Read a manifest's file, which the user knows as `shown`. The caller has checked that it may be read.

    Raises:
        ManifestError: There is no such file, or it cannot be read.
    """
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
    """Load a manifest from a file's content; its `ignore` rules must be valid on the day `today`.

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
        keys = [key.text for key, _ in root.pairs] if isinstance(root, MappingNode) else []
        if keys and not any(nearest(key, tuple(MANIFEST.keys)) for key in keys):
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


def _decoded(shown: str, root: Node, mistakes: Mistakes, *, needs_assets: bool) -> Manifest | None:
    """Decode either form: a mapping, or a list of inputs."""
    if isinstance(root, ScalarNode) and lacks_space(root.text):
        mistakes.add(root.position, "a space is missing after the dash")
        return None
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
    warnings: list[Mistake] = []

    def current(entry: EntryT) -> EntryT:
        expired = tuple(waiver for waiver in entry.ignore if waiver.until < today)
        for waiver in expired:
            message = f"the `ignore` rule for {waiver.urn} on {quote(entry.label)} expired on {waiver.until}"
            warnings.append(Mistake(waiver.position, f"{message}; extend `until` or delete it"))
        ignore = tuple(waiver for waiver in entry.ignore if waiver not in expired)
        return entry._replace(ignore=ignore, expired=expired) if expired else entry

    inputs, selectors = tuple(map(current, manifest.inputs)), tuple(map(current, manifest.selectors))
    return manifest._replace(inputs=inputs, selectors=selectors, warnings=tuple(warnings))
