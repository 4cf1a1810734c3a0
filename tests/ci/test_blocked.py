"""What a gate that stopped the job leaves for the job's later steps."""

from pathlib import Path

import pytest

from incident_gate.ci.blocked import BLOCKED, is_blocked, leave_blocked
from incident_gate.ci.identity import JobIdentity

GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_WORKFLOW": "Nightly"}


def scope(incident_key: str = "") -> str:
    return JobIdentity(server="any", repository="acme/shop", workflow="Nightly", incident_key=incident_key).scope


def test_scope_is_left_in_the_runners_file(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("OTHER=1\n", encoding="utf-8")

    assert leave_blocked(GITHUB | {"GITHUB_ENV": str(path)}, " eu ") == ""

    assert path.read_text(encoding="utf-8") == f"OTHER=1\n{BLOCKED}={scope('eu')}\n"
    assert is_blocked({BLOCKED: scope("eu")}, scope("eu"))
    assert not is_blocked({BLOCKED: scope("eu")}, scope())
    assert not is_blocked({}, scope())


def test_gates_of_two_scopes_are_both_remembered(tmp_path: Path) -> None:
    path = tmp_path / "env"
    environment = GITHUB | {"GITHUB_ENV": str(path), BLOCKED: scope("eu")}

    leave_blocked(environment, "us")
    leave_blocked(environment, "eu")  # is there already

    assert path.read_text(encoding="utf-8") == f"{BLOCKED}={scope('eu')} {scope('us')}\n"
    assert is_blocked({BLOCKED: f"{scope('eu')} {scope('us')}"}, scope("us"))


@pytest.mark.parametrize("environment", [GITHUB, {"GITHUB_ENV": "env"}])
def test_without_a_file_or_an_identity_nothing_is_left(
    environment: dict[str, str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)

    assert leave_blocked(environment, "") == ""
    assert list(tmp_path.iterdir()) == []


def test_file_that_cannot_be_written_is_a_warning(tmp_path: Path) -> None:
    warning = leave_blocked(GITHUB | {"GITHUB_ENV": str(tmp_path)}, "")

    assert warning.startswith("Later steps will not know that the gate stopped this job: ")
