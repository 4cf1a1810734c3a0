"""The grammar of the command line, and the commands that connect to no DataHub."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest

from incident_gate import __version__
from incident_gate.cli.main import COMMANDS, error_text, parse, run
from incident_gate.errors import GateError
from incident_gate.settings.options import TYPES
from tests.helpers.asking import DASHBOARD, ORDERS
from tests.helpers.command import Ended, gate


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
    assert [line.split(" ")[0] for line in lines[1:7:3]] == [f"{bad}:2:5:", f"{bad}:3:1:"]
    assert lines[2:4] == ["  2 |   - nonsense", "    |     ^"]
    assert lines[7] == "Found 2 errors."
    assert lines[8].startswith(f"{old}:4:9: warning: the `ignore` rule for urn:li:incident:1")
    assert lines[9] == f"{old}: valid, 1 input, 0 outputs"
    assert gate("validate", str(good), str(old)).code == 0


def test_validate_goes_on_after_a_missing_file(tmp_path: Path) -> None:
    good = tmp_path / "good.yml"
    good.write_text(f"- {ORDERS}\n")

    ended = gate("validate", str(tmp_path / "none.yml"), str(good))

    assert ended.code == 2
    assert "there is no such file" in ended.out
    assert "good.yml: valid" in ended.out


def test_schema_is_that_of_the_repository() -> None:
    ended = gate("schema")

    kept = Path(__file__).parents[3] / "examples" / "manifest.schema.json"
    assert ended.code == 0
    assert ended.json == json.loads(kept.read_text(encoding="utf-8"))


# The image lacks the sandbox itself, a plain installation its libraries.


def test_demo_shows_a_blocked_and_a_passing_run() -> None:
    ended = gate("demo")

    assert ended.code == 0
    said = [line for line in ended.out.splitlines() if line.startswith(("✗", "✓", "Job", "exit code"))]
    assert [line.partition(":")[0].partition("  ")[0] for line in said] == [
        *("✗ Blocked", "exit code 1", "✓ Passed", "exit code 0"),
        *("Job failed", "exit code 0", "Job succeeded", "exit code 0"),
    ]
    assert "help: to let this run pass, add --override REASON" in ended.out


def test_every_line_of_an_error_is_one_and_its_hint_keeps_its_spaces() -> None:
    assert error_text(GateError("a\nb", hint="c:\n  d\x1b")) == "error: a\nerror: b\nc:\n  d\\x1b\n"


def test_version_is_printed() -> None:
    assert gate("--version") == Ended(0, f"incident-gate {__version__}\n", "")


@pytest.mark.parametrize(("arguments", "code"), [((), 2), (("--help",), 0), (("-h",), 0)])
def test_help_lists_every_command(arguments: tuple[str, ...], code: int) -> None:
    ended = gate(*arguments)

    assert ended.code == code
    assert ended.err == ""
    for name, command in COMMANDS.items():
        assert f"{name} " in ended.out
        assert command.help.split()[0] in ended.out
    assert "exit codes: 0 pass or warn" in ended.out


@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_a_command_is_its_own(command: str) -> None:
    ended = gate(command, "--help")

    assert (ended.code, ended.err) == (0, "")
    assert ended.out.startswith(f"usage: incident-gate {command} ")
    assert "exit codes" not in ended.out


def test_help_shows_the_words_that_an_option_takes() -> None:
    shown = gate("check", "--help").out

    assert "--on-incident {block,warn}" in shown
    assert "--on-unknown {block,warn}" in shown
    assert "--timeout TIME" in shown
    assert "TEXT" not in shown


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("chekc",), "error: 'chekc' is not a command.\nDid you mean check?\n"),
        (("check=x",), "error: 'check=x' is not a command.\n"),
        (("nonsense",), "error: 'nonsense' is not a command.\nincident-gate --help lists the commands.\n"),
        (
            ("--format", "json", "check"),
            "error: --format is before the command.\nWrite it after: incident-gate check --format\n",
        ),
        (("--manifest=a", "check"), "The manifest is an argument: incident-gate check FILE\n"),
        (("--datahub-tokn=s3cr3t-value", "doctor"), "Did you mean --datahub-token?\n"),
        (("check", "--datahub-tokn", "s3cr3t-value"), "error: There is no option --datahub-tokn.\n"),
        (("check", "--datahub-tokn=s3cr3t-value"), "Did you mean --datahub-token?\n"),
        (("check", "--on-inc", "warn"), "error: There is no option --on-inc.\n"),
        (
            ("check", "--manifst", "a"),
            "error: There is no option --manifst.\nThe manifest is an argument: incident-gate check FILE\n",
        ),
        (
            ("check", "--nonsense"),
            "error: There is no option --nonsense.\nincident-gate check --help lists the options.\n",
        ),
        (("raise", "--waits=1"), "error: There is no option --waits.\nincident-gate raise --help lists the options.\n"),
        (("check", "a", "b"), "error: Unexpected argument 'b'.\nincident-gate check --help lists the options.\n"),
        (("check", "--timeout"), "error: --timeout needs a time, like 30m.\n"),
        (("check", "--datahub-url"), "error: --datahub-url needs a value: --datahub-url URL.\n"),
        (("check", "--explain=yes"), "error: --explain takes no value.\n"),
        (("check", "--format", "yaml"), "error: --format is 'yaml'.\nUse table or json.\n"),
        (("sandbox", "--schema", "g9"), "error: --schema is 'g9': use one of g1, "),
        (("sandbox", "--lag", "x"), "error: --lag is 'x': use seconds, like 2 or 0.5-3.\n"),
        (("sandbox", "--load", "nothing.json"), "error: --load is 'nothing.json': No such file or directory.\n"),
        (("sandbox", "--fault", "hang,times=x"), "error: --fault is 'hang,times=x': times is a number.\n"),
    ],
)
def test_wrong_command_line_is_2_and_explained(arguments: tuple[str, ...], message: str) -> None:
    ended = gate(*arguments)

    assert (ended.code, ended.out) == (2, "")
    assert message in ended.err
    assert "s3cr3t" not in ended.err


@pytest.mark.parametrize("arguments", [("--verbose", "check"), ("check", "--verbose")])
def test_verbose_works_before_and_behind_the_command(arguments: tuple[str, ...]) -> None:
    assert "Traceback" in gate(*arguments).err


def test_validate_reads_the_default_manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / ".github").mkdir()
    (tmp_path / ".github/incident-gate.yml").write_text(f"- {ORDERS}\n")

    assert gate("validate") == Ended(0, ".github/incident-gate.yml: valid, 1 input, 0 outputs\n", "")


@pytest.mark.parametrize(
    ("text", "code", "printed"),
    [
        (f"- {ORDERS}\n", 0, "<stdin>: valid, 1 input, 0 outputs\n"),
        (f"- upstream-of: {ORDERS}\n", 0, "<stdin>: valid, 0 inputs, 0 outputs, 1 selector\n"),
        ("inputs:\n  - x\n", 2, "<stdin>:2:5: "),
        ("", 2, "<stdin>:1:1: "),
    ],
)
def test_validate_reads_standard_input(text: str, code: int, printed: str) -> None:
    out, err = io.StringIO(), io.StringIO()

    assert run(["validate", "-"], {}, out, err, io.BytesIO(text.encode())) == code
    assert out.getvalue().startswith(printed)


def test_list_that_is_given_twice_is_not_cut_to_its_end() -> None:
    """A filter that forgot its first type would let incidents of that type pass."""
    options = parse(["check", "--types", "FRESHNESS", "--types", "VOLUME,FIELD"])

    assert getattr(options, "types") == ["FRESHNESS", "VOLUME,FIELD"]  # noqa: B009 - as options are read
    assert TYPES.parse("FRESHNESS\nVOLUME,FIELD", "--types") == {"FRESHNESS", "VOLUME", "FIELD"}


def test_manifest_that_validate_proposes_can_be_copied(tmp_path: Path) -> None:
    (tmp_path / "empty.yml").touch()

    ended = gate("validate", str(tmp_path / "empty.yml"))

    assert "\ninputs:\n  - urn:li:dataset:" in ended.out
