"""Which incidents on its inputs a job excuses as its workflow's own, and which incidents it resolves."""

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.step import Step


@pytest.fixture
def own(step: Step) -> Step:
    """A step whose job writes what it reads."""
    step.write_manifest(f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {ORDERS}\n")
    step.inputs["report-outcome"] = "true"
    return step


def active(server: Sandbox) -> list[str]:
    return [incident.urn for incident in server.store.incidents(ORDERS, "ACTIVE")]


def test_own_incident_on_an_input_does_not_block_and_is_listed(own: Step, datahub: Sandbox) -> None:
    own.main(datahub)
    own.post(datahub, status="failure")
    assert len(active(datahub)) == 1
    ended = own.main(datahub)
    assert (ended.code, ended.outputs["conclusion"]) == (0, "pass")
    assert "raised by this workflow" in ended.log
    assert "raised by this workflow" in ended.summary
    own.post(datahub, status="success")
    assert active(datahub) == []


def test_incident_of_another_leg_of_the_matrix_does_not_block(own: Step, datahub: Sandbox) -> None:
    for leg in ('{"region": "eu"}', '{"region": "us"}'):
        assert own.main(datahub, matrix=leg).code == 0
        own.post(datahub, status="failure", matrix=leg)
    assert len(active(datahub)) == 2
    # The same leg, printed otherwise.
    own.main(datahub, matrix='{\n  "region": "eu"\n}')
    own.post(datahub, status="success", matrix='{"region":"eu"}')
    assert len(active(datahub)) == 1
