"""The real process when the machine around it is in a bad state, or is about to end it."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.processes import PATIENCE, end_all, measured, popen
from tests.helpers.step import RUN

CANARY = "canary-93ab-token"
HEADER = "canary-51cd-header"
ACTION = (sys.executable, "-c", "from incident_gate.action.entry import main; main()")
CLI = (sys.executable, "-c", "from incident_gate.cli.main import main; main()", "check", "gate.yml", "--timeout=1h")
BLOCKED, HEALTHY, UNREACHABLE = 1, 0, 3


@dataclass(frozen=True, slots=True)
class Step:
    """A step of a job: its workspace, and the environment that the runner gives it."""

    workspace: Path
    environment: Mapping[str, str]

    def run(self, command: Sequence[str], **changes: str | None) -> subprocess.CompletedProcess[bytes]:
        """Run a program to its end; a change of None takes a variable away."""
        return subprocess.run(
            command,
            cwd=self.workspace,
            env=measured(self._with(changes)),
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def start(self, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """Start a program."""
        return popen(
            list(command), cwd=self.workspace, env=self._with({}), stdout=subprocess.PIPE, stderr=subprocess.STDOUT
        )

    def written(self) -> str:
        """Everything in the runner's files."""
        return "".join((self.workspace / name).read_text(encoding="utf-8") for name in ("output", "summary", "state"))

    def _with(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        names = {name.replace("__", "-"): value for name, value in changes.items()}
        return {name: value for name, value in {**self.environment, **names}.items() if value is not None}


def test_a_test_that_fails_leaves_no_process_and_no_pipe() -> None:
    process = popen([sys.executable, "-c", "import time; time.sleep(3600)"], stdout=subprocess.PIPE)
    with pytest.raises(subprocess.TimeoutExpired):
        process.communicate(timeout=0.01)

    end_all()

    assert process.returncode == -signal.SIGKILL
    assert process.stdout
    assert process.stdout.closed


@pytest.fixture
def server() -> Iterator[Sandbox]:
    """A stand-in with a healthy asset and one that is not."""
    with Sandbox.start(tokens=[CANARY]) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])
        server.store.raise_incident(ORDERS, title="Orders → missing", description="“None” since Monday")
        yield server


@pytest.fixture
def step(server: Sandbox, tmp_path: Path) -> Step:
    (tmp_path / "gate.yml").write_text(f"- {ORDERS}\n- {CUSTOMERS}\n", encoding="utf-8")
    for name in ("output", "summary", "state"):
        (tmp_path / name).touch()
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(sys.path),
        **RUN,
        "GITHUB_WORKSPACE": str(tmp_path),
        "GITHUB_OUTPUT": str(tmp_path / "output"),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary"),
        "GITHUB_STATE": str(tmp_path / "state"),
        "INPUT_DATAHUB-URL": server.url,
        "INPUT_DATAHUB-TOKEN": CANARY,
        "INPUT_HEADERS": f"X-Access: {HEADER}",
        "INPUT_MANIFEST": "gate.yml",
        "INPUT_REPORT-OUTCOME": "true",
        "INPUT_TIMEOUT": "3600",
        "DATAHUB_GMS_URL": server.url,
        "DATAHUB_GMS_TOKEN": CANARY,
    }
    return Step(tmp_path, environment)


def heal(server: Sandbox) -> None:
    for incident in server.store.incidents(ORDERS, "ACTIVE"):
        server.store.resolve(incident.urn)


# Interrupted


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("command", [ACTION, CLI], ids=["action", "cli"])
def test_interrupted_process_ends_at_once_and_writes_no_half_report(
    server: Sandbox, step: Step, command: Sequence[str], number: signal.Signals
) -> None:
    server.faults = Faults(rules=(Fault(kind=FaultKind.HANG),))
    process = step.start(command)
    while not server.requests:
        time.sleep(0.02)

    process.send_signal(number)
    told, _ = process.communicate(timeout=PATIENCE)  # far from the timeout of an hour

    assert process.returncode == 128 + number
    lines = [line for line in told.decode().splitlines() if not line.startswith("::add-mask::")]
    assert len(lines) == 1
    assert lines[0].startswith("Interrupted")
    assert "nothing was decided" in lines[0]
    assert "Traceback" not in told.decode()
    written = step.written()
    # What reads the outputs of a cancelled step must not take silence for health.
    assert ("block" in written, "unknown" in written) == ((True, True) if command is ACTION else (False, False))
    assert CANARY not in written


# A machine in a bad state


FILES = ("GITHUB_OUTPUT", "GITHUB_STEP_SUMMARY", "GITHUB_STATE")


@pytest.mark.parametrize("place", [None, "/dev/full"], ids=["not named", "full disk"])
def test_runners_files_do_not_change_the_verdict(server: Sandbox, step: Step, place: str | None) -> None:
    heal(server)
    passed = step.run(ACTION, **dict.fromkeys(FILES, place))

    assert passed.returncode == HEALTHY
    assert b"::warning" in passed.stdout
    assert b"could not be written" in passed.stdout
    assert b"Traceback" not in passed.stdout + passed.stderr


def test_runners_files_do_not_let_a_blocked_gate_pass(step: Step) -> None:
    assert step.run(ACTION, **dict.fromkeys(FILES, "/dev/full")).returncode == BLOCKED


@pytest.mark.parametrize(
    ("command", "changes"),
    [
        pytest.param(ACTION, {"HOME": None, "PYTHONIOENCODING": "ascii:strict"}, id="no HOME, ASCII streams"),
        pytest.param(CLI, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}, id="no locale"),
        pytest.param(ACTION, {"LC_ALL": "nonsense", "TZ": "nonsense", "PYTHONUTF8": "0"}, id="unknown locale"),
    ],
)
def test_surroundings_do_not_change_the_verdict(
    step: Step, command: Sequence[str], changes: dict[str, str | None]
) -> None:
    blocked = step.run(command, **changes)

    assert blocked.returncode == BLOCKED
    assert "Orders → missing".encode() in blocked.stdout
    assert ("Orders → missing" in step.written()) is (command is ACTION)


# Python's own end would make 120 of a stream that cannot be flushed.
@pytest.mark.parametrize(
    ("command", "code", "redirection"),
    [
        (CLI, HEALTHY, "</dev/null >&- 2>&-"),
        (CLI, HEALTHY, ">/dev/full 2>&1"),
        (CLI, BLOCKED, "| true"),
        (ACTION, HEALTHY, "| true"),
        (ACTION, HEALTHY, ">/dev/full 2>&1"),
        (ACTION, BLOCKED, ">&- 2>&-"),
    ],
)
def test_streams_do_not_change_the_verdict(
    server: Sandbox, step: Step, command: Sequence[str], code: int, redirection: str
) -> None:
    if code == HEALTHY:
        heal(server)

    ended = step.run(["bash", "-c", f'set -o pipefail; "$@" {redirection}', "bash", *command])

    assert ended.returncode == code


@pytest.mark.parametrize(("command", "redirection"), [(ACTION, ">&- 2>&-"), (CLI, ">/dev/full 2>&1")])
def test_progress_of_long_work_has_nowhere_to_go(
    server: Sandbox, step: Step, command: Sequence[str], redirection: str
) -> None:
    server.faults = Faults(rules=(Fault(kind=FaultKind.LATENCY, seconds=0.25),))
    python, option, program, *arguments = command
    at_once = f"from incident_gate.report import terminal; terminal._SILENT_SECONDS = 0.1; {program}"

    ended = step.run(["bash", "-c", f'"$@" {redirection}', "bash", python, option, at_once, *arguments])

    assert ended.returncode == BLOCKED


# Secrets


VERBOSE = (*CLI, "--verbose", "--timeout=1", f"--headers=X-Access: {HEADER}")


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        (ACTION, None),
        (VERBOSE, None),
        (VERBOSE, Fault(kind=FaultKind.STATUS, status=503)),
        (ACTION, Fault(kind=FaultKind.DROP_BEFORE)),
    ],
)
def test_secrets_are_nowhere(server: Sandbox, step: Step, command: Sequence[str], fault: Fault | None) -> None:
    server.faults = Faults(rules=(fault,) if fault else ())

    ended = step.run(command, RUNNER_DEBUG="1", INPUT_TIMEOUT="1", INPUT_ON__UNKNOWN="block")

    assert ended.returncode == (UNREACHABLE if fault else BLOCKED)
    told = [line for line in (ended.stdout + ended.stderr).decode().splitlines() if not line.startswith("::add-mask::")]
    everything = "\n".join([*told, step.written()])
    assert "incidentGateHealth" in everything  # the debug log is there
    assert CANARY not in everything
    assert HEADER not in everything
    assert all(request.headers["x-access"] == HEADER for request in server.requests)


def test_secrets_are_masked_before_anything_else_is_said(step: Step) -> None:
    lines = step.run(ACTION).stdout.decode().splitlines()

    assert {lines[0], lines[1]} == {f"::add-mask::{CANARY}", f"::add-mask::{HEADER}"}


def test_credentials_in_the_address_are_refused_without_being_shown(step: Step) -> None:
    for address in ("https://ana:url-secret@datahub.example.com", "ana:url-secret@datahub.example.com"):
        ended = step.run(ACTION, INPUT_DATAHUB__URL=address)

        assert ended.returncode == 2
        assert b"url-secret" not in ended.stdout + ended.stderr
