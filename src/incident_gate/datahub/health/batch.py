"""One batch of assets, asked about until it is known: the first answer, then what it leaves open."""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import copy
from typing import NamedTuple, TypeVar

from incident_gate.datahub import queries
from incident_gate.datahub.capabilities import Capabilities, Discovery, Selection
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Answer, Rejection, RequestFailure
from incident_gate.datahub.health.answer import read_element
from incident_gate.datahub.health.assertions import failing_since
from incident_gate.datahub.health.element import Element, split_by_alias, split_by_urn
from incident_gate.datahub.health.listing import Listing
from incident_gate.datahub.health.partial_health import PartialHealth, lower_case
from incident_gate.datahub.queries import Group
from incident_gate.errors import DataHubError, RefusedError, UnreachableError
from incident_gate.incident import AssertionResult, Health, Reason
from incident_gate.urn import EntityType, Urn

# Incidents in the first answer for every asset of a batch, and in each further one for a single asset. Servers cut
# pages to a size of their own, and refuse offsets beyond 10,000 (5,000 on newer ones).
FIRST_PAGE, FURTHER_PAGE, MOST_PAGES = 100, 1000, 500
# Aliased fields in one request: each field costs complexity, of which servers allow 2,000, and an asset has about
# thirty; `entityExists` is a single one.
ALIASES, EXISTENCE_ALIASES = 40, 500

# Refusals in a row after which it is the server that fails and not one of the assets. In a batch of 250, any 31 guilty
# assets leave a part that is answered within the first 63 requests. A server that has answered before may refuse as
# many as it takes to find every asset of a batch guilty.
MOST_REFUSALS_AT_FIRST = 64
MOST_REFUSALS = 500

# Seconds: index and hook lag separately, so a moment's disagreement of list and summary means nothing.
SECOND_LOOK = 2.0
# Incidents in one request that checks what a summary names, and assertions in one that dates their failures.
CHECKED, DATED = 40, 100

T = TypeVar("T")
_PAGE = Selection(page=True)
_ASSERTIONS_PAGE = Selection(incidents=False, assertions=True, page=True)
_HISTORY_PAGE = Selection(incidents=False, history=True, page=True)


class HealthQuery(NamedTuple):
    """An asset to ask about: whether its siblings and its assertions count, or whether its existence alone matters."""

    urn: Urn
    siblings: bool = True
    assertions: bool = False
    existence_only: bool = False


class BatchResult(NamedTuple):
    """The answers about one batch.

    `healths` is in the order of the queries, None for each without an answer; `failure` is what ended the requests,
    if something did.
    """

    healths: tuple[Health | None, ...]
    failure: DataHubError | None = None


class BatchReader:
    """Asks one server about batches of assets, from several threads; what one batch teaches serves the others.

    Args:
        client: Where to ask.
        history: Read resolved incidents as well as active ones: the newest.
        whole_history: Read all of them, as far as the server lists them.
        schema: What is known of the server already.
        sleep: Waits for seconds.
    """

    def __init__(
        self,
        client: Client,
        *,
        history: bool = False,
        whole_history: bool = False,
        schema: Capabilities | None = None,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._client = client
        self._sleep = sleep
        self._history = history or whole_history
        self._whole_history = whole_history
        self._summaries = True
        self._discovery = Discovery(client, schema)
        self._has_answered = False
        self._refusals = 0
        self._has_entity_exists = True

    def variant(self, *, whole_history: bool = False, summaries: bool = True) -> BatchReader:
        """A reader of the same server that shares what was learned about it; arguments as for `Reader.variant`."""
        variant = copy(self)
        variant._whole_history, variant._summaries = whole_history, summaries  # noqa: SLF001 - its own copy
        return variant

    def read(self, batch: Sequence[HealthQuery]) -> BatchResult:
        """Ask about one batch.

        What was answered before a failure stands: an incident that was seen is not forgotten because a later page did
        not come.
        """
        drafts: dict[str, PartialHealth] = {}
        failure: DataHubError | None = None
        try:
            capabilities = self._first_answers(batch, drafts)
            for query in batch:
                draft = drafts[query.urn.text]
                for listing in draft.listings:
                    self._read_pages(capabilities, listing, _kind(query, draft, listing), _PAGE)
                if self._whole_history:
                    self._read_pages(capabilities, draft.history, query.urn.entity_type, _HISTORY_PAGE)
                for listing in draft.listings:
                    self._read_assertions(capabilities, listing)
            self._date_failures(drafts.values())
            self._check_summaries(capabilities, batch, drafts)
            # Last, because an asset that is not known to exist is not healthy: what a failure on the way here leaves
            # open stays unknown.
            if capabilities.entity_exists:
                self._ask_existence(list(drafts.values()))
            if not (capabilities.entity_exists and self._has_entity_exists):
                for query in batch:
                    fields = capabilities.assets.get(query.urn.entity_type)
                    drafts[query.urn.text].has_existence = fields is not None and fields.exists
        except (UnreachableError, RefusedError) as error:
            failure = error
        return BatchResult(
            tuple(found.health() if (found := drafts.get(query.urn.text)) else None for query in batch), failure
        )

    # The first answer

    def _first_answers(self, batch: Sequence[HealthQuery], drafts: dict[str, PartialHealth]) -> Capabilities:
        """Ask about all assets in the form that the server takes, which is returned."""
        while True:
            capabilities = self._discovery.known
            # Nothing of an earlier form counts: the server refused it.
            drafts.clear()
            try:
                for part in _parts(capabilities, batch):
                    self._bisect(
                        part,
                        lambda some, known=capabilities: drafts.update(self._ask(known, some)),  # type: ignore[misc]
                        lambda query, failure: self._draft(query, drafts).refused(failure),
                    )
            except RequestFailure as failure:
                self._discovery.learn(capabilities, failure)
                continue
            for query in batch:
                if query.urn.text not in drafts:
                    self._cannot_be_asked(query, drafts)
            return capabilities

    def _draft(self, query: HealthQuery, drafts: dict[str, PartialHealth]) -> PartialHealth:
        return drafts.setdefault(query.urn.text, PartialHealth.of(query.urn.text, self._client.redact))

    def _cannot_be_asked(self, query: HealthQuery, drafts: dict[str, PartialHealth]) -> None:
        draft = self._draft(query, drafts)
        if not query.existence_only:  # else `entityExists` answers
            message = f"This DataHub does not track incidents on a {query.urn.entity_type}"
            draft.problem(Reason.NO_INCIDENTS_FIELD, message, "Take it out of the manifest.")

    def _selection(self, query: HealthQuery) -> Selection:
        if query.existence_only:
            return Selection(incidents=False)
        return Selection(
            siblings=query.siblings, history=self._history, assertions=query.assertions, summary=self._summaries
        )

    def _ask(self, capabilities: Capabilities, part: Sequence[HealthQuery]) -> dict[str, PartialHealth]:
        """Ask about some assets in one request."""
        groups: dict[Selection, list[HealthQuery]] = {}
        for query in part:
            groups.setdefault(self._selection(query), []).append(query)
        paging: dict[str, object] = {"start": 0, "count": FIRST_PAGE}
        elements = self._elements(
            capabilities,
            [
                (selection, [(query.urn.entity_type.value, query.urn.text) for query in alike])
                for selection, alike in groups.items()
            ],
            paging,
        )
        drafts: dict[str, PartialHealth] = {}
        for (selection, alike), answers in zip(groups.items(), elements, strict=True):
            for query, element in zip(alike, answers, strict=True):
                asked = capabilities.assets[query.urn.entity_type].names(selection)
                drafts[query.urn.text] = read_element(
                    query.urn.text, element, asked=asked, size=FIRST_PAGE, redact=self._client.redact
                )
                if query.assertions and query.urn.entity_type is EntityType.DATASET and "assertions" not in asked:
                    drafts[query.urn.text].own.add_assertions({}, size=FIRST_PAGE)
        return drafts

    def _elements(
        self,
        capabilities: Capabilities,
        groups: Sequence[tuple[Selection, Sequence[tuple[str, str]]]],
        paging: Mapping[str, object],
    ) -> list[list[Element]]:
        """Ask about groups of assets, each with its type; an element for each asset of each group."""
        urns = [[urn for _, urn in assets] for _, assets in groups]
        if not capabilities.entities:
            [(selection, assets)] = groups
            operation = queries.health_of_each(capabilities, assets[0][0], len(assets), selection)
            return [self._aliased(operation, urns[0], paging)]
        operation = queries.health_of_many(
            capabilities, [Group({kind for kind, _ in assets}, selection) for selection, assets in groups]
        )
        variables = {f"urns{place or ''}": some for place, some in enumerate(urns)}
        answer = self._execute(operation, sum(map(len, urns)), {**paging, **variables})
        roots = [queries.root_name(place) for place in range(len(groups))]
        return [
            split_by_urn(some, answer.data, [e for e in answer.errors if e.path[:1] not in _others(roots, root)], root)
            for root, some in zip(roots, urns, strict=True)
        ]

    def _aliased(
        self, operation: Operation, urns: Sequence[str], paging: Mapping[str, object] | None = None
    ) -> list[Element]:
        variables = {**(paging or {}), **{f"u{place}": urn for place, urn in enumerate(urns)}}
        answer = self._execute(operation, len(urns), variables)
        return split_by_alias(urns, answer.data, answer.errors)

    def _execute(self, operation: Operation, assets: int, variables: Mapping[str, object]) -> Answer:
        return self._client.execute(operation, variables, divisible=assets > 1, assets=assets)

    # What the first answer leaves open

    def _read_pages(self, capabilities: Capabilities, listing: Listing, kind: str, selection: Selection) -> None:
        for _ in range(MOST_PAGES):
            # No more than there are: a page that reaches beyond the last offset is refused whole.
            count = min(FURTHER_PAGE, listing.total - listing.reached)
            if not (listing.incomplete and self._add_page(capabilities, listing, kind, selection, count)):
                break

    def _add_page(
        self, capabilities: Capabilities, listing: Listing, kind: str, selection: Selection, count: int
    ) -> bool:
        """Ask for one more page; False if it brings nothing, and then what is counted and not shown stays unread."""
        paging = {"start": listing.reached, "count": count}
        try:
            [[element]] = self._elements(capabilities, [(selection, [(kind, listing.urn)])], paging)
        except RequestFailure:
            return False
        page = element.value.get(selection.list_name) if isinstance(element.value, dict) else None
        return bool(page is not None and not element.errors and listing.add(page, size=count))

    def _read_assertions(self, capabilities: Capabilities, listing: Listing) -> None:
        """Read the further pages of a dataset's assertions."""
        assertions = listing.assertions
        for _ in range(MOST_PAGES):
            if assertions is None or assertions.problem or not assertions.incomplete:
                return
            paging = {"start": assertions.reached, "count": FIRST_PAGE}
            try:
                [[element]] = self._elements(
                    capabilities, [(_ASSERTIONS_PAGE, [(EntityType.DATASET.value, listing.urn)])], paging
                )
            except RequestFailure as failure:
                assertions.fail(f"DataHub does not list its assertions: {failure.message}")
                return
            page = element.value.get("assertions") if isinstance(element.value, dict) else None
            if not assertions.add(page, size=FIRST_PAGE):
                return

    def _date_failures(self, drafts: Iterable[PartialHealth]) -> None:
        """Ask since when assertions fail; where the server does not answer, the last failure is all that is known."""
        failing = [
            (listing, urn)
            for draft in drafts
            for listing in draft.assertion_lists
            for urn, assertion in listing.found.items()
            if assertion.result is AssertionResult.FAILURE
        ]
        for chunk in _chunks(failing, DATED):
            urns = list(dict.fromkeys(urn for _, urn in chunk))
            try:
                entities = self._execute(queries.RUNS_OF_ASSERTIONS, len(urns), {"urns": urns}).data.get("entities")
            except RequestFailure:
                return
            runs = {e.get("urn"): e.get("runEvents") for e in entities or () if isinstance(e, dict)}
            for listing, urn in chunk:
                listing.found[urn] = failing_since(listing.found[urn], runs.get(urn))

    def _check_summaries(
        self, capabilities: Capabilities, batch: Sequence[HealthQuery], drafts: Mapping[str, PartialHealth]
    ) -> None:
        """Check the incidents that a summary names as active and that the list lacks; twice, because both lag."""
        # What stays doubtful is unknown to a gate. An outcome goes by its own incidents, and looks again by itself.
        for is_second in (False,) if self._history else (False, True):
            doubted = [query for query in batch if any(each.doubtful for each in drafts[query.urn.text].listings)]
            if not doubted or self._client.deadline.passed:
                return
            try:
                if is_second:
                    self._sleep(min(SECOND_LOOK, self._client.deadline.remaining))
                    for urn, later in self._ask(capabilities, doubted).items():
                        drafts[urn].renew(later)
                self._verify(
                    capabilities,
                    [
                        (_kind(query, drafts[query.urn.text], listing), listing)
                        for query in doubted
                        for listing in drafts[query.urn.text].listings
                        if listing.doubtful
                    ],
                )
            except RequestFailure:
                continue  # then they stay unknown

    def _verify(self, capabilities: Capabilities, lists: Sequence[tuple[str, Listing]]) -> None:
        """Ask the primary store, which answers on Cloud, and the lists in all states, which answer on open source."""
        claims = [(kind, listing, urn) for kind, listing in lists for urn in listing.doubtful]
        for chunk in _chunks(claims, CHECKED):
            histories = {listing.urn: (kind, Listing(listing.urn, listing.redact)) for kind, listing, _ in chunk}
            operation = queries.incidents_by_urn(
                capabilities, len(chunk), {kind for kind, _ in histories.values()}, details=self._history
            )
            variables = {"urns": list(histories), "start": 0, "count": FIRST_PAGE}
            singles = {f"u{place}": urn for place, (_, _, urn) in enumerate(chunk)}
            data = self._execute(operation, len(chunk), {**variables, **singles}).data
            for place, (_, listing, urn) in enumerate(chunk):
                listing.verify(urn, data.get(f"a{place}"))
            entities = data.get("entities")
            for entity in entities if isinstance(entities, list) else ():
                asset = entity.get("urn") if isinstance(entity, dict) else None
                if isinstance(asset, str) and asset in histories and entity.get("history") is not None:
                    kind, history = histories[asset]
                    history.add(entity["history"], size=FIRST_PAGE)
                    # A server that was not asked for its schema may lack the details.
                    self._read_pages(capabilities, history, kind, _HISTORY_PAGE._replace(details=self._history))
            for _, listing, _ in chunk:
                _, history = histories[listing.urn]
                # To a gate, those count as well that the summary does not name. An outcome reads the history anyway.
                seen = listing.doubtful if self._history else history.active.keys() - listing.active.keys()
                listing.unlisted |= {urn: history.active[urn] for urn in seen if urn in history.active}
                listing.over |= history.resolved.keys() & listing.doubtful.keys()

    def _ask_existence(self, drafts: Sequence[PartialHealth]) -> None:
        """Ask what is still open, and whether an asset that may not exist exists in lower case."""
        absent = [draft for draft in drafts if not draft.exists and not draft.problems]
        questions = [(draft, draft.urn) for draft in absent if draft.exists is None]
        known = {draft.urn for draft in drafts}
        questions += [(draft, twin) for draft in absent if (twin := lower_case(draft.urn)) and twin not in known]

        def ask(part: Sequence[tuple[PartialHealth, str]]) -> None:
            elements = self._aliased(queries.existence_of_each(len(part)), [urn for _, urn in part])
            for (draft, urn), element in zip(part, elements, strict=True):
                answer = element.value if isinstance(element.value, bool) and not element.errors else None
                if urn == draft.urn:
                    draft.exists = answer
                elif answer:
                    draft.twin = urn

        for chunk in _chunks(questions, EXISTENCE_ALIASES):
            try:
                if self._has_entity_exists:
                    # What is refused stays None, which is a problem of its own.
                    self._bisect(chunk, ask, lambda _question, _failure: None)
            except RequestFailure:
                self._has_entity_exists = False

    def _bisect(
        self, items: Sequence[T], ask: Callable[[Sequence[T]], None], refused: Callable[[T, RequestFailure], None]
    ) -> None:
        """Ask for all, and by halves where that fails, until what causes the failure is alone.

        Args:
            items: What to ask about; the largest parts come first, so that most are answered early.
            ask: Asks about some.
            refused: Called with each that is refused even alone.

        Raises:
            RequestFailure: The server does not take the query, whatever it is about.
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
                self._refusals += 1
                if self._refusals > (MOST_REFUSALS if self._has_answered else MOST_REFUSALS_AT_FIRST):
                    message = f"DataHub fails on every request: {failure.message}."
                    kind = RefusedError if failure.is_refusal else UnreachableError
                    raise kind(message, hint="Check the server's health and its log.") from None
                if alone:
                    refused(part[0], failure)
                else:
                    middle = len(part) // 2
                    waiting.extend((part[:middle], part[middle:]))
            else:
                self._has_answered = True
                self._refusals = 0


def _parts(capabilities: Capabilities, batch: Sequence[HealthQuery]) -> Iterator[Sequence[HealthQuery]]:
    """What can be asked together: all that the server knows where it has `entities`, else a few of a kind."""
    known = [query for query in batch if _can_be_asked(capabilities, query)]
    if capabilities.entities:
        if known:
            yield known
        return
    kinds = dict.fromkeys((query.urn.entity_type, query[1:]) for query in known)
    for kind in kinds:
        alike = [query for query in known if (query.urn.entity_type, query[1:]) == kind]
        yield from _chunks(alike, ALIASES)


def _can_be_asked(capabilities: Capabilities, query: HealthQuery) -> bool:
    fields = capabilities.assets.get(query.urn.entity_type)
    if fields is None:
        return False
    return fields.exists or fields.removed if query.existence_only else fields.incidents


def _chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _kind(query: HealthQuery, draft: PartialHealth, listing: Listing) -> EntityType:
    # A sibling is a dataset, whatever else the batch holds.
    return query.urn.entity_type if listing is draft.own else EntityType.DATASET


def _others(roots: Sequence[str], root: str) -> set[tuple[str, ...]]:
    return {(other,) for other in roots if other != root}
