"""`incident-gate demo`, which blocks and then passes against a sandbox in the same process, and `sandbox` alone."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

from incident_gate.api import check, connect, report_outcome
from incident_gate.cli.main import Call, today
from incident_gate.errors import ExitCode
from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import Manifest
from incident_gate.process import write
from incident_gate.report.model import Report
from incident_gate.report.terminal import terminal
from incident_gate.sandbox import Sandbox
from incident_gate.sandbox.command import add_arguments
from incident_gate.sandbox.command import run as serve
from incident_gate.settings.model import RunSettings
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
        return _Demo(server=server, stdout=call.stdout, colour=call.has_colour, width=call.width).play()


def sandbox(call: Call) -> int:
    """Serve until interrupted."""
    return serve(call.options)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Demo:
    """A gate, a sandbox and a terminal.

    Args:
        server: The running sandbox.
        stdout: Where the demo is printed.
        colour: Whether to print in colour.
        width: Cells in a line of the terminal; None where there is none.
    """

    server: Sandbox
    stdout: TextIO
    colour: bool
    width: int | None

    def play(self) -> ExitCode:
        """Show a blocked run, a passing one, a failed job and its repair.

        Returns:
            0 if the gate decided as expected: the demo is a test as well.
        """
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
        self._print(f"A sandbox DataHub runs at {self.server.url}. The manifest:\n\n{_indented(_MANIFEST)}")
        self._print(f"$ incident-gate check --incident-key {_KEY}")
        blocked = self._check(_MANIFEST)
        self._print("\nIn DataHub, the two incidents are resolved. The mistyped name in the manifest is corrected.\n")
        store.resolve(late)
        store.resolve(sibling)
        corrected = _MANIFEST.replace("order_itmes", "order_items")
        self._print(f"$ incident-gate check --incident-key {_KEY}")
        passed = self._check(corrected)
        self._print("\nThe job goes on and fails. Its next run succeeds.\n")
        reported = [self._report(corrected, status) for status in ("failure", "success")]
        as_expected = blocked is ExitCode.BLOCKED and passed is ExitCode.OK and set(reported) == {ExitCode.OK}
        return ExitCode.OK if as_expected else ExitCode.BLOCKED

    def _check(self, manifest: str) -> ExitCode:
        settings = self._settings(Mode.GATE)
        with connect(settings) as client:
            return self._show(check(settings, _load(manifest), client))

    def _report(self, manifest: str, status: str) -> ExitCode:
        settings = self._settings(Mode.REPORT, status)
        self._print(f"$ incident-gate report --incident-key {_KEY} --job-status {status}")
        with connect(settings) as client:
            return self._show(report_outcome(settings, _load(manifest), settings.status, client))

    def _show(self, report: Report) -> ExitCode:
        self._print(terminal(report, colour=self.colour, width=self.width) + f"exit code {report.exit_code}")
        return report.exit_code

    def _settings(self, mode: Mode, status: str = "") -> RunSettings:
        values = {
            "datahub-url": self.server.url,
            "datahub-token": self.server.token,
            "incident-key": _KEY,
            "job-status": status,
        }
        return read_settings(lambda name: values.get(name, ""), {}, mode=mode, workspace=Path(), command_line=True)

    def _print(self, text: str) -> None:
        write(self.stdout, f"{text}\n")


def _load(text: str) -> Manifest:
    return load_manifest(".github/incident-gate.yml", text.encode(), today())


def _indented(text: str) -> str:
    return "".join(f"    {line}\n" for line in text.splitlines())
