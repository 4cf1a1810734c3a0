"""The GraphQL text that is sent: constant for a given schema; every value travels as a variable.

Nothing here declares a variable of an input object type, because `UpdateIncidentStatusInput` was renamed in 1.0:
scalars and enums stand as variables inside an inline object.
"""

from __future__ import annotations

from typing import NamedTuple

from incident_gate.datahub.capabilities import INCIDENT_FIELDS, TYPE_NAMES, AssetFields, Capabilities
from incident_gate.urn import EntityType


class Operation(NamedTuple):
    """A document and its operation's name, on which servers may key rate limits."""

    name: str
    text: str


def idle(operation: Operation) -> Operation:
    """The same document with everything skipped: a server validates it as ever, and executes nothing of it."""
    head, _, rest = operation.text.partition("{")
    body, keyword, fragment = rest.partition(" fragment ")
    return Operation(operation.name, f"{head}{{ ... @skip(if: true) {{{body} }}{keyword}{fragment}")


# Asked only after the server refused a field. `includeDeprecated` because `Incident.status` is deprecated since 1.0.
INTROSPECTION = Operation(
    "incidentGateSchema",
    "query incidentGateSchema { __schema { types { name fields(includeDeprecated: true) { name } } } }",
)


def health_of_many(schema: Capabilities, *, history: bool = False) -> Operation:
    """One field for any number of assets: `$urns`, `$siblings`, `$start`, `$count`.

    With `history`, resolved incidents are asked for as well.
    """
    fragments = " ".join(
        f"... on {TYPE_NAMES[kind]} {{ {selection} }}"
        for kind, fields in schema.assets.items()
        if (selection := _asset(fields, history=history))
    )
    name = "incidentGateHealth"
    head = f"query {name}($urns: [String!]!, {_paging(siblings=schema.has_siblings)})"
    return Operation(name, f"{head} {{ entities(urns: $urns) {{ urn {fragments} }} }} {_page(schema)}")


def health_of_each(schema: Capabilities, kind: EntityType, number: int, *, history: bool = False) -> Operation:
    """One aliased field an asset, for servers without `entities`: `$u0`, `$u1` …, else as `health_of_many`."""
    name = "incidentGateHealthOfEach"
    variables = _urns(number)
    fields = schema.assets[kind]
    selection = _asset(fields, history=history)
    own = "urn " if schema.names else ""
    roots = " ".join(f"a{i}: {kind.value}(urn: $u{i}) {{ {own}{selection} }}" for i in range(number))
    return Operation(
        name, f"query {name}({variables}, {_paging(siblings=fields.siblings)}) {{ {roots} }} {_page(schema)}"
    )


def existence_of_each(number: int) -> Operation:
    """`entityExists` for `$u0`, `$u1` …, where the asset itself does not say."""
    name = "incidentGateExistence"
    variables = _urns(number)
    roots = " ".join(f"a{i}: entityExists(urn: $u{i})" for i in range(number))
    return Operation(name, f"query {name}({variables}) {{ {roots} }}")


def _paging(*, siblings: bool) -> str:
    # A variable that is declared and not used is a validation error; one that is sent and not declared is none.
    return f"{'$siblings: Boolean!, ' if siblings else ''}$start: Int!, $count: Int!"


def _asset(fields: AssetFields, *, history: bool) -> str:
    state = "" if history else "state: ACTIVE, "
    incidents = f"incidents({state}start: $start, count: $count) {{ ...page }}" if fields.incidents else ""
    sibling = f"siblings @include(if: $siblings) {{ siblings {{ urn ... on Dataset {{ {incidents} }} }} }}"
    return " ".join(
        part
        for part in (
            "exists" if fields.exists else "",
            "status { removed }" if fields.removed else "",
            incidents,
            sibling if fields.siblings and incidents else "",
        )
        if part
    )


def _page(schema: Capabilities) -> str:
    leaves = [
        "created { time }" if name == "created" else name for name in INCIDENT_FIELDS if name in schema.incident_fields
    ]
    if schema.status_field:
        leaves.append(f"{schema.status_field} {{ state }}")
    return f"fragment page on EntityIncidentsResult {{ total incidents {{ urn {' '.join(leaves)} }} }}"


def removal_of_each(kind: EntityType, number: int) -> Operation:
    """`status { removed }` alone, for a server whose schema is not known."""
    return _each("incidentGateRemoval", kind, number, "status { removed }")


def siblings_of_each(number: int) -> Operation:
    """A dataset's siblings alone, for a server whose schema is not known."""
    return _each("incidentGateSiblings", EntityType.DATASET, number, "siblings { siblings { urn } }")


def _each(name: str, kind: EntityType, number: int, selection: str) -> Operation:
    roots = " ".join(f"a{i}: {kind.value}(urn: $u{i}) {{ urn {selection} }}" for i in range(number))
    return Operation(name, f"query {name}({_urns(number)}) {{ {roots} }}")


def _urns(number: int) -> str:
    return ", ".join(f"$u{i}: String!" for i in range(number))


def _raise(name: str, variables: str, fields: str) -> Operation:
    head = f"mutation {name}($asset: String!, $type: IncidentType!, $customType: String, $title: String"
    given = "resourceUrn: $asset, type: $type, customType: $customType, title: $title, description: $description"
    text = f"{head}, $description: String, {variables}) {{ raiseIncident(input: {{ {given}, {fields} }}) }}"
    return Operation(name, text)


_SINCE_1_0 = "$priority: IncidentPriority, $assignees: [String!], $startedAt: Long"
_SINCE_1_0_FIELDS = "priority: $priority, assigneeUrns: $assignees, startedAt: $startedAt"

# Since August 2026 the caller may choose the id, which makes raising repeatable.
RAISE_WITH_ID = _raise("incidentGateRaise", f"{_SINCE_1_0}, $id: String", f"{_SINCE_1_0_FIELDS}, id: $id")
# From 1.0: priority is an enum, and there are assignees.
RAISE_NAMED_PRIORITY = _raise("incidentGateRaise", _SINCE_1_0, _SINCE_1_0_FIELDS)
# Up to 0.15: priority is an int.
RAISE_NUMBERED_PRIORITY = _raise("incidentGateRaise", "$priority: Int", "priority: $priority")


def _status(name: str, fields: str) -> Operation:
    text = f"updateIncidentStatus(urn: $urn, input: {{ {fields}, message: $message }})"
    return Operation(name, f"mutation {name}($urn: String!, $message: String) {{ {text} }}")


KEEP = _status("incidentGateKeep", "state: ACTIVE")
# Stages came with 1.0.
RESOLVE_FIXED = _status("incidentGateResolve", "state: RESOLVED, stage: FIXED")
RESOLVE = _status("incidentGateResolve", "state: RESOLVED")

# From the primary store, so without the search index's lag.
INCIDENT = Operation(
    "incidentGateIncident",
    "query incidentGateIncident($urn: String!) "
    "{ entity(urn: $urn) { urn ... on Incident { status { state } created { time } } } }",
)
