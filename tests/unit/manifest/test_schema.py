"""The JSON Schema for editors accepts what the decoder accepts. What both refuse: `test_wrong_manifests.py`."""

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from incident_gate.manifest.grammar import manifest_schema
from tests.helpers.manifests import load

STORED = Path(__file__).parents[3] / "examples" / "manifest.schema.json"
URN = "urn:li:dataset:(urn:li:dataPlatform:dbt,analytics.customers,PROD)"
ENTRY = f"inputs:\n  - urn: {URN}\n    "
OUTPUT = f"outputs:\n  - urn: {URN}\n    incident: "


def as_json(text: str) -> Any:
    """What an editor checks: a date is a text in JSON."""
    return json.loads(json.dumps(yaml.safe_load(text), default=str))


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
        f"inputs: []\noutputs: ['{URN}']",
        "- urn:li:dataset:(urn:li:dataPlatform:x,f(a,b),DEV)",
        "- urn:li:dataJob:(urn:li:dataFlow:(airflow,daily,prod),load)\n- urn:li:dataFlow:(airflow,daily,prod)",
        "- urn:li:container:0d0f\n- urn:li:mlFeatureTable:(urn:li:dataPlatform:feast,users)\n- urn:li:domain:a b",
        f"- urn:li:schemaField:({URN},[version=2.0].[type=int].a)",
        "- urn:li:mlModel:(urn:li:dataPlatform:mlflow,a,PROD)",
        f"- upstream-of: outputs\n- upstream-of: {URN}\n  hops: all\n- upstream-of: ['{URN}']\n  at-most: 20000",
        "- search: {tags: urn:li:tag:a, platforms: [dbt, urn:li:dataPlatform:x], env: [PROD, DEV], query: a b}",
        "- dbt: a.json\n- dbt: [a.json]\n  urns: dbt\n- dbt: {manifest: a.json, use-identifiers: true}\n  name: b",
        "- urn:li:dataset:(urn:li:dataPlatform:dbt,a,${ENV})\n- dbt: ${A}\n  at-most: ${B}\n  on-incident: ${C}",
        "- urn:li:chart:(looker,1)\n- urn:li:dashboard:(looker,a::b)",
        f"{ENTRY}ignore: []",
        f"{OUTPUT}{{}}",
        f"{OUTPUT}{{assignees: ['urn:li:corpuser:ana', 'urn:li:corpGroup:Data Team']}}",
    ],
)
def test_both_accept(text: str) -> None:
    assert load(text, ENV="PROD", A="a.json", B="5", C="warn")
    assert jsonschema.Draft7Validator(manifest_schema()).is_valid(as_json(text))


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
