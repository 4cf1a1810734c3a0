"""The action's main stage: what every input does, and what the runner gets to read."""

from __future__ import annotations

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.step import Step

SECRET = "s3cr3t-token"


def test_a_healthy_input_passes(step: Step, each_datahub: Sandbox) -> None:
    ended = step.main(each_datahub)

    assert ended.code == 0
    assert ended.outputs == {
        "conclusion": "pass",
        "verdict": "healthy",
        "incidents": "[]",
        "failing-assertions": "[]",
        "unhealthy": "[]",
        "unknown": "[]",
        "blocking-count": "0",
        "override": "",
        "raised": "[]",
        "resolved": "[]",
    }
    assert "no open incidents on 1 input" in ended.summary
    assert ended.said("error", "warning", "notice", "debug") == []


def test_an_active_incident_blocks(step: Step, each_datahub: Sandbox) -> None:
    found = each_datahub.store.raise_incident(ORDERS, title="Rows are missing")

    ended = step.main(each_datahub)

    assert ended.code == 1
    assert (ended.outputs["conclusion"], ended.outputs["verdict"]) == ("block", "unhealthy")
    assert ended.outputs["blocking-count"] == "1"
    assert ended.output("unhealthy") == [ORDERS]
    assert [incident["urn"] for incident in ended.output("incidents")] == [found]
    assert "Rows are missing" in ended.summary
    assert "Rows are missing" in ended.log
    [error] = [command for command in ended.commands if command.name == "error"]
    assert (error.properties["file"], error.properties["line"]) == (".github/incident-gate.yml", "3")


def test_a_run_without_secrets_is_told_why(step: Step, datahub: Sandbox) -> None:
    step.environment["GITHUB_EVENT_NAME"] = "pull_request"

    ended = step.main(datahub, datahub_token="")

    assert ended.code == 3
    assert "requires a token, but none was provided" in ended.said("error")[0]
    assert ended.said("notice")[0].startswith("This run has no DataHub token.")
    assert "Pull requests from forks" in ended.said("notice")[0]


def test_headers_are_sent_and_masked(step: Step, datahub: Sandbox) -> None:
    ended = step.main(datahub, headers="X-Access-Key: hidden-value\nX-Team: data\n")

    sent = datahub.requests[0].headers
    assert (sent["x-access-key"], sent["x-team"]) == ("hidden-value", "data")
    assert ended.said("add-mask") == [datahub.token, "hidden-value"]


def test_secrets_are_masked_before_anything_is_said(step: Step) -> None:
    step.environment["DATAHUB_GMS_TOKEN"] = SECRET

    ended = step.main(datahub_url="not a url", headers="X-Access-Token: hidden-value\nbroken")

    assert ended.log.splitlines()[:2] == [f"::add-mask::{SECRET}", "::add-mask::hidden-value"]
    assert ended.code == 2
    assert SECRET not in ended.log.replace(f"::add-mask::{SECRET}", "")


def test_mistakes_in_the_manifest_are_annotated_on_their_lines(step: Step, datahub: Sandbox) -> None:
    step.write_manifest("inputs:\n  - urn:li:dataset:broken\nouputs: []\n")

    ended = step.main(datahub)

    assert ended.code == 2
    errors = [command.properties for command in ended.commands if command.name == "error"]
    assert [(e["file"], e["line"], e["col"]) for e in errors] == [
        (".github/incident-gate.yml", "2", "20"),
        (".github/incident-gate.yml", "3", "1"),
    ]
    assert ended.outputs["conclusion"] == "block"
    assert len(datahub.requests) == 0


def test_a_title_cannot_speak_to_the_runner(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="\n::set-output name=x::y\r\n::error::owned")

    ended = step.main(datahub)

    assert {command.name for command in ended.commands} == {"add-mask", "error"}
    assert len(ended.said("error")) == 1


def test_debug_logging_tells_every_request_and_nothing_secret(step: Step, datahub: Sandbox) -> None:
    step.environment["RUNNER_DEBUG"] = "1"

    ended = step.main(datahub)

    [line] = ended.said("debug")
    assert line.startswith("incidentGateHealth about 1 asset: HTTP 200 in ")
    assert line.endswith(" ms, ok")
    assert datahub.token not in line


@pytest.mark.parametrize("debugs", [True, False])
def test_a_defect_blocks_and_shows_where_only_with_debug_logging(
    step: Step, datahub: Sandbox, monkeypatch: pytest.MonkeyPatch, *, debugs: bool
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("incident_gate.gate.check.check_inputs", broken)
    step.environment["RUNNER_DEBUG"] = "1" if debugs else ""

    ended = step.main(datahub)

    assert (ended.code, ended.outputs["conclusion"], ended.outputs["verdict"]) == (3, "block", "unknown")
    assert "Internal error: ZeroDivisionError" in ended.said("error")[0]
    assert any("in broken" in line for line in ended.said("debug")) is debugs
    assert ("Traceback" in ended.log) is debugs


def test_urns_in_the_step_need_no_manifest(step: Step, datahub: Sandbox) -> None:
    (step.workspace / ".github" / "incident-gate.yml").unlink()
    found = datahub.store.raise_incident(ORDERS, title="Rows are missing")

    ended = step.main(datahub, inputs=f"{CUSTOMERS}\n{ORDERS}\n", outputs=CUSTOMERS, report_outcome="true")

    assert ended.code == 1
    assert [incident["urn"] for incident in ended.output("incidents")] == [found]
    [error] = [command for command in ended.commands if command.name == "error"]
    assert "file" not in error.properties
    assert "orders" in error.properties["title"]


def test_an_output_that_does_not_exist_is_a_warning_before_the_job_starts(step: Step, sandbox: Sandbox) -> None:
    sandbox.store.add_assets([ORDERS])

    ended = step.main(sandbox, report_outcome="true")

    assert (ended.code, ended.outputs["verdict"]) == (0, "healthy")
    [warning] = [command for command in ended.commands if command.name == "warning"]
    assert warning.properties["line"] == "5"
    assert "not in DataHub" in warning.properties["title"]
    assert CUSTOMERS in ended.log
    assert "Outputs that are not in DataHub" in ended.summary
