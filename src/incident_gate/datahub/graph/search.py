"""Assets that match conditions, as DataHub's search index knows them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lists import EntityList, ListField, inline, read_lists
from incident_gate.incident import Reason

_SCROLL, _SEARCH = "scrollAcrossEntities", "searchAcrossEntities"
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


def search_assets(
    client: Client,
    schema: Capabilities | None,
    searches: Sequence[AssetSearch],
) -> list[EntityList]:
    """Run several searches in one request."""
    root = next((name for name in (_SCROLL, _SEARCH) if schema is None or schema.has("Query", name)), "")
    given = _members(schema, f"{root[:1].upper()}{root[1:]}Input")
    if "orFilters" not in given:
        entities = EntityList(client.redact)
        entities.stop(Reason.ERROR, "This DataHub cannot be searched by these conditions", "Name the assets by URN.")
        return [entities] * len(searches)
    scrolls = root == _SCROLL
    options = 'keepAlive: "5m", ' if scrolls and "keepAlive" in given else ""
    flags = [flag for flag in _FLAGS if "searchFlags" in given and flag in _members(schema, "SearchFlags")]
    if flags:
        options += f"searchFlags: {inline(dict.fromkeys(flags, 'true'))}, "
    text = f"{root}(input: {{count: $count#, {options}{'scrollId' if scrolls else 'start'}: $cursor#, "
    result = f"total {'nextScrollId ' if scrolls else ''}searchResults {{ entity {{ urn type }} }}"
    fields = [_field(search, text, result, scrolls=scrolls) for search in searches]
    return read_lists(client, "incidentGateSearch", fields)


def _field(search: AssetSearch, text: str, result: str, *, scrolls: bool) -> ListField:
    variables: dict[str, tuple[str, object]] = {"query#": ("String!", search.query or "*")}
    alternatives: list[list[str]] = [[]]
    for number, (name, values) in enumerate(search.conditions.items()):
        variables[f"values#x{number}"] = ("[String!]", list(values))
        conditions = [
            f'{{field: "{field}", condition: EQUAL, values: $values#x{number}}}' for field in _ALSO.get(name, (name,))
        ]
        alternatives = [[*earlier, condition] for earlier in alternatives for condition in conditions]
    filters = ", ".join(f"{{and: [{', '.join(conjunction)}]}}" for conjunction in alternatives)
    given = f", orFilters: [{filters}]" if search.conditions else ""
    return ListField(f"{text}query: $query#{given}}}) {{ {result} }}", variables, search.most, scrolls=scrolls)


def _members(schema: Capabilities | None, type_name: str) -> frozenset[str]:
    """The members of a type; those that current servers have where the schema is hidden."""
    if schema is None:
        return frozenset({"keepAlive", "searchFlags", "orFilters", "skipCache"})
    return schema.members.get(type_name, frozenset())
