"""Progress of long work: a bar on a terminal, a line now and then in a log."""

from __future__ import annotations

from collections.abc import Callable
from typing import TextIO

_SILENT_SECONDS = 2.0  # most runs are over by then and need no telling
_LINE_SECONDS = 5.0
_BAR_SECONDS = 0.1
_BAR_WIDTH = 30


class Progress:
    """Tells how far a count has come; call it with (done, total), from one thread at a time.

    Args:
        stream: Where to write; standard error, so that the report on standard output stays alone.
        clock: Seconds that only ever grow.
        terminal: A bar that is drawn over itself, instead of lines.
        noun: What is counted, in the plural.
    """

    def __init__(
        self, stream: TextIO, clock: Callable[[], float], *, terminal: bool, noun: str = "assets asked about"
    ) -> None:
        self._stream = stream
        self._clock = clock
        self._terminal = terminal
        self._noun = noun
        self._next = clock() + _SILENT_SECONDS
        self._drawn = False

    def __call__(self, done: int, total: int) -> None:
        """Say it, if it is time to."""
        now = self._clock()
        if now < self._next:
            return
        self._next = now + (_BAR_SECONDS if self._terminal else _LINE_SECONDS)
        share = min(done / total, 1.0) if total else 1.0
        text = f"{done:,} of {total:,} {self._noun}"
        if self._terminal:
            filled = round(share * _BAR_WIDTH)
            self._write(f"\r{'#' * filled}{'.' * (_BAR_WIDTH - filled)} {text}\x1b[K")
            self._drawn = True
        else:
            self._write(f"{text} ({share:.0%})\n")

    def close(self) -> None:
        """Clear the bar away, so that the report starts on a clean line."""
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
