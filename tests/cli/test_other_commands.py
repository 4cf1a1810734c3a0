"""The commands that ask no DataHub, and what is no command."""

from __future__ import annotations

import builtins
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from incident_gate import __version__
from tests.helpers.asking import DASHBOARD, ORDERS
from tests.helpers.command import gate, start


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
from incident_gate.cli.main import run
code = run(["validate", {manifest!r}], {{}}, sys.stdout, sys.stderr)
sys.exit(code or "httpx" in sys.modules)
"""
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


def test_schema_is_that_of_the_repository() -> None:
    ended = gate("schema")

    kept = Path(__file__).parents[2] / "examples" / "manifest.schema.json"
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
