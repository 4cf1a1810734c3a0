"""TCP connections that the application can break off: HTTP servers offer no way to do so."""

import asyncio
import contextlib
import socket
import struct

from starlette.responses import Response
from starlette.types import Receive, Scope, Send
from uvicorn.protocols.http.h11_impl import H11Protocol

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
