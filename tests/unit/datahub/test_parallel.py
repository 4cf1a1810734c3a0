"""Tasks in threads until a deadline, and which items a bisection asks for."""

import signal
import threading
import time
from functools import partial

import pytest

from incident_gate.datahub.failure import GraphqlError, Rejection, RequestFailure
from incident_gate.datahub.parallel import (
    MOST_REFUSALS,
    MOST_REFUSALS_AT_FIRST,
    Deadline,
    Refusals,
    bisect,
    run_all,
)
from incident_gate.errors import RefusedError, UnreachableError


def test_results_stand_in_the_order_of_the_tasks() -> None:
    def task(number: int) -> int:
        time.sleep(0.01 * (5 - number))
        return number

    results = run_all([partial(task, number) for number in range(5)], threads=3, deadline=Deadline.after(5))

    assert results == [0, 1, 2, 3, 4]


def test_what_is_not_back_at_the_deadline_is_left_behind() -> None:
    release, clock = threading.Event(), [0.0]

    def pass_the_deadline() -> None:
        clock[0] = 10.0

    tasks = [lambda: True, release.wait]
    results = run_all(tasks, threads=2, deadline=Deadline(5.0, lambda: clock[0]), on_idle=pass_the_deadline)
    release.set()

    assert results == [True, None]


def test_no_more_tasks_run_at_a_time_than_there_are_threads() -> None:
    running: list[int] = []
    most: list[int] = []

    def task() -> int:
        running.append(1)
        most.append(len(running))
        time.sleep(0.01)
        running.pop()
        return 0

    run_all([task] * 12, threads=3, deadline=Deadline.after(5))

    assert max(most) == 3


def test_after_a_stop_nothing_is_begun_and_what_is_under_way_comes_back() -> None:
    begun: list[int] = []
    slow = threading.Event()

    def task(number: int) -> int:
        begun.append(number)
        if number:
            slow.wait(5)
        return number

    def stop(result: int) -> bool:
        slow.set()
        return result == 0

    results = run_all([partial(task, n) for n in range(50)], threads=2, deadline=Deadline.after(5), stop=stop)

    assert results[0] == 0
    assert [result for result in results if result is not None] == sorted(begun)
    assert len(begun) < 50


def test_defect_in_a_task_is_raised_where_it_is_waited_for() -> None:
    def task() -> int:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        run_all([task], threads=1, deadline=Deadline.after(5))


def test_signal_that_does_not_interrupt_the_wait_is_handled_soon() -> None:
    handled = threading.Event()
    before = signal.signal(signal.SIGUSR1, lambda *_: handled.set())

    def task() -> bool:
        time.sleep(0.1)  # until the other thread waits
        # It reaches the process in this thread, so the one that waits is not interrupted.
        signal.pthread_kill(threading.get_ident(), signal.SIGUSR1)
        return handled.wait(60)

    try:
        assert run_all([task], threads=1, deadline=Deadline.after(100)) == [True]
    finally:
        signal.signal(signal.SIGUSR1, before)


# Bisection

FAILURE = RequestFailure("it throws", errors=(GraphqlError("it throws", code=500),))
NOT_ALLOWED = RequestFailure("may not", errors=(GraphqlError("may not", code=403),))
COSTLY = RequestFailure("too complex", rejection=Rejection.COSTLY)


class Server:
    """Fails on requests that have a guilty item in them, or more items than it accepts."""

    def __init__(self, guilty: set[int], failure: RequestFailure = FAILURE, *, accepts: int = 10_000) -> None:
        self.guilty = guilty
        self.failure = failure
        self.accepts = accepts
        self.requests: list[list[int]] = []
        self.answered: list[int] = []
        self.refused: list[int] = []

    def ask(self, items: int, refusals: Refusals | None = None) -> None:
        bisect(
            range(items),
            lambda part: self._answer(list(part)),
            refused=lambda item, _failure: self.refused.append(item),
            refusals=refusals or Refusals(),
        )

    def _answer(self, part: list[int]) -> None:
        self.requests.append(part)
        if self.guilty & set(part):
            raise self.failure
        if len(part) > self.accepts:
            raise COSTLY
        self.answered += part


def test_guilty_item_is_isolated_and_the_largest_parts_come_first() -> None:
    server = Server({5})

    server.ask(8)

    assert server.refused == [5]
    assert sorted(server.answered) == [0, 1, 2, 3, 4, 6, 7]
    assert [len(part) for part in server.requests] == [8, 4, 4, 2, 2, 1, 1]


def test_request_that_costs_too_much_is_halved_until_it_is_accepted() -> None:
    server = Server(set(), accepts=3)

    server.ask(10)

    assert sorted(server.answered) == list(range(10))
    assert server.refused == []


def test_single_item_that_costs_too_much_ends_it() -> None:
    with pytest.raises(RequestFailure, match="too complex"):
        Server(set(), accepts=0).ask(4)


def test_query_that_the_server_does_not_know_is_not_halved() -> None:
    server = Server({1}, RequestFailure("no such field", rejection=Rejection.INVALID))

    with pytest.raises(RequestFailure, match="no such field"):
        server.ask(4)
    assert len(server.requests) == 1


@pytest.mark.parametrize(("failure", "error"), [(FAILURE, UnreachableError), (NOT_ALLOWED, RefusedError)])
def test_server_that_answers_nothing_is_given_up(failure: RequestFailure, error: type[Exception]) -> None:
    server = Server(set(range(250)), failure)

    with pytest.raises(error, match=f"^DataHub fails on every request: {failure.message}\\. Check the server's health"):
        server.ask(250)
    assert len(server.requests) == MOST_REFUSALS_AT_FIRST + 1


def test_server_that_has_answered_may_refuse_whole_batches() -> None:
    refusals = Refusals()
    for _ in range(2):  # an answer between refusals makes them no row
        Server(set()).ask(1, refusals)
        server = Server(set(range(250)))
        server.ask(250, refusals)

        assert sorted(server.refused) == list(range(250))
        assert len(server.requests) == MOST_REFUSALS - 1

    with pytest.raises(UnreachableError):
        server.ask(2, refusals)
