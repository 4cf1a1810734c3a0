"""One request about a list of assets, in the form that the server accepts, and an element of the answer for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, TypeVar

from incident_gate.datahub import queries
from incident_gate.datahub.capabilities import Capabilities, Selection
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Answer
from incident_gate.datahub.health.element import Element, split_by_alias, split_by_urn
from incident_gate.datahub.queries import Group

T = TypeVar("T")


class Asset(NamedTuple):
    """An asset to ask about; `kind` is the word in its URN that names its type."""

    kind: str
    urn: str


class Page(NamedTuple):
    """The part of every list that is asked for. Servers cut it to a size of their own."""

    start: int = 0
    size: int = 100

    @property
    def variables(self) -> dict[str, object]:
        """Those that every query of a list has."""
        return {"start": self.start, "count": self.size}


FIRST = Page()


def ask(
    client: Client, capabilities: Capabilities, groups: Mapping[Selection, Sequence[Asset]], page: Page = FIRST
) -> dict[Selection, list[Element]]:
    """Ask about assets in one request.

    Args:
        client: Where to ask.
        capabilities: What the server understands. Without `entities`, all assets are of one kind and one group.
        groups: The assets, by what to read of them.
        page: Of each list.

    Returns:
        An element for each asset of each group.

    Raises:
        RequestFailure: The server refuses the request, or the answer is not about these assets.
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    urns = [[asset.urn for asset in assets] for assets in groups.values()]
    if not capabilities.entities:
        [(selection, assets)] = groups.items()
        operation = queries.health_of_each(capabilities, assets[0].kind, len(assets), selection)
        return {selection: ask_each(client, operation, urns[0], page.variables)}
    operation = queries.health_of_many(
        capabilities, [Group({asset.kind for asset in assets}, selection) for selection, assets in groups.items()]
    )
    variables = {f"urns{place or ''}": some for place, some in enumerate(urns)}
    answer = execute(client, operation, sum(map(len, urns)), {**page.variables, **variables})
    roots = [queries.root_name(place) for place in range(len(urns))]
    return {
        selection: split_by_urn(
            some, answer.data, [e for e in answer.errors if e.path[:1] not in _others(roots, root)], root
        )
        for selection, root, some in zip(groups, roots, urns, strict=True)
    }


def ask_page(client: Client, capabilities: Capabilities, asset: Asset, selection: Selection, page: Page) -> Element:
    """Ask for one page of one list of one asset; raises as `ask` does."""
    [[element]] = ask(client, capabilities, {selection: [asset]}, page).values()
    return element


def ask_each(
    client: Client, operation: Operation, urns: Sequence[str], variables: Mapping[str, object] | None = None
) -> list[Element]:
    """Ask with one aliased field for each URN, which travels as `$u0`, `$u1` and so on; raises as `ask` does."""
    given = {**(variables or {}), **{f"u{place}": urn for place, urn in enumerate(urns)}}
    answer = execute(client, operation, len(urns), given)
    return split_by_alias(urns, answer.data, answer.errors)


def execute(client: Client, operation: Operation, assets: int, variables: Mapping[str, object]) -> Answer:
    """Send a request that can be halved as long as it is about several assets; raises as `Client.execute` does."""
    return client.execute(operation, variables, divisible=assets > 1, assets=assets)


def chunks(items: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in parts that one request can hold."""
    for start in range(0, len(items), size):
        yield items[start : start + size]


def _others(roots: Sequence[str], root: str) -> set[tuple[str, ...]]:
    return {(other,) for other in roots if other != root}
