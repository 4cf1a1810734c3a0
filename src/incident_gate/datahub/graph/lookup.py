"""The first request of a run with selectors: the server's schema, and what is known of the entities that they name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from incident_gate.datahub.capabilities import (
    INTROSPECTION,
    VISIBILITY_FIELDS,
    Capabilities,
    capabilities_of,
    introspect,
)
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Answer, RequestFailure
from incident_gate.datahub.graph.lists import siblings_of
from incident_gate.datahub.health.answer import is_restricted
from incident_gate.json_values import at, mapping

MOST_URNS = 150  # in one request: each costs up to eleven of the 2,000 fields that servers allow
_FIELDS = {"exists": "exists", "status": "status { removed }", "siblings": "siblings { siblings { urn } }"}
_DATASET = "urn:li:dataset:"
_MARKER = VISIBILITY_FIELDS["dataset"]
_SCHEMA = INTROSPECTION.text.partition("{")[2].rpartition("}")[0].strip()


class Existence(NamedTuple):
    """What is known of one entity.

    `exists` is None where the server does not report it. `hidden`: the server shows nothing of it, and it may exist.
    `siblings` are the URNs of its siblings, None where one is hidden or they could not be read.
    """

    exists: bool | None = None
    removed: bool = False
    hidden: bool = False
    siblings: tuple[str, ...] | None = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Lookup:
    """What the first request brought. `schema` is None where the server hides it."""

    schema: Capabilities | None
    by_urn: Mapping[str, Existence]

    def of(self, urn: str) -> Existence:
        """What is known of an entity."""
        return self.by_urn.get(urn, Existence())


def look_up(client: Client, urns: Sequence[str]) -> Lookup:
    """Read the schema and look the entities up, in one request where the server accepts that.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    parts = [urns[start : start + MOST_URNS] for start in range(0, len(urns), MOST_URNS)] or [()]
    # Without `exists`, which the oldest servers lack; `entityExists` brings the same.
    answer = _execute(client, _lookup(parts[0], ("status", "siblings"), schema=_SCHEMA), parts[0])
    schema = capabilities_of(answer.data) if answer else introspect(client)
    by_urn = _decode(parts[0], answer) if answer else {}
    for part in parts[1:] if answer else parts:
        by_urn |= _look_up_part(client, schema, part)
    return Lookup(schema=schema, by_urn=by_urn)


def _look_up_part(client: Client, schema: Capabilities | None, part: Sequence[str]) -> Mapping[str, Existence]:
    """Look entities up with what the server has."""
    fields = [name for name in _FIELDS if schema is None or schema.has("Dataset", name)]
    operation = _lookup(part, fields, entity_exists=schema is None or schema.accepts("Query", "entityExists"))
    answer = _execute(client, operation, part) if part else None
    return _decode(part, answer) if answer else {}


def _lookup(urns: Sequence[str], fields: Sequence[str], *, schema: str = "", entity_exists: bool = True) -> Operation:
    own = " ".join(_FIELDS[name] for name in fields)
    texts = [schema] if schema else []
    for number, urn in enumerate(urns):
        if urn.startswith(_DATASET):
            texts.append(f"d{number}: dataset(urn: $u{number}) {{ urn {_MARKER} {own} }}")
        if entity_exists:
            texts.append(f"e{number}: entityExists(urn: $u{number})")
    if not entity_exists:
        texts.append("__typename")  # there may be no dataset among them
    name = INTROSPECTION.name if schema else "incidentGateLookup"
    declared = ", ".join(f"$u{number}: String!" for number in range(len(urns)))
    return Operation(name, f"query {name}{f'({declared})' if declared else ''} {{ {' '.join(texts)} }}")


def _execute(client: Client, operation: Operation, urns: Sequence[str]) -> Answer | None:
    """The answer; None where the server refuses the request."""
    try:
        return client.execute(operation, {f"u{i}": urn for i, urn in enumerate(urns)}, assets=len(urns))
    except RequestFailure:
        return None


def _decode(urns: Sequence[str], answer: Answer) -> dict[str, Existence]:
    found = {}
    for number, urn in enumerate(urns):
        own = mapping(answer.data, f"d{number}")
        own = own if own.get("urn") == urn else {}
        exists = next((x for x in (own.get("exists"), answer.data.get(f"e{number}")) if isinstance(x, bool)), None)
        # An error that leads nowhere may concern any of them.
        failed = any(not error.path or error.path[0] == f"d{number}" for error in answer.errors)
        removed = at(own, "status", "removed") is True
        hidden = urn.startswith(_DATASET) and (not own or is_restricted(own))
        found[urn] = Existence(exists, removed, hidden, None if failed else siblings_of(own, urn))
    return found
