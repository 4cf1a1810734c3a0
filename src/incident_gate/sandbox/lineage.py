"""Lineage: walks through the graph, and their answers."""

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

from .entities import Entities
from .failure import Code, ResolverError
from .faults import FaultKind
from .records import Asset, parse_urn, urn_type_of
from .request import Call, requested_urn
from .results import Page, alternatives, is_restricted, leaves_out_restricted, offset_page, result_entity, scroll_page
from .search import Matcher

Neighbours = Callable[[Iterable[str]], Mapping[str, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An entity that a walk reached."""

    urn: str
    degree: int
    path: tuple[str, ...]
    explored: bool = False
    truncated: bool = False
    ignored: bool = False


class Walk(NamedTuple):
    """What a walk reached, nearest first, and whether a limit ended it."""

    nodes: tuple[Node, ...]
    is_partial: bool


def walk(  # noqa: PLR0913 - a walk and its limits
    start: str,
    neighbours: Neighbours,
    *,
    hops: int,
    limit: int | None,
    twins: Callable[[Iterable[str]], Mapping[str, Iterable[str]]],
    is_ignored: Callable[[str], bool],
) -> Walk:
    """Walk from `start`, hop by hop."""
    found: dict[str, Node] = {}
    origin = {start, *twins([start]).get(start, ())}
    frontier = [Node(urn=start, degree=0, path=(start,))]
    is_partial = False
    while frontier:
        followed = [node for node in frontier if node.degree < hops]
        siblings = twins(node.urn for node in followed)
        edges = neighbours({urn for node in followed for urn in (node.urn, *siblings.get(node.urn, ()))})
        frontier = []
        for node in followed:
            truncated = False
            targets = [urn for source in (node.urn, *siblings.get(node.urn, ())) for urn in edges.get(source, ())]
            for urn in dict.fromkeys(targets):
                if urn in found or urn in origin:
                    continue
                if limit is not None and len(found) >= limit:
                    truncated = is_partial = True
                    break
                ignored = is_ignored(urn)
                reached = Node(urn=urn, degree=node.degree + (not ignored), path=(*node.path, urn), ignored=ignored)
                found[urn] = reached
                frontier.append(reached)
            if node.urn in found:
                found[node.urn] = replace(found[node.urn], explored=not truncated, truncated=truncated)
        if is_partial:
            break
    nodes = sorted(found.values(), key=lambda node: (node.degree, node.urn))
    return Walk(tuple(nodes), is_partial)


Input = Mapping[str, Any]
View = dict[str, Any]

_ALL_HOPS = 1_000
_DEGREES = {"1": 1, "2": 2, "3+": _ALL_HOPS}


class _Found(NamedTuple):
    node: Node
    document: Asset


class Lineage:
    """The walks of one request."""

    def __init__(self, call: Call, entities: Entities) -> None:
        self._call = call
        self._entities = entities

    def fields(self) -> View:
        """The resolvers of the walks in Query."""
        return {
            "searchAcrossLineage": lambda _info, input: self.by_offset(input),  # noqa: A006 - the schema's name
            "scrollAcrossLineage": lambda _info, input: self.by_scrolling(input),  # noqa: A006
        }

    def by_offset(self, given: Input) -> View:
        """One page of what a walk reaches, nearest first, refused beyond the search's offset limit."""
        return self._answer(given, lambda found: offset_page(self._call, given, found))

    def by_scrolling(self, given: Input) -> View:
        """One page of what a walk reaches, nearest first, without an offset limit."""
        return self._answer(given, lambda found: scroll_page(self._call, given, found, _position))

    def _answer(self, given: Input, cut: Callable[[list[_Found]], Page]) -> View:
        if given.get("urn") is None:
            raise ResolverError("urn must not be null", Code.BAD_REQUEST)
        walked, cached = self._walk(given)
        page = cut(self._matching(given, walked))
        self._entities.load(found.node.urn for found in page.items)
        results = [
            self._result(found)
            for found in page.items
            if not self._call.strike.about(found.node.urn, FaultKind.LOST_RESULT)
        ]
        return page.facts | {
            "searchResults": results,
            "facets": [],
            "freshness": {"cached": cached},
            "isPartial": walked.is_partial,
        }

    def _walk(self, given: Input) -> tuple[Walk, bool]:
        call = self._call
        ignored = tuple(
            (urn_type_of(item["entityType"]), tuple(item.get("platforms") or ()))
            for item in (given.get("lineageFlags") or {}).get("ignoreAsHops") or ()
        )
        if call.faults.skips_jobs:
            ignored += (("dataJob", ()), ("query", ()))
        start, downstream = requested_urn(given["urn"]).text, given["direction"] == "DOWNSTREAM"
        faults = call.faults
        key = (start, downstream, _hops(given), ignored, faults.walk_limit, faults.merges_siblings)
        uses_cache = not (given.get("searchFlags") or {}).get("skipCache")
        if uses_cache:
            at, known = call.walks.get(key, (0.0, None))
            if known is not None and time.monotonic() - at < faults.lineage_cache:
                return known, True
        walked = walk(
            start,
            lambda urns: call.store.neighbours(urns, downstream=downstream),
            hops=_hops(given),
            limit=faults.walk_limit,
            twins=self._twins,
            is_ignored=lambda urn: _is_ignored(urn, ignored),
        )
        if uses_cache:
            call.walks[key] = (time.monotonic(), walked)
        return walked, False

    def _twins(self, urns: Iterable[str]) -> Mapping[str, Iterable[str]]:
        merges = self._call.faults.merges_siblings
        if merges is None:
            merges = self._call.generation.has_ids
        return {urn: found.urns for urn, found in self._call.store.siblings(urns).items()} if merges else {}

    def _matching(self, given: Input, walked: Walk) -> list[_Found]:
        """What of a walk passes the search index, the store and the filters: not what was never ingested."""
        matcher = Matcher(self._call, given)
        documents = {document.urn: document for document in self._call.store.documents()}
        stored = self._call.store.assets(node.urn for node in walked.nodes)
        found = []
        for node in walked.nodes:
            is_ghost = node.urn not in documents or node.urn not in stored
            if is_ghost and not self._call.faults.ghosts_in_walks:
                continue
            document = documents.get(node.urn) or Asset(urn=node.urn)
            hidden = is_restricted(self._call, document) and leaves_out_restricted(self._call)
            if hidden or not self._call.grant.may_see(node.urn):
                continue
            if matcher.accepts(document, degree=(_degree_name(node),)):
                found.append(_Found(node, document))
        return found

    def _result(self, found: _Found) -> View:
        node, document = found
        degree = max(node.degree, 1)
        return {
            "entity": result_entity(self._call, self._entities.linked, document),
            "matchedFields": [],
            "degree": degree,
            "degrees": [degree],
            "explored": node.explored,
            "truncatedChildren": node.truncated,
            "ignoredAsHop": node.ignored,
            "paths": lambda _info: [{"path": [self._entities.linked(urn) for urn in node.path]}],
        }


def _hops(given: Input) -> int:
    """The most hops that the conditions on `degree` ask for."""
    most = 0
    for conditions in alternatives(given) or [[]]:
        degrees = [
            value
            for condition in conditions
            if condition["field"] == "degree"
            for value in condition.get("values") or ([condition["value"]] if condition.get("value") else ())
        ]
        for value in degrees:
            if value not in _DEGREES:
                raise ResolverError(f"{value} is not a valid filter value for degree filters", Code.BAD_REQUEST)
        most = max(most, max((_DEGREES[value] for value in degrees), default=_ALL_HOPS))
    return most


def _is_ignored(urn: str, ignored: Iterable[tuple[str | None, tuple[str, ...]]]) -> bool:
    parsed = parse_urn(urn)
    return any(
        parsed.kind == kind and (not platforms or not set(platforms).isdisjoint(parsed.key))
        for kind, platforms in ignored
    )


def _degree_name(node: Node) -> str:
    degree = max(node.degree, 1)
    return str(degree) if degree <= 2 else "3+"  # noqa: PLR2004 - what lies beyond is one value


def _position(found: _Found) -> tuple[int, str]:
    return found.node.degree, found.node.urn
