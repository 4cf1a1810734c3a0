"""On GitHub, a check that does not pass is left for the job's later steps."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_gate.ci.run import BLOCKED
from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.command import gate

GITHUB = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_REPOSITORY": "acme/shop",
    "GITHUB_WORKFLOW": "Nightly",
    "GITHUB_EVENT_NAME": "schedule",
    "GITHUB_REF": "refs/heads/main",
    "GITHUB_JOB": "load",
}


@pytest.fixture
def environment(datahub: Sandbox, tmp_path: Path) -> dict[str, str]:
    datahub.store.add_assets([ORDERS, CUSTOMERS])
    connection = {"DATAHUB_GMS_URL": datahub.url, "DATAHUB_GMS_TOKEN": datahub.token}
    return {**GITHUB, **connection, "GITHUB_ENV": str(tmp_path / "env")}


def left(environment: dict[str, str]) -> str:
    path = Path(environment["GITHUB_ENV"])
    return path.read_text(encoding="utf-8").strip().removeprefix(f"{BLOCKED}=") if path.exists() else ""


def report(environment: dict[str, str], manifest: str, *options: str) -> str:
    arguments = ("report", manifest, "--job-status", "failure", "--matrix", "null", *options)
    ended = gate(*arguments, environment=environment | {BLOCKED: left(environment)})
    assert ended.code == 0
    return ended.out


@pytest.mark.parametrize("options", [(), ("--incident-key", "eu")])
def test_report_after_a_check_that_blocked_raises_nothing(
    environment: dict[str, str], manifest: str, datahub: Sandbox, options: tuple[str, ...]
) -> None:
    datahub.store.raise_incident(ORDERS)

    assert gate("check", manifest, *options, environment=environment).code == 1

    # Its scope or another one: the job did not do its work.
    for scope in (options, ("--incident-key", "us")):
        assert "The gate stopped this job" in report(environment, manifest, *scope)
    assert datahub.store.incidents(CUSTOMERS) == []


@pytest.mark.parametrize(
    ("arguments", "code"), [(("nothing.yml",), 2), (("--no-such-option",), 2), (("--incident-key",), 2)]
)
def test_check_that_ends_with_a_mistake_is_left_too(
    environment: dict[str, str], arguments: tuple[str, ...], code: int
) -> None:
    assert gate("check", *arguments, environment=environment).code == code

    assert left(environment) == "true"


def test_what_is_no_command_may_have_been_meant_as_a_check(environment: dict[str, str]) -> None:
    assert gate("--incident-key", "eu", "check", environment=environment).code == 2

    assert left(environment) == "true"


@pytest.mark.parametrize("options", [(), ("--incident-title", "check"), ("check",), ("--verbose", "check")])
def test_check_that_passes_and_other_commands_leave_nothing(
    environment: dict[str, str], manifest: str, options: tuple[str, ...]
) -> None:
    assert gate("check", manifest, environment=environment).code == 0
    assert gate("raise", manifest, *options, environment=environment).code == 2

    assert left(environment) == ""
