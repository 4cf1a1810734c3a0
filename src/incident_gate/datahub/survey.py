"""What a DataHub server says of itself and of the token's bearer, asked without writing anything."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any

from incident_gate.datahub.capabilities import TYPE_NAMES
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import Rejection, RequestFailure
from incident_gate.datahub.health.reader import BATCH
from incident_gate.datahub.queries import Operation
from incident_gate.urn import EntityType

SELF = Operation(
    "incidentGateSelf", "query incidentGateSelf { me { corpUser { urn username } } appConfig { appVersion } }"
)
# Each field of the introspection system once: graphql-java takes anything more for an attack and refuses it.
VOCABULARY = Operation(
    "incidentGateVocabulary",
    "query incidentGateVocabulary { __schema { types { name fields(includeDeprecated: true) { name } "
    "inputFields { name } enumValues(includeDeprecated: true) { name } } } }",
)


class Generation(Enum):
    """The schemas in the field, told apart by what they have; the value is what a person calls such a server."""

    G1 = "DataHub Cloud of 2022"
    G2 = "DataHub 0.13 to 0.15"
    G3 = "DataHub 1.0 to 1.7"
    G4 = "DataHub after August 2026"


@dataclass(frozen=True, slots=True)
class Identity:
    """Which server answers, and as whom; empty where it does not say."""

    version: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Vocabulary:
    """What the server's schema has: the members of each of its types, by the type's name."""

    members: Mapping[str, frozenset[str]]

    def has(self, type_name: str, member: str) -> bool:
        """Whether a type has a field, an input field or a value of that name."""
        return member in self.members.get(type_name, ())

    @property
    def generation(self) -> Generation | None:
        """The generation; None if it knows no incidents."""
        if not self.has("Dataset", "incidents"):
            return None
        if self.has("RaiseIncidentInput", "id"):
            return Generation.G4
        if self.has("Incident", "incidentStatus"):
            return Generation.G3
        return Generation.G2 if self.has("DataJob", "incidents") else Generation.G1

    @property
    def tells_privileges(self) -> frozenset[EntityType]:
        """The asset types of which it says whether the token's bearer may edit their incidents."""
        if not (self.has("Query", "entities") and self.has("EntityPrivileges", "canEditIncidents")):
            return frozenset()
        return frozenset(kind for kind, name in TYPE_NAMES.items() if self.has(name, "privileges"))


def identity_of(client: Client) -> Identity:
    """Ask who is there.

    Raises:
        DataHubError: Nobody that can be asked.
    """
    try:
        data = client.execute(SELF, {}, assets=0).data
    except RequestFailure as failure:
        if failure.rejection is Rejection.NONE:
            raise
        return Identity()
    user = _get(data, "me", "corpUser", "username") or _get(data, "me", "corpUser", "urn")
    return Identity(version=_get(data, "appConfig", "appVersion"), user=user)


def vocabulary_of(client: Client) -> Vocabulary | None:
    """Ask for the schema; None if the server keeps it to itself."""
    try:
        root = client.execute(VOCABULARY, {}, assets=0).data.get("__schema")
    except RequestFailure:
        return None
    types = root.get("types") if isinstance(root, dict) else None
    if not isinstance(types, list):
        return None
    return Vocabulary(members={str(entry.get("name")): _members(entry) for entry in types if isinstance(entry, dict)})


def may_edit_incidents(client: Client, urns: Sequence[str], kinds: frozenset[EntityType]) -> Mapping[str, bool | None]:
    """Ask which assets' incidents the token's bearer may edit; None where the server does not say."""
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


def _members(entry: Mapping[str, Any]) -> frozenset[str]:
    lists = (entry.get(name) for name in ("fields", "inputFields", "enumValues"))
    return frozenset(
        str(member.get("name"))
        for members in lists
        if isinstance(members, list)
        for member in members
        if isinstance(member, dict)
    )


def _get(value: object, *path: str) -> str:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
