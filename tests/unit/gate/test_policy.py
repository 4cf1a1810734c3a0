"""The decision, rule by rule."""

from collections.abc import Callable
from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.gate.policy import Conclusion, Decision, Rule, Verdict, decide, rule_for, unused_waivers, worst
from incident_gate.incident import INCIDENT_TYPES, Health, Incident, Priority, Problem, Question, Reason
from incident_gate.manifest.model import InputEntry, Mistake, OnIncident, OnUnknown, Position, Rules, Waiver
from incident_gate.urn import parse_urn

EVERYTHING = frozenset(Question)

URN = "urn:li:dataset:(urn:li:dataPlatform:snowflake,a,PROD)"
HERE = Position(1, 1)
ENTRY = InputEntry(urn=parse_urn(URN), position=HERE)
PROBLEM = Problem(Reason.ERROR, "DataHub failed on it")
WAIVER = Waiver(incident="urn:li:incident:1", until=date(2027, 1, 31), reason="backfill", position=Position(7, 9))


def entry(**said: Any) -> InputEntry:
    return InputEntry(urn=ENTRY.urn, position=HERE, **said)


def incident(
    urn: str = "urn:li:incident:1",
    *,
    kind: str | None = "OPERATIONAL",
    priority: Priority | None = None,
    created_ms: int | None = None,
) -> Incident:
    return Incident(urn=urn, asset=URN, type=kind, priority=priority, created_ms=created_ms)


def judge(
    *incidents: Incident,
    rule: Rule | None = None,
    of: InputEntry = ENTRY,
    unread: int = 0,
    problems: tuple[Problem, ...] = (),
    is_ours: Callable[[Incident], bool] = lambda _incident: False,
) -> Decision:
    health = Health(
        urn=URN,
        answered=EVERYTHING,
        incidents=incidents,
        unread=unread,
        left_out=unread // 2,
        problems=problems,
        siblings=("urn:li:sibling",),
    )
    return decide(of, health, rule or Rule(), is_ours=is_ours)


# Which rule holds


def test_without_a_word_everything_blocks_and_siblings_count() -> None:
    rule = rule_for(ENTRY.rules, Rules(), Rules())
    assert rule == Rule(
        on_incident=OnIncident.BLOCK,
        on_unknown=OnUnknown.BLOCK,
        types=None,
        min_priority=None,
        siblings=True,
        sources=("on-incident: block (built in)", "on-unknown: block (built in)"),
    )
    assert (rule.on_incident, rule.on_unknown, rule.siblings) == (Rule().on_incident, Rule().on_unknown, True)


@pytest.mark.parametrize("name", ["on_incident", "on_unknown", "on_failing_assertion"])
@pytest.mark.parametrize(
    ("values", "expected", "source"),
    [
        (("warn", "block", "block"), "warn", "entry"),
        (("block", "warn", "warn"), "block", "entry"),
        ((None, "warn", "block"), "warn", "input"),
        ((None, "block", "warn"), "block", "input"),
        ((None, None, "warn"), "warn", "defaults"),
    ],
)
def test_entry_goes_before_the_input_and_the_input_before_the_defaults(
    name: str, values: tuple[str | None, ...], expected: str, source: str
) -> None:
    kind = type(getattr(Rule(), name))

    def ruled(value: str | None) -> dict[str, Any]:
        return {name: value and kind(value)}

    entry, settings, defaults = (Rules(**ruled(value)) for value in values)
    rule = rule_for(entry, settings, defaults)

    assert rule == Rule(**ruled(expected), sources=rule.sources)
    assert f"{name.replace('_', '-')}: {expected} ({source})" in rule.sources


def test_types_priority_and_siblings_of_the_entry_go_before_the_defaults() -> None:
    defaults = Rules(types=frozenset({"SQL"}), min_priority=Priority.LOW, siblings=False)
    inherited = rule_for(ENTRY.rules, Rules(), defaults)
    assert (inherited.types, inherited.min_priority, inherited.siblings) == (frozenset({"SQL"}), Priority.LOW, False)
    own = Rules(types=frozenset({"VOLUME", "FIELD"}), min_priority=Priority.CRITICAL, siblings=True)
    rule = rule_for(own, Rules(), defaults)
    assert (rule.types, rule.min_priority, rule.siblings) == (own.types, Priority.CRITICAL, True)
    assert inherited.sources[2:] == (
        "types: SQL (defaults)",
        "min-priority: LOW (defaults)",
        "siblings: false (defaults)",
    )
    assert rule.sources[2:] == (
        "types: FIELD, VOLUME (entry)",
        "min-priority: CRITICAL (entry)",
        "siblings: true (entry)",
    )


def test_rule_with_another_word_for_unknown_is_the_same_otherwise() -> None:
    rule = Rule(on_unknown=OnUnknown.WARN, types=frozenset({"SQL"}), siblings=False)
    assert rule.with_on_unknown(OnUnknown.BLOCK) == Rule(
        types=frozenset({"SQL"}), siblings=False, sources=("on-unknown: block (after a refusal)",)
    )


# What it comes to


def test_healthy_passes_and_carries_everything_along() -> None:
    decision = judge(rule=Rule(sources=("x",)))
    assert decision == Decision(
        entry=ENTRY,
        verdict=Verdict.HEALTHY,
        conclusion=Conclusion.PASS,
        on_unknown=OnUnknown.BLOCK,
        siblings=("urn:li:sibling",),
        rules=("x",),
    )
    assert decision.blocking_count == 0


@pytest.mark.parametrize(
    ("on_incident", "on_unknown", "incidents", "problems", "verdict", "conclusion"),
    [
        ("block", "warn", 1, 0, "unhealthy", "block"),
        ("warn", "block", 1, 0, "unhealthy", "warn"),
        ("warn", "block", 0, 1, "unknown", "block"),
        ("block", "warn", 0, 1, "unknown", "warn"),
        # The worse of both counts.
        ("block", "warn", 1, 1, "unhealthy", "block"),
        ("warn", "block", 1, 1, "unhealthy", "block"),
        ("warn", "warn", 1, 1, "unhealthy", "warn"),
        ("ignore", "warn", 1, 1, "unknown", "warn"),
    ],
)
def test_rules_say_what_incidents_and_problems_lead_to(  # noqa: PLR0913, PLR0917 - a table
    on_incident: str, on_unknown: str, incidents: int, problems: int, verdict: str, conclusion: str
) -> None:
    rule = Rule(on_incident=OnIncident(on_incident), on_unknown=OnUnknown(on_unknown))

    decision = judge(*[incident()] * incidents, problems=(PROBLEM,) * problems, rule=rule)

    assert (decision.verdict, decision.conclusion, decision.on_unknown) == (verdict, conclusion, on_unknown)
    assert len(decision.problems) == problems
    assert decision.blocking == ((incident(),) * incidents if on_incident != "ignore" else ())


def test_ignored_asset_passes_with_its_incidents_listed() -> None:
    decision = judge(incident(), unread=3, rule=Rule(on_incident=OnIncident.IGNORE))
    assert (decision.verdict, decision.conclusion, decision.blocking_count) == ("healthy", "pass", 0)
    assert decision.left_out == 0
    assert [(excuse.item, excuse.reason) for excuse in decision.excused] == [(incident(), "on-incident: ignore")]


def test_unread_incidents_are_never_excused() -> None:
    picky = Rule(types=frozenset({"SQL"}), min_priority=Priority.CRITICAL)
    decision = judge(unread=2, rule=picky, is_ours=lambda _incident: True)
    assert (decision.verdict, decision.conclusion) == (Verdict.UNHEALTHY, Conclusion.BLOCK)
    assert (decision.unread, decision.left_out, decision.blocking_count) == (2, 1, 2)
    assert judge(incident(), unread=2).blocking_count == 3
    assert judge(unread=1, rule=Rule(on_incident=OnIncident.WARN)).conclusion is Conclusion.WARN


# Excuses


def test_own_incident_is_excused_and_says_why() -> None:
    ours, other = incident("urn:li:incident:ours"), incident("urn:li:incident:other")
    decision = judge(ours, other, is_ours=lambda i: i.urn.endswith("ours"))
    assert decision.blocking == (other,)
    assert [e.reason for e in decision.excused] == ["raised by this workflow, which writes this asset"]
    assert judge(ours, is_ours=lambda _i: True).conclusion is Conclusion.PASS


def test_waiver_excuses_its_incident_only() -> None:
    decision = judge(incident("urn:li:incident:1"), incident("urn:li:incident:12"), of=entry(ignore=(WAIVER,)))
    assert [i.urn for i in decision.blocking] == ["urn:li:incident:12"]
    assert [e.reason for e in decision.excused] == ["ignored until 2027-01-31: backfill"]


@pytest.mark.parametrize(("kind", "counts"), [("SQL", True), ("FIELD", True), ("VOLUME", False), (None, True)])
def test_only_the_wanted_types_count_and_one_without_a_type_always_does(kind: str | None, *, counts: bool) -> None:
    decision = judge(incident(kind=kind), rule=Rule(types=frozenset({"SQL", "FIELD"})))
    assert bool(decision.blocking) is counts
    assert [e.reason for e in decision.excused] == ([] if counts else ["VOLUME, this input blocks only on FIELD, SQL"])


@pytest.mark.parametrize("priority", [*Priority, None])
@pytest.mark.parametrize("least", list(Priority))
def test_priority_counts_from_the_least_on_and_one_without_always_does(
    priority: Priority | None, least: Priority
) -> None:
    decision = judge(incident(priority=priority), rule=Rule(min_priority=least))
    counts = priority is None or priority <= least
    assert bool(decision.blocking) is counts
    up = "only on CRITICAL" if least is Priority.CRITICAL else f"from {least.name} up"
    expected = [] if counts or priority is None else [f"{priority.name}, this input blocks {up}"]
    assert [e.reason for e in decision.excused] == expected


def test_first_excuse_is_the_one_told() -> None:
    rule = Rule(on_incident=OnIncident.IGNORE, types=frozenset({"SQL"}), min_priority=Priority.CRITICAL)
    found = incident(priority=Priority.LOW)

    def reason(of: InputEntry, rule: Rule, *, ours: bool = False) -> str:
        return judge(found, of=of, rule=rule, is_ours=lambda _i: ours).excused[0].reason

    assert reason(entry(ignore=(WAIVER,)), rule, ours=True).startswith("raised by this workflow")
    assert reason(entry(ignore=(WAIVER,)), rule).startswith("ignored until")
    assert reason(ENTRY, rule).startswith("on-incident")
    assert reason(ENTRY, Rule(types=rule.types, min_priority=rule.min_priority)).endswith("only on SQL")


# Order


def test_blocking_incidents_come_worst_first_then_oldest() -> None:
    low = incident("low", priority=Priority.LOW, created_ms=1)
    high_new = incident("high new", priority=Priority.HIGH, created_ms=9)
    high_old = incident("high old", priority=Priority.HIGH, created_ms=2)
    critical = incident("critical", priority=Priority.CRITICAL, created_ms=5)
    none = incident("none", created_ms=3)
    undated = incident("undated", priority=Priority.HIGH)
    decision = judge(low, high_new, high_old, critical, none, undated)
    assert [i.urn for i in decision.blocking] == ["critical", "high old", "high new", "undated", "low", "none"]


def test_worst_of_conclusions() -> None:
    assert worst([]) is Conclusion.PASS
    assert worst([Conclusion.PASS, Conclusion.WARN]) is Conclusion.WARN
    assert worst([Conclusion.WARN, Conclusion.BLOCK, Conclusion.PASS]) is Conclusion.BLOCK


@given(
    st.lists(
        st.tuples(st.sampled_from([*INCIDENT_TYPES, None]), st.sampled_from([*Priority, None])).map(
            lambda drawn: incident(kind=drawn[0], priority=drawn[1])
        )
    ),
    st.integers(0, 3),
    st.booleans(),
    st.none() | st.frozensets(st.sampled_from(INCIDENT_TYPES), min_size=1),
    st.none() | st.sampled_from(Priority),
)
def test_every_incident_blocks_or_is_excused_and_nothing_passes_with_one_that_blocks(
    incidents: list[Incident],
    unread: int,
    is_unknown: bool,  # noqa: FBT001 - drawn
    types: frozenset[str] | None,
    least: Priority | None,
) -> None:
    rule = Rule(types=types, min_priority=least)
    decision = judge(*incidents, rule=rule, unread=unread, problems=(PROBLEM,) if is_unknown else ())
    assert len(decision.blocking) + len(decision.excused) == len(incidents)
    passes = decision.conclusion is Conclusion.PASS
    assert passes is (not decision.blocking and not unread and not is_unknown)


# Active by the asset's summary, and not readable


def test_unverified_incident_is_unknown() -> None:
    decision = decide(
        ENTRY, Health(urn=URN, answered=EVERYTHING, unverified=(incident(),)), Rule(), is_ours=lambda _incident: False
    )

    assert (decision.verdict, decision.conclusion) == (Verdict.UNKNOWN, Conclusion.BLOCK)
    assert (len(decision.problems), decision.excused) == (1, ())


def test_waiver_excuses_an_unverified_incident() -> None:
    health = Health(urn=URN, answered=EVERYTHING, unverified=(incident(),))

    decision = decide(entry(ignore=(WAIVER,)), health, Rule(), is_ours=lambda _incident: False)

    assert (decision.verdict, decision.problems) == (Verdict.HEALTHY, ())
    assert [excused.item for excused in decision.excused] == [incident()]


# Waivers that match nothing

WAIVING = entry(ignore=(WAIVER,))


@pytest.mark.parametrize(
    ("decisions", "is_unused"),
    [
        ([judge(of=WAIVING)], True),
        ([judge(incident("urn:li:incident:2"), of=WAIVING)], True),
        ([judge(incident(), of=WAIVING)], False),
        ([judge(of=WAIVING)._replace(blocking=(incident(),))], False),
        # An incomplete answer is no evidence.
        ([judge(problems=(PROBLEM,), of=WAIVING)], False),
        ([judge(unread=1, of=WAIVING)], False),
        # That of a selector is used if it matches on any of its assets.
        ([judge(of=WAIVING), judge(of=WAIVING)], True),
        ([judge(of=WAIVING), judge(incident(), of=WAIVING)], False),
        ([judge(incident(), of=WAIVING), judge(of=WAIVING)], False),
    ],
)
def test_waiver_that_matches_nothing_is_a_warning(decisions: list[Decision], *, is_unused: bool) -> None:
    message = "the `ignore` rule for urn:li:incident:1 matches no active incident; delete it"

    assert list(unused_waivers(decisions)) == ([Mistake(Position(7, 9), message)] if is_unused else [])
