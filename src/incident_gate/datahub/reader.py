"""The health of many assets: in batches, in parallel, and bounded in all that may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from incident_gate.datahub.answer import unanswered
from incident_gate.datahub.crew import Crew
from incident_gate.datahub.inquiry import Inquiry, Question
from incident_gate.datahub.model import Health, Reason
from incident_gate.datahub.transport import Transport
from incident_gate.errors import DataHubError, RefusedError, UnreachableError

# On the server each asset is one search request, so a batch bounds how long one answer takes, and the two together
# bound what a gate may put on a server at a time.
BATCH = 250
PARALLEL = 4


@dataclass(frozen=True, slots=True)
class Reading:
    """The health of every asset that was asked for, in that order.

    `failure` is set when the conversation as a whole failed: then some assets, perhaps all, are without an answer.
    """

    healths: tuple[Health, ...]
    failure: DataHubError | None = None

    @property
    def nothing_answered(self) -> bool:
        """Whether not one asset was answered for."""
        return all(any(p.reason is Reason.NO_ANSWER for p in health.problems) for health in self.healths)


@dataclass(frozen=True, slots=True)
class _Batch:
    healths: tuple[Health, ...]
    failure: DataHubError | None = None


class Reader:
    """Asks DataHub for the health of assets.

    Args:
        transport: Where to ask.
        history: Read resolved incidents as well as active ones.
    """

    def __init__(self, transport: Transport, *, history: bool = False) -> None:
        self._deadline = transport.deadline
        self._inquiry = Inquiry(transport, history=history)

    def read(
        self, questions: Sequence[Question], *, on_progress: Callable[[int, int], None] = lambda _done, _total: None
    ) -> Reading:
        """Ask for all assets.

        Args:
            questions: The assets, each named once.
            on_progress: Told how many of how many assets are answered, as batches come back.

        Returns:
            A health for every question. Whatever was not answered is a health with a problem.
        """
        batches = list(_batches(questions))
        done = 0

        def report(index: int) -> None:
            nonlocal done
            done += len(batches[index])
            on_progress(done, len(questions))

        crew = Crew[_Batch](threads=PARALLEL, deadline=self._deadline)
        results = crew.run(
            [partial(_ask, self._inquiry, batch) for batch in batches],
            on_done=report,
            # What ends one conversation ends them all: the other batches would only hear it again.
            stop=lambda result: result.failure is not None,
        )
        failure = next((r.failure for r in results if r and r.failure), None)
        if failure is None and any(result is None for result in results):
            failure = UnreachableError(
                "DataHub did not answer for every input in time.", hint="Raise `timeout`, in seconds, or ask for less."
            )
        answered: dict[str, Health] = {}
        for batch, result in zip(batches, results, strict=True):
            for position, question in enumerate(batch):
                if result is not None and position < len(result.healths):
                    answered[question.urn.text] = result.healths[position]
                else:
                    message = failure.message if failure else "DataHub did not answer for it in time."
                    answered[question.urn.text] = unanswered(
                        question.urn.text, Reason.NO_ANSWER, message.rstrip("."), failure.hint if failure else ""
                    )
        return Reading(tuple(answered[q.urn.text] for q in questions), failure)


def _batches(questions: Sequence[Question]) -> list[Sequence[Question]]:
    """Batches of like questions: with siblings and without."""
    return [
        group[start : start + BATCH]
        for wanted in (True, False)
        if (group := [q for q in questions if q.siblings is wanted])
        for start in range(0, len(group), BATCH)
    ]


def _ask(inquiry: Inquiry, batch: Sequence[Question]) -> _Batch:
    try:
        return _Batch(inquiry.ask(batch))
    except (UnreachableError, RefusedError) as failure:
        return _Batch((), failure)
