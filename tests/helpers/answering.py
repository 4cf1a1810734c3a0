"""A client whose server is a function: for answers that no sandbox gives, and for what is asked."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import httpx

from incident_gate.datahub.client import Client
from incident_gate.datahub.parallel import Deadline


@dataclass
class AnsweringServer:
    """Answers each request by a function of its operation's name and its variables.

    What the function returns is `data`, or the whole answer if it is a response. The clock runs while a reader waits.
    """

    answer: Callable[[str, dict[str, Any]], object]
    seconds: float = 60.0
    now: float = 0.0
    requests: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    documents: list[str] = field(default_factory=list)
    waits: list[float] = field(default_factory=list)

    @contextmanager
    def client(self) -> Iterator[Client]:
        """A client of this server."""
        with httpx.Client(transport=httpx.MockTransport(self._respond)) as http:
            yield Client(
                http, "http://datahub.example/api/graphql", Deadline(self.seconds, lambda: self.now), sleep=self.sleep
            )

    def sleep(self, seconds: float) -> None:
        """Waits on the server's own clock."""
        self.waits.append(seconds)
        self.now += seconds

    def _respond(self, request: httpx.Request) -> httpx.Response:
        body = json.loads(request.content)
        self.requests.append((body["operationName"], body["variables"]))
        self.documents.append(body["query"])
        answer = self.answer(body["operationName"], body["variables"])
        return answer if isinstance(answer, httpx.Response) else httpx.Response(200, json={"data": answer})


def failing(*path: str | int, data: object = None, code: int = 500, message: str = "it throws") -> httpx.Response:
    """An answer with one error."""
    error = {"message": message, "path": list(path), "extensions": {"code": code}}
    return httpx.Response(200, json={"data": data, "errors": [error]})
