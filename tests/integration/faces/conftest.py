"""Fixtures of both faces' tests: a job whose manifest names one input and one output."""

from pathlib import Path

import pytest
from step import Step

from asking import CUSTOMERS, ORDERS
from incident_gate.sandbox import Sandbox

MANIFEST = f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n"


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
