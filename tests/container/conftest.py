"""The image under test, named by whoever built it."""

import os
import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.container_job import INPUT, MANIFEST, OUTPUT, ContainerJob

MakeJob = Callable[..., ContainerJob]


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
def datahub(sandbox: Sandbox) -> Sandbox:
    """A stand-in DataHub that knows the manifest's datasets, both healthy."""
    sandbox.store.add_assets([INPUT, OUTPUT])
    return sandbox


@pytest.fixture
def make_job(engine: list[str], image: str, datahub: Sandbox, tmp_path: Path) -> MakeJob:
    """Makes a job with the manifest in its workspace; `inputs` overrides what its step says."""

    def make(folder: str = "job", /, **inputs: str) -> ContainerJob:
        given = {name.replace("_", "-"): value for name, value in inputs.items()}
        connection = {"datahub-url": datahub.url, "datahub-token": datahub.token}
        job = ContainerJob(engine=engine, image=image, folder=tmp_path / folder, inputs=connection | given)
        job.write(".github/incident-gate.yml", MANIFEST)
        return job

    return make
