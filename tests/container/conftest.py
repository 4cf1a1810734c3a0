"""The image under test, as its builder named it."""

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.step import Step, in_container

MANIFEST = f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n"
MakeStep = Callable[..., Step]


@pytest.fixture(scope="session")
def engine() -> list[str]:
    """The container engine's command."""
    command = os.environ.get("CONTAINER_ENGINE") or next(filter(shutil.which, ("docker", "podman")), "")
    if not command:
        pytest.skip("neither docker nor podman is here; CONTAINER_ENGINE can name another command")
    return shlex.split(command)


@pytest.fixture(scope="session")
def image() -> str:
    """The image's tag."""
    tag = os.environ.get("INCIDENT_GATE_IMAGE")
    if not tag:
        pytest.skip("INCIDENT_GATE_IMAGE names no image; `make image` builds one and runs these tests")
    return tag


@pytest.fixture
def make_step(engine: list[str], image: str, datahub: Sandbox, tmp_path: Path) -> MakeStep:
    """Makes a step with a manifest in its workspace; `options` are the engine's, `inputs` override the step's."""

    def make(*options: str, **inputs: str) -> Step:
        connection = {"datahub-url": datahub.url, "datahub-token": datahub.token}
        given = connection | {name.replace("_", "-"): value for name, value in inputs.items()}
        step = Step(tmp_path / "runner", inputs=given, launch=in_container(engine, image, *options))
        step.write_manifest(MANIFEST)
        return step

    return make
