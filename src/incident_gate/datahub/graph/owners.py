"""The people behind what blocks: the owners of assets and of what is made from them, and who works on incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import RequestFailure
from incident_gate.json_values import mappings, text, whole
from incident_gate.text import Redactor

MOST_ASSETS = 250  # in one request; the others are left out, because a message names no more
_MOST_OWNERS, _MOST_INCIDENTS, _MOST_CONSUMERS = 100, 50, 50  # of one asset
# Assets whose consumers are read: each is a walk on the server, and a message mentions no more than 20 people.
MOST_WALKS = 20
_DEGREES = ("1", "2", "3+")

_TYPES = ("Dataset", "DataJob", "DataFlow", "Dashboard", "Chart")
# On one line for each asset type that has owners on every generation.
_OWNERS_OF_ASSET = " ".join(f"... on {kind} {{ ownership {{ ...owned }} }}" for kind in _TYPES)
# Users fill in `editableProperties` themselves: an address there comes before the directory's.
_OWNED = (
    "fragment owned on Ownership { owners { owner { "
    "... on CorpUser { urn username properties { displayName email } editableProperties { email } } "
    "... on CorpGroup { urn name properties { displayName email } } } } }"
)
_OWNERS = Operation(
    "incidentGateOwners",
    f"query incidentGateOwners($urns: [String!]!) {{ entities(urns: $urns) {{ urn {_OWNERS_OF_ASSET} }} }} {_OWNED}",
)
_INCIDENTS = f"incidents(state: ACTIVE, start: 0, count: {_MOST_INCIDENTS}) {{ ...work }}"
_ASSETS = " ".join(f"... on {kind} {{ ownership {{ ...owned }} {_INCIDENTS} }}" for kind in _TYPES)
# Stages and assignees exist from DataHub 1.0 on.
_PEOPLE = Operation(
    "incidentGatePeople",
    f"query incidentGatePeople($urns: [String!]!) {{ entities(urns: $urns) {{ urn {_ASSETS} }} }} {_OWNED} "
    "fragment work on EntityIncidentsResult { incidents { urn status { stage } assignees { "
    "... on CorpUser { urn username properties { displayName } } "
    "... on CorpGroup { urn name properties { displayName } } } } }",
)


class Owner(NamedTuple):
    """A user or group that owns an asset. `name` is how people know it; all text is untrusted.

    An owner that was deleted keeps its URN and has no properties: then the name is the URN's last part.
    """

    urn: str
    name: str
    email: str = ""


class Work(NamedTuple):
    """How far the work on an incident is, and the names of the people it is assigned to; untrusted text."""

    stage: str | None = None
    assignees: tuple[str, ...] = ()


class People(NamedTuple):
    """Owners by the URN of each asset that was answered for, work by the incident's URN."""

    owners: Mapping[str, tuple[Owner, ...]]
    work: Mapping[str, Work]


def people_of(client: Client, urns: Sequence[str], *, with_work: bool) -> People:
    """Read the people behind at most `MOST_ASSETS` assets in one request, without work where the server has none of it.

    Raises:
        Failure: The server refuses the query, or failed on it.
        DataHubError: DataHub could not be queried.
    """
    queried = list(dict.fromkeys(urns))[:MOST_ASSETS]
    if not queried:
        return People({}, {})
    try:
        data = client.execute(_PEOPLE if with_work else _OWNERS, {"urns": queried}, assets=len(queried)).data
    except RequestFailure:
        if not with_work:
            raise
        data = client.execute(_OWNERS, {"urns": queried}, assets=len(queried)).data
    elements = [element for element in mappings(data, "entities") if element.get("urn") in queried]
    owners = {element["urn"]: _owners_in(element, client.redact) for element in elements}
    work = {
        str(incident.get("urn")): _work(incident, client.redact)
        for element in elements
        for incident in mappings(element, "incidents", "incidents")
    }
    return People(owners, work)


def owners_of_consumers(client: Client, urns: Sequence[str], hops: int) -> tuple[Owner, ...]:
    """Read who owns what is made from at most `MOST_WALKS` assets: each owner once, those of nearer consumers first.

    It goes 1 or 2 hops, or with 3 all the way. This is for messages to people, so an incomplete walk will do.

    Raises:
        Failure: The server refuses the query, as servers before 0.10 do, or failed on it.
        DataHubError: DataHub could not be queried.
    """
    asked = list(dict.fromkeys(urns))[:MOST_WALKS]
    if not asked or hops < 1:
        return ()
    variables: dict[str, object] = {f"u{place}": urn for place, urn in enumerate(asked)}
    variables["degrees"] = list(_DEGREES[:hops])
    data = client.execute(_consumers(len(asked)), variables, assets=len(asked)).data
    found: dict[str, tuple[int, Owner]] = {}
    for place in range(len(asked)):
        for result in mappings(data, f"a{place}", "searchResults"):
            degree = whole(result, "degree")
            distance = len(_DEGREES) if degree is None else degree
            for owner in _owners_in(result.get("entity"), client.redact):
                if owner.urn not in found or distance < found[owner.urn][0]:
                    found[owner.urn] = (distance, owner)
    return tuple(owner for _, owner in sorted(found.values(), key=lambda item: item[0]))


def _consumers(number: int) -> Operation:
    name = "incidentGateConsumers"
    declared = ", ".join(f"$u{place}: String" for place in range(number))
    walks = " ".join(
        f'a{place}: scrollAcrossLineage(input: {{urn: $u{place}, direction: DOWNSTREAM, query: "*", '
        f'count: {_MOST_CONSUMERS}, orFilters: [{{and: [{{field: "degree", condition: EQUAL, values: $degrees}}]}}]}}) '
        f"{{ searchResults {{ degree entity {{ urn {_OWNERS_OF_ASSET} }} }} }}"
        for place in range(number)
    )
    return Operation(name, f"query {name}({declared}, $degrees: [String!]) {{ {walks} }} {_OWNED}")


def _owners_in(asset: object, redact: Redactor) -> tuple[Owner, ...]:
    """The owners in an answer about one asset; each once, although one person can own it in several roles."""
    listed = list(mappings(asset, "ownership", "owners"))[:_MOST_OWNERS]
    owners = (_owner(element.get("owner"), redact) for element in listed)
    return tuple(dict.fromkeys(owner for owner in owners if owner))


def _owner(owner: object, redact: Redactor) -> Owner | None:
    """The user or group in an answer, without the secrets that were sent; None without a URN."""
    urn = text(owner, "urn")
    if not urn:
        return None
    name = text(owner, "properties", "displayName") or text(owner, "username") or text(owner, "name")
    name = name or urn.rsplit(":", 1)[-1]
    email = text(owner, "editableProperties", "email") or text(owner, "properties", "email")
    return Owner(redact(urn), redact(name), redact(email))


def _work(incident: Mapping[str, Any], redact: Redactor) -> Work:
    assignees = (_owner(element, redact) for element in mappings(incident, "assignees"))
    return Work(
        redact(text(incident, "status", "stage"))[:100] or None,
        tuple(owner.name[:200] for owner in assignees if owner)[:10],
    )
