"""The published JSON Schema describes the JSON report, field for field."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from incident_gate.errors import RefusedError
from incident_gate.gate.wait import Waited
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.json import document
from incident_gate.report.model import Override, Report
from incident_gate.sandbox import Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.command import ask
from tests.helpers.report_samples import everything, missing, report, unhealthy

SCHEMA: dict[str, Any] = json.loads(
    (Path(__file__).parents[3] / "examples" / "report.schema.json").read_text(encoding="utf-8")
)


def reports() -> Iterator[Report]:
    yield everything()
    yield report()
    yield report(missing("gone"), failure=RefusedError("Refused.", hint="Check the token."))
    yield report(unhealthy("a"), override=Override("known", "ana"), waited=Waited(12.5, (unhealthy("a"),)))
    yield report(outcome=OutcomeReport(outcome="cancelled", nothing="cancelled"), gated=False)


@pytest.mark.parametrize("sample", list(reports()))
def test_every_report_fits_the_schema(sample: Report) -> None:
    for events in ((), ("blocked",), ("raised", "blocked")):
        jsonschema.validate(json.loads(document(sample, events=events)), SCHEMA)


def test_every_change_is_in_the_schema() -> None:
    known = SCHEMA["$defs"]["output"]["properties"]["change"]["enum"]

    assert sorted(known) == sorted(Change)
    assert {*OutputResult._fields} >= {"change", "incidents", "message", "hint"}


def test_reports_of_real_runs_fit_the_schema(datahub: Sandbox, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS, title="late", priority=1)

    for arguments in (
        ("check", manifest, "--override", "known"),
        ("check", manifest, "--wait", "0.2", "--wait-interval", "0.1"),
        ("raise", manifest, "--incident-key", "k"),
        ("resolve", manifest, "--incident-key", "k"),
    ):
        jsonschema.validate(ask(datahub, *arguments, "--format", "json").json, SCHEMA)
