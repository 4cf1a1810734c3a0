"""Main stage, job and post stage as processes, as the runner starts them."""

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS
from tests.helpers.step import Step, in_own_process


@pytest.fixture
def process_step(step: Step) -> Step:
    step.launch = in_own_process
    step.inputs["report-outcome"] = "true"
    return step


def active(server: Sandbox) -> list[str]:
    return [incident.urn for incident in server.store.incidents(CUSTOMERS, "ACTIVE")]


def test_failed_job_raises_and_the_next_success_resolves(process_step: Step, datahub: Sandbox) -> None:
    assert process_step.main(datahub).code == 0
    failed = process_step.post(datahub, status="failure")
    assert failed.code == 0
    assert failed.output("raised") == active(datahub)
    assert len(active(datahub)) == 1
    assert "raised" in failed.summary
    assert process_step.main(datahub).code == 0
    assert process_step.post(datahub, status="success").output("resolved") == failed.output("raised")
    assert active(datahub) == []


def test_without_report_outcome_the_post_stage_is_silent(process_step: Step, datahub: Sandbox) -> None:
    process_step.inputs["report-outcome"] = "false"
    process_step.main(datahub)
    datahub.requests.clear()
    ended = process_step.post(datahub, status="failure")
    assert (ended.code, ended.log, ended.summary) == (0, "", "")
    assert len(datahub.requests) == 0


def test_server_that_cannot_be_read_is_a_warning(process_step: Step, datahub: Sandbox) -> None:
    process_step.main(datahub)
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.HTML),))
    ended = process_step.post(datahub, status="failure")
    assert ended.code == 0
    assert ended.said("warning")
    assert active(datahub) == []
