"""The command line: every command, its exit code, and what it prints for people and for programs."""

from __future__ import annotations

import builtins
import io
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from asking import CUSTOMERS, DASHBOARD, ORDERS
from incident_gate import __version__
from incident_gate.cli import run
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox


@dataclass(frozen=True, slots=True)
class Ended:
    """A command that has ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """What it printed, as JSON."""
        return json.loads(self.out)


def gate(*arguments: str, environment: Mapping[str, str] | None = None) -> Ended:
    """Run a command in this process."""
    out, err = io.StringIO(), io.StringIO()
    code = run(arguments, environment or {}, out, err)
    return Ended(code, out.getvalue(), err.getvalue())


def ask(server: Sandbox, *arguments: str) -> Ended:
    """Run a command that asks a server."""
    return gate(*arguments, environment={"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": server.token})


def start(*arguments: str, **environment: str) -> subprocess.Popen[str]:
    """Start a command in a process of its own."""
    return subprocess.Popen(
        [sys.executable, "-c", "from incident_gate.cli import main; main()", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        encoding="utf-8",
    )


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    path = tmp_path / "gate.yml"
    path.write_text(f"inputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n", encoding="utf-8")
    return str(path)


# check


def test_check_passes_a_healthy_input(each_datahub: Sandbox, manifest: str) -> None:
    ended = ask(each_datahub, "check", manifest)

    assert (ended.code, ended.out, ended.err) == (0, "Passed: the input is healthy\n", "")


def test_check_blocks_on_an_active_incident(each_datahub: Sandbox, manifest: str) -> None:
    each_datahub.store.raise_incident(ORDERS, title="Rows are missing")

    ended = ask(each_datahub, "check", manifest)

    assert ended.code == 1
    assert ended.out.startswith("Blocked: 1 active incident on 1 of 1 input\n")
    assert "Rows are missing" in ended.out
    assert "\x1b" not in ended.out


def test_the_document_says_it_all(datahub: Sandbox, manifest: str) -> None:
    found = datahub.store.raise_incident(ORDERS, title="Rows are missing", type="VOLUME", priority=1)

    ended = ask(datahub, "check", manifest, "--format", "json")

    document = ended.json
    assert ended.code == 1
    assert (document["conclusion"], document["verdict"], document["failure"]) == ("block", "unhealthy", None)
    [entry] = document["inputs"]
    assert (entry["urn"], entry["line"], entry["verdict"]) == (ORDERS, 2, "unhealthy")
    [incident] = entry["incidents"]
    assert (incident["urn"], incident["title"], incident["type"]) == (found, "Rows are missing", "VOLUME")
    assert (incident["priority"], incident["blocking"]) == ("HIGH", True)


def test_an_option_comes_before_the_environment(datahub: Sandbox, manifest: str) -> None:
    options = ("--datahub-url", datahub.url, "--datahub-token", datahub.token)

    assert gate("check", manifest, *options, environment={"DATAHUB_GMS_URL": "http://127.0.0.1:1"}).code == 0


@pytest.mark.parametrize(
    ("option", "rules", "code"),
    [
        (("--on-incident", "warn"), "", 0),
        (("--on-incident", "warn"), "defaults: {on-incident: block}\n", 0),
        ((), "defaults: {on-incident: warn}\n", 0),
        (("--on-incident", "block"), "defaults: {on-incident: warn}\n", 1),
        ((), "", 1),
    ],
)
def test_an_option_comes_before_the_defaults(
    datahub: Sandbox, tmp_path: Path, option: tuple[str, ...], rules: str, code: int
) -> None:
    datahub.store.raise_incident(ORDERS)
    path = tmp_path / "gate.yml"
    path.write_text(f"{rules}inputs:\n  - {ORDERS}\n")

    assert ask(datahub, "check", str(path), *option).code == code


def test_explain_names_the_rules(datahub: Sandbox, manifest: str) -> None:
    ended = ask(datahub, "check", manifest, "--explain", "--on-unknown", "warn")

    assert "Rules that decided" in ended.out
    assert "on-incident: block (built in)" in ended.out
    assert "on-unknown: warn (input)" in ended.out


def test_headers_can_be_repeated(datahub: Sandbox, manifest: str) -> None:
    assert ask(datahub, "check", manifest, "--headers", "X-A: 1", "--headers", "X-B: 2").code == 0

    sent = datahub.requests[0].headers
    assert (sent["x-a"], sent["x-b"]) == ("1", "2")


def test_an_unreachable_server_is_3_and_one_paragraph(datahub: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text(f"- {ORDERS}\n- {CUSTOMERS}\n")
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.DROP_BEFORE),))

    ended = ask(datahub, "check", str(path), "--timeout", "1")

    assert ended.code == 3
    assert ended.out.startswith("Blocked: DataHub could not be asked about any of the 2 inputs\n")
    assert ended.out.count("gave up after") == 1
    document = ask(datahub, "check", str(path), "--timeout", "1", "--format", "json").json
    assert "gave up after" in document["failure"]["message"]
    assert document["failure"]["hint"]


def test_on_unknown_warn_passes_and_names_each(datahub: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text(f"- {ORDERS}\n- {CUSTOMERS}\n")
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.DROP_BEFORE),))

    ended = ask(datahub, "check", str(path), "--timeout", "1", "--on-unknown", "warn")

    assert ended.code == 0
    assert ended.out.startswith("Passed with a warning: 2 of 2 inputs unknown\n")
    assert "analytics.orders" in ended.out
    assert "analytics.customers" in ended.out


@pytest.mark.parametrize("arguments", [(), ("--on-unknown", "warn")])
def test_a_wrong_token_is_3_whatever_was_said(datahub: Sandbox, manifest: str, arguments: tuple[str, ...]) -> None:
    ended = gate("check", manifest, "--datahub-url", datahub.url, "--datahub-token", "wrong", *arguments)

    assert ended.code == 3
    assert "does not accept the token (HTTP 401)" in ended.out


def test_every_wrong_option_is_told_at_once(manifest: str) -> None:
    ended = gate("check", manifest, "--datahub-url", "x", "--timeout", "0", "--on-unknown", "pass")

    assert (ended.code, ended.out) == (2, "")
    assert [word in ended.err for word in ("datahub-url", "timeout", "on-unknown")] == [True, True, True]
    assert len(ended.err.splitlines()) == 3


def test_no_address_is_told(manifest: str) -> None:
    ended = gate("check", manifest)

    assert (ended.code, ended.out) == (2, "")
    assert "neither datahub-url nor DATAHUB_GMS_URL is set" in ended.err


def test_a_missing_manifest_is_told(datahub: Sandbox, tmp_path: Path) -> None:
    ended = ask(datahub, "check", str(tmp_path / "none.yml"))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err.startswith(f"{tmp_path / 'none.yml'}:1:1: there is no such file\n")
    assert "\ninputs:\n  - urn:li:dataset:" in ended.err


def test_the_default_manifest_is_that_of_the_action(
    datahub: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Path(".github").mkdir()
    Path(".github/incident-gate.yml").write_text(f"- {ORDERS}\n")

    assert ask(datahub, "check").code == 0


def test_verbose_tells_every_request_on_standard_error(datahub: Sandbox, manifest: str) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, times=1),))

    ended = ask(datahub, "check", manifest, "--verbose")

    first, second = ended.err.splitlines()
    assert first.startswith("incidentGateHealth about 1 asset: HTTP 503 in ")
    assert second.startswith("incidentGateHealth about 1 asset, attempt 2: HTTP 200 in ")
    assert second.endswith(" ms, ok")
    assert ended.out == "Passed: the input is healthy\n"
    assert datahub.token not in ended.err


@pytest.mark.parametrize("verbose", [True, False])
def test_a_defect_is_3_and_shows_where_only_with_verbose(
    datahub: Sandbox, manifest: str, monkeypatch: pytest.MonkeyPatch, *, verbose: bool
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("incident_gate.session.check_inputs", broken)

    ended = ask(datahub, "check", manifest, *(["--verbose"] if verbose else []))

    assert ended.code == 3
    assert ended.err.startswith("error: a defect of the gate itself: ZeroDivisionError.")
    assert ("in broken" in ended.err) is verbose


def test_a_setting_error_shows_where_with_verbose() -> None:
    assert "Traceback" in gate("check", "--verbose").err
    assert "Traceback" not in gate("check").err


class Terminal(io.StringIO):
    """Standard output that is a terminal, of a width that cannot be asked for."""

    def isatty(self) -> bool:
        return True


@pytest.mark.parametrize(
    ("out", "environment", "coloured"),
    [
        (Terminal, {"TERM": "xterm"}, True),
        (Terminal, {"TERM": "xterm", "NO_COLOR": "1"}, False),
        (Terminal, {"TERM": "dumb"}, False),
        (Terminal, {}, False),
        (io.StringIO, {"TERM": "xterm"}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(
    datahub: Sandbox, manifest: str, out: type[io.StringIO], environment: dict[str, str], *, coloured: bool
) -> None:
    stdout = out()
    address = {"DATAHUB_GMS_URL": datahub.url, "DATAHUB_GMS_TOKEN": datahub.token}

    for command in ("check", "doctor"):
        assert run([command, manifest], {**address, **environment}, stdout, io.StringIO()) == 0
        assert ("\x1b[" in stdout.getvalue()) is coloured
        stdout.truncate(0)


# raise, resolve, report


def test_raise_and_resolve(each_datahub: Sandbox, manifest: str) -> None:
    raised = ask(each_datahub, "raise", manifest, "--title", "Broken")
    [incident] = each_datahub.store.incidents(CUSTOMERS, "ACTIVE")
    assert (raised.code, incident.title) == (0, "Broken")
    assert raised.out.startswith("Outcome failure: 1 raised\n")
    assert incident.urn in raised.out

    resolved = ask(each_datahub, "resolve", manifest)
    assert resolved.code == 0
    assert resolved.out.startswith("Outcome success: 1 resolved\n")
    assert each_datahub.store.incidents(CUSTOMERS, "ACTIVE") == []


@pytest.mark.parametrize(("status", "active"), [("failure", 1), ("success", 0), ("cancelled", 0)])
def test_report_goes_by_the_status(datahub: Sandbox, manifest: str, status: str, active: int) -> None:
    assert ask(datahub, "report", manifest, "--job-status", status).code == 0

    assert len(datahub.store.incidents(CUSTOMERS, "ACTIVE")) == active


def test_report_without_a_status_is_a_mistake(datahub: Sandbox, manifest: str) -> None:
    ended = ask(datahub, "report", manifest)

    assert ended.code == 2
    assert "job-status is not set" in ended.err


def test_dry_run_says_what_would_be_and_writes_nothing(datahub: Sandbox, manifest: str) -> None:
    ended = ask(datahub, "raise", manifest, "--dry-run", "--format", "json")

    assert ended.code == 0
    assert [output["change"] for output in ended.json["outcome"]["outputs"]] == ["would raise"]
    assert datahub.store.incidents(CUSTOMERS) == []


def test_what_cannot_be_written_is_3(datahub: Sandbox, manifest: str) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, operation="raiseIncident", code=403),))

    ended = ask(datahub, "raise", manifest)

    assert ended.code == 3
    assert ended.out.startswith("Outcome failure: 1 not written\n")


# validate, schema and the rest


def test_validate_tells_of_each_file(tmp_path: Path) -> None:
    good, bad, old = (tmp_path / name for name in ("good.yml", "bad.yml", "old.yml"))
    good.write_text(f"- {ORDERS}\n- {DASHBOARD}\n")
    bad.write_text("inputs:\n  - nonsense\nsurprise: 1\n")
    old.write_text(
        f"inputs:\n  - urn: {ORDERS}\n    ignore:\n"
        "      - {incident: 'urn:li:incident:1', until: 2020-01-01, reason: over}\n"
    )

    ended = gate("validate", str(good), str(bad), str(old))

    assert ended.code == 2
    lines = ended.out.splitlines()
    assert lines[0] == f"{good}: valid, 2 inputs, 0 outputs"
    assert [line.split(" ")[0] for line in lines[1:3]] == [f"{bad}:2:5:", f"{bad}:3:1:"]
    assert lines[3].startswith(f"{old}:4:9: warning: the waiver for urn:li:incident:1")
    assert lines[4] == f"{old}: valid, 1 input, 0 outputs"
    assert gate("validate", str(good), str(old)).code == 0


def test_validate_goes_on_after_a_missing_file(tmp_path: Path) -> None:
    good = tmp_path / "good.yml"
    good.write_text(f"- {ORDERS}\n")

    ended = gate("validate", str(tmp_path / "none.yml"), str(good))

    assert ended.code == 2
    assert "there is no such file" in ended.out
    assert "good.yml: valid" in ended.out


def test_validate_imports_no_http_client(manifest: str) -> None:
    program = f"""
import sys
from incident_gate.cli import run
code = run(["validate", {manifest!r}], {{}}, sys.stdout, sys.stderr)
sys.exit(code or "httpx" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_schema_is_that_of_the_repository() -> None:
    ended = gate("schema")

    kept = Path(__file__).parents[3] / "examples" / "manifest.schema.json"
    assert ended.code == 0
    assert ended.json == json.loads(kept.read_text(encoding="utf-8"))


def test_a_missing_sandbox_is_told_with_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def without_graphql(name: str, *arguments: Any, **more: Any) -> Any:
        if name == "incident_gate.demo":
            raise ImportError("No module named 'graphql'", name="graphql")
        return real(name, *arguments, **more)

    monkeypatch.setattr(builtins, "__import__", without_graphql)

    ended = gate("demo")

    assert ended.code == 2
    assert "The sandbox is not installed (graphql is missing)." in ended.err
    assert "pip install 'datahub-incident-gate[sandbox]'" in ended.err


def test_demo_shows_a_blocked_and_a_passing_run() -> None:
    ended = gate("demo")

    assert ended.code == 0
    said = [line for line in ended.out.splitlines() if line.startswith(("Blocked", "Passed", "Outcome", "exit code"))]
    assert [line.partition(":")[0] for line in said] == [
        *("Blocked", "exit code 1", "Passed", "exit code 0"),
        *("Outcome failure", "exit code 0", "Outcome success", "exit code 0"),
    ]


def test_the_version_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert gate("--version").code == 0
    assert capsys.readouterr().out == f"incident-gate {__version__}\n"


@pytest.mark.parametrize("arguments", [(), ("chekc",), ("check", "--nonsense"), ("validate",)])
def test_a_wrong_command_line_is_2(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> None:
    assert gate(*arguments).code == 2
    assert "usage: incident-gate" in capsys.readouterr().err


# As a process


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

    assert process.wait(timeout=30) == code
    assert process.stderr.read() == ""
    process.stderr.close()


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
        process.communicate(timeout=10)

    assert checked.code == 0, checked.err
    assert process.returncode == 0
