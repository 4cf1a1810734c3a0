"""The health of one batch of assets: the first answers, then what they leave open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from incident_gate.datahub.capabilities import Capabilities, Discovery
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.answer import HealthQuery, History, PartialHealth
from incident_gate.datahub.health.listing import AssertionListing
from incident_gate.datahub.health.request import (
    ACTIVE,
    IN_ALL_STATES,
    Extent,
    chunks,
    execute,
    fetch_each,
    fetch_health,
    read_assertions,
    read_pages,
)
from incident_gate.datahub.health.witness import check_summaries
from incident_gate.datahub.parallel import Refusals, bisect
from incident_gate.datahub.queries import EARLIER_RUNS, RUNS_OF_ASSERTIONS, existence_of_each
from incident_gate.errors import DataHubError, RefusedError, UnreachableError
from incident_gate.incident import AssertionResult, Health, Question, Reason
from incident_gate.json_values import mappings, text

# Aliased fields in one request: each field costs complexity, of which servers allow 2,000, and an asset has about
# thirty.
ALIASES = 40
EXISTENCE_ALIASES = 500
# Assertions in one request for more of their runs.
DATED = 100


class ServerState:
    """What is known of one server: what one batch finds out serves the others. Threads share it."""

    def __init__(self, client: Client, schema: Capabilities | None = None) -> None:
        self.discovery = Discovery(client, schema)
        self.refusals = Refusals()


class BatchResult(NamedTuple):
    """The answers about one batch.

    `healths` is in the order of the queries, None for each without an answer; `failure` is what ended the requests,
    if something did.
    """

    healths: tuple[Health | None, ...]
    failure: DataHubError | None = None


class BatchReader(NamedTuple):
    """Reads one batch after another.

    `client`: where to ask. `scope`: how much to read. `server`: what is known of it. `sleep`: waits for seconds.
    """

    client: Client
    scope: Extent
    server: ServerState
    sleep: Callable[[float], None]

    def read(self, batch: Sequence[HealthQuery]) -> BatchResult:
        """Ask about one batch, in which no asset is twice.

        What was answered before a failure counts: an incident that was seen is not forgotten because a later page did
        not come.
        """
        partials: dict[str, PartialHealth] = {}
        failure: DataHubError | None = None
        try:
            self._read(batch, partials)
        except (UnreachableError, RefusedError) as error:
            failure = error
        found = (partials.get(query.urn.text) for query in batch)
        return BatchResult(tuple(partial.health() if partial else None for partial in found), failure)

    def _read(self, batch: Sequence[HealthQuery], partials: dict[str, PartialHealth]) -> None:
        client = self.client
        capabilities = self.fetch_batch(batch, partials)
        for partial in partials.values():
            for listing in partial.listings:
                read_pages(client, capabilities, listing, ACTIVE)
            if self.scope.history is History.WHOLE:
                read_pages(client, capabilities, partial.history, IN_ALL_STATES)
            for listing in partial.listings:
                read_assertions(client, capabilities, listing)
        read_runs(client, [found for partial in partials.values() for found in partial.assertion_lists])
        check_summaries(client, capabilities, self.scope, partials, self.sleep)
        # Last, because an asset that is not known to exist is not healthy: what a failure on the way here leaves open
        # stays unknown.
        self.fetch_existence([*partials.values()])
        known = self.server.discovery.known
        for partial in partials.values():
            partial.has_existence = not (
                known.lacks(partial.own.kind, Question.EXISTS) and not known.accepts("Query", "entityExists")
            )

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
            partial = PartialHealth(query, self.client.redact, needs_witness=self.scope.summaries)
            partials[query.urn.text] = partial
            return partial

        for part in _parts(form, batch):
            bisect(
                part,
                lambda some: partials.update(fetch_health(self.client, form, self.scope, some)),
                refused=lambda query, failure: add(query).refused(failure),
                refusals=self.server.refusals,
            )
        for query in batch:
            if query.urn.text in partials:
                continue
            # `entityExists` may answer for its existence.
            partial, kind = add(query), query.urn.entity_type.value
            lacking = frozenset(question for question in query.questions if form.lacks(kind, question))
            partial.note_lacking(lacking)
            if Question.INCIDENTS in lacking:
                message = f"This DataHub does not track incidents on a {kind}"
                partial.problem(Reason.NO_INCIDENTS_FIELD, message, "Take it out of the manifest.")

    def fetch_existence(self, partials: Sequence[PartialHealth]) -> None:
        """Ask whether assets exist of which that is open, and whether one that may not exists in lower case.

        What is refused stays open, which is a problem of its own. Raises as `fetch_batch` does.
        """
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
                return
            try:
                bisect(chunk, answer, refused=lambda _question, _failure: None, refusals=self.server.refusals)
            except RequestFailure as failure:
                discovery.learn(failure)
                return


def _parts(form: Capabilities, batch: Sequence[HealthQuery]) -> Iterator[Sequence[HealthQuery]]:
    """What can be asked together: all that the server knows where it has `entities`, else a few of a kind."""
    known = [query for query in batch if _can_be_asked(form, query)]
    if form.has_entities:
        if known:
            yield known
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


def read_runs(client: Client, lists: Sequence[AssertionListing]) -> None:
    """Read more runs: since when assertions fail, and the result of those whose runs were cut off.

    Where the server does not answer, the last failure is all that is known, and what was cut off stays unknown.
    """
    asked = [
        (assertions, urn)
        for assertions in lists
        for urn, assertion in assertions.found.items()
        if assertion.result is AssertionResult.FAILURE or urn in assertions.cut_off
    ]
    for chunk in chunks(asked, DATED):
        urns = list(dict.fromkeys(urn for _, urn in chunk))
        try:
            data, errors = execute(client, RUNS_OF_ASSERTIONS, len(urns), {"urns": urns})
        except RequestFailure:
            return
        if errors:
            continue
        runs = {text(entity, "urn"): entity.get("runEvents") for entity in mappings(data, "entities")}
        for assertions, urn in chunk:
            assertions.add_runs(urn, runs.get(urn), EARLIER_RUNS)


def lower_case(urn: str) -> str:
    """A dataset's URN with its name in lower case; empty where there is nothing to change."""
    start, end = urn.find(",") + 1, urn.rfind(",")
    if not urn.startswith("urn:li:dataset:(") or not 0 < start < end:
        return ""
    lowered = f"{urn[:start]}{urn[start:end].lower()}{urn[end:]}"
    return "" if lowered == urn else lowered
