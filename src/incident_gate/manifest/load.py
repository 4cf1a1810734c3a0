"""Loading a manifest: from a file's bytes to a value without mistakes."""

from __future__ import annotations

import stat
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

from incident_gate.manifest.document import MAX_BYTES, UnreadableError, check_size, read_document
from incident_gate.manifest.errors import ManifestError, Mistakes
from incident_gate.manifest.model import InputEntry, Manifest, Mistake, Position, Waiver
from incident_gate.manifest.nodes import Mapping, Node, Sequence
from incident_gate.manifest.record import record_shape
from incident_gate.quote import quote

EXAMPLE = """inputs:
  - urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD)"""


def read_manifest(path: Path, shown: str, today: date) -> Manifest:
    """Read and load a manifest's file.

    Args:
        path: The file; that it lies where it may is the caller's business.
        shown: The path as the user gave it, for messages.
        today: The day on which waivers are judged.

    Raises:
        ManifestError: There is no such file, it cannot be read, or it has mistakes.
    """
    try:
        return load_manifest(shown, _read(path), today)
    except UnreadableError as error:
        raise ManifestError(shown, (error.mistake,)) from None
    except FileNotFoundError:
        raise _unusable(shown, "there is no such file", hint=f"Create it, for instance with:\n{EXAMPLE}") from None
    except OSError as error:
        reason = error.strerror or type(error).__name__
        raise _unusable(
            shown, f"the file cannot be read: {reason}", hint="Check the path and its permissions."
        ) from None


def load_manifest(path_shown: str, data: bytes, today: date) -> Manifest:
    """Load a manifest from a file's content.

    Raises:
        ManifestError: It has mistakes; all of them are told.
    """
    mistakes = Mistakes()
    values: dict[str, Any] | None = None
    try:
        root = read_document(data, mistakes)
        if root is None:
            raise _unusable(path_shown, "the file is empty", hint=f"Fill it, for instance with:\n{EXAMPLE}")
        values = _values(root, mistakes)
    except UnreadableError as error:
        mistakes.add(error.mistake.position, error.mistake.message, error.mistake.expected)
    if values is None or mistakes:
        raise ManifestError(path_shown, mistakes.sorted())
    return _without_expired(Manifest(path=path_shown, **values), today)


def _read(path: Path) -> bytes:
    status = path.stat()
    if stat.S_ISDIR(status.st_mode):
        raise IsADirectoryError(0, "it is a directory")
    if not stat.S_ISREG(status.st_mode):  # a pipe or a device may never end
        raise OSError(0, "it is not a regular file")
    check_size(status.st_size)
    with path.open("rb") as file:
        return file.read(MAX_BYTES + 1)


def _unusable(shown: str, message: str, *, hint: str) -> ManifestError:
    return ManifestError(shown, (Mistake(position=Position(1, 1), message=message),), hint=hint)


def _values(root: Node, mistakes: Mistakes) -> dict[str, Any] | None:
    """Read either form into the values of the manifest's fields."""
    shape = record_shape(Manifest)
    values: dict[str, Any] | None = None
    if isinstance(root, Mapping):
        values = shape.values(root, "the manifest", mistakes)
    elif isinstance(root, Sequence):
        inputs = shape.members["inputs"].shape.decode(root, "the manifest", mistakes)
        values = None if inputs is None else {"inputs": inputs}
    else:
        mistakes.add(root.position, f"the manifest is {root}", f"a list of URNs, or {shape.expected}")
    if values is not None and not values.get("inputs") and not values.get("outputs"):
        # An empty gate passes whatever happens, which is never what somebody meant.
        mistakes.add(root.position, "the manifest names no asset", "at least one URN in inputs or outputs")
    return values


def _without_expired(manifest: Manifest, today: date) -> Manifest:
    """Drop the waivers that have run out, with a warning each: their incidents count again."""
    warnings: list[Mistake] = []
    inputs: list[InputEntry] = []
    for entry in manifest.inputs:
        kept = tuple(waiver for waiver in entry.ignore if waiver.until >= today)
        warnings += [_expired(waiver, entry) for waiver in entry.ignore if waiver.until < today]
        inputs.append(entry if kept == entry.ignore else replace(entry, ignore=kept))
    return replace(manifest, inputs=tuple(inputs), warnings=tuple(warnings)) if warnings else manifest


def _expired(waiver: Waiver, entry: InputEntry) -> Mistake:
    return Mistake(
        position=waiver.position,
        message=f"the waiver for {waiver.incident} on {quote(entry.label)} ended on {waiver.until}, so it counts again",
        expected='a later day at "until", or no waiver',
    )
