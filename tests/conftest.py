"""Fixtures that several folders of tests share."""

from collections.abc import Iterator

import httpx
import pytest

from asking import Asker
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


@pytest.fixture(scope="session")
def ask() -> Iterator[Asker]:
    """Puts GraphQL questions to a stand-in, without the client under test."""
    # No pool: a connection kept from a server that has ended would fail the next one on the same port.
    limits = httpx.Limits(max_keepalive_connections=0)
    with httpx.Client(trust_env=False, limits=limits, timeout=10) as http:
        yield Asker(http)
