"""The JSON Schema for editors says the same as the decoder."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from incident_gate.manifest.errors import ManifestError
from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.schema import manifest_schema

STORED = Path(__file__).parents[2] / "examples" / "manifest.schema.json"
URN = "urn:li:dataset:(urn:li:dataPlatform:dbt,analytics.customers,PROD)"
ENTRY = f"inputs:\n  - urn: {URN}\n    "
OUTPUT = f"outputs:\n  - urn: {URN}\n    incident: "


def as_json(text: str) -> Any:
    """What an editor checks: a date is a text in JSON."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def decodes(text: str) -> bool:
    try:
        load_manifest("gate.yml", text.encode(), date(2026, 11, 23))
    except ManifestError:
        return False
    return True


def validates(text: str) -> bool:
    return bool(jsonschema.Draft7Validator(manifest_schema()).is_valid(as_json(text)))


def test_the_stored_schema_is_current() -> None:
    assert json.loads(STORED.read_text(encoding="utf-8")) == manifest_schema(), (
        "store it anew: incident-gate schema > examples/manifest.schema.json"
    )


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(manifest_schema())


@pytest.mark.parametrize(
    "text",
    [
        f"- {URN}",
        f"version: 1\ninputs: ['{URN}']",
        f"inputs: []\noutputs: ['{URN}']",
        "- urn:li:dataset:(urn:li:dataPlatform:x,f(a,b),DEV)",
        "- urn:li:dataJob:(urn:li:dataFlow:(airflow,daily,prod),load)\n- urn:li:dataFlow:(airflow,daily,prod)",
        "- urn:li:chart:(looker,1)\n- urn:li:dashboard:(looker,a::b)",
        f"{ENTRY}name: Customers",
        f"{ENTRY}on-incident: ignore\n    on-unknown: warn",
        f"{ENTRY}types: [SQL, CUSTOM]\n    min-priority: LOW\n    siblings: false",
        f"{ENTRY}ignore: [{{incident: 'urn:li:incident:x', until: 2027-01-31, reason: r}}]",
        f"{ENTRY}ignore: []",
        f"defaults: {{on-incident: warn, siblings: true}}\n{ENTRY}name: x",
        f"{OUTPUT}{{}}",
        f"{OUTPUT}{{type: CUSTOM, custom-type: x, title: t, description: d, priority: LOW}}",
        f"{OUTPUT}{{assignees: ['urn:li:corpuser:ana', 'urn:li:corpGroup:Data Team']}}",
    ],
)
def test_both_accept(text: str) -> None:
    assert (decodes(text), validates(text)) == (True, True)


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{}",
        "hello",
        "12",
        "version: 1",
        "inputs: []\noutputs: []",
        f"version: 2\ninputs: ['{URN}']",
        f"version: '1'\ninputs: ['{URN}']",
        f"input: ['{URN}']",
        "- x",
        "- 12",
        "- []",
        "- urn:li:dataset:(urn:li:dataPlatform:dbt,a,prod)",
        "- urn:li:dataset:(urn:li:dataPlatform:dbt,a,b,PROD)",
        "- urn:li:dataset:(dbt,a,PROD)",
        "- urn:li:mlModel:(a,b,PROD)",
        "- urn:li:chart:(a,)",
        "- urn:li:chart:(a,b",
        "- name: x",
        f"- urn:li:chart:(a,{'b' * 512})",
        f"{ENTRY}on_incident: warn",
        f"{ENTRY}on-unknown: ignore",
        f"{ENTRY}types: []",
        f"{ENTRY}types: FRESHNESS",
        f"{ENTRY}types: [freshness]",
        f"{ENTRY}min-priority: 1",
        f"{ENTRY}siblings: 'true'",
        f"{ENTRY}name: ''",
        f"{ENTRY}name: {'x' * 201}",
        f"{ENTRY}ignore: [{{incident: 'urn:li:incident:x', until: 2027-01-31}}]",
        f"{ENTRY}ignore: [{{incident: 'urn:li:incident:x', until: soon, reason: r}}]",
        f"{ENTRY}ignore: [{{incident: x, until: 2027-01-31, reason: r}}]",
        f"defaults: {{on-incident: ignore}}\n{ENTRY}name: x",
        f"{OUTPUT}{{type: CUSTOM}}",
        f"{OUTPUT}{{custom-type: x}}",
        f"{OUTPUT}{{type: SQL, custom-type: x}}",
        f"{OUTPUT}{{assignees: [ana]}}",
        f"outputs:\n  - urn: {URN}\n    siblings: true",
    ],
)
def test_both_refuse(text: str) -> None:
    assert (decodes(text), validates(text)) == (False, False)
