"""The command line's own processes: what they print, how they end, and what they say without an extra."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.command import gate, start
from tests.helpers.processes import PATIENCE


def test_validate_imports_no_http_client(manifest: str) -> None:
    program = f"""
import sys
from incident_gate.cli.main import run
code = run(["validate", {manifest!r}], {{}}, sys.stdout, sys.stderr)
sys.exit(code or "httpx" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("missing", ["incident_gate.sandbox", "graphql"])
def test_missing_sandbox_is_reported_with_where_to_run_it(missing: str) -> None:
    program = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {missing!r}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing())
from incident_gate.cli.main import run
for arguments in ["demo"], ["sandbox"], ["sandbox", "--help"]:
    print(run(arguments, {{}}, sys.stdout, sys.stdout))
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    lines = ended.stdout.splitlines()
    assert lines[::3] == [f"error: The sandbox is not installed here ({missing} is missing)."] * 3, ended.stderr
    assert all("pip install '.[sandbox]'" in line for line in lines[1::3])
    assert lines[2::3] == ["2"] * 3


def test_only_what_the_command_needs_is_imported() -> None:
    """Each command in its turn: none needs less than the one before it."""
    program = """
import sys
from incident_gate.cli.main import run
for arguments, unneeded in (
    ("--version", ("incident_gate.settings", "incident_gate.api", "yaml", "httpx")),
    ("--help", ("incident_gate.settings", "incident_gate.api", "yaml", "httpx")),
    ("check --help", ("incident_gate.cli.online", "incident_gate.api", "httpx")),
    ("report --nonsense", ("incident_gate.cli.online", "incident_gate.api", "httpx")),
    ("schema", ("incident_gate.api", "httpx")),
):
    run(arguments.split(), {}, sys.stderr, sys.stderr)
    print(*(f"{arguments}: {name}" for name in sys.modules if name.startswith(unneeded)), end="")
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert ended.stdout == ""


def test_sandbox_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = start("sandbox", "--port", "0", "--schema", "g2")
    assert process.stdout
    first, *others = [process.stdout.readline() for _ in range(5)]
    url = first.split()[-1]
    path = tmp_path / "gate.yml"
    path.write_text("- urn:li:dataset:(urn:li:dataPlatform:hive,SampleHiveDataset,PROD)\n")

    try:
        checked = gate("check", str(path), "--datahub-url", url, "--datahub-token", "sandbox-token")
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)

    assert checked.code == 0, checked.err
    assert first == f"A mock DataHub server (v0.15.0, --schema g2) listens on {url}\n"
    assert "sandbox-token; any token is accepted, --token restricts it\n" in others[2]
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_cancelling_ends_the_waiting_at_once(datahub: Sandbox, manifest: str, number: signal.Signals) -> None:
    datahub.store.raise_incident(ORDERS, title="late")
    process = start(*("check", manifest, "--wait", "1h"), DATAHUB_GMS_URL=datahub.url, DATAHUB_GMS_TOKEN=datahub.token)
    assert process.stderr
    assert process.stderr.readline().startswith("Waiting up to ")

    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (128 + number, "Interrupted: nothing was decided.\n")
