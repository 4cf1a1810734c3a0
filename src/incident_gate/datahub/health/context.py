"""What reading takes besides the assets, in one value."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

from incident_gate.datahub.bisection import Refusals
from incident_gate.datahub.capabilities import Capabilities, Discovery
from incident_gate.datahub.client import Client
from incident_gate.datahub.health.query import Depth, History


class ServerState:
    """What is known of one server: what one batch finds out serves the others. Threads share it.

    Args:
        client: Where to ask.
        schema: What is known already.

    Attributes:
        discovery: What the server can be asked.
        refusals: How many requests it refused in a row.
        has_entity_exists: False once it refused `entityExists`.
    """

    def __init__(self, client: Client, schema: Capabilities | None = None) -> None:
        self.discovery = Discovery(client, schema)
        self.refusals = Refusals()
        self.has_entity_exists = True


class Context(NamedTuple):
    """What reading takes.

    `client`: where to ask. `depth`: how much to read. `server`: what is known of it. `sleep`: waits for seconds.
    """

    client: Client
    depth: Depth
    server: ServerState
    sleep: Callable[[float], None]

    @property
    def has_history(self) -> bool:
        """Whether resolved incidents are read as well."""
        return self.depth.history is not History.NONE
