"""A step that uses the action, as the runner starts it: in this process, in one of its own, or in the image."""

from __future__ import annotations

import io
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from incident_gate.action.entry import reports_outcome
from incident_gate.action.stage import Stage
from incident_gate.sandbox import Sandbox
from tests.helpers.processes import PATIENCE, popen
from tests.helpers.runner_grammar import Seen, commands_in, values_in

ACTION: dict[str, Any] = yaml.safe_load((Path(__file__).parents[2] / "action.yml").read_text(encoding="utf-8"))
ENTRYPOINTS = {"main": ACTION["runs"]["entrypoint"], "post": ACTION["runs"]["post-entrypoint"]}
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
# The files that a stage writes to; each stage gets new ones.
FILES = {
    "output": "GITHUB_OUTPUT",
    "state": "GITHUB_STATE",
    "summary": "GITHUB_STEP_SUMMARY",
    "env": "GITHUB_ENV",
    "path": "GITHUB_PATH",
}
# The runner's folders, each mounted into the container under this name.
FOLDERS = ("workspace", "home", "workflow", "file_commands", "runner_temp")

# Starts a stage with an environment in the runner's folder; returns its exit code and its log.
Launcher = Callable[[str, Path, Mapping[str, str]], tuple[int, str]]


def in_process(stage: str, _folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a stage in this process."""
    if stage == "post" and not reports_outcome(environment):
        return 0, ""
    stdout = io.StringIO()
    code = getattr(Stage(environment=environment, stdout=stdout), stage)()
    return code, stdout.getvalue()


def in_own_process(stage: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
    """Run a stage in a process of its own."""
    process = _start(stage, folder, environment)
    log, _ = process.communicate(timeout=PATIENCE)
    return process.returncode, log


def in_container(engine: list[str], image: str, *options: str) -> Launcher:
    """Run each stage in a container of its own, with the runner's mounts."""

    def launch(stage: str, folder: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        runners = {"CI": "true", "HOME": "/github/home", "RUNNER_OS": "Linux", "RUNNER_TEMP": "/github/runner_temp"}
        variables = runners | {name: value.replace(str(folder), "/github") for name, value in environment.items()}
        done = subprocess.run(
            [
                *(*engine, "run", "--workdir", "/github/workspace", "--entrypoint", ENTRYPOINTS[stage]),
                *([] if "--network" in options else ["--network", "host"]),
                *([] if "--name" in options else ["--rm"]),
                *(part for name, value in variables.items() for part in ("--env", f"{name}={value}")),
                *(part for name in FOLDERS for part in ("--volume", f"{folder / name}:/github/{name}")),
                *(*options, image),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
            timeout=120,
        )
        return done.returncode, done.stdout

    return launch


@dataclass(frozen=True, slots=True)
class Ended:
    """A stage that has ended."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str
    state: Mapping[str, str]

    @property
    def commands(self) -> list[Seen]:
        """The commands in the log, in order; between `stop-commands` and its token there are none."""
        found: list[Seen] = []
        token = ""
        for line in self.log.splitlines():
            if token:
                token = "" if line == f"::{token}::" else token
                continue
            for command in commands_in(line):
                token = command.data if command.name == "stop-commands" else ""
                found.append(command)
        return [command for command in found if command.name != "stop-commands"]

    def said(self, *names: str) -> list[str]:
        """The messages of some kinds of command."""
        return [command.data for command in self.commands if command.name in names]

    def output(self, name: str) -> Any:
        """An output's JSON."""
        return json.loads(self.outputs[name])


@dataclass(slots=True)
class Step:
    """A step of a job.

    Args:
        folder: the runner's folder, with the checkout in `workspace`.
        environment: what the job's environment has besides the runner's own variables.
        inputs: the step's `with:`.
        launch: how the stages are started.
    """

    folder: Path
    environment: dict[str, str] = field(default_factory=dict)
    inputs: dict[str, str] = field(default_factory=dict)
    launch: Launcher = in_process
    _state: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in FOLDERS:
            (self.folder / name).mkdir(parents=True)
        self.environment = {**RUN, "GITHUB_WORKSPACE": str(self.workspace), **self.environment}

    @property
    def workspace(self) -> Path:
        """The checkout."""
        return self.folder / "workspace"

    def write_manifest(self, text: str) -> None:
        """Put the manifest into the checkout."""
        self.write(".github/incident-gate.yml", text)

    def write(self, path: str, text: str) -> None:
        """Put a file into the checkout."""
        target = self.workspace / path
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(text, encoding="utf-8")

    def main(self, server: Sandbox | None = None, **inputs: str) -> Ended:
        """Run the main stage; underscores in the names of inputs stand for hyphens."""
        return self._run("main", server, {"job_status": "success"} | inputs)

    def post(self, server: Sandbox | None = None, *, status: str, **inputs: str) -> Ended:
        """Run the post stage, after the job ended with `status`, with the state that the main stage has saved."""
        return self._run("post", server, {"job_status": status} | inputs)

    def start(self, server: Sandbox | None = None, *, stage: str = "main", **inputs: str) -> subprocess.Popen[str]:
        """Start a stage in a process of its own, and do not wait for it."""
        return _start(stage, self.folder, self._prepared(stage, server, inputs))

    def written(self, name: str) -> dict[str, str]:
        """The values in one of the files that the latest stage wrote to."""
        return self._values(name)

    def ended(self, code: int, log: str) -> Ended:
        """What the runner reads after a stage."""
        return Ended(code, log, self._values("output"), self._text("summary"), self._state)

    def _run(self, stage: str, server: Sandbox | None, inputs: Mapping[str, str]) -> Ended:
        code, log = self.launch(stage, self.folder, self._prepared(stage, server, inputs))
        if stage == "main":
            self._state = self._values("state")
        return self.ended(code, log)

    def _prepared(self, stage: str, server: Sandbox | None, inputs: Mapping[str, str]) -> dict[str, str]:
        # The expressions in action.yml's defaults have values here: the job's status is an argument, no matrix is null.
        expressions = {"${{ job.status }}": "success", "${{ toJSON(matrix) }}": "null"}
        defaults = {name: str(about.get("default", "")) for name, about in ACTION["inputs"].items()}
        given = {name: expressions.get(text, "" if "${{" in text else text) for name, text in defaults.items()}
        given |= {"timeout": "100"} | self.inputs
        if server is not None:
            given |= {"datahub-url": server.url, "datahub-token": server.token}
        given |= {name.replace("_", "-"): value for name, value in inputs.items()}
        for name in FILES:
            self._file(name).write_text("")
        return {
            **{variable: str(self._file(name)) for name, variable in FILES.items()},
            **self.environment,
            **{f"INPUT_{name.upper()}": value for name, value in given.items()},
            **({f"STATE_{name}": value for name, value in self._state.items()} if stage == "post" else {}),
        }

    def _file(self, name: str) -> Path:
        return self.folder / "file_commands" / name

    def _text(self, name: str) -> str:
        return self._file(name).read_text(encoding="utf-8") if self._file(name).exists() else ""

    def _values(self, name: str) -> dict[str, str]:
        return values_in(self._text(name))


def _start(stage: str, folder: Path, environment: Mapping[str, str]) -> subprocess.Popen[str]:
    return popen(
        # By Python: in a path with a space the script starts a shell, which drops names like `INPUT_DATAHUB-URL`.
        [sys.executable, str(Path(sys.executable).with_name(Path(ENTRYPOINTS[stage]).name))],
        env={"PATH": os.environ["PATH"], **environment},
        cwd=folder / "workspace",
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        encoding="utf-8",
    )


def run_engine(engine: list[str], *arguments: str) -> str:
    """Run the container engine and return what it printed."""
    done = subprocess.run([*engine, *arguments], capture_output=True, text=True, check=True, timeout=120)
    return done.stdout.strip()
