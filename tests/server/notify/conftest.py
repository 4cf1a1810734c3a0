"""What the notification tests share: a run, and a way to reach a stand-in."""

import time
from collections.abc import Callable

import pytest

from incident_gate.ci.run import Run
from incident_gate.datahub.parallel import Deadline
from incident_gate.notify.delivery import Service
from tests.helpers.asking import plain_client

MakeService = Callable[..., Service]


@pytest.fixture
def run() -> Run:
    """The run that is announced."""
    return Run(
        repository="acme/shop",
        workflow="Nightly",
        job="build",
        run_id="4711",
        number="12",
        url="https://github.com/acme/shop/actions/runs/4711",
    )


@pytest.fixture
def make_service() -> MakeService:
    """Makes a service whose waits cost nothing but are counted against its deadline."""

    def make(seconds: float = 5.0) -> Service:
        now = time.monotonic()
        slept: list[float] = []
        return Service(
            name="The service",
            client=plain_client(),
            deadline=Deadline.after(seconds, lambda: now + sum(slept)),
            sleep=slept.append,
        )

    return make
