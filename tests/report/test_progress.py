"""Progress: silent for short work, a line now and then in a log, a bar on a terminal."""

from __future__ import annotations

import io
import time

from incident_gate.datahub.client import Exchange
from incident_gate.report.progress import Progress


class Watch:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def printed(seconds: list[float], *, terminal: bool) -> str:
    stream, watch = io.StringIO(), Watch()
    progress = Progress(stream, watch, terminal=terminal)
    for index, second in enumerate(seconds):
        watch.now = 100.0 + second
        progress(index + 1, 1000 * len(seconds))
    progress.close()
    return stream.getvalue()


def test_short_work_is_silent() -> None:
    assert printed([0, 0.5, 1, 1.9], terminal=False) == ""
    assert printed([0, 0.5, 1, 1.9], terminal=True) == ""


def test_a_log_gets_a_line_every_few_seconds() -> None:
    assert printed([0, 2, 3, 6.9, 7, 8, 12], terminal=False).splitlines() == [
        "2 of 7,000 assets queried (0%)",
        "5 of 7,000 assets queried (0%)",
        "7 of 7,000 assets queried (0%)",
    ]


def test_a_terminal_gets_a_bar_that_is_cleared_away() -> None:
    stream, watch = io.StringIO(), Watch()
    progress = Progress(stream, watch, terminal=True)
    watch.now += 3
    progress(1500, 3000)
    watch.now += 0.05
    progress(2000, 3000)  # too soon to be drawn
    assert stream.getvalue() == f"\r{'#' * 15}{'.' * 15} 1,500 of 3,000 assets queried\x1b[K"
    watch.now += 0.1
    progress(3000, 3000)
    assert stream.getvalue().endswith(f"\r{'#' * 30} 3,000 of 3,000 assets queried\x1b[K")
    progress.close()
    assert stream.getvalue().endswith("\r\x1b[K")
    progress.close()
    assert stream.getvalue().count("\x1b[K") == 3


def test_counts_that_make_no_sense_do_no_harm() -> None:
    stream, watch = io.StringIO(), Watch()
    progress = Progress(stream, watch, terminal=False)
    for done, total in ((0, 0), (5, 3)):
        watch.now += 10
        progress(done, total)
    assert stream.getvalue().count("(100%)") == 2


def test_a_closed_stream_does_not_stop_the_work() -> None:
    stream, watch = io.StringIO(), Watch()
    progress = Progress(stream, watch, terminal=False)
    stream.close()
    for _ in range(3):
        watch.now += 10
        progress(1, 2)
    progress.close()


def exchange(status: int | None, result: str = "ok") -> Exchange:
    return Exchange(operation="o", assets=1, attempt=1, seconds=1, status=status, result=result)


def reminders(stream: io.StringIO, count: int) -> list[str]:
    """Wait for that many lines."""
    until = time.monotonic() + 60
    while stream.getvalue().count("\n") < count and time.monotonic() < until:
        time.sleep(0.005)
    return stream.getvalue().splitlines()


def test_server_that_does_not_answer_is_reported_with_the_last_failure() -> None:
    stream, watch = io.StringIO(), Watch()
    with Progress(stream, watch, terminal=False, server="datahub:8080", reminder=0.02) as progress:
        watch.now += 5
        assert reminders(stream, 1)[0] == "datahub:8080 has not answered for 5 s"
        progress.exchanged(exchange(None, "No connection to datahub:8080:\n::error::x"))
        before = len(stream.getvalue().splitlines())
        assert reminders(stream, before + 2)[-1] == (
            "datahub:8080 has not answered for 5 s: No connection to datahub:8080: : :error::x"
        )


def test_reminders_end_with_the_first_answer_and_with_the_stage() -> None:
    stream = io.StringIO()
    seen: list[Exchange] = []
    with Progress(stream, Watch(), terminal=False, on_exchange=seen.append, reminder=0.05) as progress:
        progress.exchanged(exchange(503))
        time.sleep(0.15)
    with Progress(stream, Watch(), terminal=False, reminder=0.05):
        pass
    time.sleep(0.15)

    assert stream.getvalue() == ""
    assert [request.status for request in seen] == [503]
