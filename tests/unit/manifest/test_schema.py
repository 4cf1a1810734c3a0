"""The JSON Schema for editors says the same as the decoder."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import ManifestError
from incident_gate.manifest.schema import manifest_schema

STORED = Path(__file__).parents[3] / "examples" / "manifest.schema.json"
URN = "urn:li:dataset:(urn:li:dataPlatform:dbt,analytics.customers,PROD)"
ENTRY = f"inputs:\n  - urn: {URN}\n    "
VARIABLES = {"ENV": "PROD", "A": "a.json", "B": "5", "C": "warn"}
WAIVER = f"{ENTRY}ignore: [{{until: 2027-01-31, reason: r"
OUTPUT = f"outputs:\n  - urn: {URN}\n    incident: "


def as_json(text: str) -> Any:
    """What an editor checks: a date is a text in JSON."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


def decodes(text: str) -> bool:
    try:
        load_manifest("gate.yml", text.encode(), date(2026, 11, 23), VARIABLES)
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
        "- urn:li:container:0d0f\n- urn:li:mlFeatureTable:(urn:li:dataPlatform:feast,users)\n- urn:li:domain:a b",
        f"- urn:li:schemaField:({URN},[version=2.0].[type=int].a)",
        "- urn:li:mlModel:(urn:li:dataPlatform:mlflow,a,PROD)",
        f"- upstream-of: outputs\n- upstream-of: {URN}\n  hops: all\n- upstream-of: ['{URN}']\n  at-most: 20000",
        "- search: {tags: urn:li:tag:a, platforms: [dbt, urn:li:dataPlatform:x], env: [PROD, DEV], query: a b}",
        "- dbt: a.json\n- dbt: [a.json]\n  urns: dbt\n- dbt: {manifest: a.json, use-identifiers: true}\n  name: b",
        "outputs: [{dbt: a.json, incident: {title: a}, may-be-empty: true}]",
        "- urn:li:dataset:(urn:li:dataPlatform:dbt,a,${ENV})\n- dbt: ${A}\n  at-most: ${B}\n  on-incident: ${C}",
        f"{ENTRY}on-failing-assertion: warn\n    assertion-max-age: 7d",
        f"{ENTRY}ignore: [{{assertion: 'urn:li:assertion:x', until: 2027-01-31, reason: r}}]",
        f"outputs: ['{URN}']\npeople: {{'urn:li:corpuser:ana': U0123ABC}}",
        f"outputs: [{{urn: '{URN}', checks: ['orders.*']}}]",
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
        "- urn:li:mlModell:(a,b,PROD)",
        "- urn:li:container:",
        "- upstream-of: output",
        "- upstream-of: []",
        "- {upstream-of: outputs, hops: 3}",
        "- {upstream-of: outputs, hop: 1}",
        "- search: {}",
        "- search: {tags: tier1}",
        "- search: {tag: urn:li:tag:a}",
        "- dbt: {select: a}",
        "- {dbt: a, at-most: 0}",
        "- {dbt: a, at-most: 20001}",
        "- {dbt: a, at-most: '5'}",
        "- {dbt: a, hops: 1}",
        "outputs: [{search: {env: PROD}}]",
        "outputs: [{dbt: a, on-incident: warn}]",
        f"{ENTRY}assertion-max-age: 24",
        f"{ENTRY}ignore: [{{until: 2027-01-31, reason: r}}]",
        f"{WAIVER}, incident: 'urn:li:incident:x', assertion: 'urn:li:assertion:x'}}]",
        f"outputs: ['{URN}']\npeople: {{ana: U0123ABC}}",
        f"outputs: ['{URN}']\npeople: {{'urn:li:corpuser:ana': ana}}",
        "- urn:li:chart:(a,)",
        "- urn:li:chart:(a,b",
        "- name: x",
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


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (f"input: ['{URN}']", "Additional properties are not allowed ('input' was unexpected)"),
        (f"inputs: ['{URN}']\noutput: []", "Additional properties are not allowed ('output' was unexpected)"),
        (f"- {URN}\n- urn: {URN}\n  on-incident: wran", "'wran' is not one of ['block', 'warn', 'ignore']"),
        ("version: 1", "'inputs' is a required property"),
        ("- {dbt: a, at-mots: 3}", "Additional properties are not allowed ('at-mots' was unexpected)"),
        (f"outputs: [{{urn: '{URN}', incident: {{priority: high}}}}]", "'high' is not one of"),
        ("hello", "'hello' is not of type 'object'"),
    ],
)
def test_an_editor_shows_the_mistake_itself(text: str, message: str) -> None:
    errors = jsonschema.Draft7Validator(manifest_schema()).iter_errors(as_json(text))
    assert any(message in error.message for error in errors)
