"""The part of a server that outlives its requests, shared by its HTTP side and its owner."""

from collections.abc import Callable, Sequence
from typing import Any

from .call import Call
from .document import Prepared
from .engine import Payload, answer, prepared
from .faults import FaultBook, Faults, Strike
from .generation import Generation
from .grant import ANY_TOKEN, Grant
from .journal import Journal, Request
from .store import Store


class ServerState:
    """Data, faults, tokens and requests of one server.

    Args:
        generation: the server's generation.
        grants: the tokens that it accepts.
        faults: what it gets wrong at the start.
        store: its data.
        seed: puts the data there that a reset goes back to.
    """

    def __init__(
        self,
        generation: Generation,
        grants: Sequence[Grant],
        faults: Faults,
        store: Store,
        seed: Callable[[Store], None],
    ) -> None:
        self.generation = generation
        self.store = store
        self.requests = Journal()
        self.book = FaultBook(faults)
        self.on_request: Callable[[Request], None] | None = None
        self._grants = {grant.token: grant for grant in grants}
        self._seed = seed
        self._walks: dict[Any, tuple[float, Any]] = {}

    def grant_for(self, authorization: str | None) -> Grant | None:
        """The privileges that come with an Authorization header, or None when it is not accepted."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        return self._grants.get(token.strip()) or self._grants.get(ANY_TOKEN)

    def prepare(self, text: str) -> Prepared:
        """Parse and validate a document."""
        return prepared(text, self.generation, self.book.faults)

    def execute(
        self, document: Prepared, variables: dict[str, Any], operation: str | None, grant: Grant, strike: Strike
    ) -> Payload:
        """Execute a document for the bearer of `grant`."""
        call = Call(
            store=self.store,
            generation=self.generation,
            grant=grant,
            book=self.book,
            strike=strike,
            walks=self._walks,
        )
        return answer(document, variables, operation, call)

    def reset(self) -> None:
        """Back to the beginning: the seed's data, no faults, no requests."""
        self.store.clear()
        self._seed(self.store)
        self.requests.clear()
        self._walks.clear()
        self.book = FaultBook(Faults())
