"""The owners of what is made from assets: those who should know that an asset is unhealthy."""

from __future__ import annotations

from collections.abc import Sequence

from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.graph.owners import OWNED, OWNERS_OF_ASSET, Owner, read_owners

MOST_ASSETS = 20
"""Each is a walk of its own on the server, and a message mentions no more than 20 people."""

_CONSUMERS = 50  # of one asset
_DEGREES = ("1", "2", "3+")


def owners_of_consumers(client: Client, urns: Sequence[str], hops: int) -> tuple[Owner, ...]:
    """Read who owns what is made from these assets, in one request.

    This is for messages to people, so an incomplete walk is as good as it gets.

    Args:
        client: Queries DataHub.
        urns: The assets; at most `MOST_ASSETS` are asked for.
        hops: How far to walk, from 1 to 3; 3 means all the way.

    Returns:
        Each owner once, owners of nearer consumers first.

    Raises:
        Failure: The server refuses the query, as servers before 0.10 do, or failed on it.
        DataHubError: DataHub could not be queried.
    """
    asked = list(dict.fromkeys(urns))[:MOST_ASSETS]
    if not asked or hops < 1:
        return ()
    variables: dict[str, object] = {f"u{place}": urn for place, urn in enumerate(asked)}
    variables["degrees"] = list(_DEGREES[:hops])
    data = client.execute(_operation(len(asked)), variables, assets=len(asked)).data
    found: dict[str, tuple[int, Owner]] = {}
    for place in range(len(asked)):
        page = data.get(f"a{place}")
        results = page.get("searchResults") if isinstance(page, dict) else None
        for result in results if isinstance(results, list) else ():
            if not isinstance(result, dict):
                continue
            degree = result.get("degree")
            distance = degree if isinstance(degree, int) and not isinstance(degree, bool) else len(_DEGREES)
            for owner in read_owners(result.get("entity"), client.redact):
                if owner.urn not in found or distance < found[owner.urn][0]:
                    found[owner.urn] = (distance, owner)
    return tuple(owner for _, owner in sorted(found.values(), key=lambda item: item[0]))


def _operation(number: int) -> Operation:
    name = "incidentGateConsumers"
    declared = ", ".join(f"$u{place}: String" for place in range(number))
    walks = " ".join(
        f'a{place}: scrollAcrossLineage(input: {{urn: $u{place}, direction: DOWNSTREAM, query: "*", '
        f'count: {_CONSUMERS}, orFilters: [{{and: [{{field: "degree", condition: EQUAL, values: $degrees}}]}}]}}) '
        f"{{ searchResults {{ degree entity {{ urn {OWNERS_OF_ASSET} }} }} }}"
        for place in range(number)
    )
    return Operation(name, f"query {name}({declared}, $degrees: [String!]) {{ {walks} }} {OWNED}")
