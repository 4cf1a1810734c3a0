"""The time that a stage has for all its requests together."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import NamedTuple


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
