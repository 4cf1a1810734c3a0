"""Setting apart what makes a request fail, so that everything else gets its answer."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from typing import TypeVar

from incident_gate.datahub.failure import Rejection, RequestFailure
from incident_gate.errors import UnreachableError

T = TypeVar("T")

# Refusals in a row before it is the server that fails and not what it is asked about. In a batch of 250, any 31 guilty
# assets leave a part that is answered within the first 63 requests. A server that has answered before may refuse as
# many as it takes to find every asset of a batch guilty.
MOST_REFUSALS_AT_FIRST = 64
MOST_REFUSALS = 500


class Isolation:
    """Asks for many, and for halves where that fails. Shared by threads: what one is answered, all know."""

    def __init__(self) -> None:
        self._refusals = 0
        self._answered = False

    def ask(
        self,
        items: Sequence[T],
        ask: Callable[[Sequence[T]], None],
        refused: Callable[[T, RequestFailure], None],
    ) -> None:
        """Ask for all, and by halves where that fails, until what brings the failure stands alone.

        Args:
            items: What to ask about; largest parts come first, so that most are answered early.
            ask: Asks about some.
            refused: Told of each that is refused even alone.

        Raises:
            RequestFailure: The server does not understand the question, whomever it is about.
            UnreachableError: It fails on everything.
        """
        waiting = deque([items])
        while waiting:
            part = waiting.popleft()
            try:
                ask(part)
            except RequestFailure as failure:
                if failure.rejection is Rejection.INVALID or (failure.rejection is Rejection.COSTLY and len(part) == 1):
                    raise
                self._count(failure)
                if len(part) == 1:
                    refused(part[0], failure)
                else:
                    middle = len(part) // 2
                    waiting.extend((part[:middle], part[middle:]))
            else:
                self._answered = True
                self._refusals = 0

    def _count(self, failure: RequestFailure) -> None:
        self._refusals += 1
        if self._refusals > (MOST_REFUSALS if self._answered else MOST_REFUSALS_AT_FIRST):
            raise UnreachableError(
                f"DataHub fails on every request: {failure.message}.", hint="Check the server's health and its log."
            ) from failure
