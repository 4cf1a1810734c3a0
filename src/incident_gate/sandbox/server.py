"""The sandbox as a running HTTP server."""

import asyncio
import contextlib
import logging
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import uvicorn

from .application import BreakableProtocol, build_application
from .engine import ServerState
from .faults import FaultBook, Faults
from .generation import Generation
from .request import Grant, Journal, Request
from .store import Store

DEFAULT_TOKEN = "sandbox-token"  # noqa: S105 - opens nothing but the sandbox

# Stopping takes milliseconds. A server that does not stop is an error, not a wait without end.
_STOP_SECONDS = 30.0


def _no_seed(_store: Store) -> None:
    """Start empty."""


class Sandbox:
    """A server in a thread of this process. `Sandbox.start(...)` makes one for the length of a with block."""

    def __init__(self, state: ServerState, listener: socket.socket, token: str) -> None:
        self._state = state
        self.token = token
        host, port = listener.getsockname()[:2]
        self.url = f"http://[{host}]:{port}" if ":" in host else f"http://{host}:{port}"

    @classmethod
    @contextlib.contextmanager
    def start(  # noqa: PLR0913 - every one has a default
        cls,
        *,
        schema: Generation | str = Generation.G4,
        tokens: Sequence[str | Grant] = (DEFAULT_TOKEN,),
        faults: Faults | None = None,
        data: Path | None = None,
        host: str = "127.0.0.1",
        port: int = 0,
        seed: Callable[[Store], None] = _no_seed,
    ) -> Iterator["Sandbox"]:
        """Serve a generation of DataHub until the block ends.

        A `Grant` among the `tokens` lists what it may do, a plain text may do everything. `data` is the SQLite file
        that keeps the data; without one it is gone afterwards. `seed` puts data into an empty store at the start and
        after each reset.
        """
        grants = [token if isinstance(token, Grant) else Grant(token=token) for token in tokens]
        with contextlib.closing(Store(data)) as store, contextlib.closing(_listen(host, port)) as listener:
            if not store.documents():
                seed(store)
            state = ServerState(Generation(schema), grants, faults or Faults(), store, seed)
            with _serving(state, listener):
                yield cls(state, listener, grants[0].token if grants else "")

    @property
    def store(self) -> Store:
        """The server's data."""
        return self._state.store

    @property
    def requests(self) -> Journal:
        """The GraphQL requests received so far."""
        return self._state.requests

    @property
    def on_request(self) -> Callable[[Request], None] | None:
        """Called with each GraphQL request before it is executed: to change data between two requests of a client."""
        return self._state.on_request

    @on_request.setter
    def on_request(self, function: Callable[[Request], None] | None) -> None:
        self._state.on_request = function

    @property
    def generation(self) -> Generation:
        """The generation of DataHub that the server stands for."""
        return self._state.generation

    @property
    def faults(self) -> Faults:
        """What the server gets wrong. Setting it starts the counting of its rules anew."""
        return self._state.book.faults

    @faults.setter
    def faults(self, faults: Faults) -> None:
        self._state.book = FaultBook(faults)


class _Server(uvicorn.Server):
    """A server that starts and stops at once; uvicorn's own looks every tenth of a second, and waits for clients."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.ready = threading.Event()
        self._stop = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def stop(self) -> None:
        """Stop from another thread."""
        if self._loop is not None:
            self._loop.call_soon_threadsafe(self._stop.set)

    async def main_loop(self) -> None:
        """Serve until `stop` is called."""
        self._loop = asyncio.get_running_loop()
        await self.on_tick(0)
        self.ready.set()
        await self._stop.wait()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Break off what is left: a client may be hanging on purpose."""
        # asyncio accepts each connection in a task of its own. The task fails, and forgets the socket, if the server is
        # closed meanwhile; and until it ends, uvicorn does not list the connection. So accept no more and wait first.
        for listener in sockets or ():
            asyncio.get_running_loop().remove_reader(listener)
        accepting = asyncio.all_tasks() - {asyncio.current_task()} - self.server_state.tasks
        await asyncio.gather(*accepting, return_exceptions=True)
        for server in self.servers:
            server.close()
        for connection in list(self.server_state.connections):
            connection.transport.abort()
        for task in list(self.server_state.tasks):
            task.cancel()
        await asyncio.gather(*self.server_state.tasks, return_exceptions=True)
        # One turn of the loop, in which the aborted connections close their sockets.
        await asyncio.sleep(0)


@contextlib.contextmanager
def _serving(state: ServerState, listener: socket.socket) -> Iterator[None]:
    logging.getLogger("uvicorn.error").setLevel(logging.CRITICAL)
    config = uvicorn.Config(
        build_application(state),
        http=BreakableProtocol,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
    )
    server = _Server(config)
    thread = threading.Thread(target=asyncio.run, args=(server.serve([listener]),), name="sandbox", daemon=True)
    thread.start()
    while not server.ready.wait(timeout=0.1):
        if not thread.is_alive():
            raise RuntimeError("the sandbox's server ended while it was starting")
    try:
        yield
    finally:
        server.stop()
        thread.join(_STOP_SECONDS)
        if thread.is_alive():
            raise RuntimeError("the sandbox's server does not stop")


def _listen(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    # With the protocol named, asyncio switches Nagle's algorithm off; without it each answer takes 40 ms longer.
    listener = socket.socket(family, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
        listener.listen(2_048)
    except OSError as error:
        listener.close()
        reason = error.strerror or str(error)
        raise OSError(f"Cannot listen on {host}, port {port}: {reason}; choose another with --port") from error
    return listener
