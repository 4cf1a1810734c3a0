"""A step that uses the action, as the runner plays it: real processes, and the files that go from one to the next."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import yaml

from incident_gate.sandbox import Sandbox

ACTION = yaml.safe_load((Path(__file__).parents[2] / "action.yml").read_text(encoding="utf-8"))
HEREDOC = re.compile(r"^([^=\n]+?)<<(\S+)\n(.*?)\n?^\2$", re.MULTILINE | re.DOTALL)
SCRIPTS = Path(sys.executable).parent


@dataclass(frozen=True, slots=True)
class Ran:
    """What a stage left behind."""

    code: int
    log: str
    outputs: Mapping[str, str]
    summary: str


@dataclass(slots=True, kw_only=True)
class ActionJob:
    """One job with one step of the action; `status` and `matrix` are what the runner's expressions come to."""

    server: Sandbox
    folder: Path
    manifest: str = ""
    inputs: dict[str, str] = field(default_factory=dict)
    environment: dict[str, str] = field(default_factory=dict)
    matrix: str = "null"
    state: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Lay out the workspace."""
        self.path.parent.mkdir(parents=True, exist_ok=True)
        if self.manifest:
            self.path.write_text(self.manifest, encoding="utf-8")

    @property
    def path(self) -> Path:
        """The manifest's file."""
        return self.folder / "workspace" / ".github" / "incident-gate.yml"

    def main(self) -> Ran:
        """The main stage, while the job's status is still success."""
        ran, state = self._run("incident-gate-action", "success", {})
        self.state = {f"STATE_{name}": value for name, value in state.items()}
        return ran

    def post(self, status: str) -> Ran:
        """The post stage, after the job came to `status`."""
        return self._run("incident-gate-action-post", status, self.state)[0]

    def _run(self, script: str, status: str, state: Mapping[str, str]) -> tuple[Ran, dict[str, str]]:
        files = {}
        for name in ("OUTPUT", "STATE", "STEP_SUMMARY"):
            files[name] = self.folder / name.lower()
            files[name].write_text("", encoding="utf-8")
        process = subprocess.run(
            [SCRIPTS / script],
            cwd=self.folder / "workspace",
            env={
                "PATH": os.defpath,
                "GITHUB_ACTIONS": "true",
                "GITHUB_WORKSPACE": str(self.folder / "workspace"),
                "GITHUB_REPOSITORY": "acme/pipelines",
                "GITHUB_WORKFLOW": "nightly",
                "GITHUB_WORKFLOW_REF": "acme/pipelines/.github/workflows/nightly.yml@refs/heads/main",
                "GITHUB_JOB": "build",
                "GITHUB_RUN_ID": "1001",
                "GITHUB_RUN_NUMBER": "7",
                "GITHUB_RUN_ATTEMPT": "1",
                "GITHUB_EVENT_NAME": "schedule",
                **{f"GITHUB_{name}": str(path) for name, path in files.items()},
                **self._inputs(status),
                **state,
                **self.environment,
            },
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert "Traceback" not in process.stderr, process.stderr
        read = {name: path.read_text(encoding="utf-8") for name, path in files.items()}
        outputs, kept = (dict(_values(read[name])) for name in ("OUTPUT", "STATE"))
        return Ran(process.returncode, process.stdout, outputs, read["STEP_SUMMARY"]), kept

    def _inputs(self, status: str) -> dict[str, str]:
        expressions = {"${{ job.status }}": status, "${{ toJSON(matrix) }}": self.matrix}
        defaults = {name: str(given.get("default", "")) for name, given in ACTION["inputs"].items()}
        given = {"datahub-url": self.server.url, "datahub-token": self.server.token, **self.inputs}
        values = {name: expressions.get(value, value) for name, value in (defaults | given).items()}
        # As the runner spells them: upper case, hyphens stay.
        return {f"INPUT_{name.upper()}": value for name, value in values.items()}


def _values(text: str) -> list[tuple[str, str]]:
    return [(match[1], match[3]) for match in HEREDOC.finditer(text)]
