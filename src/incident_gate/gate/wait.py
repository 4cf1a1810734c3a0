"""Wait until inputs pass instead of blocking: what does not pass yet is checked again, and everything at the end."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from incident_gate.errors import Hint, RefusedError
from incident_gate.gate.check import CheckResult
from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.incident import Problem, Reason

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

    An error that no repetition corrects ends it at once.

    Args:
        first: The first check of all inputs.
        recheck: Checks some of them again.
        longest: Seconds to wait at most; 0 for no waiting.
        interval: Seconds between two checks.
        stable: Seconds that inputs must pass.
        clock: Seconds that only ever grow.
        sleep: Waits for so many seconds.
        on_wait: Called about once a second.
        renew: Selects and checks all inputs anew, while a selector could not establish what it selects.

    Returns:
        The last check of all inputs, and how long the gate waited; None where the first round passed.
    """
    if not longest or _is_final(first):
        return first, None
    state = _State(first, stable)
    blocking = tuple(decision for decision in first.decisions if decision.conclusion is Conclusion.BLOCK)
    started = clock()
    end = started + longest
    while state.pending and clock() < end and not isinstance(state.last.failure, RefusedError):
        soonest = clock() + _SHORTEST_PAUSE
        until = min(end, max(soonest, min([clock() + interval, *state.stable_at()])))
        while (left := until - clock()) > 0:
            on_wait(WaitState(clock() - started, longest, state.pending_decisions()))
            sleep(min(left, _TICK))
        if renew and any(decision.entry.is_selector for decision in state.pending_decisions()):
            state.restart(renew(), clock())
            continue
        positions = sorted(state.pending)
        state.merge(positions, recheck(positions), clock())
        if not state.pending and len(positions) < state.size:
            everything = range(state.size)
            state.merge(everything, recheck(everything), clock())
    return state.result(clock()), Waited(clock() - started, blocking)


def _is_final(result: CheckResult) -> bool:
    passes = all(decision.conclusion is not Conclusion.BLOCK for decision in result.decisions)
    return passes or isinstance(result.failure, RefusedError)


class _State:
    """The last decision on each input, and since when each one passes that did not."""

    def __init__(self, first: CheckResult, stable: float) -> None:
        self.last = first
        self._decisions = list(first.decisions)
        self._stable = stable
        self._passing_since: dict[int, float] = {}
        self.pending = {
            position for position, decision in enumerate(first.decisions) if decision.conclusion is Conclusion.BLOCK
        }

    def merge(self, positions: Sequence[int], result: CheckResult, now: float) -> None:
        self.last = result
        for position, decision in zip(positions, result.decisions, strict=True):
            self._decisions[position] = decision
            if decision.conclusion is Conclusion.BLOCK:
                self._passing_since.pop(position, None)
                self.pending.add(position)
            elif position in self.pending:
                since = self._passing_since.setdefault(position, now)
                if now - since >= self._stable:
                    self.pending.discard(position)

    @property
    def size(self) -> int:
        """The number of inputs."""
        return len(self._decisions)

    def restart(self, result: CheckResult, now: float) -> None:
        """Begin again with other inputs."""
        self._decisions = list(result.decisions)
        self._passing_since.clear()
        self.pending = set(range(self.size))
        self.merge(range(self.size), result, now)

    def stable_at(self) -> list[float]:
        """When each input that passes, but not yet for long enough, will have."""
        return [since + self._stable for position, since in self._passing_since.items() if position in self.pending]

    def pending_decisions(self) -> tuple[Decision, ...]:
        return tuple(self._decisions[position] for position in sorted(self.pending))

    def result(self, now: float) -> CheckResult:
        """The last check as if it had been one of all inputs; what did not pass for long enough blocks."""
        for position in self.pending & self._passing_since.keys():
            passed = now - self._passing_since[position]
            message = Hint(
                "It has passed for {0} s, and not yet for the {1} s of `{wait-stable}`",
                round(passed),
                round(self._stable),
            )
            self._decisions[position] = self._decisions[position]._replace(
                verdict=Verdict.UNKNOWN,
                conclusion=Conclusion.BLOCK,
                problems=(Problem(Reason.UNSTEADY, message, Hint("Run the job again, or give it a longer `{wait}`.")),),
            )
        return self.last._replace(decisions=tuple(self._decisions))
