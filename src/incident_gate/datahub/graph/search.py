"""How one server is searched, and the assets that match conditions, as its search index knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from incident_gate.datahub.capabilities import Capabilities, Discovery
from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lists import EntityList, ListField, read_lists
from incident_gate.incident import Reason

_FLAGS = ("skipCache", "skipHighlighting", "skipAggregates", "includeRestricted")
# `container` is the innermost one; the others are in the path, on servers that have it.
_ALSO = {"container": ("container", "browsePathV2")}


class PagedSearch(NamedTuple):
    """The field of `Query` that one server searches by: with scroll ids where it has them, else with offsets.

    `arguments` are those of every search, and `results` what every page has besides its entities.
    """

    name: str
    arguments: str
    results: str
    scrolls: bool

    @classmethod
    def of(cls, schema: Capabilities, what: str, flags: Sequence[str]) -> PagedSearch | None:
        """The field for what a server has, so far as that is known; None if it cannot search by conditions."""
        names = (f"scrollAcross{what}", f"searchAcross{what}")
        name = next((name for name in names if schema.accepts("Query", name)), "")
        given = f"{name[:1].upper()}{name[1:]}Input"
        if not name or not schema.accepts(given, "orFilters"):
            return None
        scrolls = name.startswith("scroll")
        arguments = f"count: $count#, {'scrollId' if scrolls else 'start'}: $cursor#"
        if scrolls and schema.accepts(given, "keepAlive"):
            arguments += ', keepAlive: "5m"'
        switches = ", ".join(f"{flag}: true" for flag in flags if schema.accepts("SearchFlags", flag))
        if switches and schema.accepts(given, "searchFlags"):
            arguments += f", searchFlags: {{{switches}}}"
        return cls(name, arguments, "total nextScrollId" if scrolls else "total", scrolls)

    @property
    def type_prefix(self) -> str:
        """How the names of its input's and its result's types begin."""
        return f"{self.name[:1].upper()}{self.name[1:]}"


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
