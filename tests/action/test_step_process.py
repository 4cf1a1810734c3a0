"""The action's main stage as a process: its end, its log and its signals."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.processes import PATIENCE
from tests.helpers.step import Step


@pytest.mark.parametrize(("incident", "code"), [(False, 0), (True, 1)])
def test_the_process_ends_with_the_verdict(step: Step, datahub: Sandbox, *, incident: bool, code: int) -> None:
    if incident:
        datahub.store.raise_incident(ORDERS, title="Rows are missing")

    log, _ = step.start(datahub).communicate(timeout=PATIENCE)

    process = step.ended(code, log)
    assert process.outputs["conclusion"] == ("block" if incident else "pass")
    assert ("Rows are missing" in log) is incident
    assert log.splitlines()[0] == f"::add-mask::{datahub.token}"


@pytest.mark.parametrize(("incident", "code"), [(False, 0), (True, 1)])
def test_a_closed_log_does_not_change_the_verdict(step: Step, datahub: Sandbox, *, incident: bool, code: int) -> None:
    if incident:
        datahub.store.raise_incident(ORDERS)

    process = step.start(datahub)
    assert process.stdout
    process.stdout.close()

    assert process.wait(timeout=PATIENCE) == code
    assert json.loads(step.ended(code, "").outputs["unhealthy"]) == ([ORDERS] if incident else [])


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_cancelled_job_ends_the_process_at_once(step: Step, datahub: Sandbox, number: signal.Signals) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.HANG),))
    process = step.start(datahub)
    while not datahub.requests:
        assert process.poll() is None
        time.sleep(0.01)

    process.send_signal(number)
    log, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 128 + number
    assert "Interrupted before the gate came to a verdict: nothing was decided" in log
    assert step.ended(0, log).summary == ""


def test_no_home_and_no_locale_are_needed(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="Zeilen fehlen — 行がない")
    step.environment |= {"LC_ALL": "C", "LANG": "", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}
    assert "HOME" not in step.environment

    process = step.start(datahub)
    log, _ = process.communicate(timeout=PATIENCE)

    assert process.returncode == 1
    assert "行がない" in log
    assert "行がない" in step.ended(1, log).summary


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
