"""One request's surroundings, shared by everything that resolves its fields."""

from dataclasses import dataclass
from typing import Any

from .failure import Code, ResolverError
from .faults import FaultBook, Faults, Strike
from .generation import Generation
from .grant import Grant
from .store import Store
from .urn import MalformedUrnError, Urn, parse_urn


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The server, the token's privileges and what goes wrong; `walks` caches walks along the lineage."""

    store: Store
    generation: Generation
    grant: Grant
    book: FaultBook
    strike: Strike
    walks: dict[Any, tuple[float, Any]]

    @property
    def faults(self) -> Faults:
        """What the server gets wrong."""
        return self.book.faults


def requested_urn(text: str) -> Urn:
    """Parse a URN that a client sent.

    Raises:
        ResolverError: as the server does for what it cannot read.
    """
    try:
        return parse_urn(text)
    except MalformedUrnError as error:
        raise ResolverError(str(error), Code.SERVER_ERROR) from error
