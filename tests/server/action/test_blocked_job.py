"""Jobs that the gate itself stopped raise nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_gate.ci.run import BLOCKED
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.step import Step


def active(server: Sandbox) -> int:
    return len(server.store.incidents(CUSTOMERS, "ACTIVE"))


@pytest.mark.parametrize(
    ("inputs", "code"),
    [
        ({}, 1),
        ({"inputs": "nonsense"}, 2),
        ({"datahub_url": ""}, 2),
        ({"timeout": "soon"}, 2),
        ({"mode": "Report"}, 2),
        ({"datahub_token": "wrong"}, 3),
    ],
)
def test_report_after_a_gate_that_failed_raises_nothing(
    step: Step, datahub: Sandbox, inputs: dict[str, str], code: int
) -> None:
    datahub.store.raise_incident(ORDERS)
    assert step.main(datahub, **inputs).code == code
    assert step.written("env") == {BLOCKED: "true"}

    step.environment[BLOCKED] = "true"
    ended = step.main(datahub, mode="report", job_status="failure")

    assert (ended.code, active(datahub)) == (0, 0)
    assert "The gate stopped this job" in ended.said("notice")[0]


def test_gate_that_passes_and_steps_of_other_modes_leave_nothing(step: Step, datahub: Sandbox) -> None:
    assert step.main(datahub).code == 0
    assert step.written("env") == {}

    datahub.faults = Faults(rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, operation="raiseIncident", code=403),))
    assert step.main(datahub, mode="raise").code == 3
    assert step.written("env") == {}


def test_raise_and_resolve_do_not_obey_it_and_reports_of_any_scope_do(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS)
    step.main(datahub)
    step.environment |= step.written("env")

    step.main(datahub, mode="report", job_status="failure", incident_key="eu")
    assert active(datahub) == 0
    step.main(datahub, mode="raise")
    assert active(datahub) == 1
    step.main(datahub, mode="resolve")
    assert active(datahub) == 0


@pytest.mark.parametrize("incident_key", ["", "eu"])
def test_end_of_the_job_of_a_gate_that_passed_obeys_another_gate(
    step: Step, datahub: Sandbox, incident_key: str, tmp_path: Path
) -> None:
    assert step.main(datahub, report_outcome="true").code == 0
    datahub.store.raise_incident(ORDERS)
    other = Step(tmp_path / "other", inputs=step.inputs)
    other.write_manifest((step.workspace / ".github/incident-gate.yml").read_text(encoding="utf-8"))
    assert other.main(datahub, incident_key=incident_key).code == 1
    step.environment |= other.written("env")

    ended = step.post(datahub, status="failure", report_outcome="true")

    assert active(datahub) == 0
    assert "The gate stopped this job" in ended.said("notice")[0]
