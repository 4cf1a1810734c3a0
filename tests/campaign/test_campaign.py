"""Two dozen schedules of the fault campaign; `make campaign` plays thousands."""

import pytest

from incident_gate.sandbox import Fault, FaultKind, Generation
from tests.campaign.campaign import NEWER_KEEPS, REFUSAL, Person, Run, Schedule, campaign, draw
from tests.campaign.parts import PART, SEEDS


@pytest.mark.parametrize("seed", SEEDS)
def test_every_schedule_ends_with_one_active_incident_or_none(seed: int) -> None:
    total = campaign(map(draw, range(seed, seed + PART)))
    assert total.broken == []
    # It did meet what it is for.
    assert {"raised", "kept", "resolved", "clear", "failed (in doubt)"} <= set(total.runs)


def twice_and_a_rival(generation: Generation, lag: float | tuple[float, float]) -> Schedule:
    """Every request to raise is executed twice, in two racing jobs: up to four incidents."""
    fault = Fault(kind=FaultKind.TWICE, operation="incidentGateRaise")
    return Schedule(
        seed=1, generation=generation, lag=lag, runs=(Run(outcome="failure", rival="failure", faults=(fault,)),)
    )


def lost_answers(generation: Generation, lag: float | tuple[float, float]) -> Schedule:
    """Two attempts are written and their answers lost; the third one is answered."""
    fault = Fault(kind=FaultKind.DROP_AFTER, operation="incidentGateRaise", times=2)
    return Schedule(seed=2, generation=generation, lag=lag, runs=(Run(outcome="failure", faults=(fault,)),))


def one_without_a_schema(generation: Generation, lag: float | tuple[float, float]) -> Schedule:
    """One of two racing jobs cannot read the schema, and sees no times: it must not fold the other way round."""
    fault = Fault(kind=FaultKind.STATUS, status=500, operation="incidentGateSchema", times=1)
    runs = (Run(outcome="failure", rival="failure", faults=(fault,)), Run(outcome="success"))
    return Schedule(seed=3, generation=generation, lag=lag, runs=runs * 2)


@pytest.mark.writes
def test_worst_cases_end_with_one(kinds: list[Generation]) -> None:
    scenes = (twice_and_a_rival, lost_answers, one_without_a_schema)
    lags = (0.0, 3.0, (0.0, 3.0))
    total = campaign(scene(kind, lag) for kind in kinds for lag in lags for scene in scenes)
    assert total.broken == []
    assert total.runs["raised"]


def test_raise_that_cannot_be_seen_to_the_end_is_in_doubt_and_the_next_run_sets_it_right() -> None:
    """The answer is lost, and the list cannot be read: found by the campaign."""
    faults = (
        Fault(kind=FaultKind.DROP_AFTER, operation="incidentGateRaise", after=1),
        Fault(kind=FaultKind.HTML, operation="incidentGateHealth", after=1),
    )
    runs = (Run(outcome="failure", faults=faults), Run(outcome="failure"))
    total = campaign([Schedule(seed=5, generation=Generation.G3, lag=(0.0, 3.0), runs=runs)])
    assert total.broken == []
    assert total.runs == {"failed (in doubt)": 1, "kept": 1}


@pytest.mark.writes
def test_people_branches_and_legs_are_respected(kinds: list[Generation]) -> None:
    runs = (
        Run(outcome="failure", rival="failure", rival_leg=1),
        Run(outcome="failure"),
        Run(outcome="success", back=2),
        Run(outcome="failure", person=Person.TAKES, on_branch=True),
        Run(outcome="failure", person=Person.NOTES),
        Run(outcome="failure", person=Person.FREES),
        Run(outcome="failure", person=Person.RESOLVES),
        Run(outcome="success", rival="success", rival_leg=1),
    )
    total = campaign(Schedule(seed=6, generation=kind, lag=0.5, runs=runs) for kind in kinds)
    assert total.broken == []
    expected = {"raised": 4, "kept": 2, "nothing": 1, "left": 1, "resolved": 1, "clear": 1}
    assert total.runs == {word: times * len(kinds) for word, times in expected.items()}


@pytest.mark.writes
def test_what_happens_between_two_looks_and_what_is_refused_is_respected(kinds: list[Generation]) -> None:
    runs = (
        Run(outcome="failure"),
        Run(outcome="success", race=NEWER_KEEPS),
        Run(outcome="success", back=-20, race=Person.FREES),
        Run(outcome="success", refused=True, faults=(REFUSAL,)),
    )
    total = campaign(Schedule(seed=7, generation=kind, lag=0.5, runs=runs) for kind in kinds)
    assert total.broken == []
    expected = {"raised": 1, "left": 1, "clear": 1, "failed (in doubt)": 1}
    assert total.runs == {word: times * len(kinds) for word, times in expected.items()}


def test_campaign_reports_what_does_not_hold() -> None:
    """An index that lags far beyond what is waited for hides the incidents of two racing jobs from the next run."""
    schedule = Schedule(seed=4, generation=Generation.G3, lag=60.0, runs=(Run(outcome="failure", rival="failure"),))
    (broken,) = campaign([schedule]).broken
    assert "and left 3 active incidents" in broken
