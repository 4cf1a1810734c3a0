"""A DataHub that the stand-in knows nothing of: an own small schema and server, with refusals in any words."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, Self

from graphql import DocumentNode, build_schema, execute_sync, parse, validate

from tests.helpers.services import Received, Reply, serving

_COMMON = """
enum IncidentState { ACTIVE RESOLVED }
type EntityIncidentsResult { total: Int! incidents: [Incident]! }
type IncidentStatus { state: IncidentState! }
"""
# No more than DataHub's own first example asks for.
MINIMAL = (
    _COMMON
    + """
type Query { dataset(urn: String!): Dataset entityExists(urn: String!): Boolean }
type Dataset { urn: String! incidents(state: IncidentState, start: Int, count: Int): EntityIncidentsResult }
type Incident { urn: String! title: String description: String status: IncidentStatus! }
"""
)
# As in 2022: nothing says that an asset exists but `entityExists`.
OLD = (
    _COMMON
    + """
interface Entity { urn: String! }
type Query {
  dataset(urn: String!): Dataset
  entities(urns: [String!]!): [Entity]
  entityExists(urn: String!): Boolean
}
type Dataset implements Entity {
  urn: String!
  status: Status
  siblings: SiblingProperties
  incidents(state: IncidentState, start: Int, count: Int): EntityIncidentsResult
}
type Status { removed: Boolean! }
type SiblingProperties { siblings: [Entity] }
type AuditStamp { time: Float! }
type Incident implements Entity {
  urn: String!
  title: String
  description: String
  incidentType: String!
  customType: String
  priority: Int
  created: AuditStamp!
  status: IncidentStatus!
}
"""
)


def _in_graphql_javas_words(fault: str) -> Reply:
    error = {"message": f"Validation error: {fault}", "extensions": {"classification": "ValidationError"}}
    return Reply.of({"data": None, "errors": [error]})


@dataclass(kw_only=True)
class Stranger:
    """A server on a port of its own while it is entered.

    `introspection` is answered instead of the schema; `refusal` words what the schema does not allow; `interrupt` may
    answer in the place of any execution, by the operation's name and its variables. `incidents` are listed by asset.
    """

    sdl: str
    introspection: Reply | None = None
    refusal: Callable[[str], Reply] = _in_graphql_javas_words
    interrupt: Callable[[str, Mapping[str, Any]], Reply | None] = lambda _name, _variables: None
    assets: set[str] = field(default_factory=set)
    removed: set[str] = field(default_factory=set)
    siblings: dict[str, str] = field(default_factory=dict)
    incidents: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    operations: list[str] = field(default_factory=list)

    def __enter__(self) -> Self:
        self._serving = serving(self)
        self.url = self._serving.__enter__()
        return self

    def __exit__(self, *error: object) -> None:
        self._serving.__exit__(None, None, None)

    def add_incident(self, asset: str, **fields: object) -> None:
        """An active incident of somebody's."""
        listed = self.incidents.setdefault(asset, [])
        incident = {"urn": f"urn:li:incident:{asset[-12:]}{len(listed)}", "status": {"state": "ACTIVE"}}
        listed.append(incident | {"incidentType": "OPERATIONAL", "created": {"time": 1_000.0}} | fields)

    def __call__(self, request: Received) -> Reply:
        """What comes back for a request."""
        asked = request.json
        name, variables = asked["operationName"], asked["variables"]
        self.operations.append(name)
        if self.introspection and "__schema" in asked["query"]:
            return self.introspection
        document, fault = _checked(self.sdl, asked["query"])
        if fault:
            return self.refusal(fault)
        if reply := self.interrupt(name, variables):
            return reply
        root = {
            "dataset": lambda _info, urn: self._dataset(urn),
            "entities": lambda _info, urns: [self._dataset(urn) for urn in urns],
            "entityExists": lambda _info, urn: urn in self.assets,
        }
        result = execute_sync(_schema(self.sdl), document, root, variable_values=variables, operation_name=name)
        return Reply.of(result.formatted)

    def _dataset(self, urn: str) -> dict[str, Any]:
        sibling = self.siblings.get(urn)
        return {
            "__typename": "Dataset",
            "urn": urn,
            "status": {"removed": True} if urn in self.removed else None,
            "siblings": lambda _info: {"siblings": [self._dataset(sibling)]} if sibling else None,
            "incidents": lambda _info, **page: self._page(urn, **page),
        }

    def _page(self, urn: str, *, start: int, count: int, state: str = "") -> dict[str, Any]:
        found = [i for i in self.incidents.get(urn, ()) if state in {"", i["status"]["state"]}]
        return {"total": len(found), "incidents": found[start : start + count]}


_schema = lru_cache(build_schema)


@lru_cache
def _checked(sdl: str, query: str) -> tuple[DocumentNode, str]:
    """The document, and its first fault under the schema. Tests ask the same queries again and again."""
    document = parse(query)
    faults = validate(_schema(sdl), document)
    return document, faults[0].message if faults else ""
