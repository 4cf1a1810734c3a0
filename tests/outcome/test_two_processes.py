"""Two processes with the same key, at the same time."""

import os
import subprocess
import sys
import time
from pathlib import Path

import pytest

from incident_gate.sandbox import Faults, Generation, Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.processes import PATIENCE, popen

COMMAND = Path(sys.executable).parent / "incident-gate"


@pytest.mark.parametrize("generation", [Generation.G3, Generation.G4])
def test_racing_processes_leave_one_active_incident_after_the_next_run_at_the_latest(
    generation: Generation, tmp_path: Path
) -> None:
    manifest = tmp_path / "gate.yml"
    manifest.write_text(f"outputs: [{ORDERS!r}]\nversion: 1\n", encoding="utf-8")
    with Sandbox.start(schema=generation, faults=Faults(lag=(0.0, 1.0))) as server:
        server.store.add_asset(ORDERS)
        environment = {"PATH": os.defpath, "DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": server.token}

        def start() -> subprocess.Popen[str]:
            command = [str(COMMAND), "raise", str(manifest), "--incident-key", "nightly"]
            return popen(command, env=environment, stdout=subprocess.PIPE, text=True)

        def active() -> int:
            return len(server.store.incidents(ORDERS, "ACTIVE"))

        processes = [start() for _ in range(3)]
        said = [process.communicate(timeout=PATIENCE)[0] for process in processes]
        assert [process.returncode for process in processes] == [0, 0, 0], said
        # Where the server accepts ids, all three chose the same.
        assert active() == 1 if generation is Generation.G4 else active() <= 3
        time.sleep(1.1)
        process = start()
        assert process.communicate(timeout=PATIENCE)[0]
        assert (process.returncode, active()) == (0, 1)
