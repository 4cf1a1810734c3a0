"""The example manifests are valid, for the gate and for editors."""

import json
import re
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from incident_gate.manifest.decode import ListOf, Record, Variants
from incident_gate.manifest.grammar import MANIFEST
from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.scalars import Shape
from incident_gate.urn import EntityType

EXAMPLES = Path(__file__).parents[3] / "examples"
MANIFESTS = sorted((EXAMPLES / "manifests").glob("*.yml"))


def test_there_are_examples() -> None:
    assert len(MANIFESTS) >= 5


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_an_example_is_valid(path: Path) -> None:
    manifest = load_manifest(path.name, path.read_bytes(), date(2026, 11, 23))
    assert manifest.inputs or manifest.outputs or manifest.selectors
    assert manifest.warnings == ()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_an_example_leads_editors_to_a_schema_that_accepts_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema = json.loads((path.parent / first.partition("=")[2]).read_text(encoding="utf-8"))
    content = json.loads(json.dumps(yaml.safe_load(text), default=str))
    jsonschema.Draft7Validator(schema).validate(content)


def keys_of(shape: Shape) -> Iterator[str]:
    """The keys of a shape and of all that is in it."""
    match shape:
        case Record():
            for name, key in shape.keys.items():
                yield name
                yield from keys_of(key.shape)
        case Variants():
            yield from (name for record in shape.records.values() for name in keys_of(record))
        case ListOf():
            yield from keys_of(shape.item)


def test_the_full_example_shows_every_key() -> None:
    text = (EXAMPLES / "manifests" / "full.yml").read_text(encoding="utf-8")
    assert {key for key in keys_of(MANIFEST) if not re.search(rf"\b{key}:", text)} == set()


def test_the_mixed_example_has_every_type_that_every_server_tracks() -> None:
    text = (EXAMPLES / "manifests" / "mixed-assets.yml").read_bytes()
    manifest = load_manifest("mixed.yml", text, date(2026, 11, 23))
    assert {entry.urn.entity_type for entry in manifest.inputs} > set(list(EntityType)[:5])
