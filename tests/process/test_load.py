"""Much at once: many assets, many incidents, many gates."""

import json
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from incident_gate.report.model import Report
from incident_gate.sandbox import Faults, Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.gating import check, only, tables, verdicts
from tests.helpers.processes import PATIENCE

pytestmark = pytest.mark.load
ROOT = Path(__file__).parents[2]


def test_ten_thousand_assets_take_little_time_and_memory() -> None:
    gate = Path(sys.executable).with_name("incident-gate-action")
    command = [sys.executable, str(ROOT / "bench" / "run.py"), "--gate", str(gate), "--load", "10000"]

    measured = subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    assert measured.returncode == 0, measured.stderr
    sample = json.loads(measured.stdout)
    assert sample["requests"] == 40
    assert sample["processor_seconds"] < 10
    assert sample["megabytes"] < 80


def test_two_thousand_incidents_are_read_with_four_requests(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    with sandbox.store._database.transaction():  # noqa: SLF001 - one transaction instead of two thousand
        for number in range(2_000):
            sandbox.store.raise_incident(ORDERS, incident_id=f"i{number}")

    decision = only(check(sandbox, ORDERS))

    assert (len(decision.blocking), decision.unread) == (2_000, 0)
    assert len(sandbox.requests) == 4


def test_a_hundred_gates_at_once_are_all_served(sandbox: Sandbox) -> None:
    urns = tables(20)
    sandbox.store.add_assets(urns)
    # Every tenth request is answered with 503: a server that is under load.
    sandbox.faults = Faults(error_rate=0.1)

    def gate(_number: int) -> Report:
        return check(sandbox, *urns, timeout="100")

    with ThreadPoolExecutor(100) as pool:
        results = list(pool.map(gate, range(100)))

    assert all(verdicts(result) == ["healthy"] * 20 for result in results)
    assert len(sandbox.requests) < 150
