"""Reads the health of many assets, in batches and in parallel: the first answers, then what they leave open."""

from __future__ import annotations

import functools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from copy import copy

from incident_gate.datahub.capabilities import Capabilities, Discovery
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.answer import ACTIVE_ONLY, Extent, HealthQuery, History, PartialHealth
from incident_gate.datahub.health.reading import Reading, Room, combined, common_failure, unanswered
from incident_gate.datahub.health.request import (
    ACTIVE,
    IN_ALL_STATES,
    asked_of,
    chunks,
    fetch_each,
    fetch_health,
    read_assertions,
    read_pages,
    read_runs,
)
from incident_gate.datahub.health.witness import check_summaries
from incident_gate.datahub.parallel import Deadline, Refusals, bisect, run_all
from incident_gate.datahub.queries import existence_of_each
from incident_gate.errors import DataHubError, Hint, RefusedError, UnreachableError, most_severe
from incident_gate.incident import Question, Reason

# On the server each asset is one search request, so a batch bounds how long one answer takes, and the two together
# bound what a gate may put on a server at a time.
BATCH = 250
PARALLEL = 4
# Seconds after the deadline for the answers that came in time to be read and handed over.
GRACE = 1.0
# Aliased fields in one request: each field costs complexity, of which servers allow 2,000, and an asset has about
# thirty.
ALIASES = 40
EXISTENCE_ALIASES = 500


class ServerState:
    """What is known of one server: what one batch finds out serves the others. Threads share it."""

    def __init__(self, client: Client, schema: Capabilities | None = None) -> None:
        self.discovery = Discovery(client, schema)
        self.refusals = Refusals()


class Reader:
    """Reads the health of assets; `server` is what is known of the server already."""

    def __init__(
        self,
        client: Client,
        extent: Extent = ACTIVE_ONLY,
        *,
        server: ServerState | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.client = client
        self.extent = extent
        self.server = server or ServerState(client)
        self._sleep = sleep

    def variant(self, extent: Extent) -> Reader:
        """A reader of the same server that reads more or less, and shares what is known of it."""
        reader = copy(self)
        reader.extent = extent
        return reader

    def until(self, deadline: Deadline) -> Reader:
        """This reader with another deadline."""
        reader = copy(self)
        reader.client = self.client.until(deadline)
        return reader

    def read(self, queries: Sequence[HealthQuery]) -> Reading:
        """A health for every query: whatever was not answered is one with a problem."""
        parts = [part for query in queries for part in query.of_each_urn()]
        unique = _unique(parts)
        room = Room()

        def read(batch: Sequence[HealthQuery]) -> Reading:
            reading = self.read_batch(batch)
            return reading._replace(healths={query: room.kept(health) for query, health in reading.healths.items()})

        results: list[Reading | None] = run_all(
            [functools.partial(read, batch) for batch in _batches(unique)],
            threads=PARALLEL,
            deadline=self.client.deadline.later(GRACE),
            # What ends one batch ends them all: further batches would fail in the same way.
            stop=lambda result: result.failure is not None,
        )
        readings = [result for result in results if result]
        answers = {query: health for reading in readings for query, health in reading.healths.items()}
        failure = most_severe(reading.failure for reading in readings)
        if failure is None and len(answers) < len(unique):
            failure = UnreachableError(
                "DataHub did not answer for every input in time.",
                hint=Hint("Raise `{timeout}`, in seconds, or ask for less."),
            )
        if failure is None:
            failure = common_failure([answers[part] for part in parts if not part.existence_only])
        asked = {part.urn.text: part for part in unique}
        healths = {
            part: answers.get(asked[part.urn.text] if part.existence_only else part) or unanswered(part, failure)
            for part in parts
        }
        return Reading(
            {query: combined(query, [healths[part] for part in query.of_each_urn()]) for query in queries}, failure
        )

    # One batch

    def read_batch(self, batch: Sequence[HealthQuery]) -> Reading:
        """Ask about one batch, in which no asset is twice.

        What was answered before a failure counts: an incident that was seen is not forgotten because a later page did
        not come.
        """
        partials: dict[str, PartialHealth] = {}
        failure: DataHubError | None = None
        try:
            capabilities = self.fetch_batch(batch, partials)
            self._read_on(capabilities, [*partials.values()])
            check_summaries(self.client, capabilities, self.extent, partials, self._sleep)
            # Last, because an asset that is not known to exist is not healthy: what a failure on the way here leaves
            # open stays unknown.
            self.fetch_existence([*partials.values()])
        except (UnreachableError, RefusedError) as error:
            failure = error
        found = {query: partials[query.urn.text] for query in batch if query.urn.text in partials}
        return Reading({query: partial.health() for query, partial in found.items()}, failure)

    def _read_on(self, capabilities: Capabilities, partials: Sequence[PartialHealth]) -> None:
        """Read the further pages of every list, and the runs that count."""
        client = self.client
        for partial in partials:
            for listing in partial.listings:
                read_pages(client, capabilities, listing, ACTIVE)
            if self.extent.history is History.WHOLE:
                read_pages(client, capabilities, partial.history, IN_ALL_STATES)
            for listing in partial.listings:
                read_assertions(client, capabilities, listing)
        read_runs(client, [found for partial in partials for found in partial.assertion_lists])

    def fetch_batch(self, batch: Sequence[HealthQuery], partials: dict[str, PartialHealth]) -> Capabilities:
        """Ask about all assets of a batch, in one form after another; return the one that the server accepts."""
        form = self.server.discovery.known
        while True:
            # Nothing of an earlier form counts: the server refused it.
            partials.clear()
            try:
                self._fetch_in_form(form, batch, partials)
            except RequestFailure as failure:
                form = self.server.discovery.next_form(form, failure)
            else:
                return form

    def _fetch_in_form(
        self, form: Capabilities, batch: Sequence[HealthQuery], partials: dict[str, PartialHealth]
    ) -> None:
        """Ask in one form; a `RequestFailure` is the refusal of the form."""

        def add(query: HealthQuery) -> PartialHealth:
            partial = PartialHealth(query, self.client.redact, needs_witness=self.extent.summaries)
            partials[query.urn.text] = partial
            return partial

        for part in _parts(form, batch):
            bisect(
                part,
                lambda some: partials.update(fetch_health(self.client, form, self.extent, some)),
                refused=lambda query, failure: add(query).refused(failure),
                refusals=self.server.refusals,
            )
        for query in batch:
            if query.urn.text in partials:
                continue
            # `entityExists` may answer for its existence.
            partial, kind = add(query), query.urn.entity_type.value
            lacking = asked_of(kind, self.extent.selection(query), form).lacking
            partial.note_lacking(lacking)
            if Question.INCIDENTS in lacking:
                message = f"This DataHub does not track incidents on a {kind}"
                partial.problem(Reason.NO_INCIDENTS_FIELD, message, "Take it out of the manifest.")

    def fetch_existence(self, partials: Sequence[PartialHealth]) -> None:
        """Ask whether assets exist of which that is open, and whether one that may not exists in lower case."""
        absent = [partial for partial in partials if not partial.exists and not partial.problems]
        asked = [(partial, partial.urn) for partial in absent if partial.exists is None]
        known = {partial.urn for partial in partials}
        asked += [(partial, low) for partial in absent if (low := lower_case(partial.urn)) and low not in known]

        def answer(part: Sequence[tuple[PartialHealth, str]]) -> None:
            elements = fetch_each(self.client, existence_of_each(len(part)), [urn for _, urn in part])
            for (partial, urn), element in zip(part, elements, strict=True):
                exists = element.value if isinstance(element.value, bool) and not element.errors else None
                if urn == partial.urn:
                    partial.exists = exists
                elif exists:
                    partial.lower_case = urn

        discovery = self.server.discovery
        for chunk in chunks(asked, EXISTENCE_ALIASES):
            if not discovery.known.accepts("Query", "entityExists"):
                break
            try:
                bisect(chunk, answer, refused=lambda _question, _failure: None, refusals=self.server.refusals)
            except RequestFailure as failure:
                discovery.learn(failure)
                break
        can_ask = discovery.known.accepts("Query", "entityExists")
        for partial in partials:
            partial.has_existence = can_ask or not discovery.known.lacks(partial.own.kind, Question.EXISTS)


def _unique(queries: Sequence[HealthQuery]) -> list[HealthQuery]:
    """Each query once, in their order; the existence alone only of assets whose health is not asked for."""
    whole = {query.urn.text for query in queries if not query.existence_only}
    return list(dict.fromkeys(q for q in queries if not (q.existence_only and q.urn.text in whole)))


def _batches(queries: Sequence[HealthQuery]) -> list[Sequence[HealthQuery]]:
    """Batches in which no asset is twice: with and without its siblings, an asset has two answers."""
    rounds: dict[int, list[HealthQuery]] = {}
    times: Counter[str] = Counter()
    for query in queries:
        rounds.setdefault(times[query.urn.text], []).append(query)
        times[query.urn.text] += 1
    return [batch for some in rounds.values() for batch in chunks(some, BATCH)]


def _parts(form: Capabilities, batch: Sequence[HealthQuery]) -> Iterator[Sequence[HealthQuery]]:
    """What can be asked together: all that the server knows where it has `entities`, else a few of a kind."""
    known = [query for query in batch if _can_be_asked(form, query)]
    if form.has_entities:
        yield from chunks(known, BATCH)
        return
    kinds = dict.fromkeys((query.urn.entity_type, query.questions) for query in known)
    for kind in kinds:
        alike = [query for query in known if (query.urn.entity_type, query.questions) == kind]
        yield from chunks(alike, ALIASES)


def _can_be_asked(form: Capabilities, query: HealthQuery) -> bool:
    kind = query.urn.entity_type.value
    if not form.has_entities and not form.accepts("Query", kind):
        return False
    needed = {Question.EXISTS, Question.NOT_REMOVED} if query.existence_only else {Question.INCIDENTS}
    return any(form.asks(kind, question) for question in needed)


def lower_case(urn: str) -> str:
    """A dataset's URN with its name in lower case; empty where there is nothing to change."""
    start, end = urn.find(",") + 1, urn.rfind(",")
    if not urn.startswith("urn:li:dataset:(") or not 0 < start < end:
        return ""
    lowered = f"{urn[:start]}{urn[start:end].lower()}{urn[end:]}"
    return "" if lowered == urn else lowered
