"""The HTTP side: the routes, GraphQL requests with the faults on their way, and connections that break off."""

import asyncio
import contextlib
import json
import re
import socket
import struct
import time
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

from .engine import Prepared, ServerState
from .entities import INGESTED, ingested_aspects, record_name
from .failure import Code
from .faults import Fault, FaultBook, FaultKind, Faults, Strike
from .records import MalformedUrnError, parse_urn
from .request import Grant, Request

_TRANSPORT = "transport"


class BreakableProtocol(H11Protocol):
    """HTTP/1.1 that hands its transport to the application, in the scope's state."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Begin a connection."""
        super().connection_made(transport)
        self.app_state = {**self.app_state, _TRANSPORT: transport}


class Dropped(Response):
    """No answer: the connection is reset."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Break the connection off, and wait for that: otherwise the server sends an answer of its own."""
        del send
        transport = scope["state"][_TRANSPORT]
        raw = transport.get_extra_info("socket")
        with contextlib.suppress(OSError):
            # Linger of zero seconds: the peer sees a reset instead of an orderly end.
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        transport.abort()
        while (await receive())["type"] != "http.disconnect":
            pass


_LOGIN_PAGE = """<!doctype html><html><head><title>Sign in</title></head>
<body><form action="/login" method="post"><input name="username"><input name="password" type="password"></form></body>
</html>"""

# The servlet container's answer when the authentication filter refuses: not JSON, and not GraphQL.
UNAUTHORIZED_PAGE = "<html><body><h2>HTTP ERROR 401 Unauthorized to perform this action.</h2></body></html>"

_FOREVER = 3_600.0


async def answer_graphql(state: ServerState, http: HttpRequest) -> Response:
    """Answer a POST to one of the GraphQL paths."""
    text = (await http.body()).decode("utf-8", errors="replace")
    try:
        body = json.loads(text)
        query, variables, operation = body["query"], body.get("variables"), body.get("operationName")
        variables = {} if variables is None else variables
        well_formed = isinstance(query, str) and isinstance(variables, dict)
    except (ValueError, LookupError, TypeError, AttributeError):
        well_formed = False
    if not well_formed:
        return JSONResponse({"error": "Invalid request: a JSON object with a query is expected"}, status_code=400)
    prepared = state.prepare(query)
    name = operation or (prepared.names[0] if len(prepared.names) == 1 else None)
    request = Request(
        operation=name,
        query=query,
        variables=variables,
        headers=dict(http.headers),
        path=http.url.path,
        at=time.monotonic(),
    )
    state.requests.append(request)
    if state.on_request is not None:
        state.on_request(request)
    strike = state.book.strike((*((name,) if name else ()), *prepared.root_fields), text)
    exchange = _Exchange(state, http, prepared, variables, operation, strike)
    return await exchange.answer()


@dataclass(frozen=True, slots=True)
class _Exchange:
    _state: ServerState
    _http: HttpRequest
    _prepared: Prepared
    _variables: Mapping[str, Any]
    _operation: str | None
    _strike: Strike

    async def answer(self) -> Response:
        await self._wait(self._state.book.faults.latency)
        await self._wait(sum(fault.seconds for fault in self._strike.request if fault.kind is FaultKind.LATENCY))
        if fault := self._strike.first(*_IN_FRONT):
            return await _IN_FRONT[fault.kind](self, fault)
        grant = self._state.grant_for(self._http.headers.get("authorization"))
        if grant is None:
            return HTMLResponse(UNAUTHORIZED_PAGE, status_code=401)
        if fault := self._strike.first(*_BEHIND):
            return await _BEHIND[fault.kind](self, fault, lambda: self._execute(grant))
        return JSONResponse(self._execute(grant))

    def _execute(self, grant: Grant) -> dict[str, Any]:
        return self._state.execute(self._prepared, dict(self._variables), self._operation, grant, self._strike)

    # In front of the server: nothing is executed.

    async def status(self, fault: Fault) -> Response:
        headers = {} if fault.retry_after is None else {"Retry-After": fault.retry_after}
        return Response(fault.body, status_code=fault.status, headers=headers, media_type="text/plain")

    async def rate_limit(self, fault: Fault) -> Response:
        headers = {"X-DataHub-RateLimit-Limit": "100", "X-DataHub-RateLimit-Remaining": "0"}
        if fault.retry_after is not None:
            headers |= {"Retry-After": fault.retry_after, "X-DataHub-RateLimit-Reset": fault.retry_after}
        return JSONResponse({"error": "Rate limit exceeded"}, status_code=429, headers=headers)

    async def html(self, fault: Fault) -> Response:
        return HTMLResponse(fault.body or _LOGIN_PAGE)

    async def redirect(self, fault: Fault) -> Response:
        return RedirectResponse(fault.location, status_code=302)

    async def drop(self, _fault: Fault) -> Response:
        return Dropped()

    async def hang(self, fault: Fault) -> Response:
        await self._wait(fault.seconds or _FOREVER)
        return Dropped()

    # Behind it: executed now or later, and answered otherwise than expected.

    async def graphql_error(self, fault: Fault, _execute: "_Execution") -> Response:
        return JSONResponse(self._failed(fault))

    async def graphql_error_after(self, fault: Fault, execute: "_Execution") -> Response:
        execute()
        return JSONResponse(self._failed(fault))

    async def status_after(self, fault: Fault, execute: "_Execution") -> Response:
        execute()
        return await self.status(fault)

    async def drop_after(self, _fault: Fault, execute: "_Execution") -> Response:
        execute()
        return Dropped()

    async def hang_after(self, fault: Fault, execute: "_Execution") -> Response:
        execute()
        return await self.hang(fault)

    async def delayed_write(self, fault: Fault, execute: "_Execution") -> Response:
        asyncio.get_running_loop().call_later(fault.seconds, execute)
        return Dropped()

    async def twice(self, _fault: Fault, execute: "_Execution") -> Response:
        execute()
        return JSONResponse(execute())

    def _failed(self, fault: Fault) -> dict[str, Any]:
        """Every field at the root failed with the fault's code."""
        code = Code(fault.code)
        extensions = {"code": code.value, "type": code.name, "classification": "DataFetchingException"}
        names = self._prepared.root_fields
        return {
            "data": dict.fromkeys(names),
            "errors": [
                {"message": "An unknown error occurred.", "locations": [], "path": [name], "extensions": extensions}
                for name in names
            ],
        }

    async def _wait(self, seconds: float) -> None:
        if seconds > 0:
            await asyncio.sleep(seconds)


_Execution = Callable[[], dict[str, Any]]

_IN_FRONT = {
    FaultKind.STATUS: _Exchange.status,
    FaultKind.RATE_LIMIT: _Exchange.rate_limit,
    FaultKind.HTML: _Exchange.html,
    FaultKind.REDIRECT: _Exchange.redirect,
    FaultKind.DROP_BEFORE: _Exchange.drop,
    FaultKind.HANG: _Exchange.hang,
}

_BEHIND = {
    FaultKind.GRAPHQL_ERROR: _Exchange.graphql_error,
    FaultKind.GRAPHQL_ERROR_AFTER: _Exchange.graphql_error_after,
    FaultKind.STATUS_AFTER: _Exchange.status_after,
    FaultKind.DROP_AFTER: _Exchange.drop_after,
    FaultKind.HANG_AFTER: _Exchange.hang_after,
    FaultKind.DELAYED_WRITE: _Exchange.delayed_write,
    FaultKind.TWICE: _Exchange.twice,
}


# Metadata service and UI at the root, DataHub Cloud's and the UI's proxies below it.
_GRAPHQL_PATHS = ("/api/graphql", "/gms/api/graphql", "/api/gms/api/graphql", "/api/gms/graphql")
_PREFIXES = ("", "/gms", "/api/gms")
# Where DataHub's REST interfaces begin; the sandbox reads aspects there, and nothing else.
_REST = re.compile(
    r"(/gms|/api/gms)?/(aspects|entities|entitiesV2|entitiesVersionedV2|relationships|runs|usageStats|operations|openapi"
    r"|analytics|platform|test|api/v2)(/|$)"
)
_PAGE = (
    "<!doctype html><html><head><title>DataHub</title></head><body>The sandbox has no pages. "
    '<a href="/api/graphiql">Query its GraphQL API</a> instead.</body></html>'
)
_METHODS = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"]


def build_application(state: ServerState) -> Starlette:
    """Build the ASGI application around `state`."""
    routes = _Routes(state)
    return Starlette(
        routes=[
            *(Route(path, routes.graphql, methods=["POST"]) for path in _GRAPHQL_PATHS),
            *(Route(f"{prefix}/config", routes.config) for prefix in _PREFIXES),
            *(Route(f"{prefix}/health", routes.health) for prefix in _PREFIXES),
            *(Route(f"{prefix}/aspects/{{urn:path}}", routes.aspect, methods=["GET"]) for prefix in _PREFIXES),
            *(Route(f"{prefix}/entitiesV2/{{urn:path}}", routes.entity, methods=["GET"]) for prefix in _PREFIXES),
            Route("/api/graphiql", routes.page),
            Route("/sandbox/faults", routes.set_faults, methods=["POST"]),
            Route("/sandbox/requests", routes.requests),
            Route("/sandbox/reset", routes.reset, methods=["POST"]),
            Route("/{path:path}", routes.anything_else, methods=_METHODS),
        ]
    )


class _Routes:
    def __init__(self, state: ServerState) -> None:
        self._state = state

    async def graphql(self, request: HttpRequest) -> Response:
        return await answer_graphql(self._state, request)

    async def config(self, _request: HttpRequest) -> Response:
        """What DataHub's SDK reads when it connects."""
        return JSONResponse(
            {
                "noCode": "true",
                "models": {},
                "versions": {"acryldata/datahub": {"version": self._state.generation.version, "commit": "sandbox"}},
                "managedIngestion": {"defaultCliVersion": "", "enabled": False},
                "statefulIngestionCapable": True,
                "supportsImpactAnalysis": True,
                "patchCapable": True,
                "telemetry": {"enabledCli": False, "enabledIngestion": False},
                "datahub": {
                    "serverType": "prod" if self._state.generation.is_cloud else "quickstart",
                    "serverEnv": "cloud" if self._state.generation.is_cloud else "core",
                },
            }
        )

    async def health(self, _request: HttpRequest) -> Response:
        return Response(status_code=200)

    async def page(self, _request: HttpRequest) -> Response:
        page = resources.files(__package__) / "graphiql.html"
        return HTMLResponse(page.read_text(encoding="utf-8"))

    async def set_faults(self, request: HttpRequest) -> Response:
        try:
            faults = Faults.from_json(await request.json())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        self._state.book = FaultBook(faults)
        return JSONResponse(asdict(faults))

    async def requests(self, _request: HttpRequest) -> Response:
        found: list[dict[str, Any]] = [asdict(item) for item in self._state.requests]
        for item in found:
            item["headers"] = {
                name: "***" if name == "authorization" else value for name, value in item["headers"].items()
            }
        return JSONResponse({"requests": found})

    async def reset(self, _request: HttpRequest) -> Response:
        self._state.reset()
        return JSONResponse({"reset": True})

    async def aspect(self, request: HttpRequest) -> Response:
        """One aspect, as `datahub exists` reads it."""
        found = self._aspects(request)
        if isinstance(found, Response):
            return found
        name = request.query_params.get("aspect", "")
        if name in found:
            return JSONResponse({"version": 0, "aspect": {record_name(name): found[name]}})
        return _not_found(request) if name in INGESTED or name.endswith("Key") else _not_served(request)

    async def entity(self, request: HttpRequest) -> Response:
        """Every aspect, as `datahub get` reads them."""
        found = self._aspects(request)
        if isinstance(found, Response):
            return found
        urn = request.path_params["urn"]
        aspects = {
            name: {"name": name, "type": "VERSIONED", "version": 0, "value": value} for name, value in found.items()
        }
        return JSONResponse({"urn": urn, "entityName": parse_urn(urn).kind, "aspects": aspects})

    def _aspects(self, request: HttpRequest) -> dict[str, Any] | Response:
        """What was ingested of the asset in the path, or the answer why there is nothing."""
        if self._state.grant_for(request.headers.get("authorization")) is None:
            return HTMLResponse(UNAUTHORIZED_PAGE, status_code=401)
        try:
            urn = parse_urn(request.path_params["urn"])
        except MalformedUrnError as error:
            return _refusal(400, str(error))
        if urn.kind in {"incident", "assertion"}:
            return _not_served(request)
        asset = self._state.store.assets([urn.text]).get(urn.text)
        return _not_found(request) if asset is None else ingested_aspects(urn, asset)

    async def anything_else(self, request: HttpRequest) -> Response:
        """The UI answers a GET of any path with its single page, also of paths that only take a POST."""
        if _REST.match(request.url.path):
            return _not_served(request)
        return HTMLResponse(_PAGE) if request.method in {"GET", "HEAD"} else _not_found(request)


def _not_found(request: HttpRequest) -> Response:
    return _refusal(404, f"No resource at {request.url.path}")


def _not_served(request: HttpRequest) -> Response:
    """An interface that DataHub has: 404 would mean that the asset does not exist."""
    return _refusal(501, f"The sandbox does not serve {request.method} {request.url.path}, only GraphQL and aspects")


def _refusal(status: int, message: str) -> Response:
    answer = {
        "exceptionClass": "com.linkedin.restli.server.RestLiServiceException",
        "status": status,
        "message": message,
    }
    return JSONResponse(answer, status_code=status)
