"""Report files: written whole or not at all, also when the gate blocks or DataHub is down."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from junitparser import JUnitXml

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.command import ask, gate
from tests.helpers.step import Step


def test_each_format_is_written_and_folders_are_created(datahub: Sandbox, manifest: str, tmp_path: Path) -> None:
    datahub.store.raise_incident(ORDERS, title="late")
    folder = tmp_path / "out" / "deep"
    files = [
        f"--report-files={name}={folder / file}" for name, file in (("json", "a"), ("junit", "b"), ("markdown", "c"))
    ]

    ended = ask(datahub, "check", manifest, *files)

    assert (ended.code, ended.err) == (1, "")
    assert json.loads((folder / "a").read_text())["conclusion"] == "block"
    [suite] = JUnitXml.fromfile(str(folder / "b"))
    assert suite.failures == 1
    assert (folder / "c").read_text().startswith("## 🔴 DataHub Incident Gate: blocked")
    assert sorted(path.name for path in folder.iterdir()) == ["a", "b", "c"]


@pytest.mark.parametrize("status", [503, 401])
def test_report_is_written_when_datahub_is_down(datahub: Sandbox, manifest: str, tmp_path: Path, status: int) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=status),))
    file = tmp_path / "junit.xml"

    ended = ask(datahub, "check", manifest, "--report-files", f"junit={file}", "--timeout", "0.3")

    assert ended.code == 3
    [suite] = JUnitXml.fromfile(str(file))
    assert (suite.errors, suite.tests) == (1, 1)


def test_standard_output_has_the_report_alone(datahub: Sandbox, manifest: str) -> None:
    environment = {"DATAHUB_GMS_URL": datahub.url, "DATAHUB_GMS_TOKEN": datahub.token, "FORCE_COLOR": "1"}
    ended = gate("check", manifest, "--report-files", "junit=-", environment=environment)

    assert "\x1b" not in ended.err
    assert JUnitXml.fromstring(ended.out.encode()).tests == 1
    assert "Passed" in ended.err


def test_outcome_has_a_report_too_which_replaces_an_old_one(datahub: Sandbox, manifest: str, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    file.write_text("x" * 100_000)

    ask(datahub, "raise", manifest, "--incident-key", "k", "--report-files", f"json={file}")

    assert json.loads(file.read_text())["outcome"]["outputs"][0]["change"] == "raised"


@pytest.mark.parametrize("target", ["folder", "file/report.json", "/proc/report.json", "pipe", "link"])
def test_report_that_cannot_be_written_is_a_warning_and_leaves_nothing(
    datahub: Sandbox, manifest: str, tmp_path: Path, target: str
) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").write_text("")
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "link").symlink_to("pipe")

    ended = ask(datahub, "check", manifest, "--report-files", f"json={tmp_path / target}")

    assert ended.code == 0
    assert "warning: The JSON report was not written" in ended.err
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["file", "folder", "gate.yml", "link", "pipe"]


def test_full_disk_leaves_the_old_report(
    datahub: Sandbox, manifest: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "report.json"
    file.write_text("old")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.replace", full)

    ended = ask(datahub, "check", manifest, "--report-files", f"json={file}")

    assert f"was not written to {file}: No space left on device." in ended.err
    assert file.read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["gate.yml", "report.json"]


# In the action


def test_step_writes_below_the_workspace(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    ended = step.main(datahub, report_files="json=out/report.json\njunit=-")

    assert ended.code == 1
    assert json.loads((step.workspace / "out/report.json").read_text())["verdict"] == "unhealthy"
    assert "<testsuites" in ended.log


def test_step_that_names_a_folder_is_warned_and_writes_nothing_beside_it(step: Step, datahub: Sandbox) -> None:
    for folder in ("out", "other"):
        (step.workspace / folder).mkdir()
    before = sorted(step.workspace.rglob("*"))

    ended = step.main(datahub, report_files="json=.\njunit=out\nmarkdown=other/")

    assert ended.code == 0
    assert [warning.rpartition(": ")[2] for warning in ended.said("warning")] == [
        f'"{path}" is a folder. Give the path of a file.' for path in (".", "out", "other/")
    ]
    assert sorted(step.workspace.rglob("*")) == before
    assert [path for path in step.workspace.parent.iterdir() if path.name.startswith(".")] == []


@pytest.mark.parametrize("path", ["../x", "/nowhere/x", "link/x"])
def test_step_writes_nowhere_else(step: Step, datahub: Sandbox, path: str, tmp_path: Path) -> None:
    (step.workspace / "link").symlink_to(tmp_path)

    ended = step.main(datahub, report_files=f"json={path}")

    assert ended.code == 2
    assert "report-files leads out of the workspace" in ended.said("error")[0]
    assert len(datahub.requests) == 0
    assert not (tmp_path / "x").exists()


def test_post_stage_does_not_replace_the_gates_report(step: Step, datahub: Sandbox) -> None:
    step.main(datahub, report_files="json=report.json", report_outcome="true")
    step.post(datahub, status="failure", report_files="json=report.json", report_outcome="true")

    assert json.loads((step.workspace / "report.json").read_text())["conclusion"] == "pass"
