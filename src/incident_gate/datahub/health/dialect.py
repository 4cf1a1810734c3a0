"""The form of question that one server understands, found with at most one look at its schema."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TypeVar

from incident_gate.datahub import queries
from incident_gate.datahub.capabilities import Capabilities, schema_from_introspection
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import Failure, RequestFailure
from incident_gate.errors import RefusedError, UnreachableError

T = TypeVar("T")


class Dialect:
    """Begins with what a current server understands, and learns when a question is refused. Shared by threads."""

    def __init__(self, client: Client) -> None:
        self.schema = Capabilities()
        self._client = client
        self._lock = threading.Lock()
        self._looked = False
        self._learned: Capabilities | None = None
        self._lacking: set[str] = set()

    def speak(self, ask: Callable[[Capabilities], T]) -> T:
        """Ask in the form that is known to work, and in another one if that is refused.

        A refused field fails the whole request before anything runs, so nothing is lost but the time.

        Raises:
            RefusedError: Even the oldest form is refused.
        """
        while True:
            schema = self.schema
            try:
                return ask(schema)
            except RequestFailure as failure:
                with self._lock:
                    if self.schema is schema:
                        self.schema = self._next(schema, failure)

    def try_apart(self, feature: str, ask: Callable[[], None]) -> None:
        """Ask for something that the server may not have; after one refusal it is not asked again."""
        if feature in self._lacking:
            return
        try:
            ask()
        except RequestFailure:
            self._lacking.add(feature)

    def _next(self, refused: Capabilities, failure: RequestFailure) -> Capabilities:
        if not refused.probe:
            learned = self._look()
            return learned if learned and learned != refused else Capabilities.seed()
        if refused != Capabilities.barest():
            return Capabilities.barest()
        raise RefusedError(
            f"The server answers GraphQL but refuses the simplest question about a dataset's incidents: {failure}.",
            hint="Check that datahub-url is DataHub's, of 2022 or later.",
        ) from failure

    def _look(self) -> Capabilities | None:
        """What the schema asks for, looked at once; None if the server will not tell."""
        if not self._looked:
            self._looked = True
            try:
                # Not repeatable, so that a proxy that lets no introspection through does not cost the time for retries.
                answer = self._client.execute(queries.INTROSPECTION, {}, repeatable=False, assets=0)
                self._learned = schema_from_introspection(answer.data)
            except (Failure, RefusedError, UnreachableError):
                # It can be switched off, in many ways; whoever refuses the token has refused the question before.
                self._learned = None
        return self._learned
