"""The selector `search`: the assets that match conditions."""

from __future__ import annotations

from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.facts import Facts
from incident_gate.datahub.graph.requests import PAGE
from incident_gate.datahub.graph.search import AssetSearch, search_assets
from incident_gate.incident import Problem, Reason
from incident_gate.manifest.model import Search
from incident_gate.select.selection import Choice, choose

# The index's field for each condition.
_FIELDS = {
    "tags": "tags",
    "terms": "glossaryTerms",
    "domains": "domains",
    "data_products": "dataProducts",
    "owners": "owners",
    "platforms": "platform",
    "containers": "container",
    "env": "origin",
}
_HINT = "Compare it with the one in DataHub: a mistyped value matches nothing."


def urns_of(search: Search) -> tuple[str, ...]:
    """The entities that a search names."""
    return tuple(value for name in _FIELDS for value in getattr(search, name) if value.startswith("urn:"))


def select_matches(client: Client, facts: Facts, search: Search, *, at_most: int) -> Choice:
    """Search for assets.

    A value that matches no asset at all is a problem, unless it is an entity that exists: of several alternatives, a
    mistyped one would be missing without a sign.

    Args:
        client: Where to ask.
        facts: What is known of the entities that the search names.
        search: The conditions.
        at_most: How many assets are expected at most.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    conditions = {field: values for name, field in _FIELDS.items() if (values := getattr(search, name))}
    doubtful = [
        (field, value) for field, values in conditions.items() for value in values if not facts.of(value).exists
    ]
    searches = [AssetSearch(conditions, search.query, at_most + PAGE)]
    searches += [AssetSearch({field: [value]}) for field, value in doubtful]
    matches, *probes = search_assets(client, facts.schema, searches)
    problems: dict[tuple[Problem, str], None] = {(problem, ""): None for problem in matches.problems}
    for (_, value), probe in zip(doubtful, probes, strict=True):
        if not probe.found:
            missing = facts.of(value).exists is False
            message = f"{value} is not in DataHub" if missing else f"No asset in DataHub matches {value}"
            about = value if value.startswith("urn:") else ""
            problems[Problem(Reason.NOT_FOUND, message, _HINT), about] = None
    choice = choose(matches.found, facts.schema)
    return choice._replace(problems=(*problems, *choice.problems))
