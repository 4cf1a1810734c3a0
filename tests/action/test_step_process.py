"""The action's stages as processes, as the runner starts them: their ends, logs and signals."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS
from tests.helpers.step import Step, in_own_process


@pytest.mark.parametrize("entry", ["main", "post"])
def test_a_plain_installation_says_what_the_step_needs(entry: str) -> None:
    program = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == "actions_toolkit":
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing())
from incident_gate.action.entry import {entry}
{entry}()
"""
    environment = {"STATE_report": "true", "PYTHONPATH": os.pathsep.join(sys.path)}
    ended = subprocess.run(
        [sys.executable, "-c", program], env=environment, check=False, capture_output=True, text=True
    )

    assert ended.returncode == 2
    assert ended.stdout.startswith("::error::actions-toolkit is not installed here. ")
    assert "its extra `action`" in ended.stdout
    assert ended.stderr == ""


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
