import signal
import threading
import time
from functools import partial

import pytest

from incident_gate.datahub.parallel import Deadline, run_all


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
