"""Server information: which server answers, as which user, and what that user may do. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from incident_gate.datahub.capabilities import TYPE_NAMES, Capabilities
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Rejection, RequestFailure
from incident_gate.datahub.health.reader import BATCH
from incident_gate.urn import EntityType

SELF = Operation(
    "incidentGateSelf", "query incidentGateSelf { me { corpUser { urn username } } appConfig { appVersion } }"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which server answers, and as which user; empty where it does not report that."""

    version: str = ""
    user: str = ""


def identity_of(client: Client) -> Identity:
    """Ask for the server's version and the token's user.

    Raises:
        DataHubError: DataHub could not be queried.
    """
    try:
        data = client.execute(SELF, {}, assets=0).data
    except RequestFailure as failure:
        if failure.rejection is Rejection.NONE:
            raise
        return Identity()
    user = _get(data, "me", "corpUser", "username") or _get(data, "me", "corpUser", "urn")
    return Identity(version=client.redact(_get(data, "appConfig", "appVersion")), user=client.redact(user))


def kinds_with_privileges(capabilities: Capabilities) -> frozenset[EntityType]:
    """The asset types of which the server reports whether the token's user may edit their incidents."""
    if not (capabilities.has("Query", "entities") and capabilities.has("EntityPrivileges", "canEditIncidents")):
        return frozenset()
    return frozenset(kind for kind in EntityType if capabilities.has(TYPE_NAMES.get(kind, ""), "privileges"))


def may_edit_incidents(client: Client, urns: Sequence[str], kinds: frozenset[EntityType]) -> Mapping[str, bool | None]:
    """Ask which assets' incidents the token's user may edit; None where the server does not report it."""
    answers: dict[str, bool | None] = dict.fromkeys(urns)
    fragments = " ".join(f"... on {TYPE_NAMES[kind]} {{ privileges {{ canEditIncidents }} }}" for kind in sorted(kinds))
    name = "incidentGatePrivileges"
    operation = Operation(name, f"query {name}($urns: [String!]!) {{ entities(urns: $urns) {{ urn {fragments} }} }}")
    for start in range(0, len(urns), BATCH):
        batch = urns[start : start + BATCH]
        try:
            elements = client.execute(operation, {"urns": batch}, assets=len(batch)).data.get("entities")
        except RequestFailure:
            continue
        for element in elements if isinstance(elements, list) else ():
            privileges = element.get("privileges") if isinstance(element, dict) else None
            may = privileges.get("canEditIncidents") if isinstance(privileges, dict) else None
            if isinstance(may, bool) and element.get("urn") in answers:
                answers[element["urn"]] = may
    return answers


def _get(value: object, *path: str) -> str:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
