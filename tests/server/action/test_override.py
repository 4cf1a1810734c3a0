"""Overriding the gate: what passes all the same, where the reason stands, and what it never lets pass."""

from __future__ import annotations

import json

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.command import ask
from tests.helpers.step import Step

REASON = "restatement of 2026-11, see DATA-123"


def test_what_would_block_only_warns(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    ended = step.main(datahub, override=REASON, report_outcome="true")

    assert (ended.code, ended.outputs["conclusion"], ended.outputs["verdict"]) == (0, "warn", "unhealthy")
    assert ended.outputs["blocking-count"] == "1"
    assert json.loads(ended.outputs["override"]) == {"reason": REASON, "actor": "ana"}
    assert f"Overridden by ana: {REASON}" in ended.said("warning")
    scheduled = "This run is scheduled: if the workflow itself sets override, no scheduled run ever blocks."
    assert any(text.startswith(scheduled) for text in ended.said("warning"))
    assert ended.said("error") == []
    assert "DataHub Incident Gate: overridden" in ended.summary
    for shown in (ended.summary, ended.log):
        assert "Overridden by ana" in shown

    # The job ran, so its outcome is reported.
    step.post(datahub, status="failure", override=REASON, report_outcome="true")
    assert len(datahub.store.incidents(CUSTOMERS, "ACTIVE")) == 1


@pytest.mark.parametrize("status", [401, 503])
def test_server_that_is_down_or_refuses_is_overridden(step: Step, datahub: Sandbox, status: int) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=status),))

    ended = step.main(datahub, override=REASON, timeout="1")

    assert (ended.code, ended.outputs["conclusion"], ended.outputs["verdict"]) == (0, "warn", "unknown")


def test_wrong_manifest_is_never_overridden(step: Step, datahub: Sandbox) -> None:
    step.write_manifest("inputs: [nonsense]\n")

    ended = step.main(datahub, override=REASON)

    assert (ended.code, ended.outputs["conclusion"]) == (2, "block")


def test_override_of_a_healthy_run_is_named_and_changes_nothing(step: Step, datahub: Sandbox) -> None:
    step.environment["GITHUB_EVENT_NAME"] = "workflow_dispatch"

    ended = step.main(datahub, override=REASON)

    assert (ended.code, ended.outputs["conclusion"]) == (0, "pass")
    assert json.loads(ended.outputs["override"])["reason"] == REASON
    assert f"Override by ana without effect: {REASON}" in ended.log
    assert "This run is scheduled" not in ended.log


def test_overridden_command_does_not_wait_and_shows_the_rule(datahub: Sandbox, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    ended = ask(datahub, "check", manifest, "--override", REASON, "--wait", "1h", "--format", "json")

    assert (ended.code, ended.json["conclusion"]) == (0, "warn")
    assert f"override: {REASON}" in ended.json["inputs"][0]["rules"]
    assert "Waiting" not in ended.err


def test_reason_is_untrusted_text(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    ended = step.main(datahub, override="x\n::error::forged\n<img src=x> @acme/all")

    assert ended.said("error") == []
    assert "<img" not in ended.summary
    assert "@acme" not in ended.summary
