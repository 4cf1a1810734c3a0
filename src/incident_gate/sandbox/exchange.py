"""One GraphQL request over HTTP, with the faults that it meets on its way."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request as HttpRequest
from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response

from .connection import Dropped
from .document import Prepared
from .failure import Code
from .faults import Fault, FaultKind, Strike
from .grant import Grant
from .journal import Request
from .state import ServerState

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


class _Exchange:
    def __init__(  # noqa: PLR0913, PLR0917 - one call, right above
        self,
        state: ServerState,
        http: HttpRequest,
        prepared: Prepared,
        variables: Mapping[str, Any],
        operation: str | None,
        strike: Strike,
    ) -> None:
        self._state = state
        self._http = http
        self._prepared = prepared
        self._variables = variables
        self._operation = operation
        self._strike = strike

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
