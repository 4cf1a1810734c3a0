"""The selector `upstream-of`: what assets are made from."""

from __future__ import annotations

from collections.abc import Sequence

from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lineage import Hops, read_upstreams
from incident_gate.datahub.graph.lists import PAGE
from incident_gate.datahub.graph.lookup import Lookup
from incident_gate.incident import Problem, Reason
from incident_gate.select.selection import SelectorResult, choose
from incident_gate.urn import Urn

_MISSING_HINT = (
    "Check the spelling, or ingest it first. If this job creates it, name its inputs one by one until it exists."
)
_AGAIN_HINT = "Check that DataHub is healthy; then run again."
_ACCESS_HINT = "Grant the token's user view access to it."


def select_upstreams(
    client: Client, lookup: Lookup, starts: Sequence[tuple[Urn, ...]], hops: Hops, *, at_most: int
) -> SelectorResult:
    """Walk up from several assets."""
    problems: dict[tuple[Problem, str], None] = {}
    siblings: dict[str, list[str]] = {}
    for urns in starts:
        known = [lookup.of(urn.text) for urn in urns]
        start = urns[0].text
        if all(fact.exists is False for fact in known):
            message = f"{start} is not in DataHub, so nothing is known of its upstreams"
            problems[Problem(Reason.NOT_FOUND, message, _MISSING_HINT), start] = None
        elif any(fact.removed for fact in known):
            message = f"{start} was removed (soft-deleted) in DataHub, so nothing is known of its upstreams"
            problems[Problem(Reason.REMOVED, message, _MISSING_HINT), start] = None
        elif any(fact.hidden and fact.exists is not False for fact in known):
            message = f"{start} may not be seen with this token, and neither may its upstreams"
            problems[Problem(Reason.HIDDEN, message, _ACCESS_HINT), start] = None
        elif any(urn.text not in lookup.by_urn for urn in urns):
            message = f"The siblings of {start} could not be read, and may have upstreams of their own"
            problems[Problem(Reason.ERROR, message, _AGAIN_HINT), start] = None
        elif any(fact.siblings is None for fact in known):
            message = f"A sibling of {start} may not be seen with this token, and may have upstreams of its own"
            problems[Problem(Reason.HIDDEN, message, _ACCESS_HINT), start] = None
        others = [urn.text for urn in urns[1:]] + [sibling for fact in known for sibling in fact.siblings or ()]
        siblings[start] = [other for other in dict.fromkeys(others) if other != start]
    found: dict[str, None] = {}
    for urns, upstreams in zip(
        starts, read_upstreams(client, lookup.schema, siblings, hops, most=at_most + PAGE), strict=True
    ):
        found |= dict.fromkeys(upstreams.found)
        problems |= {(problem, upstreams.start): None for problem in upstreams.problems}
        silent = not upstreams.found and not upstreams.problems
        if silent and all(lookup.of(urn.text).exists is None for urn in urns):
            message = f"DataHub does not report whether {upstreams.start} exists, and it has no upstreams"
            problems[Problem(Reason.EXISTENCE_UNKNOWN, message, _MISSING_HINT), upstreams.start] = None
    choice = choose(found, lookup.schema)
    return choice._replace(problems=(*problems, *choice.problems))
