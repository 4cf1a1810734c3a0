"""Waiting: what is checked again and when, how it ends, and what is reported, with a clock that does not wait."""

from __future__ import annotations

import tracemalloc
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from incident_gate.errors import RefusedError, UnreachableError
from incident_gate.gate.check import CheckResult
from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.gate.wait import Waited, WaitState, wait
from incident_gate.incident import Assertion, Problem, Reason
from tests.helpers.report_samples import decision, entry, unhealthy

Health = Callable[[str, float], bool]


@dataclass
class World:
    """Inputs whose health depends on the time; `asked` are the inputs of each check with its time."""

    names: tuple[str, ...]
    passes: Health
    now: float = 0.0
    asked: list[tuple[float, tuple[str, ...]]] = field(default_factory=list)
    failures: dict[float, Exception] = field(default_factory=dict)
    silent: tuple[float, float] = (0, 0)
    states: list[WaitState] = field(default_factory=list)

    def check(self, positions: Sequence[int]) -> CheckResult:
        names = tuple(self.names[position] for position in positions)
        self.asked.append((round(self.now, 2), names))
        failure = next((error for at, error in self.failures.items() if at <= self.now), None)
        decisions = tuple(self.decide(name) for name in names)
        if isinstance(failure, UnreachableError):
            self.failures.clear()
        return CheckResult(decisions, failure)  # type: ignore[arg-type]

    def decide(self, name: str) -> Decision:
        if self.silent[0] <= self.now < self.silent[1]:
            return unanswered(name)
        return decision(entry(name)) if self.passes(name, self.now) else unhealthy(name)

    def sleep(self, seconds: float) -> None:
        assert 0 < seconds <= 1
        self.now += seconds

    def wait(
        self,
        longest: float,
        interval: float = 60,
        stable: float = 0,
        renew: Callable[[], CheckResult] | None = None,
        first: CheckResult | None = None,
    ) -> tuple[CheckResult, Waited | None]:
        return wait(
            first or self.check(range(len(self.names))),
            self.check,
            longest=longest,
            interval=interval,
            stable=stable,
            clock=lambda: self.now,
            sleep=self.sleep,
            on_wait=self.states.append,
            renew=renew,
        )


def unanswered(name: str, *, is_selector: bool = False) -> Decision:
    """What `on-unknown: warn` makes of an input without an answer."""
    silent = decision(entry(name), Conclusion.WARN)
    return silent._replace(
        entry=silent.entry._replace(is_selector=is_selector),
        verdict=Verdict.UNKNOWN,
        problems=(Problem(Reason.NO_ANSWER, "HTTP 503"),),
    )


def conclusions(result: CheckResult) -> list[str]:
    return [decision.conclusion.value for decision in result.decisions]


def _never(*_: object) -> Any:
    raise AssertionError


@pytest.mark.parametrize(
    ("conclusion", "longest"), [(Conclusion.PASS, 3600), (Conclusion.WARN, 3600), (Conclusion.BLOCK, 0)]
)
def test_first_round_decides_if_it_passes_or_nothing_is_waited_for(conclusion: Conclusion, longest: float) -> None:
    first = CheckResult((decision(entry("a"), conclusion), decision(entry("b"))))

    result = wait(first, _never, longest=longest, interval=1, stable=600, clock=lambda: 0.0, sleep=_never)

    assert result == (first, None)


def test_only_what_does_not_pass_is_checked_again_and_everything_at_the_end() -> None:
    ready = {"a": 0, "b": 100, "c": 200}
    world = World(tuple(ready), lambda name, now: now >= ready[name])

    result, waited = world.wait(3600)

    assert conclusions(result) == ["pass"] * 3
    assert world.asked == [
        (0, ("a", "b", "c")),
        (60, ("b", "c")),
        (120, ("b", "c")),
        (180, ("c",)),
        (240, ("c",)),
        (240, ("a", "b", "c")),
    ]
    assert waited
    assert waited.seconds == 240
    assert [d.entry.label for d in waited.decisions] == ["b", "c"]


def test_what_breaks_meanwhile_is_found_at_the_end_and_waited_for() -> None:
    world = World(("a", "b"), lambda name, now: now >= 60 if name == "b" else not 50 <= now < 100)

    result, _ = world.wait(3600)

    assert conclusions(result) == ["pass", "pass"]
    assert world.asked[1:] == [(60, ("b",)), (60, ("a", "b")), (120, ("a",)), (120, ("a", "b"))]


def test_time_that_is_up_blocks_after_one_last_check() -> None:
    world = World(("a", "b"), lambda name, _now: name == "a")

    result, waited = world.wait(150)

    assert conclusions(result) == ["pass", "block"]
    assert [at for at, _ in world.asked] == [0, 60, 120, 150]
    assert waited
    assert waited.seconds == 150


def test_inputs_must_pass_for_the_steady_time() -> None:
    # Passes from 60 on, but not between 100 and 130.
    world = World(("a",), lambda _name, now: now >= 60 and not 100 <= now < 130)

    result, waited = world.wait(3600, interval=20, stable=60)

    assert conclusions(result) == ["pass"]
    assert waited
    assert waited.seconds == 200
    assert [at for at, _ in world.asked] == [0, 20, 40, 60, 80, 100, 120, 140, 160, 180, 200]


def test_check_comes_when_the_steady_time_is_over() -> None:
    world = World(("a",), lambda _name, now: now >= 60)

    _, waited = world.wait(3600, interval=60, stable=10)

    assert waited
    assert waited.seconds == 70


def test_input_that_has_not_passed_for_long_enough_blocks() -> None:
    world = World(("a", "b"), lambda name, now: name == "b" or now >= 100)

    result, _ = world.wait(120, interval=50, stable=60)

    assert conclusions(result) == ["block", "pass"]
    [problem] = result.decisions[0].problems
    assert (result.decisions[0].verdict, problem.reason) == (Verdict.UNKNOWN, Reason.UNSTEADY)
    assert problem.message == "It has passed for 20 s, and not yet for the 60 s of `wait-stable`"


def test_refusal_ends_it_at_once() -> None:
    refused = RefusedError("The token expired.")
    first = World(("a",), lambda _name, _now: False, failures={0: refused})
    assert first.wait(3600)[1] is None
    assert len(first.asked) == 1

    later = World(("a",), lambda _name, _now: False, failures={60: refused})
    result, waited = later.wait(3600)

    assert result.failure is refused
    assert conclusions(result) == ["block"]
    assert waited
    assert waited.seconds == 60


def test_server_that_is_away_for_a_while_is_survived() -> None:
    world = World(("a",), lambda _name, now: now >= 120, failures={60: UnreachableError("down")})

    result, _ = world.wait(3600)

    assert (conclusions(result), result.failure) == (["pass"], None)
    assert [at for at, _ in world.asked] == [0, 60, 120]


def test_poll_is_never_faster_than_a_server_can_bear() -> None:
    world = World(("a",), lambda _name, _now: False)

    world.wait(1, interval=0.000001)

    assert len(world.asked) <= 22


def test_state_is_shown_every_second() -> None:
    world = World(("a", "b"), lambda name, _now: name == "b")

    world.wait(120, interval=60)

    assert len(world.states) == 120
    assert [d.entry.label for d in world.states[7].pending] == ["a"]
    assert (world.states[7].seconds, world.states[7].longest) == (7, 120)


def test_ten_hours_of_waiting_need_little_memory() -> None:
    world = World(tuple(f"t{number}" for number in range(20)), lambda _name, _now: False)
    world.states = _Forgetful()
    world.asked = _Forgetful()

    tracemalloc.start()
    world.wait(36_000)
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    # Half of it, where no check is kept; several times as much, where each is.
    assert most < 1_000_000


class _Forgetful(list):  # type: ignore[type-arg]
    def append(self, _item: object) -> None:
        pass


@pytest.mark.parametrize("longest", [100, 130])
def test_round_without_an_answer_does_not_replace_a_known_incident(longest: float) -> None:
    world = World(("a",), lambda _name, now: now >= 120, silent=(50, 125))
    decide = world.decide

    def decide_with_more(name: str) -> Decision:
        found = decide(name)
        return found._replace(unread=3, left_out=2) if found.blocking else found

    world.decide = decide_with_more  # type: ignore[method-assign]

    result, _ = world.wait(longest)

    # At 60, 100 and 120 nothing is known of it; at 130 it is healthy.
    [decided] = result.decisions
    if longest == 100:
        assert (decided.verdict, decided.conclusion) == (Verdict.UNHEALTHY, Conclusion.BLOCK)
        assert (decided.blocking, decided.problems) == (unhealthy("a").blocking, unanswered("a").problems)
        assert (decided.unread, decided.left_out) == (3, 2)
    else:
        assert decided.conclusion is Conclusion.PASS


def test_round_without_an_answer_does_not_replace_a_known_failing_assertion() -> None:
    world = World(("a",), lambda _name, _now: False, silent=(50, 1_000))
    first = decision(entry("a"), Conclusion.BLOCK, failing=(Assertion("urn:li:assertion:a", "a"),))

    result, _ = world.wait(100, first=CheckResult((first,)))

    [decided] = result.decisions
    assert (decided.conclusion, decided.failing) == (Conclusion.BLOCK, first.failing)


def test_answer_that_lacks_something_does_not_replace_a_known_incident() -> None:
    first = unhealthy("a")
    other = first.blocking[0]._replace(urn="urn:li:incident:other")
    answers = [
        first._replace(conclusion=Conclusion.WARN, blocking=(other,), problems=unanswered("a").problems),
        first._replace(conclusion=Conclusion.WARN, blocking=(other,)),
    ]
    world = World(("a",), lambda _name, _now: False)
    world.decide = lambda name: answers.pop(0) if world.now else first  # type: ignore[method-assign]  # noqa: ARG005

    result, waited = world.wait(3600)

    assert waited
    assert (waited.seconds, result.decisions[0].blocking) == (120, (other,))


def test_last_look_selects_again() -> None:
    selected = [("a", "b"), ("a",)]

    def renew() -> CheckResult:
        world.names = selected.pop(0)
        return world.check(range(len(world.names)))

    world = World(("a",), lambda name, now: now >= 60 if name == "a" else now >= 240)

    result, waited = world.wait(3600, renew=renew)

    assert conclusions(result) == ["pass"]
    assert waited
    assert waited.seconds == 240
    assert world.asked[1:] == [(at, names) for at, names in world.asked[1:] if at in {60, 120, 180, 240}]
    assert [names for at, names in world.asked if at in {60, 240}] == [("a",), ("a", "b"), ("b",), ("a",)]


def test_what_is_selected_no_more_before_it_has_passed_for_long_enough_is_forgotten() -> None:
    world = World((), lambda name, now: name == "b" or now >= 60)
    broken = unanswered("upstream-of", is_selector=True)._replace(conclusion=Conclusion.BLOCK)

    def renew() -> CheckResult:
        return CheckResult((broken, world.decide("a")) if world.now < 120 else (world.decide("b"),))

    first = CheckResult((broken, world.decide("a")))
    world.names = ("b",)
    result, _ = world.wait(600, stable=100, renew=renew, first=first)

    assert [(d.entry.label, d.conclusion.value) for d in result.decisions] == [("b", "pass")]


def test_selection_without_an_answer_does_not_forget_a_known_incident() -> None:
    world = World(("a", "b"), lambda name, now: now >= 60 if name == "b" else now >= 180)
    looks = 0

    def renew() -> CheckResult:
        nonlocal looks
        looks += 1
        if world.now < 240:
            return CheckResult((world.decide("b"), unanswered("upstream-of", is_selector=True)))
        return CheckResult((world.decide("b"), world.decide("a")))

    first = CheckResult(
        (
            unanswered("upstream-of", is_selector=True)._replace(conclusion=Conclusion.BLOCK),
            *(world.decide(name) for name in world.names),
        )
    )
    result, waited = world.wait(600, renew=renew, first=first)

    assert (conclusions(result), looks) == (["pass", "pass"], 4)
    assert waited
    assert waited.seconds == 240
    world.now, looks = 0, 0
    result, _ = world.wait(100, renew=renew, first=first)
    assert world.asked == []
    assert [(d.entry.label, d.conclusion.value) for d in result.decisions] == [
        ("b", "pass"),
        ("upstream-of", "warn"),
        ("a", "block"),
    ]
