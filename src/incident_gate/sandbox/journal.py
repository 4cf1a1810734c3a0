"""The requests that a server received, for tests to look at."""

import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, overload


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GraphQL request as it came in; `at` is monotonic time in seconds."""

    operation: str | None
    query: str
    variables: Mapping[str, Any]
    headers: Mapping[str, str]
    path: str
    at: float


class Journal(Sequence[Request]):
    """Requests in the order of their arrival. Safe to use from several threads."""

    def __init__(self) -> None:
        self._requests: list[Request] = []
        self._lock = threading.Lock()

    def add(self, request: Request) -> None:
        """Note one more."""
        with self._lock:
            self._requests.append(request)

    def clear(self) -> None:
        """Forget all of them."""
        with self._lock:
            self._requests.clear()

    @property
    def operations(self) -> list[str | None]:
        """The operation names, in order."""
        return [request.operation for request in self]

    def __iter__(self) -> Iterator[Request]:
        """Go through the requests received so far."""
        with self._lock:
            return iter(tuple(self._requests))

    def __len__(self) -> int:
        """How many were received."""
        with self._lock:
            return len(self._requests)

    @overload
    def __getitem__(self, index: int) -> Request: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Request]: ...
    def __getitem__(self, index: int | slice) -> Request | Sequence[Request]:
        """One request, or some of them."""
        with self._lock:
            return self._requests[index]
