"""The action as the runner starts it, in this process or in one of its own, and what the runner would read of it."""

from __future__ import annotations

import io
import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from incident_gate.action.entry import reports_outcome
from incident_gate.action.stage import Stage
from incident_gate.sandbox import Sandbox

DEFAULTS = {
    "manifest": ".github/incident-gate.yml",
    "mode": "gate",
    "report-outcome": "false",
    "timeout": "20",
    "dry-run": "false",
    "job-status": "success",
    "matrix": "null",
}
RUN = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_WORKFLOW": "Nightly",
    "GITHUB_WORKFLOW_REF": "acme/shop/.github/workflows/nightly.yml@refs/heads/main",
    "GITHUB_JOB": "build",
    "GITHUB_RUN_ID": "4711",
    "GITHUB_RUN_NUMBER": "12",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_SHA": "c0ffee",
    "GITHUB_REF_NAME": "main",
    "GITHUB_ACTOR": "ana",
    "GITHUB_EVENT_NAME": "schedule",
    "GITHUB_SERVER_URL": "https://github.com",
}
_COMMAND = re.compile(r"::(?P<name>[\w-]+)(?: (?P<properties>.*?))?::(?P<data>.*)")
_VALUE = re.compile(r"(?P<name>[\w-]+)<<(?P<end>\S+)\n(?P<value>.*?)\n(?P=end)\n", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Said:
    """One workflow command as the runner takes it."""

    name: str
    data: str
    properties: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Ended:
    """A stage that has ended."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str
    state: Mapping[str, str]

    @property
    def commands(self) -> list[Said]:
        """The commands in the log, in order; what stands between stop-commands and its token is none."""
        found: list[Said] = []
        token = ""
        for line in self.log.splitlines():
            match = _COMMAND.fullmatch(line)
            if token:
                token = "" if line == f"::{token}::" else token
            elif match and match["name"] == "stop-commands":
                token = match["data"]
            elif match:
                pairs = (pair.partition("=") for pair in (match["properties"] or "").split(",") if pair)
                found.append(Said(match["name"], _unescaped(match["data"]), {n: _unescaped(v) for n, _, v in pairs}))
        return found

    def said(self, *names: str) -> list[str]:
        """The messages of some kinds of command."""
        return [command.data for command in self.commands if command.name in names]

    def output(self, name: str) -> Any:
        """An output's JSON."""
        return json.loads(self.outputs[name])


@dataclass(slots=True)
class Step:
    """A step of a job: `folder` is the runner's, with the checkout in `workspace`."""

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        (self.workspace / ".github").mkdir(parents=True)
        self.environment = {**RUN, "GITHUB_WORKSPACE": str(self.workspace), **self.environment}

    @property
    def workspace(self) -> Path:
        """The checkout."""
        return self.folder / "workspace"

    def write_manifest(self, text: str, path: str = ".github/incident-gate.yml") -> None:
        """Put a manifest into the checkout."""
        (self.workspace / path).write_text(text, encoding="utf-8")

    def main(self, server: Sandbox | None = None, **inputs: str) -> Ended:
        """Run the main stage in this process; underscores in the names of inputs stand for hyphens."""
        return self._in_process("main", server, inputs)

    def post(self, server: Sandbox | None = None, *, status: str, **inputs: str) -> Ended:
        """Run the post stage in this process, with the state that the main stage has saved."""
        return self._in_process("post", server, {"job_status": status, **inputs})

    def start(self, server: Sandbox | None = None, *, stage: str = "main", **inputs: str) -> subprocess.Popen[str]:
        """Start a stage in a process of its own."""
        environment = self._prepared(stage, server, inputs)
        return subprocess.Popen(
            [sys.executable, "-c", f"from incident_gate.action.entry import {stage}; {stage}()"],
            env={"PATH": os.environ["PATH"], **environment},
            cwd=self.workspace,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            encoding="utf-8",
        )

    def ended(self, code: int, log: str, stage: str = "main") -> Ended:
        """What the runner reads after a stage."""
        return Ended(
            code,
            log,
            _values(self.folder / f"{stage}-output"),
            _text(self.folder / f"{stage}-summary"),
            _values(self.folder / "main-state"),
        )

    def _in_process(self, stage: str, server: Sandbox | None, inputs: Mapping[str, str]) -> Ended:
        stdout = io.StringIO()
        environment = self._prepared(stage, server, inputs)
        if stage == "post" and not reports_outcome(environment):
            return self.ended(0, "", stage)
        step = Stage(environment=environment, stdout=stdout)
        code = step.guarded(lambda it: it.main() if stage == "main" else it.post())
        return self.ended(code, stdout.getvalue(), stage)

    def _prepared(self, stage: str, server: Sandbox | None, inputs: Mapping[str, str]) -> dict[str, str]:
        given = {**DEFAULTS, **{name.replace("_", "-"): value for name, value in inputs.items()}}
        if server is not None:
            given = {"datahub-url": server.url, "datahub-token": server.token, **given}
        files = {}
        for name in ("output", "summary", "state"):
            path = self.folder / f"{stage}-{name}"
            path.write_text("")
            files["GITHUB_STEP_SUMMARY" if name == "summary" else f"GITHUB_{name.upper()}"] = str(path)
        state = _values(self.folder / "main-state") if stage == "post" else {}
        return {
            **files,
            **self.environment,
            **{f"INPUT_{name.upper()}": value for name, value in given.items()},
            **{f"STATE_{name}": value for name, value in state.items()},
        }


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.exists() else ""


def _values(path: Path) -> dict[str, str]:
    return {match["name"]: match["value"] for match in _VALUE.finditer(_text(path))}


def _unescaped(text: str) -> str:
    for code, character in (("%0D", "\r"), ("%0A", "\n"), ("%3A", ":"), ("%2C", ","), ("%25", "%")):
        text = text.replace(code, character)
    return text
