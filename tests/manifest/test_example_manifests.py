"""The example manifests are valid, for the gate and for editors."""

import json
from datetime import date
from pathlib import Path

import jsonschema
import pytest
import yaml

from incident_gate.manifest.load import read_manifest
from incident_gate.manifest.model import InputEntry
from incident_gate.urn import EntityType

EXAMPLES = Path(__file__).parents[2] / "examples"
MANIFESTS = sorted((EXAMPLES / "manifests").glob("*.yml"))


def test_there_are_examples() -> None:
    assert len(MANIFESTS) >= 5


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_an_example_is_valid(path: Path) -> None:
    manifest = read_manifest(path, path.name, date(2026, 11, 23))
    assert manifest.inputs or manifest.outputs
    assert manifest.warnings == ()


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda path: path.stem)
def test_an_example_leads_editors_to_a_schema_that_accepts_it(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    first = text.splitlines()[0]
    assert first.startswith("# yaml-language-server: $schema=")
    schema = json.loads((path.parent / first.partition("=")[2]).read_text(encoding="utf-8"))
    content = json.loads(json.dumps(yaml.safe_load(text), default=str))
    jsonschema.Draft7Validator(schema).validate(content)


def test_the_full_example_shows_every_key() -> None:
    manifest = read_manifest(EXAMPLES / "manifests" / "full.yml", "full.yml", date(2026, 11, 23))
    shown = [entry for entry in manifest.inputs if entry.ignore]
    unset = InputEntry(urn=shown[0].urn, position=shown[0].position)
    same = {name for name in InputEntry.__slots__ if getattr(shown[0], name) == getattr(unset, name)}
    assert same == {"urn", "position"}


def test_the_mixed_example_has_every_type_of_asset() -> None:
    manifest = read_manifest(EXAMPLES / "manifests" / "mixed-assets.yml", "mixed.yml", date(2026, 11, 23))
    assert {entry.urn.entity_type for entry in manifest.inputs} == set(EntityType)
