"""What the image is, apart from what the gate does in it."""

import os
import re
import subprocess
import tarfile
import zlib
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from incident_gate import __version__
from tests.helpers.step import run_engine

MEGABYTE = 1_000_000


@pytest.fixture(scope="session")
def contents(engine: list[str], image: str, tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Every path in the image."""
    archive = tmp_path_factory.mktemp("image") / "root.tar"
    container = run_engine(engine, "create", image)
    try:
        run_engine(engine, "export", "--output", os.fspath(archive), container)
    finally:
        run_engine(engine, "rm", container)
    with tarfile.open(archive) as tar:
        return frozenset(tar.getnames())


def test_image_prints_its_version(engine: list[str], image: str) -> None:
    printed = run_engine(engine, "run", "--rm", "--entrypoint", "/usr/local/bin/incident-gate", image, "--version")

    assert printed.split()[-1] == __version__


@pytest.mark.parametrize("arguments", [["demo"], ["sandbox"], ["sandbox", "--help"]], ids=" ".join)
def test_image_says_where_the_sandbox_runs(engine: list[str], image: str, arguments: list[str]) -> None:
    command = [*engine, "run", "--rm", "--entrypoint", "/usr/local/bin/incident-gate", image, *arguments]
    ended = subprocess.run(command, capture_output=True, text=True, check=False)

    assert ended.returncode == 2
    assert "The sandbox is not installed here (incident_gate.sandbox is missing)." in ended.stderr


def test_image_can_import_every_module(engine: list[str], image: str, contents: frozenset[str]) -> None:
    """What the image leaves out of the standard library nothing needs, in whatever feature it is."""
    [interpreter] = [path for path in contents if re.fullmatch(r"usr/local/bin/python3\.\d+", path)]
    program = (
        "import importlib, pkgutil, ijson, incident_gate, standardwebhooks.webhooks\n"
        "for module in pkgutil.walk_packages(incident_gate.__path__, 'incident_gate.'):\n"
        "    if module.name.rpartition('.')[2] not in {'sandbox', 'demo'}:\n"
        "        print(importlib.import_module(module.name).__name__)\n"
    )

    printed = run_engine(engine, "run", "--rm", "--entrypoint", f"/{interpreter}", image, "-IB", "-c", program)

    assert "incident_gate.outcome.results.junit" in printed


@pytest.mark.parametrize("name", ["sandbox", "tests", "test", "pytest", "pip", "requests", "github", "cryptography"])
def test_image_holds_no_package_that_the_action_never_imports(contents: frozenset[str], name: str) -> None:
    assert not [path for path in contents if name in Path(path).parts]


@pytest.mark.parametrize("name", ["sh", "bash", "busybox", "cc", "gcc", "apt", "pip", "pip3"])
def test_image_holds_no_shell_and_no_tool_to_install_with(contents: frozenset[str], name: str) -> None:
    assert not [path for path in contents if Path(path).name == name]


def test_image_is_all_bytecode(contents: frozenset[str]) -> None:
    assert any(path.endswith("incident_gate/action/entry.pyc") for path in contents)
    assert not [path for path in contents if path.endswith(".py")]


def test_image_is_at_most_12_megabytes_to_pull(engine: list[str], image: str) -> None:
    with subprocess.Popen([*engine, "save", image], stdout=subprocess.PIPE) as saving:
        assert saving.stdout
        size = sum(len(chunk) for chunk in compressed(iter(partial(saving.stdout.read, MEGABYTE), b"")))

    assert saving.returncode == 0
    assert MEGABYTE < size <= 12 * MEGABYTE


def compressed(chunks: Iterator[bytes]) -> Iterator[bytes]:
    """What a registry stores: gzip, here at its quickest and so at its largest."""
    compressor = zlib.compressobj(level=1, wbits=16 + zlib.MAX_WBITS)
    for chunk in chunks:
        yield compressor.compress(chunk)
    yield compressor.flush()
