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


@pytest.mark.parametrize(("incident", "code"), [(False, 0), (True, 1)])
def test_a_closed_standard_output_does_not_change_the_verdict(
    datahub: Sandbox, manifest: str, *, incident: bool, code: int
) -> None:
    if incident:
        datahub.store.raise_incident(ORDERS)

    process = start("check", manifest, DATAHUB_GMS_URL=datahub.url, DATAHUB_GMS_TOKEN=datahub.token)
    assert process.stdout
    assert process.stderr
    process.stdout.close()

    assert process.wait(timeout=PATIENCE) == code
    assert process.stderr.read() == ""
    process.stderr.close()


def test_validate_imports_no_http_client(manifest: str) -> None:
    program = f"""
import sys
from incident_gate.cli.main import run
code = run(["validate", {manifest!r}], {{}}, sys.stdout, sys.stderr)
sys.exit(code or "httpx" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("missing", ["incident_gate.sandbox", "graphql"])
@pytest.mark.parametrize("arguments", [["demo"], ["sandbox"], ["sandbox", "--help"]], ids=" ".join)
def test_missing_sandbox_is_reported_with_where_to_run_it(arguments: list[str], missing: str) -> None:
    program = f"""
import sys
class Missing:
    def find_spec(self, name, path=None, target=None):
        if name == {missing!r}:
            raise ModuleNotFoundError(name=name)
sys.meta_path.insert(0, Missing())
from incident_gate.cli.main import run
sys.exit(run({arguments!r}, {{}}, sys.stdout, sys.stderr))
"""
    ended = subprocess.run([sys.executable, "-c", program], check=False, capture_output=True, text=True)

    assert ended.returncode == 2
    assert f"error: The sandbox is not installed here ({missing} is missing)." in ended.stderr
    assert "pip install '.[sandbox]'" in ended.stderr


@pytest.mark.parametrize(
    ("arguments", "unneeded"),
    [
        ("--version", ("incident_gate.settings", "incident_gate.api", "yaml", "httpx")),
        ("--help", ("incident_gate.settings", "incident_gate.api", "yaml", "httpx")),
        ("check --help", ("incident_gate.cli.online", "incident_gate.api", "httpx")),
        ("report --nonsense", ("incident_gate.cli.online", "incident_gate.api", "httpx")),
        ("schema", ("incident_gate.api", "httpx")),
    ],
)
def test_only_what_the_command_needs_is_imported(arguments: str, unneeded: tuple[str, ...]) -> None:
    program = f"""
import sys
from incident_gate.cli.main import run
run({arguments.split()!r}, {{}}, sys.stderr, sys.stderr)
print(*(name for name in sys.modules if name.startswith({unneeded!r})))
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    assert ended.stdout.split() == []


def test_sandbox_serves_until_it_is_told_to_stop(tmp_path: Path) -> None:
    process = start("sandbox", "--port", "0", "--schema", "g2")
    assert process.stdout
    url = process.stdout.readline().split()[-1]
    path = tmp_path / "gate.yml"
    path.write_text("- urn:li:dataset:(urn:li:dataPlatform:hive,SampleHiveDataset,PROD)\n")

    try:
        checked = gate("check", str(path), "--datahub-url", url, "--datahub-token", "sandbox-token")
    finally:
        process.terminate()
        process.communicate(timeout=PATIENCE)

    assert checked.code == 0, checked.err
    assert process.returncode == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_cancelling_ends_the_waiting_at_once(datahub: Sandbox, manifest: str, number: signal.Signals) -> None:
    datahub.store.raise_incident(ORDERS, title="late")
    process = start(*("check", manifest, "--wait", "1h"), DATAHUB_GMS_URL=datahub.url, DATAHUB_GMS_TOKEN=datahub.token)
    assert process.stderr
    assert process.stderr.readline().startswith("Waiting for 1 input: ")

    process.send_signal(number)
    out, _ = process.communicate(timeout=PATIENCE)

    assert (process.returncode, out) == (128 + number, "Interrupted: nothing was decided.\n")
