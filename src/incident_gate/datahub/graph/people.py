"""The people behind what blocks: the owners of assets, and the stage and assignees of their incidents."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.graph.owners import MOST_ASSETS, OWNED, OWNERS, Owner, owner_in, read_owners
from incident_gate.text import Redactor

MOST_INCIDENTS = 50
"""Of one asset."""

_INCIDENTS = f"incidents(state: ACTIVE, start: 0, count: {MOST_INCIDENTS}) {{ ...work }}"
_ASSETS = " ".join(
    f"... on {kind} {{ ownership {{ ...owned }} {_INCIDENTS} }}"
    for kind in ("Dataset", "DataJob", "DataFlow", "Dashboard", "Chart")
)
# Stages and assignees exist from DataHub 1.0 on.
PEOPLE = Operation(
    "incidentGatePeople",
    f"query incidentGatePeople($urns: [String!]!) {{ entities(urns: $urns) {{ urn {_ASSETS} }} }} {OWNED} "
    "fragment work on EntityIncidentsResult { incidents { urn status { stage } assignees { "
    "... on CorpUser { urn username properties { displayName } } "
    "... on CorpGroup { urn name properties { displayName } } } } }",
)


class Work(NamedTuple):
    """How far the work on an incident is, and the names of the people it is assigned to; untrusted text."""

    stage: str | None = None
    assignees: tuple[str, ...] = ()


class People(NamedTuple):
    """Owners by the asset's URN, work by the incident's URN."""

    owners: Mapping[str, tuple[Owner, ...]]
    work: Mapping[str, Work]


def people_of(client: Client, urns: Sequence[str], *, with_work: bool) -> People:
    """Read the people behind assets in one request, without stages and assignees where the server has none.

    Args:
        client: Queries DataHub.
        urns: The assets; at most `MOST_ASSETS` are queried.
        with_work: Whether stages and assignees matter.

    Raises:
        Failure: The server refuses the query, or failed on it.
        DataHubError: DataHub could not be queried.
    """
    queried = list(dict.fromkeys(urns))[:MOST_ASSETS]
    if not queried:
        return People({}, {})
    try:
        data = client.execute(PEOPLE if with_work else OWNERS, {"urns": queried}, assets=len(queried)).data
    except RequestFailure:
        if not with_work:
            raise
        data = client.execute(OWNERS, {"urns": queried}, assets=len(queried)).data
    redact = client.redact
    owners: dict[str, tuple[Owner, ...]] = {}
    work: dict[str, Work] = {}
    for element in _elements(data, "entities"):
        urn = element.get("urn")
        if urn in queried:
            if found := read_owners(element, redact):
                owners[urn] = found
            work |= {
                str(incident.get("urn")): _work(incident, client.redact)
                for incident in _elements(element, "incidents", "incidents")
            }
    return People(owners, work)


def _work(incident: Mapping[str, Any], redact: Redactor) -> Work:
    status = incident.get("status")
    stage = status.get("stage") if isinstance(status, dict) else None
    assignees = (owner_in(element, redact) for element in _elements(incident, "assignees"))
    return Work(
        redact(stage)[:100] if isinstance(stage, str) else None,
        tuple(owner.name[:200] for owner in assignees if owner)[:10],
    )


def _elements(value: object, *path: str) -> list[dict[str, Any]]:
    """The mappings in a list somewhere in an answer."""
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return [element for element in value if isinstance(element, dict)] if isinstance(value, list) else []
