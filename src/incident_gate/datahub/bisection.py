"""Bisection: when a request about many things is refused, ask about halves until what causes it is alone."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from incident_gate.datahub.failure import Rejection, RequestFailure
from incident_gate.errors import RefusedError, UnreachableError

# Refusals in a row after which it is the server that fails and not one of the assets. In a batch of 250, any 31 guilty
# assets leave a part that is answered within the first 63 requests. A server that has answered before may refuse as
# many as it takes to find every asset of a batch guilty.
MOST_REFUSALS_AT_FIRST = 64
MOST_REFUSALS = 500

T = TypeVar("T")


class Refusals:
    """Counts the requests that one server refused in a row. Threads share it."""

    def __init__(self) -> None:
        self._in_a_row = 0
        self._has_answered = False

    def answered(self) -> None:
        """Note a request that was answered."""
        self._has_answered = True
        self._in_a_row = 0

    def refused(self, failure: RequestFailure) -> None:
        """Note a request that was refused.

        Raises:
            RefusedError: The server refuses every request.
            UnreachableError: It fails on every request.
        """
        self._in_a_row += 1
        if self._in_a_row > (MOST_REFUSALS if self._has_answered else MOST_REFUSALS_AT_FIRST):
            message = f"DataHub fails on every request: {failure.message}."
            kind = RefusedError if failure.is_refusal else UnreachableError
            raise kind(message, hint="Check the server's health and its log.") from None


def bisect(
    items: Sequence[T],
    ask: Callable[[Sequence[T]], None],
    *,
    refused: Callable[[T, RequestFailure], None],
    refusals: Refusals,
) -> None:
    """Ask for all, and by halves where that fails, until what causes the failure is alone.

    Args:
        items: What to ask about; the largest parts come first, so that most are answered early.
        ask: Asks about some.
        refused: Called with each that is refused even alone.
        refusals: The server's.

    Raises:
        RequestFailure: The server does not accept the query, whatever it is about.
        RefusedError: It refuses everything.
        UnreachableError: It fails on everything.
    """
    waiting = deque([items])
    while waiting:
        part = waiting.popleft()
        try:
            ask(part)
        except RequestFailure as failure:
            alone = len(part) == 1
            if failure.rejection is Rejection.INVALID or (failure.rejection is Rejection.COSTLY and alone):
                raise
            refusals.refused(failure)
            if alone:
                refused(part[0], failure)
            else:
                middle = len(part) // 2
                waiting.extend((part[:middle], part[middle:]))
        else:
            refusals.answered()
