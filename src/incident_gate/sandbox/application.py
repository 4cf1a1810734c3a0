"""The routes of the stand-in: DataHub's own, and those under /sandbox that steer it."""

import re
from dataclasses import asdict
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .aspects import INGESTED, ingested_aspects, record_name
from .exchange import UNAUTHORIZED_PAGE, answer_graphql
from .faults import FaultBook, Faults
from .state import ServerState
from .urn import MalformedUrnError, parse_urn

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

    async def graphql(self, request: Request) -> Response:
        return await answer_graphql(self._state, request)

    async def config(self, _request: Request) -> Response:
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

    async def health(self, _request: Request) -> Response:
        return Response(status_code=200)

    async def page(self, _request: Request) -> Response:
        page = resources.files(__package__) / "graphiql.html"
        return HTMLResponse(page.read_text(encoding="utf-8"))

    async def set_faults(self, request: Request) -> Response:
        try:
            faults = Faults.from_json(await request.json())
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            return JSONResponse({"error": str(error)}, status_code=400)
        self._state.book = FaultBook(faults)
        return JSONResponse(asdict(faults))

    async def requests(self, _request: Request) -> Response:
        found: list[dict[str, Any]] = [asdict(item) for item in self._state.requests]
        for item in found:
            item["headers"] = {
                name: "***" if name == "authorization" else value for name, value in item["headers"].items()
            }
        return JSONResponse({"requests": found})

    async def reset(self, _request: Request) -> Response:
        self._state.reset()
        return JSONResponse({"reset": True})

    async def aspect(self, request: Request) -> Response:
        """One aspect, as `datahub exists` reads it."""
        found = self._aspects(request)
        if isinstance(found, Response):
            return found
        name = request.query_params.get("aspect", "")
        if name in found:
            return JSONResponse({"version": 0, "aspect": {record_name(name): found[name]}})
        return _not_found(request) if name in INGESTED or name.endswith("Key") else _not_served(request)

    async def entity(self, request: Request) -> Response:
        """Every aspect, as `datahub get` reads them."""
        found = self._aspects(request)
        if isinstance(found, Response):
            return found
        urn = request.path_params["urn"]
        aspects = {
            name: {"name": name, "type": "VERSIONED", "version": 0, "value": value} for name, value in found.items()
        }
        return JSONResponse({"urn": urn, "entityName": parse_urn(urn).kind, "aspects": aspects})

    def _aspects(self, request: Request) -> dict[str, Any] | Response:
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

    async def anything_else(self, request: Request) -> Response:
        """The UI answers a GET of any path with its single page, also of paths that only take a POST."""
        if _REST.match(request.url.path):
            return _not_served(request)
        return HTMLResponse(_PAGE) if request.method in {"GET", "HEAD"} else _not_found(request)


def _not_found(request: Request) -> Response:
    return _refusal(404, f"No resource at {request.url.path}")


def _not_served(request: Request) -> Response:
    """An interface that DataHub has: 404 would mean that the asset does not exist."""
    return _refusal(501, f"The sandbox does not serve {request.method} {request.url.path}, only GraphQL and aspects")


def _refusal(status: int, message: str) -> Response:
    answer = {
        "exceptionClass": "com.linkedin.restli.server.RestLiServiceException",
        "status": status,
        "message": message,
    }
    return JSONResponse(answer, status_code=status)
