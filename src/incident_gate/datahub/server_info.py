"""Server information: which server answers, as which user, and what that user may do. Nothing is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Rejection, RequestFailure
from incident_gate.json_values import at, text
from incident_gate.urn import Urn

# Assets in one request.
_CHUNK = 40

SELF = Operation(
    "incidentGateSelf", "query incidentGateSelf { me { corpUser { urn username } } appConfig { appVersion } }"
)


@dataclass(frozen=True, slots=True)
class Identity:
    """Which server answers, and as which user; empty where it does not report that."""

    version: str = ""
    user: str = ""
    urn: str = ""


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
    urn = text(data, "me", "corpUser", "urn")
    user = text(data, "me", "corpUser", "username") or urn
    version = client.redact(text(data, "appConfig", "appVersion"))
    return Identity(version=version, user=client.redact(user), urn=urn)


def may_raise(
    client: Client, capabilities: Capabilities | None, actor: str, urns: Sequence[Urn]
) -> Mapping[str, bool | None]:
    """Ask on which assets the token's user may raise incidents; None where the server does not report them."""
    answers: dict[str, bool | None] = {urn.text: None for urn in urns}
    if not actor or capabilities is None or not capabilities.has("Query", "getGrantedPrivileges"):
        return answers
    for start in range(0, len(urns), _CHUNK):
        chunk = urns[start : start + _CHUNK]
        variables: dict[str, object] = {"me": actor}
        for place, urn in enumerate(chunk):
            # GraphQL writes DATA_JOB and MLMODEL_GROUP.
            variables |= {f"u{place}": urn.text, f"t{place}": urn.entity_type.name.replace("ML_", "ML", 1)}
        try:
            data = client.execute(_privileges_of(len(chunk)), variables, assets=len(chunk)).data
        except RequestFailure:
            continue
        for place, urn in enumerate(chunk):
            held = at(data, f"a{place}", "privileges")
            if isinstance(held, list):
                # Edit Entity suffices, too.
                answers[urn.text] = "EDIT_ENTITY_INCIDENTS" in held or "EDIT_ENTITY" in held
    return answers


def _privileges_of(number: int) -> Operation:
    name = "incidentGatePrivileges"
    variables = "".join(f", $u{place}: String!, $t{place}: EntityType!" for place in range(number))
    roots = " ".join(
        f"a{place}: getGrantedPrivileges(input: {{ actorUrn: $me, "
        f"resourceSpec: {{ resourceType: $t{place}, resourceUrn: $u{place} }} }}) {{ privileges }}"
        for place in range(number)
    )
    return Operation(name, f"query {name}($me: String!{variables}) {{ {roots} }}")
