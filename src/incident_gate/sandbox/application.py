"""The routes of the stand-in: DataHub's own, and those under /sandbox that steer it."""

import re
from dataclasses import asdict
from importlib import resources
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from .exchange import answer_graphql
from .faults import FaultBook, Faults
from .state import ServerState

# Metadata service and UI at the root, DataHub Cloud's and the UI's proxies below it.
_GRAPHQL_PATHS = ("/api/graphql", "/gms/api/graphql", "/api/gms/api/graphql", "/api/gms/graphql")
_PREFIXES = ("", "/gms", "/api/gms")
# Where DataHub's REST interfaces begin; the stand-in has none of them.
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

    async def anything_else(self, request: Request) -> Response:
        """The UI answers a GET of any path with its single page, also of paths that only take a POST."""
        if request.method in {"GET", "HEAD"} and not _REST.match(request.url.path):
            return HTMLResponse(_PAGE)
        # What a REST interface answers for what it does not know.
        message = f"No resource at {request.url.path}: this stand-in serves GraphQL only"
        return JSONResponse(
            {"exceptionClass": "com.linkedin.restli.server.RestLiServiceException", "status": 404, "message": message},
            status_code=404,
        )
