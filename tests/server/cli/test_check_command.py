"""`incident-gate check`: its exit code, and what it prints for people and for programs."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from incident_gate.cli.main import run
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.command import ask, gate


def test_check_passes_a_healthy_input_and_blocks_on_an_incident(each_datahub: Sandbox, manifest: str) -> None:
    ended = ask(each_datahub, "check", manifest)
    assert (ended.code, ended.out, ended.err) == (0, "✓ Passed  no open incidents on 1 input\n", "")

    each_datahub.store.raise_incident(ORDERS, title="Rows are missing")
    ended = ask(each_datahub, "check", manifest)
    assert ended.code == 1
    assert ended.out.startswith("✗ Blocked  1 incident on 1 input\n")
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
    ("option", "default", "code"),
    [(("--on-incident", "warn"), "block", 0), ((), "warn", 0), (("--on-incident", "block"), "warn", 1)],
)
def test_an_option_comes_before_the_defaults(
    datahub: Sandbox, tmp_path: Path, option: tuple[str, ...], default: str, code: int
) -> None:
    datahub.store.raise_incident(ORDERS)
    path = tmp_path / "gate.yml"
    path.write_text(f"defaults: {{on-incident: {default}}}\ninputs:\n  - {ORDERS}\n")

    assert ask(datahub, "check", str(path), *option).code == code


def test_explain_names_the_rules(datahub: Sandbox, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS)
    Path(manifest).write_text(Path(manifest).read_text(encoding="utf-8") + "\ndefaults: {min-priority: LOW}\n")

    ended = ask(datahub, "check", manifest, "--explain", "--on-incident", "warn")

    _, _, explained = ended.out.partition("Rules that decided\n")
    assert explained.splitlines() == [
        f"  {ORDERS}: unhealthy, warn",
        "    - on-incident: warn (option or action input)",
    ]


def test_headers_can_be_repeated(datahub: Sandbox, manifest: str) -> None:
    assert ask(datahub, "check", manifest, "--headers", "X-A: 1", "--headers", "X-B: 2").code == 0

    sent = datahub.requests[0].headers
    assert (sent["x-a"], sent["x-b"]) == ("1", "2")


def test_an_unreachable_server_is_3_and_one_paragraph(datahub: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text(f"- {ORDERS}\n- {CUSTOMERS}\n")
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.DROP_BEFORE),))

    ended = ask(datahub, "check", str(path), "--timeout", "0.3")

    assert ended.code == 3
    assert ended.out.startswith("✗ Blocked  ")
    assert "so no input was checked" in " ".join(ended.out.split())
    assert " ".join(ended.out.split()).count(" attempts in ") == 1
    document = ask(datahub, "check", str(path), "--timeout", "0.3", "--format", "json").json
    assert " attempts in " in document["failure"]["message"]
    assert document["failure"]["hint"]


def test_on_unknown_warn_passes_and_names_each(datahub: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text(f"- {ORDERS}\n- {CUSTOMERS}\n")
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.DROP_BEFORE),))

    ended = ask(datahub, "check", str(path), "--timeout", "0.3", "--on-unknown", "warn")

    assert ended.code == 0
    assert ended.out.startswith("! Passed with a warning  ")
    assert "analytics.orders" in ended.out
    assert "analytics.customers" in ended.out


@pytest.mark.parametrize("arguments", [(), ("--on-unknown", "warn")])
def test_a_wrong_token_is_3_whatever_was_said(datahub: Sandbox, manifest: str, arguments: tuple[str, ...]) -> None:
    ended = gate("check", manifest, "--datahub-url", datahub.url, "--datahub-token", "wrong", *arguments)

    assert ended.code == 3
    assert "rejected the token (HTTP 401)" in ended.out


def test_every_wrong_option_is_told_at_once(manifest: str) -> None:
    ended = gate("check", manifest, "--datahub-url", "x", "--timeout", "0", "--on-unknown", "pass")

    assert (ended.code, ended.out) == (2, "")
    assert [word in ended.err for word in ("datahub-url", "timeout", "on-unknown")] == [True, True, True]
    assert len(ended.err.splitlines()) == 3


def test_a_missing_manifest_is_told(datahub: Sandbox, tmp_path: Path) -> None:
    ended = ask(datahub, "check", str(tmp_path / "none.yml"))

    assert (ended.code, ended.out) == (2, "")
    assert ended.err == (
        f"{tmp_path / 'none.yml'}: there is no such file\n"
        "Check the path, create the file with `incident-gate init`, or name assets with --inputs instead.\n"
    )


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
    assert ended.out == "✓ Passed  no open incidents on 1 input\n"
    assert datahub.token not in ended.err


@pytest.mark.parametrize("verbose", [True, False])
def test_a_defect_is_3_and_shows_where_only_with_verbose(
    datahub: Sandbox, manifest: str, monkeypatch: pytest.MonkeyPatch, *, verbose: bool
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr("incident_gate.gate.check.check_inputs", broken)

    ended = ask(datahub, "check", manifest, *(["--verbose"] if verbose else []))

    assert ended.code == 3
    assert ended.err.startswith("error: Internal error: ZeroDivisionError.")
    assert ("in broken" in ended.err) is verbose


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
        (io.StringIO, {"FORCE_COLOR": "1"}, True),
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
