"""Requests about assets, in the form that the server accepts, and an element of the answer for each."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeVar

from incident_gate.datahub import queries
from incident_gate.datahub.capabilities import Capabilities, Selection
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Answer, GraphqlError, RequestFailure
from incident_gate.datahub.health.answer import Asked, Element, Extent, HealthQuery, PartialHealth, read_element
from incident_gate.datahub.health.listing import PAGE, AssertionListing, Listing
from incident_gate.incident import AssertionResult, Question
from incident_gate.json_values import mappings, text

T = TypeVar("T")

# Elements in a further page. Servers refuse offsets beyond 10,000 (5,000 on newer ones).
FURTHER_PAGE, MOST_PAGES = 1000, 500
# Assertions in one request for more of their runs.
DATED = 100

ACTIVE = Selection(frozenset({Question.INCIDENTS}))
IN_ALL_STATES = Selection(frozenset(), history=True)
ASSERTIONS = Selection(frozenset({Question.ASSERTIONS}))


def fetch(
    client: Client,
    capabilities: Capabilities,
    groups: Mapping[Selection, Sequence[Listing]],
    *,
    start: int = 0,
    size: int = PAGE,
) -> dict[Selection, list[Element]]:
    """Ask about assets in one request, each by its list; without `entities`, all are of one type and one group."""
    urns = [[listing.urn for listing in listings] for listings in groups.values()]
    page = {"start": start, "count": size}
    if not capabilities.has_entities:
        [(selection, listings)] = groups.items()
        operation = queries.health_of_each(capabilities, listings[0].kind, len(listings), selection)
        return {selection: fetch_each(client, operation, urns[0], page)}
    kinds = [({listing.kind for listing in listings}, selection) for selection, listings in groups.items()]
    variables = {f"urns{place or ''}": some for place, some in enumerate(urns)}
    operation = queries.health_of_many(capabilities, kinds)
    data, errors = execute(client, operation, sum(map(len, urns)), {**page, **variables})
    roots = [queries.root_name(place) for place in range(len(urns))]
    elements = {}
    for selection, root, some in zip(groups, roots, urns, strict=True):
        others = {(other,) for other in roots if other != root}
        own = [error for error in errors if error.path[:1] not in others]
        elements[selection] = split_by_urn(some, data, own, root)
    return elements


def fetch_each(
    client: Client, operation: Operation, urns: Sequence[str], variables: Mapping[str, object] | None = None
) -> list[Element]:
    """Ask with one aliased field for each URN, which travels as `$u0`, `$u1` and so on."""
    given = {**(variables or {}), **{f"u{place}": urn for place, urn in enumerate(urns)}}
    answer = execute(client, operation, len(urns), given)
    return split_by_alias(urns, answer.data, answer.errors)


def execute(client: Client, operation: Operation, assets: int, variables: Mapping[str, object]) -> Answer:
    """Send a request that can be halved as long as it is about several assets; raises as `Client.execute` does."""
    return client.execute(operation, variables, divisible=assets > 1, assets=assets)


def fetch_health(
    client: Client, capabilities: Capabilities, extent: Extent, some: Sequence[HealthQuery]
) -> dict[str, PartialHealth]:
    """Ask about some assets in one request; what the answer shows of each, by URN."""
    partials = [PartialHealth(query, client.redact, needs_witness=extent.summaries) for query in some]
    groups: dict[Selection, list[PartialHealth]] = {}
    for partial in partials:
        groups.setdefault(extent.selection(partial.query), []).append(partial)
    listings = {selection: [partial.own for partial in alike] for selection, alike in groups.items()}
    elements = fetch(client, capabilities, listings)
    for selection, alike in groups.items():
        asked = {kind: asked_of(kind, selection, capabilities) for kind in {partial.own.kind for partial in alike}}
        for partial, element in zip(alike, elements[selection], strict=True):
            read_element(partial, element, asked[partial.own.kind])
    return {partial.urn: partial for partial in partials}


def asked_of(kind: str, selection: Selection, capabilities: Capabilities) -> Asked:
    """What a query asks about a type of asset."""
    return Asked(
        frozenset(question for question in selection.questions if capabilities.asks(kind, question)),
        frozenset(question for question in selection.questions if capabilities.lacks(kind, question)),
        history=selection.history and capabilities.asks(kind, Question.INCIDENTS),
    )


def read_pages(
    client: Client, capabilities: Capabilities, listing: Listing, selection: Selection, most: int = MOST_PAGES
) -> None:
    """Read on until the list is complete, or a page brings nothing: then what is counted and not shown stays unread."""
    for _ in range(most):
        if not listing.is_incomplete:
            return
        # No more than there are: a page that reaches beyond the last offset is refused whole.
        size = min(FURTHER_PAGE, listing.total - listing.reached)
        try:
            page, has_errors = _fetch_page(client, capabilities, listing, selection, listing.reached, size)
        except RequestFailure:
            return
        if page is None or has_errors or not listing.add(page, size=size):
            return


def read_assertions(client: Client, capabilities: Capabilities, listing: Listing) -> None:
    """Read the further pages of a dataset's assertions; a page that is refused is a problem of theirs."""
    assertions = listing.assertions
    for _ in range(MOST_PAGES):
        if assertions is None or assertions.problem or not assertions.is_incomplete:
            return
        try:
            page, has_errors = _fetch_page(client, capabilities, listing, ASSERTIONS, assertions.reached, PAGE)
        except RequestFailure as failure:
            assertions.fail(f"DataHub does not list its assertions: {failure.message}")
            return
        is_new = assertions.add(page)
        if has_errors:
            assertions.fail("DataHub fails on some of its assertions")
        if not is_new:
            return


def read_runs(client: Client, lists: Sequence[AssertionListing]) -> None:
    """Read more runs, if the server has them: since when assertions fail, and the result of those that were cut off."""
    asked = [
        (assertions, urn)
        for assertions in lists
        for urn, assertion in assertions.found.items()
        if assertion.result is AssertionResult.FAILURE or urn in assertions.cut_off
    ]
    for chunk in chunks(asked, DATED):
        urns = list(dict.fromkeys(urn for _, urn in chunk))
        try:
            data, errors = execute(client, queries.RUNS_OF_ASSERTIONS, len(urns), {"urns": urns})
        except RequestFailure:
            return
        if errors:
            continue
        runs = {text(entity, "urn"): entity.get("runEvents") for entity in mappings(data, "entities")}
        for assertions, urn in chunk:
            assertions.add_runs(urn, runs.get(urn))


def _fetch_page(  # noqa: PLR0913, PLR0917 - a list and a part of it
    client: Client, capabilities: Capabilities, listing: Listing, selection: Selection, start: int, size: int
) -> tuple[object, bool]:
    """One page of one list of one asset, and whether there are errors."""
    [[element]] = fetch(client, capabilities, {selection: [listing]}, start=start, size=size).values()
    value = element.value.get(selection.list_name) if isinstance(element.value, dict) else None
    return value, bool(element.errors)


def chunks(some: Sequence[T], size: int) -> Iterator[Sequence[T]]:
    """The items in parts that one request can hold."""
    for start in range(0, len(some), size):
        yield some[start : start + size]


# Splitting an answer about many assets


def split_by_urn(
    urns: Sequence[str], data: Mapping[str, Any], errors: Sequence[GraphqlError], root: str
) -> list[Element]:
    """Split an answer about many assets in one field: an element for each URN.

    Matched by URN: an answer that is shorter or in another order must not lend one asset's health to another.
    """
    values = data.get(root)
    if not isinstance(values, list):
        raise RequestFailure(str(errors[0]) if errors else "DataHub's answer has no assets in it", errors=tuple(errors))
    if len(values) > len(urns):
        raise RequestFailure(f"DataHub answers with {len(values):,} assets, where {len(urns):,} were asked for")
    by_place = _by_place(errors, [(root, place) for place in range(len(urns))])
    places: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        if urn := text(value, "urn"):
            places.setdefault(urn, []).append(place)
    if any(place >= len(values) and urns[place] in places for place in by_place):
        # The list was closed up or sorted, so its places do not show which assets the errors are about.
        raise RequestFailure(str(errors[0]), errors=tuple(errors))
    elements: list[Element] = []
    for asked, urn in enumerate(urns):
        match places.get(urn, []):
            case []:
                elements.append(Element(None, tuple(by_place.get(asked, ()))))
            case [place]:
                elements.append(Element(values[place], tuple(by_place.get(place, ()))))
            case several:
                # Two answers for one asset: neither is believed.
                elements.append(Element([values[place] for place in several]))
    return elements


def split_by_alias(urns: Sequence[str], data: Mapping[str, Any], errors: Sequence[GraphqlError]) -> list[Element]:
    """Split an answer of one aliased field for each URN: `a0`, `a1` and so on. An asset with another URN is none."""
    by_place = _by_place(errors, [(f"a{place}",) for place in range(len(urns))])
    elements: list[Element] = []
    for place, urn in enumerate(urns):
        value = data.get(f"a{place}")
        # The query of DataHub's guide does not ask for the URN: there only the alias identifies the asset.
        if isinstance(value, dict) and "urn" in value and text(value, "urn") != urn:
            value = None
        elements.append(Element(value, tuple(by_place.get(place, ()))))
    return elements


def _by_place(
    errors: Sequence[GraphqlError], prefixes: Sequence[tuple[str | int, ...]]
) -> dict[int, list[GraphqlError]]:
    """The errors by the element that their path leads into."""
    places = {prefix: place for place, prefix in enumerate(prefixes)}
    length = len(prefixes[0])
    found: dict[int, list[GraphqlError]] = {}
    for error in errors:
        place = places.get(error.path[:length])
        if place is None:
            raise RequestFailure(str(error), errors=tuple(errors))
        found.setdefault(place, []).append(error._replace(path=error.path[length:]))
    return found
