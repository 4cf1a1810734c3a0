"""The JSON document and the action's outputs: as the schema says, ASCII, and short enough to be used."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.ci.run import Run
from incident_gate.errors import RefusedError
from incident_gate.gate.policy import Conclusion, Excused
from incident_gate.gate.wait import Waited
from incident_gate.incident import Priority
from incident_gate.manifest.model import OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.json import OUTPUT_LIMIT, document, outputs
from incident_gate.report.model import Override, Report
from incident_gate.report.view import incidents_page
from tests.helpers.report_samples import (
    HOUR,
    NOW,
    UI,
    dataset,
    decision,
    entry,
    everything,
    incident,
    missing,
    report,
    unhealthy,
)

ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,orders,PROD)"


def link(name: str) -> str:
    """The page that people would open."""
    return f"{UI}/dataset/{quote(ORDERS.replace('orders', name), safe='')}/Incidents"


def test_the_outputs_have_exactly_the_documented_names() -> None:
    names = "conclusion verdict incidents failing-assertions unhealthy unknown blocking-count override raised resolved"
    assert list(outputs(everything())) == names.split()


def test_an_incident_in_the_outputs() -> None:
    of = entry("orders")
    sibling = entry("twin").urn
    run = report(
        decision(
            of,
            Conclusion.BLOCK,
            blocking=(incident(1, sibling, title="Late", priority=Priority.HIGH, created_ms=NOW - HOUR),),
            excused=(Excused(incident(2, of.urn, type="CUSTOM", custom_type="Own"), "waived"),),
            unread=3,
        ),
        missing("gone"),
    )
    given_out = outputs(run)
    counted, ignored = json.loads(given_out["incidents"])
    assert counted == {
        "urn": "urn:li:incident:00000001",
        "asset": sibling.text,
        "entry": ORDERS,
        "type": "OPERATIONAL",
        "customType": None,
        "title": "Late",
        "priority": "HIGH",
        "stage": None,
        "assignees": [],
        "created": "2026-05-28T19:26:40Z",
        "blocking": True,
        "excused": None,
        "link": link("twin"),
    }
    assert (ignored["customType"], ignored["blocking"], ignored["excused"]) == ("Own", False, "waived")
    assert (ignored["title"], ignored["priority"], ignored["created"]) == (None, None, None)
    assert given_out["conclusion"] == "block"
    assert given_out["verdict"] == "unhealthy"
    assert given_out["blocking-count"] == "4"
    assert json.loads(given_out["unhealthy"]) == [ORDERS]
    assert json.loads(given_out["unknown"]) == [ORDERS.replace("orders", "gone")]


def test_raised_and_resolved_are_incident_urns() -> None:
    output = OutputEntry(urn=entry("daily").urn, position=Position(1, 1))
    # Whatever failed after it.
    failed = OutputResult(entry=output, change=Change.FAILED, incidents=("c",), raised=("a", "b"), resolved=("d",))
    results = (failed, OutputResult(entry=output, change=Change.RESOLVED, incidents=("e",), resolved=("e",)))
    given_out = outputs(report(outcome=OutcomeReport(outcome="failure", results=results)))
    assert (given_out["raised"], given_out["resolved"]) == ('["a", "b"]', '["d", "e"]')


def test_the_worst_incident_is_the_last_to_be_cut() -> None:
    run = report(unhealthy("a", priority=Priority.LOW), unhealthy("b", priority=Priority.CRITICAL))
    assert [one["priority"] for one in json.loads(outputs(run)["incidents"])] == ["CRITICAL", "LOW"]


def test_a_step_of_its_own_has_no_verdict() -> None:
    run = report(outcome=OutcomeReport(outcome="success"), gated=False)
    assert (outputs(run)["conclusion"], outputs(run)["verdict"]) == ("", "")
    assert json.loads(document(run))["verdict"] is None


@pytest.mark.parametrize("number", [0, 1, 3_000])
def test_a_list_is_cut_between_elements_and_says_how_many_are_missing(number: int) -> None:
    run = report(*(unhealthy(f"table{n}", "t" * 100) for n in range(number)))
    given_out = outputs(run)
    for name in ("incidents", "unhealthy"):
        assert (OUTPUT_LIMIT - 600 if number > 1 else 0) < len(given_out[name]) <= OUTPUT_LIMIT
    incidents: list[dict[str, Any]] = json.loads(given_out["incidents"])
    urns: list[str] = json.loads(given_out["unhealthy"])
    missing_incidents = incidents.pop()["truncated"] if incidents and "truncated" in incidents[-1] else 0
    missing_urns = int(urns.pop().removeprefix("truncated:")) if urns and urns[-1].startswith("truncated:") else 0
    assert len(incidents) + missing_incidents == number
    assert len(urns) + missing_urns == number
    assert given_out["blocking-count"] == str(number)


def test_one_giant_title_costs_only_its_own_element() -> None:
    run = report(unhealthy("orders", "t" * 2 * OUTPUT_LIMIT))
    assert outputs(run)["incidents"] == '[{"truncated": 1}]'


@given(st.text())
def test_json_is_ascii_and_whole(text: str) -> None:
    run = report(unhealthy("orders", text), notices=(text,))._replace(manifest_path=text)
    for written in (document(run).replace("\n", ""), outputs(run)["incidents"]):
        assert written.isascii()
        assert written.isprintable()
    assert json.loads(document(run))["inputs"][0]["incidents"][0]["title"] == text
    assert json.loads(outputs(run)["incidents"])[0]["title"] == text


def test_the_document_has_every_input_with_its_grounds() -> None:
    found = json.loads(document(everything()))
    assert " ".join(found) == (
        "version run manifest time headline conclusion verdict failure override waited inputs missingOutputs outcome "
        "warnings notices"
    )
    assert found["version"] == 1
    assert found["time"] == "2026-05-28T20:26:40Z"
    assert (
        found["headline"]
        == "Blocked: 4 incidents on 2 inputs, 1 input not found, 9 inputs clear, 2 only warn, 1 incident does not count"
    )
    assert len(found["inputs"]) == 14
    first = found["inputs"][0]
    assert (first["line"], first["verdict"], first["conclusion"], first["unread"]) == (4, "unhealthy", "block", 1)
    assert [one["priority"] for one in first["incidents"]] == ["CRITICAL", "HIGH"]
    # Only the rules that decided.
    assert first["rules"] == ["on-incident: block (defaults)"]
    unknown = found["inputs"][3]
    assert unknown["problems"][0]["reason"] == "not-found"
    assert found["outcome"]["status"] == "failure"
    assert [(one["change"], one["decidedBy"]) for one in found["outcome"]["outputs"]] == [
        ("raised", "job-status"),
        ("failed", "job-status"),
    ]
    assert found["warnings"][0]["line"] == 12
    assert [one["urn"] for one in found["missingOutputs"]] == [dataset("analytics.public.orders_monthly").text]


def test_the_document_has_the_links_that_people_would_click() -> None:
    found = json.loads(document(everything()))
    page = incidents_page(UI, dataset("analytics.public.orders").text)
    assert page
    assert page.startswith(f"{UI}/dataset/urn%3Ali%3Adataset")
    assert found["inputs"][0]["link"] == page
    assert found["inputs"][0]["incidents"][0]["link"] == page
    assert found["inputs"][0]["incidents"][0]["stage"] == "WORK_IN_PROGRESS"
    assert found["inputs"][0]["incidents"][0]["assignees"] == ["Ana Lima", "data-platform"]
    raised, failed = found["outcome"]["outputs"]
    assert raised["link"] == incidents_page(UI, dataset("analytics.public.orders_daily").text)
    assert failed["link"].endswith("orders_weekly%2CPROD%29/Incidents")
    assert found["missingOutputs"][0]["link"].endswith("orders_monthly%2CPROD%29")
    of = decision(entry("orders", 0), Conclusion.BLOCK)
    named = json.loads(document(report(of, run=Run(workflow_file="ci.yml"))))
    assert (named["inputs"][0]["line"], named["run"]["workflow"]) == (None, "ci.yml")
    without = json.loads(document(everything()._replace(ui_url=None)))
    assert without["inputs"][0]["incidents"][0]["link"] is None


def test_a_created_time_that_is_no_time_is_left_out() -> None:
    for created in (10**30, -(10**30), 2**63):
        assert json.loads(outputs(report(unhealthy("orders", created_ms=created)))["incidents"])[0]["created"] is None


# The schema

SCHEMA: dict[str, Any] = json.loads((Path(__file__).parents[3] / "examples/report.schema.json").read_text("utf-8"))


def reports() -> Iterator[Report]:
    yield everything()
    yield report()
    yield report(missing("gone"), failure=RefusedError("Refused.", hint="Check the token."))
    yield report(unhealthy("a"), override=Override("known", "ana"), waited=Waited(12.5, (unhealthy("a"),)))
    yield report(outcome=OutcomeReport(outcome="cancelled", nothing="cancelled"), gated=False)
    output = OutputEntry(urn=entry("daily").urn, position=Position(1, 1))
    result = OutputResult(output, Change.RAISED, by_results=True, reason="1 failed", failed=(("a", "b"),))
    yield report(outcome=OutcomeReport(outcome="failure", results=(result,)), gated=False)


@pytest.mark.parametrize("sample", list(reports()))
def test_every_report_fits_the_schema(sample: Report) -> None:
    for events in ((), ("blocked",), ("raised", "blocked")):
        found = json.loads(document(sample, events=events))
        jsonschema.validate(found, SCHEMA)
        assert found.get("event") == {0: None, 1: "blocked", 2: ["raised", "blocked"]}[len(events)]


def test_every_change_is_in_the_schema() -> None:
    assert sorted(SCHEMA["$defs"]["output"]["properties"]["change"]["enum"]) == sorted(Change)
