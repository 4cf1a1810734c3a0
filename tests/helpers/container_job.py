"""Starts the action's image as GitHub's runner starts a container action."""

import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

ACTION: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "action.yml").read_text(encoding="utf-8"))

INPUT = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders,PROD)"
OUTPUT = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"
MANIFEST = f"version: 1\ninputs:\n  - {INPUT}\noutputs:\n  - {OUTPUT}\n"

MOUNTS = {
    "temp": "/github/runner_temp",
    "home": "/github/home",
    "workflow": "/github/workflow",
    "files": "/github/file_commands",
    "workspace": "/github/workspace",
}

# What the runner sets for every container action, and what tells the gate which job it is in.
ENVIRONMENT = {
    "HOME": "/github/home",
    "CI": "true",
    "GITHUB_ACTIONS": "true",
    "GITHUB_WORKSPACE": "/github/workspace",
    "GITHUB_EVENT_PATH": "/github/workflow/event.json",
    "GITHUB_EVENT_NAME": "push",
    "GITHUB_OUTPUT": "/github/file_commands/output",
    "GITHUB_STATE": "/github/file_commands/state",
    "GITHUB_STEP_SUMMARY": "/github/file_commands/summary",
    "GITHUB_ENV": "/github/file_commands/env",
    "GITHUB_PATH": "/github/file_commands/path",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "acme/pipelines",
    "GITHUB_WORKFLOW": "nightly",
    "GITHUB_WORKFLOW_REF": "acme/pipelines/.github/workflows/nightly.yml@refs/heads/main",
    "GITHUB_JOB": "build",
    "GITHUB_RUN_ID": "1001",
    "GITHUB_RUN_NUMBER": "7",
    "GITHUB_RUN_ATTEMPT": "1",
    "GITHUB_SHA": "0" * 40,
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_REF_NAME": "main",
    "GITHUB_ACTOR": "ana",
    "RUNNER_OS": "Linux",
    "RUNNER_TEMP": "/github/runner_temp",
}

HEREDOC = re.compile(r"^([^=\n]+?)<<(\S+)\n(.*?)\n?^\2$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True, slots=True)
class Ran:
    """What a stage left behind."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str


@dataclass(kw_only=True, slots=True)
class ContainerJob:
    """A step that uses the action: its inputs, its folders, and the state that goes from main to post."""

    engine: list[str]
    image: str
    folder: Path
    inputs: dict[str, str]
    environment: dict[str, str] = field(default_factory=dict)
    options: list[str] = field(default_factory=list)
    keep: bool = False

    def __post_init__(self) -> None:
        for name in MOUNTS:
            (self.folder / name).mkdir(parents=True)
        (self.folder / "workflow/event.json").write_text("{}")

    def write(self, name: str, text: str) -> None:
        """Put a file into the workspace."""
        path = self.folder / "workspace" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def main(self) -> Ran:
        """Run the main stage; the job succeeds so far."""
        return self._run(ACTION["runs"]["entrypoint"], job_status="success", state={})

    def post(self, job_status: str) -> Ran:
        """Run the post stage in a container of its own, with the job's outcome and what main saved."""
        state = self._file_command("state")
        return self._run(ACTION["runs"]["post-entrypoint"], job_status=job_status, state=state)

    def _run(self, entrypoint: str, *, job_status: str, state: Mapping[str, str]) -> Ran:
        saved = {f"STATE_{name}": value for name, value in state.items()}
        for name in ("output", "state", "summary", "env", "path"):
            (self.folder / "files" / name).write_text("")
        variables = ENVIRONMENT | self._inputs(job_status) | saved | self.environment
        done = subprocess.run(
            [
                *(*self.engine, "run", *([] if self.keep else ["--rm"]), "--workdir", "/github/workspace"),
                *([] if "--network" in self.options else ["--network", "host"]),
                *("--entrypoint", entrypoint),
                *(part for name, value in variables.items() for part in ("--env", f"{name}={value}")),
                *(part for name, path in MOUNTS.items() for part in ("--volume", f"{self.folder / name}:{path}")),
                *self.options,
                self.image,
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        summary = (self.folder / "files/summary").read_text(encoding="utf-8")
        return Ran(done.returncode, done.stdout, self._file_command("output"), summary)

    def _inputs(self, job_status: str) -> dict[str, str]:
        """Every input, as `with:` or else action.yml's default gives it."""
        expressions = {"${{ job.status }}": job_status, "${{ toJSON(matrix) }}": json.dumps(None)}
        defaults = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
        values = {name: expressions.get(text, text) for name, text in defaults.items()} | self.inputs
        return {f"INPUT_{name.upper()}": value for name, value in values.items()}

    def _file_command(self, name: str) -> dict[str, str]:
        text = (self.folder / "files" / name).read_text(encoding="utf-8")
        found = {match[1]: match[3] for match in HEREDOC.finditer(text)}
        return found | dict(line.split("=", 1) for line in HEREDOC.sub("", text).splitlines() if line)


def run_engine(engine: list[str], *arguments: str) -> str:
    """Run the container engine and return what it printed."""
    done = subprocess.run([*engine, *arguments], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()
