"""The clock of the sandbox's indexes."""

from types import SimpleNamespace

import pytest


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """What the indexes take for the time: it passes when a test turns `now`."""
    turned = SimpleNamespace(now=1_000.0)
    turned.time = lambda: turned.now
    monkeypatch.setattr("incident_gate.sandbox.database.time", turned)
    return turned
