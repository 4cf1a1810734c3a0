"""Overriding the gate: what passes all the same, where the reason stands, and what it never lets pass."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.command import ask, gate
from tests.helpers.step import Step

REASON = "restatement of 2026-11, see DATA-123"


def test_what_would_block_only_warns(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    ended = step.main(datahub, override=REASON)

    assert (ended.code, ended.outputs["conclusion"], ended.outputs["verdict"]) == (0, "warn", "unhealthy")
    assert ended.outputs["blocking-count"] == "1"
    assert json.loads(ended.outputs["override"]) == {"reason": REASON, "actor": "ana"}
    assert f"Overridden by ana: {REASON}" in ended.said("warning")
    assert ended.said("error") == []
    assert "DataHub Incident Gate: overridden" in ended.summary
    assert "Overridden by ana" in ended.summary
    assert f"Overridden by ana: {REASON}" in ended.log


@pytest.mark.parametrize("status", [401, 404, 503])
def test_server_that_is_down_or_refuses_is_overridden(step: Step, datahub: Sandbox, status: int) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=status),))

    ended = step.main(datahub, override=REASON, timeout="1")

    assert (ended.code, ended.outputs["conclusion"], ended.outputs["verdict"]) == (0, "warn", "unknown")


def test_wrong_manifest_is_never_overridden(step: Step, datahub: Sandbox) -> None:
    step.write_manifest("inputs: [nonsense]\n")

    ended = step.main(datahub, override=REASON)

    assert (ended.code, ended.outputs["conclusion"]) == (2, "block")


def test_schedule_brings_a_warning(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    scheduled = step.main(datahub, override=REASON)
    step.environment["GITHUB_EVENT_NAME"] = "workflow_dispatch"
    by_hand = step.main(datahub, override=REASON)

    warning = "This run is scheduled: if the workflow itself sets override, no scheduled run ever blocks."
    assert any(text.startswith(warning) for text in scheduled.said("warning"))
    assert warning.partition(":")[0] not in by_hand.log


def test_outcome_is_reported_as_after_a_pass(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    step.main(datahub, override=REASON, report_outcome="true")
    step.post(datahub, status="failure", override=REASON, report_outcome="true")

    assert len(datahub.store.incidents(CUSTOMERS, "ACTIVE")) == 1


def test_override_of_a_healthy_run_is_named_and_changes_nothing(step: Step, datahub: Sandbox) -> None:
    ended = step.main(datahub, override=REASON)

    assert (ended.code, ended.outputs["conclusion"]) == (0, "pass")
    assert json.loads(ended.outputs["override"])["reason"] == REASON
    assert f"Override by ana without effect: {REASON}" in ended.log


def test_command_line_names_the_user(datahub: Sandbox, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS, title="late")
    environment = {"DATAHUB_GMS_URL": datahub.url, "DATAHUB_GMS_TOKEN": datahub.token, "USER": "ben"}

    ended = gate("check", manifest, "--override", REASON, "--format", "json", environment=environment)

    assert (ended.code, ended.json["conclusion"]) == (0, "warn")
    assert ended.json["override"] == {"reason": REASON, "actor": "ben"}
    assert f"override: {REASON}" in ended.json["inputs"][0]["rules"]


def test_overridden_run_does_not_wait(datahub: Sandbox, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    ended = ask(datahub, "check", manifest, "--override", REASON, "--wait", "1h")

    assert ended.code == 0
    assert "Waiting" not in ended.err


def test_reason_is_untrusted_text(step: Step, datahub: Sandbox, tmp_path: Path) -> None:
    del tmp_path
    datahub.store.raise_incident(ORDERS, title="late")

    ended = step.main(datahub, override="x\n::error::forged\n<img src=x> @acme/all")

    assert ended.said("error") == []
    assert "<img" not in ended.summary
    assert "@acme" not in ended.summary
