"""One batch of assets, asked until it is known: the first answer, then what it leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple, TypeVar

from incident_gate.datahub import queries
from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import Rejection, RequestFailure
from incident_gate.datahub.health.answer import (
    Listing,
    PartialHealth,
    read_element,
    read_removal,
    read_siblings,
    unanswered,
)
from incident_gate.datahub.health.dialect import Dialect
from incident_gate.datahub.health.elements import ALIASES, Elements, Page
from incident_gate.datahub.health.isolation import Isolation
from incident_gate.errors import DataHubError, RefusedError, UnreachableError
from incident_gate.incident import Health, Problem, Reason
from incident_gate.urn import EntityType, Urn

# Incidents in the first answer for every asset of a batch, and in each further one for a single asset. Servers cut
# pages to a size of their own, and refuse offsets beyond 10,000 (5,000 on newer ones).
FIRST_PAGE, FURTHER_PAGE, MOST_PAGES = 100, 1000, 500

T = TypeVar("T")


class HealthQuery(NamedTuple):
    """An asset to ask about, and whether its siblings' incidents count."""

    urn: Urn
    siblings: bool = True


class BatchResult(NamedTuple):
    """What became of one batch.

    `healths` is in the order of the questions, None for each that nothing was said about; `failure` is what ended the
    conversation, if something did.
    """

    healths: tuple[Health | None, ...]
    failure: DataHubError | None = None


@dataclass(slots=True)
class _Sheet:
    """What is known of one batch so far, by URN: answers, and assets that were refused."""

    drafts: dict[str, PartialHealth] = field(default_factory=dict)
    refused: dict[str, Health] = field(default_factory=dict)

    def health(self, urn: str) -> Health | None:
        draft = self.drafts.get(urn)
        return draft.health() if draft else self.refused.get(urn)


class Inquiry:
    """Asks one server about batches of assets, from several threads; what one batch teaches serves the others.

    Args:
        client: Where to ask.
        history: Ask for resolved incidents as well as active ones.
    """

    def __init__(self, client: Client, *, history: bool = False) -> None:
        self._elements = Elements(client, history=history)
        self._dialect = Dialect(client)
        self._isolation = Isolation()

    def ask(self, batch: Sequence[HealthQuery]) -> BatchResult:
        """Ask for one batch, all with siblings or all without.

        What was answered before a failure stands: an incident that was seen is not forgotten because a later page did
        not come.
        """
        sheet = _Sheet()
        failure: DataHubError | None = None
        try:
            schema = self._dialect.speak(partial(self._first_answers, batch, sheet))
            self._complete(schema, batch, sheet)
        except (UnreachableError, RefusedError) as error:
            failure = error
        return BatchResult(tuple(sheet.health(q.urn.text) for q in batch), failure)

    # The first answer

    def _first_answers(self, batch: Sequence[HealthQuery], sheet: _Sheet, schema: Capabilities) -> Capabilities:
        # Nothing of an earlier try counts: it was made in a form that the server refused.
        sheet.drafts.clear()
        sheet.refused.clear()

        def ask(part: Sequence[HealthQuery]) -> None:
            try:
                sheet.drafts.update(self._ask_part(schema, part))
            except RequestFailure as failure:
                kind = part[0].urn.entity_type
                if failure.rejection is Rejection.POSSIBLE and not self._elements.understood(schema, kind):
                    raise RequestFailure(
                        failure.message, errors=failure.errors, rejection=Rejection.INVALID
                    ) from failure
                raise

        def refused(question: HealthQuery, failure: RequestFailure) -> None:
            # Without GraphQL errors it is the request that failed, and nothing was said about the asset.
            reason = Reason.ERROR if failure.errors else Reason.NO_ANSWER
            message = f"DataHub failed on it: {failure.message}"
            sheet.refused[question.urn.text] = unanswered(question.urn.text, reason, message)

        for kind, group in _groups(schema, batch):
            fields = schema.assets.get(kind)
            try:
                if fields and fields.incidents:
                    self._isolation.ask(group, ask, refused)
                    continue
            except RequestFailure:
                # Without a schema to look at, only datasets are sure to be known to the server.
                if not schema.probe or kind is EntityType.DATASET:
                    raise
            for question in group:
                message = f"This DataHub does not track incidents on a {kind}"
                sheet.refused[question.urn.text] = unanswered(
                    question.urn.text, Reason.NO_INCIDENTS_FIELD, message, "Take it out of the manifest."
                )
        return schema

    def _ask_part(self, schema: Capabilities, part: Sequence[HealthQuery]) -> dict[str, PartialHealth]:
        urns = [q.urn.text for q in part]
        page = Page(count=FIRST_PAGE, siblings=part[0].siblings)
        elements = self._elements.of_assets(schema, part[0].urn.entity_type, urns, page)
        return {
            q.urn.text: read_element(
                q.urn.text, element, asked=schema.assets[q.urn.entity_type].names(siblings=q.siblings), size=FIRST_PAGE
            )
            for q, element in zip(part, elements, strict=True)
        }

    # What the first answer leaves open

    def _complete(self, schema: Capabilities, batch: Sequence[HealthQuery], sheet: _Sheet) -> None:
        if schema.probe:
            self._ask_apart(schema, [q for q in batch if q.urn.text in sheet.drafts], sheet)
        for question in batch:
            if draft := sheet.drafts.get(question.urn.text):
                self._finish_listings(schema, draft, question.urn.entity_type)
        # Last, because an asset that is not known to exist is not healthy: what a failure on the way here leaves open
        # stays unknown.
        if schema.entity_exists:
            self._ask_existence([d for d in sheet.drafts.values() if d.exists is None and not d.problems])

    def _finish_listings(self, schema: Capabilities, draft: PartialHealth, kind: EntityType) -> None:
        for listing in draft.listings:
            # A sibling is a dataset, whatever else the batch holds.
            own_kind = kind if listing is draft.own else EntityType.DATASET
            for _ in range(MOST_PAGES):
                # No more than there are: a page that reaches beyond the last offset is refused whole.
                count = min(FURTHER_PAGE, listing.total - listing.reached)
                if not (listing.incomplete and self._add_page(schema, listing, own_kind, count)):
                    break

    def _add_page(self, schema: Capabilities, listing: Listing, kind: EntityType, count: int) -> bool:
        """Ask for one more page; False if it brings nothing, and then what is counted and not shown stays unread."""
        page = Page(start=listing.reached, count=count)
        try:
            [element] = self._elements.of_assets(schema, kind, [listing.urn], page)
        except RequestFailure:
            return False
        value = element.value
        if element.errors or not isinstance(value, dict) or value.get("incidents") is None:
            return False
        return listing.add(value["incidents"], size=count)

    def _ask_existence(self, drafts: Sequence[PartialHealth]) -> None:
        def ask(part: Sequence[PartialHealth]) -> None:
            elements = self._elements.aliased(queries.existence_of_each(len(part)), [d.urn for d in part])
            for draft, element in zip(part, elements, strict=True):
                draft.exists = element.value if isinstance(element.value, bool) and not element.errors else None

        # What is refused stays None, which is a problem of its own.
        self._try_apart("entityExists", drafts, ask, lambda _draft, _failure: None)

    # A server whose schema is not known

    def _ask_apart(self, schema: Capabilities, questions: Sequence[HealthQuery], sheet: _Sheet) -> None:
        """Ask for what the seed question leaves out, each in a request that may be refused without harm."""
        for kind in EntityType:
            alike = [sheet.drafts[q.urn.text] for q in questions if q.urn.entity_type is kind]
            self._try_apart(f"{kind}.status", alike, partial(self._ask_removal, kind), _note_failure)
        datasets = [q for q in questions if q.siblings and q.urn.entity_type is EntityType.DATASET]
        drafts = [sheet.drafts[q.urn.text] for q in datasets]
        self._try_apart("siblings", drafts, partial(self._ask_siblings, schema), _note_failure)

    def _ask_removal(self, kind: EntityType, part: Sequence[PartialHealth]) -> None:
        elements = self._elements.named(queries.removal_of_each(kind, len(part)), [d.urn for d in part])
        for draft, element in zip(part, elements, strict=True):
            read_removal(draft, element)

    def _ask_siblings(self, schema: Capabilities, part: Sequence[PartialHealth]) -> None:
        elements = self._elements.named(queries.siblings_of_each(len(part)), [d.urn for d in part])
        for draft, element in zip(part, elements, strict=True):
            for listing in read_siblings(draft, element):
                self._add_page(schema, listing, EntityType.DATASET, FIRST_PAGE)
                if not listing.answered:
                    listing.problems.append(Problem(Reason.ERROR, "DataHub does not list its incidents"))

    def _try_apart(
        self,
        feature: str,
        drafts: Sequence[PartialHealth],
        ask: Callable[[Sequence[PartialHealth]], None],
        refused: Callable[[PartialHealth, RequestFailure], None],
    ) -> None:
        for chunk in _chunks(drafts):
            self._dialect.try_apart(feature, partial(self._isolation.ask, chunk, ask, refused))


def _groups(schema: Capabilities, batch: Sequence[HealthQuery]) -> Iterator[tuple[EntityType, Sequence[HealthQuery]]]:
    """What can be asked together: everything that the server tracks where it has `entities`, else a few of a type."""
    tracked = {kind for kind, fields in schema.assets.items() if fields.incidents}
    if schema.entities and (together := [q for q in batch if q.urn.entity_type in tracked]):
        yield together[0].urn.entity_type, together
    for kind in EntityType:
        if not (schema.entities and kind in tracked):
            for chunk in _chunks([q for q in batch if q.urn.entity_type is kind]):
                yield kind, chunk


def _chunks(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for start in range(0, len(items), ALIASES):
        yield items[start : start + ALIASES]


def _note_failure(draft: PartialHealth, failure: RequestFailure) -> None:
    draft.problems.append(Problem(Reason.ERROR, f"DataHub failed on it: {failure.message}"))
