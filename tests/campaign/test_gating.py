"""Two dozen schedules of the campaign of tokens and policies; `make campaign` plays thousands."""

from collections.abc import Callable

import pytest

from incident_gate.sandbox import DEFAULT_TOKEN, Faults, Generation, Grant, ViewPolicy
from tests.campaign.gating import (
    FOR_LONG,
    MOMENT,
    OPEN,
    Asset,
    Incident,
    Lags,
    Life,
    Schedule,
    campaign,
    draw,
    drawn,
)
from tests.campaign.parts import PART, SEEDS

Record = Callable[[str, object], None]
URN = OPEN.format(0)
LIMITED = Grant(token=DEFAULT_TOKEN, views=(ViewPolicy(urns=(URN,)),))
READER = Grant(token=DEFAULT_TOKEN)


@pytest.mark.parametrize("seed", SEEDS)
def test_no_verdict_contradicts_what_the_server_can_show(seed: int, record_property: Record) -> None:
    total = campaign(drawn(seed, PART))
    record_property("tally", total.figures)
    assert total.broken == []
    assert total.schedules == PART
    # It did meet what it is for.
    assert {"healthy", "unhealthy", "unknown"} <= set(total.verdicts)


def test_schedule_follows_from_its_seed() -> None:
    assert draw(5) == draw(5)
    assert len({repr(draw(seed)) for seed in range(50)}) == 50


def scene(generation: Generation, grant: Grant, *incidents: Incident) -> Schedule:
    """A single asset with these incidents."""
    asset = Asset(urn=URN, incidents=incidents)
    return Schedule(seed=1, generation=generation, grant=grant, assets=(asset,), faults=Faults())


ACTIVE = Incident(Life.ACTIVE)
WITHOUT_HOOK = Incident(Life.ACTIVE, Lags(hook=None))
RESOLVED_FOR_SEARCHES = Incident(Life.RESOLVED, Lags(), Lags(hook=FOR_LONG))
INDEXED_LATE = Incident(Life.ACTIVE, Lags(index=MOMENT))
NEVER_INDEXED = Incident(Life.ACTIVE, Lags(index=FOR_LONG))
BURIED = Incident(Life.BURIED)


@pytest.mark.parametrize(
    ("schedule", "verdict", "silent"),
    [
        pytest.param(scene(Generation.CLOUD, LIMITED, ACTIVE), "unhealthy", 0, id="entity shows it"),
        pytest.param(scene(Generation.CLOUD, LIMITED, WITHOUT_HOOK), "healthy", 1, id="hook off"),
        pytest.param(scene(Generation.CLOUD, LIMITED, BURIED), "healthy", 1, id="dropped from the summary"),
        pytest.param(scene(Generation.CLOUD, READER, BURIED), "unhealthy", 0, id="listed"),
        pytest.param(scene(Generation.G1, LIMITED, ACTIVE), "healthy", 1, id="no summary"),
        pytest.param(scene(Generation.G3, LIMITED, WITHOUT_HOOK), "unhealthy", 0, id="open source lists it"),
        pytest.param(scene(Generation.G3, READER, NEVER_INDEXED), "unknown", 0, id="index is incomplete"),
        pytest.param(scene(Generation.G3, READER, INDEXED_LATE), "unhealthy", 0, id="index lags for a moment"),
        pytest.param(scene(Generation.CLOUD, LIMITED, RESOLVED_FOR_SEARCHES), "healthy", 0, id="hook lags"),
    ],
)
def test_worst_cases_are_as_true_as_the_server_can_show(schedule: Schedule, verdict: str, silent: int) -> None:
    total = campaign([schedule])
    assert (total.broken, dict(total.verdicts), total.silent) == ([], {verdict: 1}, silent)


def test_campaign_reports_a_gate_without_a_second_witness(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incident_gate.datahub.health.answer.read_summary", lambda *_: ({}, frozenset()))
    (broken,) = campaign([scene(Generation.CLOUD, LIMITED, ACTIVE)]).false_passes
    assert f"{URN} is healthy, not ['unhealthy']" in broken
