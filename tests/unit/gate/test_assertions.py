"""What the latest results of assertions make of an input, without a server."""

from datetime import timedelta

import pytest

from incident_gate.gate.policy import Conclusion, Decision, Rule, Verdict, decide
from incident_gate.incident import Assertion, AssertionResult, Health, Incident, Question
from incident_gate.manifest.model import InputEntry, OnFailingAssertion, OnIncident, Position
from incident_gate.urn import parse_urn

EVERYTHING = frozenset(Question)

URN = "urn:li:dataset:(urn:li:dataPlatform:snowflake,a,PROD)"
SIBLING = "urn:li:dataset:(urn:li:dataPlatform:dbt,a,PROD)"
ENTRY = InputEntry(urn=parse_urn(URN), position=Position(1, 1))
NOW = 10 * 86_400_000
FAILURE, SUCCESS, ERROR = AssertionResult.FAILURE, AssertionResult.SUCCESS, AssertionResult.ERROR
INIT, NEVER, UNREADABLE = AssertionResult.INIT, AssertionResult.NEVER, AssertionResult.UNREADABLE


def assertions(*results: AssertionResult, asset: str = URN, run_ms: int = NOW) -> tuple[Assertion, ...]:
    return tuple(
        Assertion(urn=f"urn:li:assertion:{asset}{number}", asset=asset, result=result, run_ms=run_ms)
        for number, result in enumerate(results)
    )


def judge(health: Health, rule: Rule) -> Decision:
    return decide(ENTRY, health, rule, is_ours=lambda _incident: False, now_ms=NOW)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ((), Verdict.HEALTHY),
        ((SUCCESS,), Verdict.HEALTHY),
        ((FAILURE,), Verdict.UNHEALTHY),
        ((SUCCESS, FAILURE), Verdict.UNHEALTHY),
        ((ERROR, FAILURE), Verdict.UNHEALTHY),
        ((SUCCESS, ERROR), Verdict.UNKNOWN),
        ((SUCCESS, UNREADABLE), Verdict.UNKNOWN),
        ((SUCCESS, NEVER), Verdict.HEALTHY),
        ((NEVER, NEVER), Verdict.UNKNOWN),
        ((SUCCESS, INIT), Verdict.HEALTHY),
    ],
)
def test_results_decide(results: tuple[AssertionResult, ...], verdict: Verdict) -> None:
    health = Health(urn=URN, answered=EVERYTHING, assertions=assertions(*results))

    decision = judge(health, Rule(on_failing_assertion=OnFailingAssertion.BLOCK))

    assert decision.verdict is verdict
    assert decision.conclusion is (Conclusion.PASS if verdict is Verdict.HEALTHY else Conclusion.BLOCK)
    assert len(decision.failing) == results.count(FAILURE)


def test_asset_whose_assertions_never_ran_is_unknown_beside_a_sibling_whose_did() -> None:
    health = Health(urn=URN, answered=EVERYTHING, assertions=(*assertions(NEVER), *assertions(SUCCESS, asset=SIBLING)))

    decision = judge(health, Rule(on_failing_assertion=OnFailingAssertion.BLOCK))

    assert decision.verdict is Verdict.UNKNOWN


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (OnFailingAssertion.BLOCK, (Verdict.UNHEALTHY, Conclusion.BLOCK)),
        (OnFailingAssertion.WARN, (Verdict.UNHEALTHY, Conclusion.WARN)),
        (OnFailingAssertion.IGNORE, (Verdict.HEALTHY, Conclusion.PASS)),
    ],
)
def test_rule_says_what_follows(rule: OnFailingAssertion, expected: tuple[Verdict, Conclusion]) -> None:
    decision = judge(
        Health(urn=URN, answered=EVERYTHING, assertions=assertions(FAILURE)), Rule(on_failing_assertion=rule)
    )

    assert (decision.verdict, decision.conclusion) == expected


@pytest.mark.parametrize(
    ("on_incident", "on_failing", "conclusion"),
    [("warn", "block", "block"), ("block", "warn", "block"), ("warn", "warn", "warn")],
)
def test_worse_of_incident_and_assertion_holds(on_incident: str, on_failing: str, conclusion: str) -> None:
    health = Health(
        urn=URN,
        answered=EVERYTHING,
        incidents=(Incident(urn="urn:li:incident:1", asset=URN),),
        assertions=assertions(FAILURE),
    )
    rule = Rule(on_incident=OnIncident(on_incident), on_failing_assertion=OnFailingAssertion(on_failing))

    assert judge(health, rule).conclusion == conclusion


@pytest.mark.parametrize(
    ("result", "verdict"), [(SUCCESS, Verdict.UNKNOWN), (FAILURE, Verdict.UNHEALTHY), (INIT, Verdict.HEALTHY)]
)
def test_old_result_is_unknown_unless_it_failed(result: AssertionResult, verdict: Verdict) -> None:
    rule = Rule(on_failing_assertion=OnFailingAssertion.BLOCK, assertion_max_age=timedelta(days=1))
    old = Health(
        urn=URN,
        answered=EVERYTHING,
        assertions=(*assertions(SUCCESS), *assertions(result, asset=SIBLING, run_ms=NOW - 86_400_001)),
    )

    assert judge(old, rule).verdict is verdict


@pytest.mark.parametrize(("ahead_ms", "verdict"), [(3_600_000, Verdict.HEALTHY), (3_600_001, Verdict.UNKNOWN)])
@pytest.mark.parametrize("max_age", [None, timedelta(days=1)])
def test_success_in_the_future_is_not_believed(ahead_ms: int, verdict: Verdict, max_age: timedelta | None) -> None:
    rule = Rule(on_failing_assertion=OnFailingAssertion.BLOCK, assertion_max_age=max_age)
    ahead = Health(urn=URN, answered=EVERYTHING, assertions=assertions(SUCCESS, run_ms=NOW + ahead_ms))

    assert judge(ahead, rule).verdict is verdict
