"""Fixtures that several folders of tests share."""

import faulthandler
import gc
import os
import signal
import zlib
from collections.abc import Generator, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from hypothesis import settings

from incident_gate.outcome.own import IndexTimeouts
from incident_gate.sandbox import Generation, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS, Asker, plain_client
from tests.helpers.processes import end_all
from tests.helpers.step import Step

MANIFEST = f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n"

# Seconds that a test may take, on a machine with much else to do: the longest takes five on an idle one.
LONGEST_TEST = 150

# How long an example takes says something about the machine only. The same examples are drawn each time, so that a test
# fails for the change under test only; `make campaign` draws others.
settings.register_profile("tests", deadline=None, derandomize=True, max_examples=30)
settings.register_profile("campaign", deadline=None, max_examples=500)
settings.load_profile("tests")


def pytest_configure() -> None:
    """Collect no garbage while tests are loaded: looking through what stays takes a third of that time."""
    gc.disable()


def pytest_collection_finish() -> None:
    """Leave what is loaded alone from now on, and look for garbage more rarely."""
    gc.freeze()
    gc.set_threshold(20_000, 50, 100)
    gc.enable()


def pytest_sessionfinish() -> None:
    """Report what was left open in this round of collecting garbage; pytest makes five more."""
    gc.collect()
    gc.freeze()


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


# Mostly waiting, or long: begun first, so that no worker is left with one of them at the end.
LONG_FILES = (
    "tests/server/faults/test_fault_matrix.py",
    "tests/campaign/test_campaign.py",
    "tests/process/test_process.py",
    "tests/server/select/test_selected_gate.py",
    "tests/server/datahub/health/test_misleading_answers.py",
    "tests/server/select/test_selected_outputs.py",
    "tests/server/outcome/test_outcome_life.py",
    "tests/server/cli/test_waiting.py",
)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the long files first."""
    places = {file: place for place, file in enumerate(LONG_FILES)}
    items.sort(key=lambda item: places.get(item.nodeid.split("::")[0], len(places)))


# What one server of a row does to the gate, the others do: measured by the lines that each test executes on each.
# The last two rows differ only in how they are written to.
ALIKE = (
    (Generation.G1,),
    (Generation.G2_EARLY, Generation.G2),
    (Generation.G3_EARLY, Generation.G3),
    (Generation.G4, Generation.CLOUD),
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the nightly run use all generations."""
    parser.addoption("--every-generation", action="store_true", help="run on all servers, not on one of each kind")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give a test on `each` generation one of each kind, which its name draws; and `kinds` all of these at once."""
    wanted = {"each_generation", "kinds"}.intersection(metafunc.fixturenames)
    if not wanted:
        return
    drawn = zlib.crc32(metafunc.function.__name__.encode())
    rows = ALIKE if metafunc.definition.get_closest_marker("writes") else (*ALIKE[:2], ALIKE[2] + ALIKE[3])
    every = metafunc.config.getoption("every_generation")
    chosen = list(Generation) if every else [row[drawn % len(row)] for row in rows]
    if "kinds" in wanted:
        metafunc.parametrize("kinds", [chosen], ids=["all kinds"])
    else:
        metafunc.parametrize("each_generation", chosen, indirect=True)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """One worker more than there are cores: many tests wait for something, and each worker loads all of them."""
    return (os.cpu_count() or 1) + 1


@pytest.fixture(autouse=True)
def _short_looks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Look again after milliseconds, where a real index takes its time: a stand-in without lag shows all at once."""
    monkeypatch.setattr("incident_gate.outcome.own.IndexTimeouts", partial(IndexTimeouts, first_look=0.02))
    monkeypatch.setattr("incident_gate.datahub.health.witness.SECOND_LOOK", 0.05)


@pytest.fixture(autouse=True)
def _no_process_is_left() -> Iterator[None]:
    yield
    end_all()


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    """A stand-in DataHub of the newest generation, without any data."""
    with Sandbox.start() as server:
        yield server


@pytest.fixture
def each_generation(request: pytest.FixtureRequest) -> Generation:
    """Each generation of DataHub in turn, of those that `pytest_generate_tests` chooses."""
    generation: Generation = request.param
    return generation


@pytest.fixture
def each_sandbox(each_generation: Generation) -> Iterator[Sandbox]:
    """A stand-in DataHub of each generation in turn, without any data."""
    with Sandbox.start(schema=each_generation) as server:
        yield server


@pytest.fixture(scope="session")
def ask() -> Iterator[Asker]:
    """Puts GraphQL questions to a stand-in, without the client under test."""
    # No pool: a connection kept from a server that has ended would fail the next one on the same port.
    limits = httpx.Limits(max_keepalive_connections=0)
    with plain_client(limits=limits) as http:
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
