"""The health of many assets: in batches, in parallel, and bounded in all that may go wrong."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import NamedTuple

from incident_gate.datahub.client import Client
from incident_gate.datahub.health.answer import HealthQuery, History
from incident_gate.datahub.health.batch import BatchReader, BatchResult, ServerState
from incident_gate.datahub.health.listing import worse
from incident_gate.datahub.health.request import Extent
from incident_gate.datahub.parallel import Deadline, run_all
from incident_gate.errors import DataHubError, Hint, RefusedError, UnreachableError, most_severe
from incident_gate.incident import Assertion, Health, Incident, Problem, Reason, severity

# On the server each asset is one search request, so a batch bounds how long one answer takes, and the two together
# bound what a gate may put on a server at a time.
BATCH = 250
PARALLEL = 4
# Seconds after the deadline for the answers that came in time to be read and handed over.
GRACE = 1.0

_FAILURES = {Reason.NO_ANSWER, Reason.ERROR, Reason.REFUSED}
_REFUSALS = {Reason.REFUSED, Reason.HIDDEN}

# Bytes of active incidents that one reading keeps, beside the most severe of every asset.
KEPT_BYTES = 4 << 20
# Of an incident, besides its texts.
_EMPTY_INCIDENT = 400


class _Room:
    """The room for incidents that one reading has. Threads share it."""

    def __init__(self, size: int) -> None:
        self._left = size
        self._lock = threading.Lock()

    def kept(self, health: Health) -> Health:
        """The health with as many active incidents as there is room for; the rest is counted, and counts as well.

        What this gate has raised itself comes first, because it may not count, then the most severe.
        """
        needed = sum(map(_size, health.incidents))
        with self._lock:
            if needed <= self._left:
                self._left -= needed
                return health
            incidents = sorted(health.incidents, key=lambda incident: (incident.mark is None, severity(incident)))
            kept = incidents[:1]
            for incident in incidents[1:]:
                if _size(incident) > self._left:
                    break
                self._left -= _size(incident)
                kept.append(incident)
        return health._replace(
            incidents=tuple(kept),
            unread=health.unread + len(incidents) - len(kept),
            left_out=len(incidents) - len(kept),
            unlisted=min(health.unlisted, len(kept)),
        )


def _size(incident: Incident) -> int:
    texts = (incident.urn, incident.title, incident.description, incident.message, incident.custom_type)
    return _EMPTY_INCIDENT + sum(len(text) for text in texts if text)


class Reading(NamedTuple):
    """The health of every asset that was asked for, in that order.

    `failure` is set when the requests as a whole failed: then some assets, perhaps all, are without an answer.
    """

    healths: tuple[Health, ...]
    failure: DataHubError | None = None

    @property
    def nothing_answered(self) -> bool:
        """Whether DataHub failed on every asset, so that the health of none is known."""
        return all(_has_only(health, _FAILURES) for health in self.healths)


class Reader:
    """Reads the health of assets; without `summaries`, lists are checked with nothing else, and a look is one request.

    `server` is what is known of the server already.
    """

    def __init__(
        self,
        client: Client,
        history: History = History.NONE,
        *,
        summaries: bool = True,
        server: ServerState | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._batches = BatchReader(client, Extent(history, summaries), server or ServerState(client), sleep)

    def variant(self, history: History, *, summaries: bool = True) -> Reader:
        """A reader of the same server that reads another part of the history, and shares what is known of it."""
        client, _, server, sleep = self._batches
        return Reader(client, history, summaries=summaries, server=server, sleep=sleep)

    def until(self, deadline: Deadline) -> Reader:
        """This reader with another deadline."""
        client, scope, server, sleep = self._batches
        return Reader(client.until(deadline), scope.history, summaries=scope.summaries, server=server, sleep=sleep)

    def read(self, queries: Sequence[HealthQuery]) -> Reading:
        """A health for every query: whatever was not answered is one with a problem."""
        reading = self._read([part for query in queries for part in query.of_each_urn()])
        answers = iter(reading.healths)
        healths = [_combined([next(answers) for _ in query.of_each_urn()], query) for query in queries]
        return reading._replace(healths=tuple(healths))

    def _read(self, queries: Sequence[HealthQuery]) -> Reading:
        """Ask about all URNs, each for itself."""
        unique = _unique(queries)
        batches = _batches(unique)
        room = _Room(KEPT_BYTES)

        def read(batch: Sequence[HealthQuery]) -> BatchResult:
            result = self._batches.read(batch)
            return result._replace(healths=tuple(health and room.kept(health) for health in result.healths))

        results: list[BatchResult | None] = run_all(
            [partial(read, batch) for batch in batches],
            threads=PARALLEL,
            deadline=self._batches.client.deadline.later(GRACE),
            # What ends one batch ends them all: further batches would fail in the same way.
            stop=lambda result: result.failure is not None,
        )
        healths = {
            query: health
            for batch, result in zip(batches, results, strict=True)
            if result
            for query, health in zip(batch, result.healths, strict=True)
            if health
        }
        asked = {query.urn.text: query for query in unique}
        failure = most_severe(result.failure for result in results if result)
        if failure is None and len(healths) < len(unique):
            failure = UnreachableError(
                "DataHub did not answer for every input in time.",
                hint=Hint("Raise `{timeout}`, in seconds, or ask for less."),
            )
        if failure is None:
            failure = _common_failure([healths[query] for query in queries if not query.existence_only])
        answers = (healths.get(asked[q.urn.text] if q.existence_only else q) for q in queries)
        return Reading(
            tuple(health or _left_out(query, failure) for query, health in zip(queries, answers, strict=True)), failure
        )


def _unique(queries: Sequence[HealthQuery]) -> list[HealthQuery]:
    """Each query once, in their order; the existence alone only of assets whose health is not asked for."""
    whole = {query.urn.text for query in queries if not query.existence_only}
    return list(dict.fromkeys(q for q in queries if not (q.existence_only and q.urn.text in whole)))


def _batches(queries: Sequence[HealthQuery]) -> list[Sequence[HealthQuery]]:
    """Batches in which no asset is twice: with and without its siblings, an asset has two answers."""
    rounds: list[list[HealthQuery]] = [[]]
    times: dict[str, int] = {}
    for query in queries:
        number = times.get(query.urn.text, 0)
        times[query.urn.text] = number + 1
        if number == len(rounds):
            rounds.append([])
        rounds[number].append(query)
    return [some[start : start + BATCH] for some in rounds for start in range(0, len(some), BATCH)]


def _common_failure(healths: Sequence[Health]) -> DataHubError | None:
    """The failure that all assets share, if DataHub answered for none of them."""
    if not healths:
        return None
    problem = healths[0].problems[0] if healths[0].problems else Problem(Reason.ERROR, "")
    if all(_has_only(health, _REFUSALS) for health in healths):
        return RefusedError(
            f"DataHub refuses every input. The first: {problem.message}.",
            hint=Hint("Check {datahub-token} and {datahub-url}: the token's user must be allowed to view the inputs."),
        )
    if all(_has_only(health, _FAILURES) for health in healths):
        return UnreachableError(f"DataHub failed on every input. The first: {problem.message}.", hint=problem.hint)
    return None


def _has_only(health: Health, reasons: set[Reason]) -> bool:
    """Whether nothing is known of an asset but a problem of such a kind."""
    failed = any(problem.reason in reasons for problem in health.problems)
    return failed and not health.incidents and not health.unread


def _left_out(query: HealthQuery, failure: DataHubError | None) -> Health:
    message = failure.message.rstrip(".") if failure else "DataHub did not answer for it"
    problem = Problem(Reason.NO_ANSWER, message, failure.hint if failure else "")
    return Health(urn=query.urn.text, problems=(problem,))


_ABSENT = frozenset({Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN})


def _combined(healths: Sequence[Health], query: HealthQuery) -> Health:
    """The health of an asset by the answers for all its URNs."""
    first = healths[0]
    if len(healths) == 1:
        return first
    absent = [any(problem.reason in _ABSENT for problem in health.problems) for health in healths]
    problems = [
        problem
        for number, health in enumerate(healths)
        for problem in health.problems
        # Which of the URNs DataHub knows depends on what was ingested.
        if all(absent) or not absent[number] or problem.reason not in _ABSENT or (number == 0 and query.must_exist)
    ]
    if all(absent) and not query.must_exist and {problem.reason for problem in problems} == {Reason.NOT_FOUND}:
        names = ", ".join(health.urn for health in healths)
        problems = [Problem(Reason.NOT_FOUND, f"None of its URNs is in DataHub: {names}", first.problems[0].hint)]
    known = [health.urn for number, health in enumerate(healths) if number and not absent[number]]
    siblings = dict.fromkeys([*known, *(sibling for health in healths for sibling in health.siblings)])
    return Health(
        urn=first.urn,
        incidents=tuple({incident.urn: incident for health in healths for incident in health.incidents}.values()),
        # Siblings of each other count the same incidents.
        unread=max(health.unread for health in healths),
        left_out=max(health.left_out for health in healths),
        problems=tuple(dict.fromkeys(problems)),
        siblings=tuple(sibling for sibling in siblings if sibling != first.urn),
        resolved=tuple({incident.urn: incident for health in healths for incident in health.resolved}.values()),
        assertions=_worst_of_each(found for health in healths for found in health.assertions),
        assertion_problems=tuple(problem for health in healths for problem in health.assertion_problems),
        unlisted=max(health.unlisted for health in healths),
        unverified=tuple({incident.urn: incident for health in healths for incident in health.unverified}.values()),
        of_each_urn=tuple(healths),
        answered=frozenset.intersection(
            *(
                health.answered
                for health, is_absent in zip(healths, absent, strict=True)
                if not is_absent or all(absent)
            )
        ),
    )


def _worst_of_each(assertions: Iterable[Assertion]) -> tuple[Assertion, ...]:
    """Each assertion once: siblings of each other may list the same ones."""
    found: dict[str, Assertion] = {}
    for assertion in assertions:
        found[assertion.urn] = worse(found[assertion.urn], assertion) if assertion.urn in found else assertion
    return tuple(found.values())
