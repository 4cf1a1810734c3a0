"""The requests that a server received, for tests to look at."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GraphQL request as it came in; `at` is monotonic time in seconds."""

    operation: str | None
    query: str
    variables: Mapping[str, Any]
    headers: Mapping[str, str]
    path: str
    at: float


class Journal(list[Request]):
    """Requests in the order of their arrival."""

    @property
    def operations(self) -> list[str | None]:
        """The operation names, in order."""
        return [request.operation for request in self]
