"""Selectors against the stand-in: a client that counts its requests, and assets in a row."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from incident_gate.datahub.client import AWAITED, Client, RequestLog
from incident_gate.datahub.graph.lookup import look_up
from incident_gate.datahub.parallel import Deadline
from incident_gate.incident import Reason
from incident_gate.manifest.model import Search
from incident_gate.sandbox import Sandbox
from incident_gate.select.selection import SelectorResult
from incident_gate.select.server import select_matches, select_upstreams, urns_of
from incident_gate.urn import parse_urn
from tests.helpers.asking import plain_client


def table(name: str, platform: str = "snowflake") -> str:
    """A dataset's URN."""
    return f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)"


@dataclass(slots=True)
class Selecting:
    """Asks one server, and keeps account of the requests."""

    client: Client
    request_logs: list[RequestLog] = field(default_factory=list)

    def upstreams(self, *starts: str | tuple[str, ...], hops: Any = 1, at_most: int = 500) -> SelectorResult:
        """What the assets are made from; several URNs may be one asset."""
        urns = [tuple(map(parse_urn, (start,) if isinstance(start, str) else start)) for start in starts]
        lookup = look_up(self.client, [urn.text for asset in urns for urn in asset])
        return select_upstreams(self.client, lookup, urns, hops, at_most=at_most)

    def matches(self, **conditions: Any) -> SelectorResult:
        """What a search finds."""
        search = Search(**conditions)
        return select_matches(self.client, look_up(self.client, urns_of(search)), search, at_most=500)


@contextmanager
def selecting(server: Sandbox, token: str | None = None) -> Iterator[Selecting]:
    """A client of the server."""
    request_logs: list[RequestLog] = []
    headers = {"Authorization": f"Bearer {token or server.token}"}

    def note(log: RequestLog) -> None:
        if log is not AWAITED:
            request_logs.append(log)

    with plain_client(headers=headers) as http:
        client = Client(http, f"{server.url}/api/graphql", Deadline.after(100), on_request=note)
        yield Selecting(client, request_logs)


def texts(choice: SelectorResult) -> list[str]:
    """The URNs of what was selected, in order."""
    return sorted(urns[0].text for urns in choice.assets)


def reasons(choice: SelectorResult) -> set[Reason]:
    """Why there may be more."""
    return {problem.reason for problem, _ in choice.problems}
