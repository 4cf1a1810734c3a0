"""raise, resolve and report on the command line."""

import io
from pathlib import Path

import pytest

from incident_gate.cli.main import run
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.command import JOB


@pytest.fixture
def manifest(sandbox: Sandbox, tmp_path: Path) -> str:
    sandbox.store.add_assets([ORDERS, CUSTOMERS])
    path = tmp_path / "gate.yml"
    path.write_text(f"version: 1\noutputs:\n  - {ORDERS}\n  - {CUSTOMERS}\n", encoding="utf-8")
    return str(path)


def call(server: Sandbox, command: str, *arguments: str) -> tuple[int, str]:
    if command == "failure":  # a word of these tests for the other way to say `raise`
        command, arguments = "report", ("--job-status", "failure", *arguments)
    stdout = io.StringIO()
    environment = {"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": server.token, **JOB}
    code = run([command, *arguments], environment, stdout, io.StringIO())
    return code, stdout.getvalue()


def test_raise_keep_and_resolve_say_which_incidents(sandbox: Sandbox, manifest: str) -> None:
    code, text = call(sandbox, "raise", manifest)
    urns = [sandbox.store.incidents(urn, "ACTIVE")[0].urn for urn in (ORDERS, CUSTOMERS)]
    assert code == 0
    assert all(urn in text for urn in urns)
    code, text = call(sandbox, "failure", manifest)
    assert (code, text.count("          incident still open\n")) == (0, 2)
    code, text = call(sandbox, "resolve", manifest)
    assert code == 0
    assert all(urn in text for urn in urns)
    assert sandbox.store.incidents(ORDERS, "ACTIVE") == []


@pytest.mark.parametrize("command", ["raise", "resolve", "failure"])
def test_output_that_could_not_be_written_is_exit_code_3(sandbox: Sandbox, manifest: str, command: str) -> None:
    with Path(manifest).open("a", encoding="utf-8") as file:
        file.write(f"  - {MODEL}\n")
    sandbox.store.add_asset(MODEL)
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.NULL_INCIDENTS, urn=MODEL),))
    code, text = call(sandbox, command, manifest)
    assert code == 3
    assert "does not say whether it has incidents" in text
    assert len(sandbox.store.incidents(ORDERS, "ACTIVE")) == (0 if command == "resolve" else 1)


@pytest.mark.parametrize("status", ["cancelled", "skipped"])
def test_other_endings_are_not_reported(sandbox: Sandbox, manifest: str, status: str) -> None:
    code, text = call(sandbox, "report", f"--job-status={status}", manifest)
    assert code == 0
    assert text == f"Job was {status}: Nothing changes, as only success and failure are reported.\n"
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize("command", ["raise", "resolve", "failure"])
def test_dry_run_sends_no_mutation(sandbox: Sandbox, manifest: str, command: str) -> None:
    call(sandbox, "raise", manifest)
    sandbox.requests.clear()
    code, text = call(sandbox, command, "--dry-run", manifest)
    assert code == 0
    assert f"would {'resolve' if command == 'resolve' else 'update'}" in text
    assert all(not request.query.startswith("mutation") for request in sandbox.requests)


def test_words_on_the_command_line_reach_the_incident(sandbox: Sandbox, manifest: str) -> None:
    call(sandbox, "raise", "--incident-title", "Backfill broke", "--incident-message", "See DATA-7.", manifest)
    (incident,) = sandbox.store.incidents(ORDERS)
    assert incident.title == "Backfill broke"
    assert (incident.description or "").startswith("See DATA-7.\n")
