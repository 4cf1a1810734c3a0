"""The mark that a gate leaves for the job's later steps."""

from pathlib import Path

from incident_gate.ci.blocked import BLOCKED, is_blocked, leave_blocked


def test_gate_that_stopped_the_job_is_known_to_later_steps_by_its_scope(tmp_path: Path) -> None:
    path = tmp_path / "env"
    path.write_text("OTHER=1\n", encoding="utf-8")

    leave_blocked({"GITHUB_ENV": str(path)}, "a" * 32)

    assert path.read_text(encoding="utf-8") == f"OTHER=1\n{BLOCKED}={'a' * 32}\n"
    assert is_blocked({BLOCKED: "a" * 32}, "a" * 32)
    assert not is_blocked({BLOCKED: "a" * 32}, "b" * 32)
    assert not is_blocked({}, "a" * 32)


def test_gates_of_two_scopes_are_both_remembered(tmp_path: Path) -> None:
    path = tmp_path / "env"

    leave_blocked({"GITHUB_ENV": str(path), BLOCKED: "a"}, "b")
    leave_blocked({"GITHUB_ENV": str(path), BLOCKED: "a b"}, "b")

    assert path.read_text(encoding="utf-8") == f"{BLOCKED}=a b\n"
    assert is_blocked({BLOCKED: "a b"}, "a")
    assert is_blocked({BLOCKED: "a b"}, "b")


def test_outside_github_there_is_no_file_to_leave_it_in() -> None:
    leave_blocked({}, "a")
