"""Walks along the lineage graph."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import NamedTuple

Neighbours = Callable[[Iterable[str]], Mapping[str, list[str]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Node:
    """An entity that a walk reached.

    Args:
        urn: the entity.
        degree: hops to it, without those that are ignored.
        path: the entities on the way, from the start to this one.
        explored: whether the walk went on from it.
        truncated: whether the walk left out neighbours of it.
        ignored: whether the way to it counts as no hop.
    """

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
    """Walk from `start`, hop by hop.

    Args:
        start: the entity to start from.
        neighbours: finds what is one step away from each of some entities.
        hops: the most hops.
        limit: the most entities to reach, if there is a limit.
        twins: finds the siblings of entities, whose edges count as their own.
        is_ignored: whether an entity counts as no hop.
    """
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
