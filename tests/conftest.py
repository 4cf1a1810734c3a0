"""Fixtures that several folders of tests share."""

import faulthandler
import os
import signal
from collections.abc import Generator, Iterator
from pathlib import Path

import httpx
import pytest
from hypothesis import settings
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from incident_gate.sandbox import Generation, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS, Asker
from tests.helpers.step import Step

MANIFEST = f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n"

# Seconds that a test may take, on a machine with much else to do: the longest takes five on an idle one.
LONGEST_TEST = 150

# How long an example takes says something about the machine only.
settings.register_profile("tests", deadline=None)
settings.load_profile("tests")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol() -> Generator[None, object, object]:
    """Fail a test that hangs, with the stacks of all threads, and go on with the next one."""
    previous = signal.signal(signal.SIGALRM, _hangs)
    signal.alarm(LONGEST_TEST)
    try:
        return (yield)
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, previous)


def _hangs(*_: object) -> None:
    faulthandler.dump_traceback()
    pytest.fail(f"the test took more than {LONGEST_TEST} s")


# Played by one worker as a whole: its cells run side by side, and mostly wait.
WHOLE_FILES = ("tests/faults/test_fault_matrix.py",)


class _Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # pytest-xdist has no types
    """Hands out single tests, and some files as a whole, these first.

    `--dist loadgroup` would do, but its groups have no effect with pytest 9.2 and pytest-xdist 3.8.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((file for file in WHOLE_FILES if nodeid.startswith(file)), nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> _Scheduling | None:
    """Schedule for `--dist loadscope`, which `make test` uses."""
    return _Scheduling(config, log) if config.getvalue("dist") == "loadscope" else None


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two workers a core: most tests wait for something."""
    return 2 * (os.cpu_count() or 1)


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A stand-in DataHub of the newest generation, without any data."""
    with Sandbox.start() as server:
        yield server


@pytest.fixture(params=list(Generation))
def each_sandbox(request: pytest.FixtureRequest) -> Iterator[Sandbox]:
    """A stand-in DataHub of each generation in turn, without any data."""
    with Sandbox.start(schema=request.param) as server:
        yield server


@pytest.fixture(scope="session")
def ask() -> Iterator[Asker]:
    """Puts GraphQL questions to a stand-in, without the client under test."""
    # No pool: a connection kept from a server that has ended would fail the next one on the same port.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(trust_env=False, limits=limits, timeout=60) as http:
        yield Asker(http)


@pytest.fixture
def step(tmp_path: Path) -> Step:
    """A step with a manifest, without a server."""
    made = Step(tmp_path / "runner")
    made.write_manifest(MANIFEST)
    return made


@pytest.fixture
def datahub(sandbox: Sandbox) -> Sandbox:
    """The newest DataHub, knowing both assets."""
    sandbox.store.add_assets([ORDERS, CUSTOMERS])
    return sandbox


@pytest.fixture
def each_datahub(each_sandbox: Sandbox) -> Sandbox:
    """Each DataHub in turn, knowing both assets."""
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    return each_sandbox


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    """The path of the same manifest, for the command line."""
    path = tmp_path / "gate.yml"
    path.write_text(f"inputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n", encoding="utf-8")
    return str(path)
