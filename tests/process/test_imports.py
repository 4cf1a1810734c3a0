"""What a program that uses the package does not load until it needs it."""

from __future__ import annotations

import subprocess
import sys

from incident_gate.sandbox import Sandbox


def test_import_loads_nothing_of_weight() -> None:
    program = """
import sys
import __future__
before = set(sys.modules)
import incident_gate
alone = set(sys.modules) - before
from incident_gate import BlockedError, GateError, Settings, check, report_outcome
Settings(datahub_url="https://datahub.example.com", inputs=["urn"], wait="30m")
both = set(sys.modules) - before
print(sorted(alone))
print(sorted(name for name in both if name.startswith("incident_gate") or name in {"httpx", "yaml", "dataclasses"}))
"""
    ended = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)

    alone, both = ended.stdout.splitlines()
    assert alone == "['incident_gate']"
    assert both == "['incident_gate', 'incident_gate.errors', 'incident_gate.library']"


def test_nothing_of_it_is_imported_or_asked_without_a_selector(manifest: str, datahub: Sandbox) -> None:
    script = (
        "import sys; from incident_gate.cli.main import run\n"
        f"run(['check', {manifest!r}, '--verbose'], "
        f"{{'DATAHUB_GMS_URL': {datahub.url!r}, 'DATAHUB_GMS_TOKEN': {datahub.token!r}}}, sys.stdout, sys.stderr)\n"
        "print([name for name in sys.modules if name.startswith("
        "('incident_gate.select', 'incident_gate.datahub.graph', 'ijson'))])"
    )
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert ended.stdout.splitlines()[-1] == "[]"
    assert [line.split()[0] for line in ended.stderr.splitlines()] == ["incidentGateHealth"]


def test_results_that_nothing_names_are_not_imported() -> None:
    imports = "import sys, incident_gate.api, incident_gate.outcome.decide"
    code = f"{imports}; print([m for m in sys.modules if 'outcome.results' in m or 'incident_gate.dbt' in m])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
