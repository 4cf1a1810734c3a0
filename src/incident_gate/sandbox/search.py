"""Searches over entities, as the search index knows them."""

from collections.abc import Callable, Mapping, Sequence
from collections.abc import Set as AbstractSet
from typing import Any

from .entities import Entities
from .faults import FaultKind
from .generation import Generation
from .records import Asset, parse_urn, urn_type_of
from .request import Call
from .results import (
    Page,
    alternatives,
    fields_of,
    is_restricted,
    leaves_out_restricted,
    matches,
    offset_page,
    result_entity,
    scroll_page,
)

Input = Mapping[str, Any]


def values_of(
    asset: Asset, field: str, generation: Generation, marked: Mapping[str, AbstractSet[str]]
) -> tuple[str, ...]:
    """The values that a document has in a field; none where the server's index lacks the field."""
    if generation.schema_version < _SINCE.get(field, (0,)):
        return ()
    if field in marked:
        return ("true",) if asset.urn in marked[field] else ("false",)
    # In a filter, a text field has its exact values under this name as well.
    field = field.removesuffix(".keyword")
    urn = parse_urn(asset.urn)
    platform = next((part for part in urn.key if part.startswith("urn:li:dataPlatform:")), None)
    values = {
        "urn": (asset.urn,),
        "_entityType": (urn.entity_type or "",),
        "name": (asset.title or urn.name,),
        "platform": (platform,) if platform else (),
        "origin": urn.key[2:3] if urn.kind in {"dataset", "mlModel", "dataFlow"} else (),
        "removed": () if asset.removed is None else (str(asset.removed).lower(),),
        "tags": asset.tags,
        "glossaryTerms": asset.terms,
        "domains": asset.domains,
        "owners": tuple(owner.urn for owner in asset.owners),
        "container": asset.containers[:1],
        # The path from the outermost container down, which is what finds nested ones.
        "browsePathV2": asset.containers[::-1],
        "dataProducts": asset.data_products,
        "entity": (asset.profile["entity"],) if urn.kind == "assertion" else (),
        "assertionType": (asset.profile["type"],) if urn.kind == "assertion" else (),
        "typeNames": asset.subtypes,
        "platformInstance": (asset.platform_instance,) if asset.platform_instance else (),
    }
    return values.get(field, ())


_SINCE = {
    "browsePathV2": (0, 10, 4),
    "hasActiveIncidents": (0, 13),
    "hasFailingAssertions": (0, 13),
    "dataProducts": (1, 0),
}


View = dict[str, Any]


class Search:
    """What one request searches."""

    def __init__(self, call: Call, entities: Entities) -> None:
        self._call = call
        self._entities = entities

    def fields(self) -> View:
        """The resolvers of the searches in Query."""
        return {
            "searchAcrossEntities": lambda _info, input: self.by_offset(input),  # noqa: A006 - the schema's name
            "scrollAcrossEntities": lambda _info, input: self.by_scrolling(input),  # noqa: A006
        }

    def by_offset(self, given: Input) -> View:
        """One page of the entities that match, refused beyond the search's offset limit."""
        order, descending = _order(self._call, given)
        found = sorted(self._matching(given), key=order, reverse=descending)
        return self._view(offset_page(self._call, given, found))

    def by_scrolling(self, given: Input) -> View:
        """One page of the entities that match, without an offset limit."""
        order, descending = _order(self._call, given)
        found = sorted(self._matching(given), key=order, reverse=descending)
        return self._view(scroll_page(self._call, given, found, order, descending=descending))

    def _matching(self, given: Input) -> list[Asset]:
        either = alternatives(given)
        matcher = Matcher(self._call, given)
        keeps_removed = "removed" in fields_of(either) or _flag(given, "includeSoftDeleted")
        return [
            document
            for document in self._call.store.documents()
            if (keeps_removed or not document.removed) and self._is_found(document) and matcher.accepts(document)
        ]

    def _is_found(self, document: Asset) -> bool:
        """Whether the token may know of a document at all."""
        return self._call.grant.may_see(document.urn) and (
            not is_restricted(self._call, document)
            or not (self._call.generation.is_cloud or leaves_out_restricted(self._call))
        )

    def _view(self, page: Page) -> View:
        self._entities.load(document.urn for document in page.items)
        results: list[View] = [
            {
                "entity": result_entity(self._call, self._entities.linked, document),
                "matchedFields": [],
                "extraProperties": [],
            }
            for document in page.items
            if not self._call.strike.about(document.urn, FaultKind.LOST_RESULT)
        ]
        return page.facts | {"searchResults": results, "facets": []}


class Matcher:
    """Decides which documents a search's input asks for."""

    def __init__(self, call: Call, given: Input) -> None:
        self._call = call
        self._either = alternatives(given)
        self._kinds = {urn_type_of(name) for name in given.get("types") or ()}
        self._words = (given.get("query") or "*").strip().lower()
        named = fields_of(self._either)
        hooks = {
            "hasActiveIncidents": call.store.marked_active,
            "hasFailingAssertions": call.store.marked_failing,
        }
        self._marked = {field: find() for field, find in hooks.items() if field in named}

    def accepts(self, document: Asset, **extra: Sequence[str]) -> bool:
        """Whether a document matches; `extra` holds the values of fields that no index has."""

        def values(field: str) -> Sequence[str]:
            return extra.get(field) or values_of(document, field, self._call.generation, self._marked)

        return (
            (not self._kinds or parse_urn(document.urn).kind in self._kinds)
            and (self._words in {"", "*"} or self._words in f"{document.urn} {document.title or ''}".lower())
            and matches(self._either, values)
        )


def _flag(given: Input, name: str) -> bool:
    return bool((given.get("searchFlags") or {}).get(name))


def _order(call: Call, given: Input) -> tuple[Callable[[Asset], tuple[str, str]], bool]:
    """What results are ordered by, and whether descending: by URN where nothing else is asked for."""
    asked = given.get("sortInput") or {}
    criteria = asked.get("sortCriteria") or ([asked["sortCriterion"]] if asked.get("sortCriterion") else [])
    field = criteria[0]["field"] if criteria else "urn"

    def key(document: Asset) -> tuple[str, str]:
        return next(iter(values_of(document, field, call.generation, {})), ""), document.urn

    return key, bool(criteria) and criteria[0]["sortOrder"] == "DESCENDING"
