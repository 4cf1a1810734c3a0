"""The selectors that ask DataHub: `upstream-of`, what assets are made from, and `search`, what matches conditions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lineage import Hops, read_upstreams
from incident_gate.datahub.graph.lists import PAGE
from incident_gate.datahub.graph.lookup import Lookup
from incident_gate.datahub.graph.search import AssetSearch, search_assets
from incident_gate.incident import Problem, Reason
from incident_gate.manifest.model import Search
from incident_gate.select.selection import SelectorResult, choose
from incident_gate.urn import Urn

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
_MISTYPED_HINT = "Compare it with the one in DataHub: a mistyped value matches nothing."
_MISSING_HINT = (
    "Check the spelling, or ingest it first. If this job creates it, name its inputs one by one until it exists."
)
_AGAIN_HINT = "Check that DataHub is healthy; then run again."
_ACCESS_HINT = "Grant the token's user view access to it."
_SO = "so nothing is known of its upstreams"


def select_upstreams(
    client: Client, lookup: Lookup, starts: Sequence[tuple[Urn, ...]], hops: Hops, *, at_most: int
) -> SelectorResult:
    """Walk up from several assets, each with all of its URNs."""
    problems: dict[tuple[Problem, str], None] = {}
    siblings: dict[str, list[str]] = {}
    for urns in starts:
        start = urns[0].text
        if problem := _obstacle(lookup, urns):
            problems[problem, start] = None
        others = [urn.text for urn in urns[1:]]
        others += (sibling for urn in urns for sibling in lookup.of(urn.text).siblings or ())
        siblings[start] = [other for other in dict.fromkeys(others) if other != start]
    found: dict[str, None] = {}
    walks = read_upstreams(client, lookup.schema, siblings, hops, most=at_most + PAGE)
    for urns, upstreams in zip(starts, walks, strict=True):
        found |= dict.fromkeys(upstreams.found)
        problems |= {(problem, upstreams.start): None for problem in upstreams.problems}
        silent = not upstreams.found and not upstreams.problems
        if silent and all(lookup.of(urn.text).exists is None for urn in urns):
            message = f"DataHub does not report whether {upstreams.start} exists, and it has no upstreams"
            problems[Problem(Reason.EXISTENCE_UNKNOWN, message, _MISSING_HINT), upstreams.start] = None
    choice = choose(found, lookup.schema)
    return choice._replace(problems=(*problems, *choice.problems))


def _obstacle(lookup: Lookup, urns: Sequence[Urn]) -> Problem | None:
    """Why not all upstreams of an asset can be known."""
    known = [lookup.of(urn.text) for urn in urns]
    start = urns[0].text
    if all(fact.exists is False for fact in known):
        return Problem(Reason.NOT_FOUND, f"{start} is not in DataHub, {_SO}", _MISSING_HINT)
    if any(fact.removed for fact in known):
        return Problem(Reason.REMOVED, f"{start} was removed (soft-deleted) in DataHub, {_SO}", _MISSING_HINT)
    if any(fact.hidden and fact.exists is not False for fact in known):
        message = f"{start} may not be seen with this token, and neither may its upstreams"
        return Problem(Reason.HIDDEN, message, _ACCESS_HINT)
    if any(urn.text not in lookup.by_urn for urn in urns):
        message = f"The siblings of {start} could not be read, and may have upstreams of their own"
        return Problem(Reason.ERROR, message, _AGAIN_HINT)
    if any(fact.siblings is None for fact in known):
        message = f"A sibling of {start} may not be seen with this token, and may have upstreams of its own"
        return Problem(Reason.HIDDEN, message, _ACCESS_HINT)
    return None


def urns_of(search: Search) -> tuple[str, ...]:
    """The entities that a search names."""
    return tuple(value for name in _FIELDS for value in getattr(search, name) if value.startswith("urn:"))


def select_matches(client: Client, lookup: Lookup, search: Search, *, at_most: int) -> SelectorResult:
    """Search for assets.

    A value that matches no asset at all is a problem, unless it is an entity that exists: of several alternatives, a
    mistyped one would be missing without a sign.
    """
    conditions = _conditions(search)
    doubtful = _doubtful(lookup, conditions)
    searches = [AssetSearch(conditions, search.query, at_most + PAGE), *(probe for _, probe in doubtful)]
    matches, *probes = search_assets(client, lookup.schema, searches)
    problems: dict[tuple[Problem, str], None] = {(problem, ""): None for problem in matches.problems}
    for (value, _), probe in zip(doubtful, probes, strict=True):
        if not probe.found:
            problems[_not_found(lookup, value), value if value.startswith("urn:") else ""] = None
    choice = choose(matches.found, lookup.schema)
    return choice._replace(problems=(*problems, *choice.problems))


def missing_values(client: Client, lookup: Lookup, search: Search) -> tuple[Problem, ...]:
    """The values of a search that are no entity and match no asset, and why others could not be looked for."""
    doubtful = _doubtful(lookup, _conditions(search))
    probes = search_assets(client, lookup.schema, [probe for _, probe in doubtful]) if doubtful else []
    problems: list[Problem] = []
    for (value, _), probe in zip(doubtful, probes, strict=True):
        if not probe.found:
            failed = [problem._replace(message=f"{value}: {problem.message}") for problem in probe.problems]
            problems += failed or [_not_found(lookup, value)]
    return tuple(problems)


def _conditions(search: Search) -> dict[str, tuple[str, ...]]:
    """The values of each field of the index."""
    return {field: values for name, field in _FIELDS.items() if (values := getattr(search, name))}


def _doubtful(lookup: Lookup, conditions: Mapping[str, tuple[str, ...]]) -> list[tuple[str, AssetSearch]]:
    """The values that are not known to exist, each with a search for any asset that has it."""
    return [
        (value, AssetSearch({field: [value]}))
        for field, values in conditions.items()
        for value in values
        if not lookup.of(value).exists
    ]


def _not_found(lookup: Lookup, value: str) -> Problem:
    missing = lookup.of(value).exists is False
    message = f"{value} is not in DataHub" if missing else f"No asset in DataHub matches {value}"
    return Problem(Reason.NOT_FOUND, message, _MISTYPED_HINT)
