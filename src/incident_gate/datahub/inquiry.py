"""One batch of assets, asked until it is known: the first answer, then what it leaves open."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TypeVar

from incident_gate.datahub import documents
from incident_gate.datahub.answer import (
    Draft,
    Listing,
    note_hidden_sibling,
    note_removal,
    read_element,
    sibling_urns,
    unanswered,
)
from incident_gate.datahub.dialect import Dialect
from incident_gate.datahub.failure import GraphqlError, RequestFailure
from incident_gate.datahub.model import Health, Problem, Reason
from incident_gate.datahub.schema import Schema
from incident_gate.datahub.transport import Transport
from incident_gate.errors import UnreachableError
from incident_gate.urn import EntityType, Urn

# Incidents in the first answer for every asset of a batch, and in each further one for a single asset. Servers cut
# pages to a size of their own, and refuse offsets beyond 10,000 (5,000 on newer ones).
FIRST_PAGE, FURTHER_PAGE, MOST_PAGES = 100, 1000, 500
# Aliased fields in one request: each field costs complexity, of which servers allow 2,000, and an asset has about ten.
ALIASES = 40
# After this many refusals without an answer between them it is the server that fails, not an asset.
MOST_REFUSALS = 40

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Question:
    """An asset to ask about, and whether its siblings' incidents count."""

    urn: Urn
    siblings: bool = True


class Inquiry:
    """Asks one server about batches of assets, from several threads; what one batch teaches serves the others.

    Args:
        transport: Where to ask.
        history: Ask for resolved incidents as well as active ones.
    """

    def __init__(self, transport: Transport, *, history: bool = False) -> None:
        self._transport = transport
        self._history = history
        self._dialect = Dialect(transport)
        self._refusals = 0

    def ask(self, batch: Sequence[Question]) -> tuple[Health, ...]:
        """Ask for one batch, all with siblings or all without.

        Returns:
            A health a question, in the same order.

        Raises:
            DataHubError: The conversation as a whole failed.
        """
        drafts, healths, schema = self._dialect.speak(partial(self._first_answers, batch))
        if schema.probe:
            self._ask_apart(schema, [q for q in batch if q.urn.text in drafts], drafts)
        for question in batch:
            if draft := drafts.get(question.urn.text):
                self._finish_listings(schema, draft, question.urn.entity_type)
        if schema.entity_exists:
            self._ask_existence([d for d in drafts.values() if d.exists is None and not d.problems])
        healths |= {urn: draft.health() for urn, draft in drafts.items()}
        return tuple(healths[q.urn.text] for q in batch)

    # The first answer

    def _first_answers(
        self, batch: Sequence[Question], schema: Schema
    ) -> tuple[dict[str, Draft], dict[str, Health], Schema]:
        drafts: dict[str, Draft] = {}
        healths: dict[str, Health] = {}

        def ask(part: Sequence[Question]) -> None:
            drafts.update(self._ask_part(schema, part))

        def refused(question: Question, failure: RequestFailure) -> None:
            message = f"DataHub failed on it: {failure.message}"
            healths[question.urn.text] = unanswered(question.urn.text, Reason.ERROR, message)

        for kind, group in _groups(schema, batch):
            fields = schema.assets.get(kind)
            try:
                if fields and fields.incidents:
                    self._isolate(group, ask, refused)
                    continue
            except RequestFailure:
                # Without a schema to look at, only datasets are sure to be known to the server.
                if not schema.probe or kind is EntityType.DATASET:
                    raise
            for question in group:
                message = f"This DataHub does not track incidents on a {kind}"
                healths[question.urn.text] = unanswered(
                    question.urn.text, Reason.NO_INCIDENTS_FIELD, message, "Take it out of the manifest."
                )
        return drafts, healths, schema

    def _ask_part(self, schema: Schema, part: Sequence[Question]) -> dict[str, Draft]:
        urns = [q.urn.text for q in part]
        elements, errors = self._elements(
            schema, part[0].urn.entity_type, urns, siblings=part[0].siblings, start=0, count=FIRST_PAGE
        )
        if not schema.entities:
            places = list(enumerate(elements))
        else:
            # Matched by URN: an answer that is shorter or sorted otherwise must not lend one asset's health to another.
            found = {e.get("urn"): (i, e) for i, e in enumerate(elements) if isinstance(e, dict)}
            places = [found.get(urn, (i, None)) for i, urn in enumerate(urns)]
        return {
            urn: read_element(urn, element, errors.get(place, ()), size=FIRST_PAGE)
            for urn, (place, element) in zip(urns, places, strict=True)
        }

    def _elements(  # noqa: PLR0913 - the six values of one question
        self, schema: Schema, kind: EntityType, urns: Sequence[str], *, siblings: bool, start: int, count: int
    ) -> tuple[list[object], dict[int, list[GraphqlError]]]:
        """An element for each URN, or for fewer, and the errors within each."""
        variables: dict[str, object] = {"start": start, "count": count, "siblings": siblings}
        if not schema.entities:
            return self._aliased(
                documents.health_of_each(schema, kind, len(urns), history=self._history), urns, variables
            )
        answer = self._transport.execute(
            documents.health_of_many(schema, history=self._history),
            {**variables, "urns": urns},
            divisible=len(urns) > 1,
            assets=len(urns),
        )
        elements = answer.data.get("entities")
        errors = _by_place(answer.errors, [("entities", i) for i in range(len(urns))])
        if not isinstance(elements, list):
            raise RequestFailure("DataHub's answer has no assets in it", errors=answer.errors)
        return elements, errors

    def _aliased(
        self, operation: documents.Operation, urns: Sequence[str], variables: Mapping[str, object] | None = None
    ) -> tuple[list[object], dict[int, list[GraphqlError]]]:
        answer = self._transport.execute(
            operation,
            {**(variables or {}), **{f"u{i}": urn for i, urn in enumerate(urns)}},
            divisible=len(urns) > 1,
            assets=len(urns),
        )
        errors = _by_place(answer.errors, [(f"a{i}",) for i in range(len(urns))])
        return [answer.data.get(f"a{i}") for i in range(len(urns))], errors

    # What the first answer leaves open

    def _finish_listings(self, schema: Schema, draft: Draft, kind: EntityType) -> None:
        for listing in draft.listings:
            for _ in range(MOST_PAGES):
                if not listing.incomplete:
                    break
                # A sibling is a dataset, whatever else the batch holds.
                own_kind = kind if listing is draft.own else EntityType.DATASET
                if not self._add_page(schema, listing, own_kind, FURTHER_PAGE):
                    break

    def _add_page(self, schema: Schema, listing: Listing, kind: EntityType, count: int) -> bool:
        """Ask for one more page; False if it did not come, and then what is counted and not shown stays unread."""
        try:
            elements, errors = self._elements(
                schema, kind, [listing.urn], siblings=False, start=listing.reached, count=count
            )
        except RequestFailure:
            return False
        element = elements[0] if elements else None
        if errors or not isinstance(element, dict) or element.get("incidents") is None:
            return False
        listing.add(element["incidents"], size=count)
        return True

    def _ask_existence(self, drafts: Sequence[Draft]) -> None:
        def ask(part: Sequence[Draft]) -> None:
            values, errors = self._aliased(documents.existence_of_each(len(part)), [d.urn for d in part])
            for place, (draft, value) in enumerate(zip(part, values, strict=True)):
                draft.exists = value if isinstance(value, bool) and place not in errors else None

        for chunk in _chunks(drafts):
            # What is refused stays None, which is a problem of its own.
            self._dialect.try_apart("entityExists", partial(self._isolate, chunk, ask, lambda _draft, _failure: None))

    # A server whose schema is not known

    def _ask_apart(self, schema: Schema, questions: Sequence[Question], drafts: Mapping[str, Draft]) -> None:
        """Ask for what the seed question leaves out, each in a request that may be refused without harm."""
        for kind in EntityType:
            for chunk in _chunks([drafts[q.urn.text] for q in questions if q.urn.entity_type is kind]):
                ask = partial(self._ask_removal, kind)
                self._dialect.try_apart(f"{kind}.status", partial(self._isolate, chunk, ask, _note_failure))
        with_siblings = [
            drafts[q.urn.text] for q in questions if q.siblings and q.urn.entity_type is EntityType.DATASET
        ]
        for chunk in _chunks(with_siblings):
            ask = partial(self._ask_siblings, schema)
            self._dialect.try_apart("siblings", partial(self._isolate, chunk, ask, _note_failure))

    def _ask_removal(self, kind: EntityType, part: Sequence[Draft]) -> None:
        elements, _ = self._aliased(documents.removal_of_each(kind, len(part)), [d.urn for d in part])
        for draft, element in zip(part, elements, strict=True):
            note_removal(draft, element)

    def _ask_siblings(self, schema: Schema, part: Sequence[Draft]) -> None:
        elements, errors = self._aliased(documents.siblings_of_each(len(part)), [d.urn for d in part])
        for place, (draft, element) in enumerate(zip(part, elements, strict=True)):
            names = sibling_urns(element)
            if place in errors or None in names:
                note_hidden_sibling(draft)
            for name in names:
                if name and name != draft.urn:
                    listing = draft.siblings.setdefault(name, Listing(name))
                    if not self._add_page(schema, listing, EntityType.DATASET, FIRST_PAGE):
                        listing.problems.append(Problem(Reason.ERROR, "DataHub does not list its incidents"))

    # Setting the guilty apart

    def _isolate(
        self,
        items: Sequence[T],
        ask: Callable[[Sequence[T]], None],
        refused: Callable[[T, RequestFailure], None],
    ) -> None:
        """Ask for all, and by halves where that fails, until what brings the failure stands alone.

        Raises:
            RequestFailure: The server does not understand the question, whomever it is about.
            UnreachableError: It fails on everything.
        """
        try:
            ask(items)
            self._refusals = 0
        except RequestFailure as failure:
            if failure.invalid or (failure.costly and len(items) == 1):
                raise
            self._refusals += 1
            if self._refusals > MOST_REFUSALS:
                raise UnreachableError(
                    f"DataHub fails on every request: {failure.message}.", hint="Check the server's health and its log."
                ) from failure
            if len(items) == 1:
                refused(items[0], failure)
                return
            middle = len(items) // 2
            self._isolate(items[:middle], ask, refused)
            self._isolate(items[middle:], ask, refused)


def _groups(schema: Schema, batch: Sequence[Question]) -> Iterator[tuple[EntityType, Sequence[Question]]]:
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


def _by_place(
    errors: Sequence[GraphqlError], prefixes: Sequence[tuple[str | int, ...]]
) -> dict[int, list[GraphqlError]]:
    """The errors by the element that their path leads into.

    Raises:
        RequestFailure: One leads nowhere, so it may concern any of them.
    """
    places = {prefix: place for place, prefix in enumerate(prefixes)}
    length = len(prefixes[0])
    found: dict[int, list[GraphqlError]] = {}
    for error in errors:
        place = places.get(error.path[:length])
        if place is None:
            raise RequestFailure(str(error), errors=tuple(errors))
        found.setdefault(place, []).append(error)
    return found


def _note_failure(draft: Draft, failure: RequestFailure) -> None:
    draft.problems.append(Problem(Reason.ERROR, f"DataHub failed on it: {failure.message}"))
