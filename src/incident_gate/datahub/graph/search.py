"""Assets that match conditions, as DataHub's search index knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from incident_gate.datahub.capabilities import Capabilities, Discovery
from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lists import EntityList, ListField, PagedSearch, read_lists
from incident_gate.incident import Reason

_FLAGS = ("skipCache", "skipHighlighting", "skipAggregates", "includeRestricted")
# `container` is the innermost one; the others are in the path, on servers that have it.
_ALSO = {"container": ("container", "browsePathV2")}


class AssetSearch(NamedTuple):
    """What to search for: alternatives for each field of the index, all of which must hold, and a text.

    Beyond `most` assets the search ends early.
    """

    conditions: Mapping[str, Sequence[str]]
    query: str = ""
    most: int = 1


def search_assets(client: Client, schema: Capabilities | None, searches: Sequence[AssetSearch]) -> list[EntityList]:
    """Run several searches in one request."""

    def fields(known: Capabilities) -> list[ListField] | None:
        paged = PagedSearch.of(known, "Entities", _FLAGS)
        return [_field(search, paged) for search in searches] if paged else None

    lists = read_lists(client, "incidentGateSearch", Discovery(client, schema), fields)
    if lists is None:
        entities = EntityList()
        entities.stop(Reason.ERROR, "This DataHub cannot be searched by these conditions", "Name the assets by URN.")
        lists = [entities] * len(searches)
    return lists


def _field(search: AssetSearch, paged: PagedSearch) -> ListField:
    variables: dict[str, tuple[str, object]] = {"query#": ("String!", search.query or "*")}
    alternatives: list[list[str]] = [[]]
    for number, (name, values) in enumerate(search.conditions.items()):
        variables[f"values#x{number}"] = ("[String!]", list(values))
        conditions = [
            f'{{field: "{field}", condition: EQUAL, values: $values#x{number}}}' for field in _ALSO.get(name, (name,))
        ]
        alternatives = [[*earlier, condition] for earlier in alternatives for condition in conditions]
    filters = ", ".join(f"{{and: [{', '.join(conjunction)}]}}" for conjunction in alternatives)
    given = f"{paged.arguments}, query: $query#" + (f", orFilters: [{filters}]" if search.conditions else "")
    text = f"{paged.name}(input: {{{given}}}) {{ {paged.results} searchResults {{ entity {{ urn type }} }} }}"
    return ListField(text, variables, search.most, scrolls=paged.scrolls)
