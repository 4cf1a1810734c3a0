"""Progress: one line in a terminal while DataHub is awaited; in a log nothing but long silences and changes."""

from __future__ import annotations

import io

from incident_gate.datahub.client import AWAITED, RequestLog
from incident_gate.gate.wait import WaitState
from incident_gate.report.terminal import Progress
from incident_gate.text import cells
from tests.helpers.report_samples import unhealthy


class Shown:
    """What progress printed, by a clock that the test turns."""

    def __init__(self, width: int | None = None) -> None:
        self.now = 100.0
        self.stream = io.StringIO()
        self.seen: list[RequestLog] = []
        self.progress = Progress(
            self.stream, "datahub:8080", clock=lambda: self.now, width=width, on_request=self.seen.append
        )

    def after(self, seconds: float, event: RequestLog = AWAITED) -> str:
        """Let time pass and something happen; returns what that printed."""
        self.now += seconds
        before = len(self.stream.getvalue())
        self.progress.note_request(event)
        return self.stream.getvalue()[before:]


def request(status: int | None = 200, result: str = "ok", assets: int = 250) -> RequestLog:
    return RequestLog(operation="o", assets=assets, attempt=1, seconds=1, status=status, result=result)


def test_a_log_gets_nothing_but_long_silences_ever_more_seldom() -> None:
    log = Shown()
    assert log.after(9.9) == ""
    assert log.after(0.1) == "datahub:8080 has not answered for 10 s\n"
    assert log.after(0.1, request(None, "Cannot connect:\n::error::x")) == ""
    assert log.after(9.9) == "datahub:8080 has not answered for 20 s: Cannot connect: : :error::x\n"
    assert log.after(19.9) == ""
    assert log.after(0.1, request(503, "HTTP 503")) == ""  # an answer
    assert log.after(9.9) == ""
    assert log.after(0.2) == "datahub:8080 has not answered for 10 s\n"
    assert [request.status for request in log.seen] == [None, 503]


def test_a_terminal_gets_one_line_that_counts_only_what_was_answered() -> None:
    shown = Shown(width=80)
    assert shown.after(1.9) == ""
    assert shown.after(0.1) == "\rWaiting for datahub:8080, 2 s\x1b[K"
    assert shown.after(0.1, request(503, "HTTP 503")) == ""  # too soon to be drawn
    assert shown.after(1, request()) == "\rWaiting for datahub:8080, 3 s, 250 assets answered\x1b[K"
    assert shown.after(30, request(None, "refused")).endswith("250 assets answered\x1b[K")
    for _ in range(2):
        with shown.progress:
            pass
    assert shown.stream.getvalue().endswith("answered\x1b[K\r\x1b[K")


def test_a_live_line_never_exceeds_the_width() -> None:
    for width in (1, 20, 44):
        shown = Shown(width)
        shown.progress.note_wait(WaitState(5, 60, (unhealthy("金額" * 30),)))
        drawn = shown.after(5) + shown.stream.getvalue()
        lines = [part.removesuffix("\x1b[K") for part in drawn.split("\r") if part]
        assert all(cells(line) < max(width, 2) for line in lines)


def test_a_log_names_what_is_waited_for_when_that_changes_and_every_five_minutes() -> None:
    log = Shown()
    for seconds, name in ((0, "a"), (1, "a"), (2, "b"), (300, "b"), (301.9, "b"), (302, "b")):
        log.progress.note_wait(WaitState(seconds, 3600, (unhealthy(name),)))
    assert log.stream.getvalue().splitlines() == [
        "Waiting up to 1 h for a: 1 open incident",
        "Waited 2 s of 1 h for b: 1 open incident",
        "Waited 5 min of 1 h for b: 1 open incident",
    ]


def test_a_closed_stream_does_not_stop_the_work() -> None:
    shown = Shown(width=80)
    shown.stream.close()
    shown.now += 5
    with shown.progress:
        shown.progress.note_request(AWAITED)
