from typing import Any

from hypothesis import HealthCheck, example, given, settings

from incident_gate.gate.policy import Verdict
from tests.helpers.any_answer import ASSETS, HEALTHY, answers, is_health, judge


def test_the_answer_that_others_are_made_from_is_health() -> None:
    assert [decision.verdict for decision in judge(HEALTHY).decisions] == [Verdict.HEALTHY, Verdict.HEALTHY]
    assert all(is_health(HEALTHY, urn) for urn in ASSETS)


@given(answer=answers())
@example(answer={"data": {"entities": [{"urn": []}]}})
@example(answer={"data": {"__schema": {"types": [{"name": "Dataset", "fields": 5}]}}})
@example(answer={"errors": [{"message": "Validation error"}], "data": None})
@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_no_answer_but_a_whole_one_is_health(answer: Any) -> None:
    judgement = judge(answer)

    for urn, decision in zip(ASSETS, judgement.decisions, strict=True):
        assert decision.verdict is not Verdict.HEALTHY or is_health(answer, urn), urn
