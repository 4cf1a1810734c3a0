"""The action's stages as processes, as the runner starts them: their ends, logs and signals."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS
from tests.helpers.processes import PATIENCE
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


@pytest.mark.parametrize(("number", "mode"), [(signal.SIGTERM, "gate"), (signal.SIGINT, "raise")])
def test_main_stage_that_is_cancelled_leaves_its_outputs(
    step: Step, datahub: Sandbox, number: signal.Signals, mode: str
) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.HANG),))
    process = step.start(datahub, mode=mode)
    while not datahub.requests:
        assert process.poll() is None
        time.sleep(0.01)

    process.send_signal(number)
    log, _ = process.communicate(timeout=PATIENCE)

    ended = step.ended(process.returncode, log)
    assert ended.code == 128 + number
    assert ("Interrupted before the gate came to a verdict: nothing was decided" in log) is (mode == "gate")
    assert ended.summary == ""
    assert (ended.outputs["conclusion"], ended.outputs["verdict"]) == ("block", "unknown")
    assert bool(step.written("env")) is (mode == "gate")


def test_main_stage_that_is_cancelled_while_it_starts_leaves_its_outputs(step: Step, datahub: Sandbox) -> None:
    for delay in (0.05, 0.1, 0.2):
        process = step.start(datahub)
        # Python itself is not ready before; from then on an interruption waits for the imports.
        while "incident_gate" not in _mapped(process.pid) and process.poll() is None:
            time.sleep(0.002)
        time.sleep(delay)
        process.send_signal(signal.SIGTERM)
        process.communicate(timeout=PATIENCE)
        if process.returncode != -signal.SIGTERM:
            assert step.written("output")["conclusion"] in {"block", "pass"}
            assert process.returncode in {0, 128 + signal.SIGTERM}


def _mapped(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_text(encoding="utf-8").replace("-", "_")
    except OSError:
        return ""
