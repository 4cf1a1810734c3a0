"""Progress of long work: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from types import TracebackType
from typing import TYPE_CHECKING, Self, TextIO

from incident_gate.report.waiting import WaitLog
from incident_gate.text import plain

if TYPE_CHECKING:
    from incident_gate.datahub.client import Exchange
    from incident_gate.gate.wait import WaitState
    from incident_gate.settings import RunSettings

_SILENT_SECONDS = 2.0  # most runs are over by then
_REMINDER_SECONDS = 5.0
_LINE_SECONDS = 5.0
_BAR_SECONDS = 0.1
_BAR_WIDTH = 30


class Progress:
    """Shows how far a count has come: call it with (done, total), from one thread at a time.

    As a context manager it also shows that the server has not answered yet, which otherwise looks like a halt.

    Args:
        stream: Where to write; standard error, so that standard output has the report alone.
        clock: Seconds that only ever grow.
        terminal: A bar that is drawn over itself, instead of lines.
        server: The server, for people.
        on_exchange: Called after every request as well.
        reminder: Seconds between two lines about a server that has not answered yet.
    """

    def __init__(  # noqa: PLR0913 - all but two are named
        self,
        stream: TextIO,
        clock: Callable[[], float],
        *,
        terminal: bool,
        server: str = "DataHub",
        on_exchange: Callable[[Exchange], None] | None = None,
        reminder: float = _REMINDER_SECONDS,
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = terminal
        self._server = server
        self._on_exchange = on_exchange
        self._reminder = reminder
        self._next = clock() + _SILENT_SECONDS
        self._drawn = False
        self._answered = threading.Event()
        self._failure = ""

    def __enter__(self) -> Self:
        threading.Thread(target=self._remind, args=(self._clock(),), daemon=True).start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def exchanged(self, exchange: Exchange) -> None:
        """Note that a request ended."""
        if exchange.status is None:
            self._failure = exchange.result
        else:
            self._answered.set()
        if self._on_exchange:
            self._on_exchange(exchange)

    def _remind(self, started: float) -> None:
        while not self._answered.wait(self._reminder):
            reason = f": {plain(self._failure, 300)}" if self._failure else ""
            self._write(f"{self._server} has not answered for {self._clock() - started:.0f} s{reason}\n")

    def __call__(self, done: int, total: int) -> None:
        """Show it, if it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + (_BAR_SECONDS if self._terminal else _LINE_SECONDS)
        share = min(done / total, 1.0) if total else 1.0
        text = f"{done:,} of {total:,} assets queried"
        if self._terminal:
            filled = round(share * _BAR_WIDTH)
            self._write(f"\r{'#' * filled}{'.' * (_BAR_WIDTH - filled)} {text}\x1b[K")
            self._drawn = True
        else:
            self._write(f"{text} ({share:.0%})\n")

    def close(self) -> None:
        """Clear the bar, so that the report starts on a clean line."""
        self._answered.set()
        if self._drawn:
            self._write("\r\x1b[K")
            self._drawn = False

    def _write(self, text: str) -> None:
        try:
            self._stream.write(text)
            self._stream.flush()
        except (OSError, ValueError):
            # A closed or full stream must not stop the gate: it is only progress.
            self._next = float("inf")


@contextmanager
def waiting_on(stream: TextIO, settings: RunSettings) -> Iterator[Callable[[WaitState], None]]:
    """What shows that the gate waits, if it may."""
    if not settings.waiting.longest:
        yield lambda _state: None
        return
    with closing(WaitLog(stream, terminal=stream.isatty())) as log:
        yield log
