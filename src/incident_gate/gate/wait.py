"""Wait until inputs pass instead of blocking: what does not pass yet is checked again, and everything at the end.

A round without an answer never replaces a known incident, whatever `on-unknown` says.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from incident_gate.errors import Hint, RefusedError
from incident_gate.gate.check import CheckResult
from incident_gate.gate.policy import Conclusion, Decision, Verdict, worst
from incident_gate.incident import Problem, Reason, severity
from incident_gate.manifest.model import Position

# Never checked more often than this, whatever `wait-interval` is.
_SHORTEST_PAUSE = 0.05
_TICK = 1.0

# Checks the inputs at these positions, and returns their decisions in this order.
Recheck = Callable[[Sequence[int]], CheckResult]


class Waited(NamedTuple):
    """How long the gate waited, in seconds, and for which inputs as they were when it began."""

    seconds: float
    decisions: tuple[Decision, ...]


class WaitState(NamedTuple):
    """The state of waiting: seconds so far, and the inputs that do not pass yet or not for long enough."""

    seconds: float
    longest: float
    pending: tuple[Decision, ...]


def wait(  # noqa: PLR0913 - three times and the edges
    first: CheckResult,
    recheck: Recheck,
    *,
    longest: float,
    interval: float,
    stable: float,
    clock: Callable[[], float],
    sleep: Callable[[float], None],
    on_wait: Callable[[WaitState], None] = lambda _state: None,
    renew: Callable[[], CheckResult] | None = None,
) -> tuple[CheckResult, Waited | None]:
    """Check again until every input passes and has passed for `wait-stable`, or the time is up.

    An error that no repetition corrects ends it at once. `renew` selects and checks all inputs anew: at the end, and
    while a selector could not resolve what it selects. Returns the last check of all inputs, and how long the gate
    waited, or None where it did not.
    """
    blocking = tuple(decision for decision in first.decisions if decision.conclusion is Conclusion.BLOCK)
    if not longest or not blocking or isinstance(first.failure, RefusedError):
        return first, None
    state = _State(first, stable)
    started = clock()
    end = started + longest
    while state.pending and clock() < end and not isinstance(state.last.failure, RefusedError):
        soonest = clock() + _SHORTEST_PAUSE
        until = min(end, max(soonest, min([clock() + interval, *state.stable_at()])))
        while (left := until - clock()) > 0:
            on_wait(WaitState(clock() - started, longest, state.pending_decisions()))
            sleep(min(left, _TICK))
        if renew and state.is_open:
            state.renew(renew(), clock())
            continue
        positions = [position for position, key in enumerate(state.keys) if key in state.pending]
        state.merge(positions, recheck(positions), clock())
        # The last look: nothing that passed before, nor what the selectors selected, needs to be as it was.
        if not state.pending and renew:
            state.renew(renew(), clock())
        elif not state.pending and len(positions) < len(state.keys):
            everything = range(len(state.keys))
            state.merge(everything, recheck(everything), clock())
    return state.result(clock()), Waited(clock() - started, blocking)


class _Key(NamedTuple):
    """What identifies an input from one selection to the next; of a selector's problems, each counts for itself."""

    urn: str
    position: Position | None
    number: int


def _keys(decisions: Iterable[Decision]) -> list[_Key]:
    counts: Counter[tuple[str, Position | None]] = Counter()
    keys = []
    for decision in decisions:
        entry = decision.entry
        place = (entry.urn.text, entry.position if entry.is_selector else None)
        keys.append(_Key(*place, counts[place]))
        counts[place] += 1
    return keys


class _State:
    """The last decision on each input, and since when each one passes that did not.

    `keys` are the inputs in the order in which they are checked, `last` is the last check of some of them, and
    `pending` what does not pass, or has not for long enough.
    """

    def __init__(self, first: CheckResult, stable: float) -> None:
        self.keys = _keys(first.decisions)
        self.last = first
        self.pending: set[_Key] = set()
        self._decisions: dict[_Key, Decision] = {}
        self._known: dict[_Key, Decision] = {}
        self._stable = stable
        self._passing_since: dict[_Key, float] = {}
        for key, decision in zip(self.keys, first.decisions, strict=True):
            if self._note(key, decision).conclusion is Conclusion.BLOCK:
                self.pending.add(key)

    def _note(self, key: _Key, decision: Decision) -> Decision:
        """Keep the decision, with the incidents that an incomplete answer may have missed."""
        decision = self._decisions[key] = _with_known(decision, self._known.pop(key, None))
        if decision.incident_count or decision.failing:
            self._known[key] = decision
        return decision

    def merge(self, positions: Sequence[int], result: CheckResult, now: float) -> None:
        """Take in a check of some inputs. What is new must pass for as long as what did not pass."""
        self.last = result
        for position, found in zip(positions, result.decisions, strict=True):
            key = self.keys[position]
            is_new = key not in self._decisions
            if self._note(key, found).conclusion is Conclusion.BLOCK:
                self._passing_since.pop(key, None)
                self.pending.add(key)
            elif is_new or key in self.pending:
                since = self._passing_since.setdefault(key, now)
                if now - since >= self._stable:
                    self.pending.discard(key)
                    self._passing_since.pop(key, None)
                else:
                    self.pending.add(key)

    def renew(self, result: CheckResult, now: float) -> None:
        """Take in a check of what was selected anew.

        What is selected no more is forgotten, unless a selector is without an answer and it had an incident.
        """
        self.keys = _keys(result.decisions)
        is_partial = any(key.position for key in self.keys)
        for key in self._decisions.keys() - set(self.keys):
            if not (is_partial and key in self._known):
                self._decisions.pop(key)
                self._known.pop(key, None)
                self._passing_since.pop(key, None)
                self.pending.discard(key)
        self.merge(range(len(self.keys)), result, now)

    @property
    def is_open(self) -> bool:
        """Whether something is pending that only a new selection can settle."""
        return any(key.position or key not in self.keys for key in self.pending)

    def stable_at(self) -> list[float]:
        """When each input that passes, but not yet for long enough, will have."""
        return [since + self._stable for since in self._passing_since.values()]

    def pending_decisions(self) -> tuple[Decision, ...]:
        """The decisions on what is pending."""
        return tuple(decision for key, decision in self._decisions.items() if key in self.pending)

    def result(self, now: float) -> CheckResult:
        """The last check as if it had been one of all inputs; what did not pass for long enough blocks."""
        for key, since in self._passing_since.items():
            message = Hint(
                "It has passed for {0} s, and not yet for the {1} s of `{wait-stable}`",
                f"{now - since:.0f}",
                f"{self._stable:.0f}",
            )
            hint = Hint("Run the job again, or give it a longer `{wait}`.")
            self._decisions[key] = self._decisions[key]._replace(
                verdict=Verdict.UNKNOWN,
                conclusion=Conclusion.BLOCK,
                problems=(Problem(Reason.UNSTEADY, message, hint),),
            )
        order = [*self.keys, *(key for key in self._decisions if key not in self.keys)]
        return self.last._replace(
            decisions=tuple(self._decisions[key] for key in order),
            nothing_answered=self.last.nothing_answered and not self._known,
        )


def _with_known(found: Decision, known: Decision | None) -> Decision:
    """The decision with the incidents and assertions of an earlier one, where the answer is not complete."""
    if known is None or not found.problems:
        return found
    excused = {excuse.item.urn for excuse in found.excused}
    blocking = {incident.urn: incident for incident in (*known.blocking, *found.blocking)}
    failing = {assertion.urn: assertion for assertion in (*known.failing, *found.failing)}
    return found._replace(
        verdict=Verdict.UNHEALTHY,
        conclusion=worst([known.conclusion, found.conclusion]),
        blocking=tuple(sorted((each for urn, each in blocking.items() if urn not in excused), key=severity)),
        failing=tuple(each for urn, each in failing.items() if urn not in excused),
        unread=max(known.unread, found.unread),
        left_out=max(known.left_out, found.left_out),
    )
