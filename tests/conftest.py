"""Fixtures that several folders of tests share."""

from collections.abc import Iterator

import pytest

from incident_gate.sandbox import Generation, Sandbox


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
