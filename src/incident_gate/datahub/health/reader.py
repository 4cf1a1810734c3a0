"""The health of many assets: in batches, in parallel, and bounded in all that may go wrong."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

from incident_gate.datahub.client import Client
from incident_gate.datahub.health.answer import unanswered
from incident_gate.datahub.health.batch import HealthQuery, Inquiry
from incident_gate.datahub.parallel import run_all
from incident_gate.errors import DataHubError, UnreachableError
from incident_gate.incident import Health, Reason

# On the server each asset is one search request, so a batch bounds how long one answer takes, and the two together
# bound what a gate may put on a server at a time.
BATCH = 250
PARALLEL = 4
# Seconds after the deadline for the answers that came in time to be read and handed over.
GRACE = 1.0


class Reading(NamedTuple):
    """The health of every asset that was asked for, in that order.

    `failure` is set when the conversation as a whole failed: then some assets, perhaps all, are without an answer.
    """

    healths: tuple[Health, ...]
    failure: DataHubError | None = None

    @property
    def nothing_answered(self) -> bool:
        """Whether DataHub failed on every asset, so that nothing was said about any."""
        return all(_is_failure(health) for health in self.healths)


class Reader:
    """Asks DataHub for the health of assets.

    Args:
        client: Where to ask.
        history: Read resolved incidents as well as active ones.
    """

    def __init__(self, client: Client, *, history: bool = False) -> None:
        self._deadline = client.deadline
        self._inquiry = Inquiry(client, history=history)

    def read(
        self, questions: Sequence[HealthQuery], *, on_progress: Callable[[int, int], None] = lambda _done, _total: None
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

        replies = run_all(
            [partial(self._inquiry.ask, batch) for batch in batches],
            threads=PARALLEL,
            deadline=self._deadline.later(GRACE),
            on_done=report,
            # What ends one conversation ends them all: further batches would only hear it again.
            stop=lambda reply: reply.failure is not None,
        )
        healths = {
            question.urn.text: health
            for batch, reply in zip(batches, replies, strict=True)
            if reply
            for question, health in zip(batch, reply.healths, strict=True)
            if health
        }
        failure = next((reply.failure for reply in replies if reply and reply.failure), None)
        if failure is None and len(healths) < len(questions):
            failure = UnreachableError(
                "DataHub did not answer for every input in time.", hint="Raise `timeout`, in seconds, or ask for less."
            )
        if failure is None and questions and all(map(_is_failure, healths.values())):
            first = healths[questions[0].urn.text].problems[0]
            failure = UnreachableError(f"DataHub failed on every input. The first: {first.message}.", hint=first.hint)
        return Reading(tuple(healths.get(q.urn.text) or _left_out(q, failure) for q in questions), failure)


def _left_out(question: HealthQuery, failure: DataHubError | None) -> Health:
    message = failure.message.rstrip(".") if failure else "DataHub did not answer for it"
    return unanswered(question.urn.text, Reason.NO_ANSWER, message, failure.hint if failure else "")


def _is_failure(health: Health) -> bool:
    """Whether DataHub said nothing about an asset but that it failed."""
    failed = any(problem.reason in {Reason.NO_ANSWER, Reason.ERROR} for problem in health.problems)
    return failed and not health.incidents and not health.unread


def _batches(questions: Sequence[HealthQuery]) -> list[Sequence[HealthQuery]]:
    """Batches of like questions: with siblings and without."""
    return [
        group[start : start + BATCH]
        for wanted in (True, False)
        if (group := [q for q in questions if q.siblings is wanted])
        for start in range(0, len(group), BATCH)
    ]
