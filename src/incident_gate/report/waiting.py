"""Waiting as it goes on: a line that is drawn over itself on a terminal, a line now and then in a log."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TextIO

from incident_gate.gate.policy import Decision
from incident_gate.gate.wait import WaitState
from incident_gate.process import say
from incident_gate.report.amounts import count, duration
from incident_gate.report.view import decision_state
from incident_gate.text import plain

_LINE_SECONDS = 300.0
_SHOWN = 5


class WaitLog:
    """Shows for what the gate waits: call it about once a second.

    Args:
        stream: Where to write.
        terminal: A line that is drawn over itself, instead of lines.
    """

    def __init__(self, stream: TextIO, *, terminal: bool) -> None:
        self._stream = stream
        self._terminal = terminal
        self._last = ""
        self._next = 0.0

    def __call__(self, state: WaitState) -> None:
        """Show it, if something changed or it is time to."""
        pending = _pending(state.pending)
        if self._terminal:
            clock = f"{duration(state.seconds)} of {duration(state.longest)}"
            say(self._stream, f"\r{plain(f'Waiting, {clock}: {pending}', 120)}\x1b[K")
            self._last = pending
        elif pending != self._last or state.seconds >= self._next:
            self._last, self._next = pending, state.seconds + _LINE_SECONDS
            say(self._stream, f"Waiting for {duration(state.seconds)}, up to {duration(state.longest)}: {pending}\n")

    def close(self) -> None:
        """Clear the line, so that the report starts on a clean one."""
        if self._terminal and self._last:
            say(self._stream, "\r\x1b[K")


def _pending(decisions: Iterable[Decision]) -> str:
    found = list(decisions)
    shown = ", ".join(f"{plain(d.entry.label, 80)} ({decision_state(d)})" for d in found[:_SHOWN])
    more = f" and {len(found) - _SHOWN:,} more" if len(found) > _SHOWN else ""
    return f"{count(len(found), 'input')} not passing yet: {shown}{more}"
