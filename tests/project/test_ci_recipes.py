"""The recipes for other CI systems, run as they are written: their shell lines with the system's variables."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

import pytest
import yaml
from junitparser import JUnitXml

from incident_gate.cli.main import parse
from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.services import ReceiverStandIn, SlackStandIn, serving

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/ci-systems.md").read_text(encoding="utf-8")
GITLAB = {
    "GITLAB_CI": "true",
    "CI_PROJECT_PATH": "acme/shop",
    "CI_JOB_NAME": "build",
    "CI_PIPELINE_ID": "1",
    "CI_COMMIT_BRANCH": "main",
    "CI_DEFAULT_BRANCH": "main",
    "CI_JOB_URL": "https://gitlab.example.com/jobs/1",
    "CI_COMMIT_SHA": "c0ffee",
    "GITLAB_USER_LOGIN": "ana",
}
AIRFLOW = {"AIRFLOW_CTX_DAG_ID": "orders", "AIRFLOW_CTX_TASK_ID": "build", "AIRFLOW_CTX_DAG_RUN_ID": "r1"}


def block(language: str, contains: str) -> str:
    """The code block of a language that contains a text."""
    blocks: list[str] = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    return next(text for text in blocks if contains in text)


@dataclass
class Shell:
    """A job's folder, in which `make` succeeds or fails and `pip` does nothing."""

    folder: Path
    server: Sandbox

    def __post_init__(self) -> None:
        (self.folder / ".github").mkdir()
        manifest = f"inputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n"
        (self.folder / ".github/incident-gate.yml").write_text(manifest)
        (self.folder / "bin").mkdir()
        self.program("pip", "exit 0")
        self.make(works=True)

    def program(self, name: str, text: str) -> None:
        path = self.folder / "bin" / name
        path.write_text(f"#!/bin/sh\n{text}\n")
        path.chmod(0o755)

    def make(self, *, works: bool) -> None:
        self.program("make", f"echo made >> made\nexit {0 if works else 1}")

    def run(self, lines: str, variables: Mapping[str, str]) -> int:
        path = f"{self.folder / 'bin'}:{Path(sys.executable).parent}:{os.defpath}"
        address = {"DATAHUB_GMS_URL": self.server.url, "DATAHUB_GMS_TOKEN": self.server.token}
        return subprocess.run(
            ["sh", "-e", "-c", lines], cwd=self.folder, env={"PATH": path, **address, **variables}, check=False
        ).returncode

    @property
    def was_made(self) -> bool:
        return (self.folder / "made").exists()

    @property
    def raised(self) -> int:
        return len(self.server.store.incidents(CUSTOMERS, "ACTIVE"))


@pytest.fixture
def shell(datahub: Sandbox, tmp_path: Path) -> Shell:
    return Shell(tmp_path, datahub)


def gitlab(
    shell: Shell, variables: Mapping[str, str] = GITLAB, *, recipe: str = "artifacts", canceled: bool = False
) -> int:
    """Run the job as GitLab does: what comes before and the script in one shell, what comes after in another."""
    job = yaml.safe_load(block("yaml", recipe))["build"]
    own = {name: Template(value).substitute(variables) for name, value in job.get("variables", {}).items()}
    variables = {**variables, **own}
    code = shell.run("\n".join([*job["before_script"], *job["script"]]), variables)
    status = "canceled" if canceled else "failed" if code else "success"
    assert shell.run("\n".join(job["after_script"]), {**variables, "CI_JOB_STATUS": status}) == 0
    return code


def test_gitlab_job_raises_and_resolves(shell: Shell) -> None:
    shell.make(works=False)
    assert (gitlab(shell), shell.raised) == (1, 1)
    [incident] = shell.server.store.incidents(CUSTOMERS, "ACTIVE")
    for fact in ("build", "acme/shop", "https://gitlab.example.com/jobs/1", "c0ffee (main)", "ana"):
        assert fact in (incident.description or "")
    shell.make(works=True)
    assert (gitlab(shell), shell.raised) == (0, 0)


def test_gitlab_job_that_the_gate_blocks_reports_nothing(shell: Shell) -> None:
    shell.server.store.raise_incident(ORDERS, title="late")

    assert gitlab(shell) == 1
    assert (shell.was_made, shell.raised) == (False, 0)
    [suite] = JUnitXml.fromfile(str(shell.folder / "incident-gate.xml"))
    assert suite.failures == 1


def test_gitlab_job_that_is_canceled_changes_nothing(shell: Shell) -> None:
    shell.make(works=False)
    gitlab(shell, canceled=True)
    assert shell.raised == 0
    gitlab(shell)
    gitlab(shell, canceled=True)
    assert shell.raised == 1


@pytest.mark.parametrize("changes", [{"CI_COMMIT_BRANCH": "topic"}, {"CI_MERGE_REQUEST_IID": "3"}])
def test_gitlab_job_of_a_branch_or_merge_request_reports_nothing(shell: Shell, changes: Mapping[str, str]) -> None:
    shell.make(works=False)
    gitlab(shell, {**GITLAB, **changes})
    assert shell.raised == 0


def test_gitlab_job_leaves_no_mark_to_the_next_one_in_the_same_folder(shell: Shell) -> None:
    gitlab(shell)
    shell.server.store.raise_incident(ORDERS, title="late")
    gitlab(shell)
    assert shell.raised == 0


def test_gitlab_job_that_waits_announces_what_it_raises(shell: Shell) -> None:
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    slack, receiver = SlackStandIn(), ReceiverStandIn(secret=secret)
    shell.make(works=False)

    with serving(slack) as slack_url, serving(receiver) as hook:
        services = {"SLACK_URL": slack_url + slack.webhook_path, "HOOK_URL": hook, "HOOK_SECRET": secret}
        assert gitlab(shell, {**GITLAB, **services}, recipe="--wait 30m") == 1

    assert (shell.raised, len(slack.messages), len(receiver.reports)) == (1, 1, 1)


def bash_command() -> str:
    """The command of the operator in the recipe."""
    call = ast.parse(block("python", "BashOperator")).body[0].value  # type: ignore[attr-defined]
    values = {keyword.arg: keyword.value for keyword in call.keywords}
    return str(ast.literal_eval(values["bash_command"]))


def test_airflow_task_raises_and_resolves(shell: Shell) -> None:
    shell.make(works=False)
    assert (shell.run(bash_command(), AIRFLOW), shell.raised) == (1, 1)
    shell.make(works=True)
    assert (shell.run(bash_command(), AIRFLOW), shell.raised) == (0, 0)


def test_airflow_task_that_the_gate_blocks_does_nothing(shell: Shell) -> None:
    shell.server.store.raise_incident(ORDERS, title="late")

    assert shell.run(bash_command(), AIRFLOW) == 1
    assert (shell.was_made, shell.raised) == (False, 0)


def test_commands_of_jenkins_exist(shell: Shell) -> None:
    pipeline = block("groovy", "pipeline {")
    commands = re.findall(r"sh '(incident-gate [^']+)'", pipeline)

    assert len(commands) == 4
    for command in commands:
        parse(command.split()[1:])
    jenkins = {"JENKINS_URL": "https://jenkins", "JOB_NAME": "shop", "BUILD_NUMBER": "1"}
    assert shell.run(commands[2], jenkins) == 0
    assert shell.raised == 1
    assert shell.run(commands[1], jenkins) == 0
    assert shell.raised == 0


def test_commands_on_githubs_other_runners_exist(shell: Shell) -> None:
    workflow = ROOT / "examples/workflows/command-line.yml"
    steps = yaml.safe_load(workflow.read_text(encoding="utf-8"))["jobs"]["build"]["steps"]
    github = {
        "GITHUB_ACTIONS": "true",
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_WORKFLOW_REF": "acme/shop/.github/workflows/nightly.yml@refs/heads/main",
        "GITHUB_JOB": "build",
        "GITHUB_RUN_ID": "1",
        "GITHUB_EVENT_NAME": "schedule",
        "GITHUB_REF": "refs/heads/main",
    }

    assert shell.run(steps[2]["run"], github) == 0
    assert shell.run(steps[4]["run"], github | {"STATUS": "failure"}) == 0
    assert shell.raised == 1
