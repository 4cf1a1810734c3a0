"""What the tests of reading health share."""

import pytest


@pytest.fixture(autouse=True)
def _second_look_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """What may have changed between two requests is looked at again after a moment, not after seconds."""
    monkeypatch.setattr("incident_gate.datahub.health.witness.SECOND_LOOK", 0.05)
