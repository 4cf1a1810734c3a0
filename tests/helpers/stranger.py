"""A DataHub that the stand-in knows nothing of: an own small schema and server, with refusals in any words."""

import json
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Any, Self

from graphql import DocumentNode, build_schema, execute_sync, parse, validate

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


@dataclass(frozen=True, slots=True)
class Reply:
    """An HTTP answer: a status, and a body as JSON or, if it is text, as it stands."""

    status: int
    body: object


def _in_graphql_javas_words(fault: str) -> Reply:
    error = {"message": f"Validation error: {fault}", "extensions": {"classification": "ValidationError"}}
    return Reply(200, {"data": None, "errors": [error]})


@dataclass(kw_only=True)
class Stranger:
    """A server on a port of its own while it is entered.

    `introspection` is answered instead of the schema; `refusal` words what the schema does not allow; `interrupt` may
    answer in the place of any execution, told the operation's name and its variables. `incidents` are listed by asset.
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
        self._server = _Server(self)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    @property
    def url(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def add_incident(self, asset: str, **fields: object) -> None:
        """An active incident of somebody's."""
        listed = self.incidents.setdefault(asset, [])
        incident = {"urn": f"urn:li:incident:{asset[-12:]}{len(listed)}", "status": {"state": "ACTIVE"}}
        listed.append(incident | {"incidentType": "OPERATIONAL", "created": {"time": 1_000.0}} | fields)

    def answer(self, asked: Mapping[str, Any]) -> Reply:
        """What comes back for a body."""
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
        return Reply(200, result.formatted)

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


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, stranger: Stranger) -> None:
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            disable_nagle_algorithm = True

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["content-length"])))
                reply = stranger.answer(asked)
                text = isinstance(reply.body, str)
                body = (reply.body if isinstance(reply.body, str) else json.dumps(reply.body)).encode()
                self.send_response(reply.status)
                self.send_header("content-type", "text/html" if text else "application/json")
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        super().__init__(("127.0.0.1", 0), Handler)
