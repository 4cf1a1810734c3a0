"""What is shown while DataHub is awaited: one line in a terminal; in a log nothing but long silences and changes."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, TextIO

from incident_gate.datahub.client import AWAITED, RequestLog
from incident_gate.process import write
from incident_gate.report.headline import pending_words
from incident_gate.report.words import count, duration, fitted
from incident_gate.text import plain

if TYPE_CHECKING:
    from incident_gate.gate.wait import WaitState
    from incident_gate.settings.model import RunSettings

_SILENT_SECONDS = 2.0  # most runs are over by then
_DRAW_SECONDS = 0.2
_FIRST_REMARK = 10.0
_LINE_SECONDS = 300.0
_CLEARED = "\r\x1b[K"


class LiveLine:
    """A line of a terminal that is drawn over itself and never exceeds the width; nothing in a log."""

    def __init__(self, stream: TextIO, width: int | None) -> None:
        self._stream = stream
        self._width = width
        self._drawn = False

    @property
    def is_live(self) -> bool:
        """Whether there is a terminal."""
        return self._width is not None

    def draw(self, text: str) -> None:
        """Draw the text in the place of the last one."""
        if self._width is not None:
            # A full line would wrap.
            write(self._stream, f"\r{fitted(plain(text, 500), max(self._width - 1, 1))}\x1b[K")
            self._drawn = True

    def print(self, text: str) -> None:
        """Print a line of its own."""
        self.clear()
        write(self._stream, f"{text}\n")

    def clear(self) -> None:
        """Clear the line, so that the report starts on a clean one."""
        if self._drawn:
            write(self._stream, _CLEARED)
            self._drawn = False


class Progress:
    """Shows that DataHub is awaited, and how much it has answered: call it with each request of the client."""

    def __init__(
        self,
        line: LiveLine,
        clock: Callable[[], float],
        *,
        server: str,
        on_request: Callable[[RequestLog], None] | None,
    ) -> None:
        self._line = line
        self._clock = clock
        self._server = server
        self._on_request = on_request
        self._started = self._last_answer = clock()
        self._next_draw = self._started + _SILENT_SECONDS
        self._pause = _FIRST_REMARK
        self._answered = 0
        self._failure = ""

    def __call__(self, log: RequestLog) -> None:
        """Note that a request ended, or that one is awaited."""
        now = self._clock()
        if log is not AWAITED:
            if log.status is None:
                self._failure = log.result
            else:
                self._last_answer, self._pause, self._failure = now, _FIRST_REMARK, ""
                self._answered += log.assets if log.result == "ok" else 0
            if self._on_request:
                self._on_request(log)
        silent = now - self._last_answer
        if self._line.is_live:
            if now >= self._next_draw:
                self._next_draw = now + _DRAW_SECONDS
                answered = f", {count(self._answered, 'asset')} answered" if self._answered else ""
                self._line.draw(f"Waiting for {self._server}, {duration(now - self._started)}{answered}")
        elif silent >= self._pause:
            self._pause *= 2
            reason = f": {plain(self._failure, 300)}" if self._failure else ""
            self._line.print(f"{self._server} has not answered for {silent:.0f} s{reason}")


class WaitLog:
    """Shows for what the gate waits: call it about once a second."""

    def __init__(self, line: LiveLine) -> None:
        self._line = line
        self._last = ""
        self._next = 0.0

    def __call__(self, state: WaitState) -> None:
        """Show it, if something changed or it is time to."""
        pending = pending_words(state.pending)
        longest = duration(state.longest)
        how_long = f"Waited {duration(state.seconds)} of" if state.seconds >= 1 else "Waiting up to"
        text = f"{how_long} {longest} for {pending}"
        self._line.draw(text)
        if not self._line.is_live and (pending != self._last or state.seconds >= self._next):
            self._last, self._next = pending, state.seconds + _LINE_SECONDS
            self._line.print(text)


@contextmanager
def showing(
    stream: TextIO,
    settings: RunSettings,
    clock: Callable[[], float],
    *,
    width: int | None = None,
    on_request: Callable[[RequestLog], None] | None = None,
) -> Iterator[tuple[Progress, WaitLog]]:
    """Show what a stage waits for: what is called with every request, and while the gate waits."""
    line = LiveLine(stream, width)
    server = settings.connection.address.server
    try:
        yield Progress(line, clock, server=server, on_request=on_request), WaitLog(line)
    finally:
        line.clear()


def trace(log: RequestLog) -> str:
    """One request as a line of the debug log: no header and no value."""
    assets = f" about {count(log.assets, 'asset')}" if log.assets else ""
    again = f", attempt {log.attempt}" if log.attempt > 1 else ""
    status = f"HTTP {log.status}" if log.status is not None else "no answer"
    milliseconds = round(log.seconds * 1000)
    return f"{log.operation}{assets}{again}: {status} in {milliseconds:,} ms, {plain(log.result, 800)}"
