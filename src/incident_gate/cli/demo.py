"""`incident-gate demo`, which blocks and then passes against a sandbox in the same process, and `sandbox` alone."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

from incident_gate.api import check, connect, report_outcome
from incident_gate.cli.main import Call, today, width_of
from incident_gate.errors import ExitCode
from incident_gate.manifest.load import load_manifest
from incident_gate.process import write
from incident_gate.report.terminal import terminal
from incident_gate.sandbox import Sandbox
from incident_gate.sandbox.command import add_arguments
from incident_gate.sandbox.command import run as serve
from incident_gate.settings.options import Mode
from incident_gate.settings.read import read_settings

_TABLE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.public.{},PROD)"
_MODEL = "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.{},PROD)"
_MANIFEST = f"""\
version: 1
inputs:
  - {_TABLE.format("orders")}
  - urn: {_MODEL.format("customers")}
    name: Customers
  - urn: {_TABLE.format("payments")}
    min-priority: HIGH
  - {_TABLE.format("order_itmes")}
outputs:
  - urn: {_TABLE.format("orders_daily")}
    incident: {{type: OPERATIONAL, priority: HIGH}}
"""
_KEY = "demo"


__all__ = ["add_arguments", "demo", "sandbox"]


def demo(call: Call) -> ExitCode:
    """Start a sandbox and run the demo on it."""
    with Sandbox.start(schema="g4") as server:
        return _Demo(server, call).play()


def sandbox(call: Call) -> int:
    """Serve until interrupted."""
    return serve(call.options)


class _Demo(NamedTuple):
    """A gate, a sandbox and a terminal."""

    server: Sandbox
    call: Call

    def play(self) -> ExitCode:
        """Show a blocked run, a passing one, a failed job and its repair; 0 if each ended as expected."""
        store = self.server.store
        for name in ("orders", "payments", "orders_daily", "order_items", "customers"):
            store.add_asset(_TABLE.format(name))
        store.add_asset(_MODEL.format("customers"), siblings=(_TABLE.format("customers"),))
        late = store.raise_incident(
            _TABLE.format("orders"), title="Orders of today are missing", type="FRESHNESS", priority=0
        )
        sibling = store.raise_incident(
            _TABLE.format("customers"), title="4 % of e-mail addresses are empty", type="FIELD", priority=1
        )
        store.raise_incident(_TABLE.format("payments"), title="Row count 2 % below normal", type="VOLUME", priority=3)
        indented = "".join(f"    {line}\n" for line in _MANIFEST.splitlines())
        self._print(f"A sandbox DataHub runs at {self.server.url}. The manifest:\n\n{indented}")
        codes = [self._run(_MANIFEST)]
        self._print("\nIn DataHub, the two incidents are resolved. The mistyped name in the manifest is corrected.\n")
        store.resolve(late)
        store.resolve(sibling)
        corrected = _MANIFEST.replace("order_itmes", "order_items")
        codes.append(self._run(corrected))
        for sentence, status in (("The job goes on and fails.", "failure"), ("Its next run succeeds.", "success")):
            self._print(f"\n{sentence}\n")
            codes.append(self._run(corrected, status))
        expected = [ExitCode.BLOCKED, ExitCode.OK, ExitCode.OK, ExitCode.OK]
        return ExitCode.OK if codes == expected else ExitCode.BLOCKED

    def _run(self, text: str, status: str = "") -> ExitCode:
        """Run the gate; with the status of a job, report that."""
        command = f"report --incident-key {_KEY} --job-status {status}" if status else f"check --incident-key {_KEY}"
        self._print(f"$ incident-gate {command}")
        values = {
            "datahub-url": self.server.url,
            "datahub-token": self.server.token,
            "incident-key": _KEY,
            "job-status": status,
        }
        mode = Mode.REPORT if status else Mode.GATE
        settings = read_settings(lambda name: values.get(name, ""), {}, mode=mode, workspace=Path(), command_line=True)
        manifest = load_manifest(".github/incident-gate.yml", text.encode(), today())
        with connect(settings) as client:
            if status:
                report = report_outcome(settings, manifest, settings.status, client)
            else:
                report = check(settings, manifest, client)
        shown = terminal(report, colour=self.call.has_colour, width=width_of(self.call.stdout))
        self._print(f"{shown}exit code {report.exit_code}")
        return report.exit_code

    def _print(self, text: str) -> None:
        write(self.call.stdout, f"{text}\n")
