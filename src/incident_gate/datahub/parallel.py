"""Many requests: until a deadline, in parallel threads, and by halves where one of their assets makes them fail."""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import NamedTuple, TypeVar

from incident_gate.datahub.failure import Rejection, RequestFailure
from incident_gate.errors import RefusedError, UnreachableError


class Deadline(NamedTuple):
    """A moment on the monotonic clock, in seconds, after which no request is sent."""

    at: float
    clock: Callable[[], float] = time.monotonic

    @classmethod
    def after(cls, seconds: float, clock: Callable[[], float] = time.monotonic) -> Deadline:
        """The deadline that many seconds from now."""
        return cls(clock() + seconds, clock)

    @property
    def remaining(self) -> float:
        """Seconds left, never negative."""
        return max(0.0, self.at - self.clock())

    @property
    def passed(self) -> bool:
        """Whether the time is up."""
        return self.remaining <= 0

    def earlier(self, seconds: float) -> Deadline:
        """This deadline, or the one that many seconds from now if that comes first."""
        return Deadline(min(self.at, self.clock() + seconds), self.clock)

    def later(self, seconds: float) -> Deadline:
        """The deadline that many seconds after this one."""
        return Deadline(self.at + seconds, self.clock)


# Seconds. A signal that arrives just before a wait begins does not interrupt it. So the wait for an answer is made of
# short ones: else a job that is cancelled at such a moment goes on until the deadline.
LONGEST_WAIT = 0.25

T = TypeVar("T")


def run_all(
    tasks: Sequence[Callable[[], T]],
    *,
    threads: int,
    deadline: Deadline,
    stop: Callable[[T], bool] = lambda _: False,
    on_idle: Callable[[], None] = lambda: None,
) -> list[T | None]:
    """Run all tasks in threads; a result for each, None for one that was not back at the deadline.

    The threads are daemons because no socket option bounds everything: a name look-up can hang, and a server can send
    a byte a second. A task that is not back is left behind, and the process can end. What a task raises is raised
    here. `stop` is called with each result; after True no further task is begun, and those under way still come back.
    `on_idle` is called about four times a second while nothing comes back.
    """
    finished: SimpleQueue[tuple[int, T | BaseException]] = SimpleQueue()
    begun: list[int] = []
    stopped = _start(tasks, threads, begun, finished)
    results: list[T | None] = [None] * len(tasks)
    returned = 0
    try:
        while returned < (len(begun) if stopped.is_set() else len(tasks)):
            try:
                index, result = finished.get(timeout=min(deadline.remaining, LONGEST_WAIT))
            except Empty:
                if deadline.passed:
                    break
                on_idle()
                continue
            returned += 1
            if isinstance(result, BaseException):
                raise result
            results[index] = result
            if stop(result):
                stopped.set()
    finally:
        stopped.set()
    return results


def _start(
    tasks: Sequence[Callable[[], T]],
    threads: int,
    begun: list[int],
    finished: SimpleQueue[tuple[int, T | BaseException]],
) -> threading.Event:
    """Start the threads; they end when all tasks are done or the event is set."""
    stopped = threading.Event()
    waiting: SimpleQueue[int] = SimpleQueue()
    for index in range(len(tasks)):
        waiting.put(index)

    def work() -> None:
        while not stopped.is_set():
            try:
                index = waiting.get_nowait()
            except Empty:
                return
            begun.append(index)
            try:
                finished.put((index, tasks[index]()))
            except BaseException as error:  # noqa: BLE001 - raised again in the caller's thread
                finished.put((index, error))

    for _ in range(min(threads, len(tasks))):
        threading.Thread(target=work, daemon=True).start()
    return stopped


# Refusals in a row after which it is the server that fails and not one of the assets. In a batch of 250, any 31 guilty
# assets leave a part that is answered within the first 63 requests. A server that has answered before may refuse as
# many as it takes to find every asset of a batch guilty.
MOST_REFUSALS_AT_FIRST = 64
MOST_REFUSALS = 500


class Refusals:
    """Counts the requests that one server refused in a row. Threads share it."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._has_answered = False

    def answered(self) -> None:
        """Note a request that was answered."""
        self._has_answered = True
        self._in_a_row = 0

    def refused(self, failure: RequestFailure) -> None:
        """Note a request that was refused."""
        self._in_a_row += 1
        if self._in_a_row > (MOST_REFUSALS if self._has_answered else MOST_REFUSALS_AT_FIRST):
            message = f"DataHub fails on every request: {failure.message}."
            kind = RefusedError if failure.is_refusal else UnreachableError
            raise kind(message, hint="Check the server's health and its log.") from None


def bisect(
    items: Sequence[T],
    fetch: Callable[[Sequence[T]], None],
    *,
    refused: Callable[[T, RequestFailure], None],
    refusals: Refusals,
) -> None:
    """Fetch all, and by halves where that fails, until what causes the failure is alone."""
    waiting = deque([items])
    while waiting:
        part = waiting.popleft()
        try:
            fetch(part)
        except RequestFailure as failure:
            alone = len(part) == 1
            if failure.rejection is Rejection.INVALID or (failure.rejection is Rejection.COSTLY and alone):
                raise
            refusals.refused(failure)
            if alone:
                refused(part[0], failure)
            else:
                middle = len(part) // 2
                waiting.extend((part[:middle], part[middle:]))
        else:
            refusals.answered()
