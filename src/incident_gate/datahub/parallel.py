"""Run tasks in daemon threads until a deadline."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from queue import Empty, SimpleQueue
from typing import TypeVar

from incident_gate.datahub.deadline import Deadline

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
    """Run all tasks, in order of the sequence as threads come free.

    The threads are daemons because no socket option bounds everything: a name look-up can hang, and a server can send
    a byte a second. A task that is not back at the deadline is left behind, and the process can end.

    Args:
        tasks: Each returns its result and raises only internal errors.
        threads: How many tasks run at a time.
        deadline: When to stop waiting.
        stop: Called with each result; after True no further task is begun, and those under way still come back.
        on_idle: Called about four times a second while nothing comes back.

    Returns:
        A result for each task, in the order of the tasks; None for each that was not back in time.
    """
    finished: SimpleQueue[tuple[int, T | BaseException]] = SimpleQueue()
    begun: list[int] = []
    over = _start(tasks, threads, begun, finished)
    results: list[T | None] = [None] * len(tasks)
    back = 0
    try:
        while back < (len(begun) if over.is_set() else len(tasks)):
            try:
                index, result = finished.get(timeout=min(deadline.remaining, LONGEST_WAIT))
            except Empty:
                if deadline.passed:
                    break
                on_idle()
                continue
            back += 1
            if isinstance(result, BaseException):
                raise result
            results[index] = result
            if stop(result):
                over.set()
    finally:
        over.set()
    return results


def _start(
    tasks: Sequence[Callable[[], T]],
    threads: int,
    begun: list[int],
    finished: SimpleQueue[tuple[int, T | BaseException]],
) -> threading.Event:
    """Start the threads; they end when all tasks are done or the event is set."""
    over = threading.Event()
    waiting: SimpleQueue[int] = SimpleQueue()
    for index in range(len(tasks)):
        waiting.put(index)

    def work() -> None:
        while not over.is_set():
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
    return over
