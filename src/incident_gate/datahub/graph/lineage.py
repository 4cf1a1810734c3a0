"""What assets are made from: walks up the lineage, across everything that hides a part of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.pages import Found, Pages
from incident_gate.datahub.graph.requests import ListField, inline, read_lists
from incident_gate.incident import Problem, Reason

Hops: TypeAlias = Literal["all"] | int

_MOST_ROUNDS = 10
# What is between two assets and takes a step of its own on servers that do not skip it.
_TYPES_BETWEEN = ("DATA_JOB", "QUERY", "DATA_PROCESS_INSTANCE")
_BETWEEN = ("urn:li:dataJob:", "urn:li:query:", "urn:li:dataProcessInstance:")
_PARTIAL_HINT = "Name the upstream assets in the manifest, or choose fewer `hops`."


@dataclass(slots=True)
class Upstreams:
    """The assets from which one is made, by URN; `problems` are why there may be more of them."""

    start: str
    found: dict[str, Found] = field(default_factory=dict)
    problems: dict[Problem, None] = field(default_factory=dict)


def read_upstreams(
    client: Client, schema: Capabilities | None, starts: Mapping[str, Sequence[str]], hops: Hops, *, most: int
) -> list[Upstreams]:
    """Walk up from several assets.

    A job or a query between two datasets is no hop: servers count it, users do not. An asset's siblings may have the
    edges that it lacks, so the walk goes on from them as well.

    Args:
        client: Where to ask.
        schema: What the server can be asked; None where it hides that.
        starts: The siblings of each asset to start from.
        hops: How far to go.
        most: Beyond so many entities of one walk it ends early.

    Returns:
        The upstreams of each start, in that order.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    results = [Upstreams(start) for start in starts]
    form = _Form.of(schema)
    if form is None:
        for result in results:
            message = "This DataHub cannot be asked for lineage"
            result.problems[Problem(Reason.ERROR, message, "Name the upstream assets in the manifest.")] = None
        return results
    walked: dict[tuple[str, str], float] = {}  # by start and asset: the hops that were left
    todo = [(result, urn, hops) for result in results for urn in (result.start, *starts[result.start])]
    for _ in range(_MOST_ROUNDS):
        walks = []
        for result, urn, left in todo:
            if walked.get((result.start, urn), 0) < _distance(left) and len(result.found) <= most:
                walked[result.start, urn] = _distance(left)
                walks.append((result, urn, left))
        if not walks:
            break
        lists = read_lists(
            client,
            "incidentGateLineage",
            [form.field(urn, left, most) for _, urn, left in walks],
            scrolls=form.scrolls,
        )
        todo = [
            (result, *further)
            for (result, urn, left), pages in zip(walks, lists, strict=True)
            for further in _take(result, urn, left, pages)
        ]
    else:
        for result, _, _ in todo:
            message = f"The lineage has more than {_MOST_ROUNDS} jobs or siblings one after the other"
            result.problems[Problem(Reason.INCOMPLETE, message, _PARTIAL_HINT)] = None
    for result in results:
        for urn in (result.start, *starts[result.start]):
            result.found.pop(urn, None)  # an asset is not made from itself, nor from its sibling
    return results


def _distance(hops: Hops) -> float:
    return float("inf") if hops == "all" else hops


def _take(result: Upstreams, urn: str, left: Hops, pages: Pages) -> list[tuple[str, Hops]]:
    """Take in one walk's answer; return from where the walk must go on, and how far."""
    result.problems |= pages.problems
    further: list[tuple[str, Hops]] = []
    for found in pages.found.values():
        degree = found.degree if found.degree is not None and found.degree > 0 else 1
        if left != "all" and degree > left:
            continue  # the server does not know the filter
        result.found[found.urn] = found
        # An entity at the end of the walk is never explored.
        inside = left == "all" or degree < left
        if found.truncated or (inside and not found.explored):
            message = f"DataHub did not walk the whole lineage beyond {found.urn}"
            result.problems[Problem(Reason.INCOMPLETE, message, _PARTIAL_HINT)] = None
        if found.siblings is None:
            message = f"A sibling of {found.urn} may not be seen with this token, and may have upstreams of its own"
            result.problems[Problem(Reason.HIDDEN, message, "Grant the token's user view access to it.")] = None
        if left == "all":
            further += [(sibling, left) for sibling in found.siblings or () if sibling not in pages.found]
            continue
        if inside:
            further += [(sibling, left - degree) for sibling in found.siblings or ()]
        if found.urn.startswith(_BETWEEN) and not found.ignored_as_hop:
            further.append((found.urn, left - degree + 1))
    return [(next_urn, hops) for next_urn, hops in further if next_urn != urn]


@dataclass(frozen=True, slots=True)
class _Form:
    """How one server is asked for lineage."""

    root: str
    options: str
    results: str

    @property
    def scrolls(self) -> bool:
        return self.root == _SCROLL

    @classmethod
    def of(cls, schema: Capabilities | None) -> _Form | None:
        """The form for a schema, the plainest where it is hidden; None if it has no lineage."""
        if schema is None:
            return cls(_SCROLL, 'keepAlive: "5m", searchFlags: {skipCache: true}, ', "total nextScrollId " + _RESULT)
        root = next((name for name in (_SCROLL, _SEARCH) if schema.has("Query", name)), "")
        name = f"{root[:1].upper()}{root[1:]}"
        if not root or not schema.has(f"{name}Input", "orFilters"):
            return None
        flags = [flag for flag in _FLAGS if schema.has("SearchFlags", flag)]
        options = 'keepAlive: "5m", ' if schema.has(f"{name}Input", "keepAlive") else ""
        if flags and schema.has(f"{name}Input", "searchFlags"):
            options += f"searchFlags: {inline(dict.fromkeys(flags, 'true'))}, "
        if schema.has(f"{name}Input", "lineageFlags") and schema.has("LineageFlags", "ignoreAsHops"):
            between = [kind for kind in _TYPES_BETWEEN if schema.has("EntityType", kind)]
            ignored = ", ".join(f"{{entityType: {kind}}}" for kind in between)
            options += f"lineageFlags: {{ignoreAsHops: [{ignored}]}}, "
        page = [leaf for leaf in ("nextScrollId", "isPartial") if schema.has(f"{name}Results", leaf)]
        signs = [leaf for leaf in _SIGNS if schema.has("SearchAcrossLineageResult", leaf)]
        siblings = _SIBLINGS if schema.has("Dataset", "siblings") else ""
        result = _RESULT.replace("degree", " ".join(["degree", *signs])).replace("type", f"type {siblings}".rstrip())
        return cls(root, options, " ".join(["total", *page, result]))

    def field(self, urn: str, hops: Hops, most: int) -> ListField:
        """The list of one asset's upstreams."""
        cursor = "scrollId" if self.scrolls else "start"
        text = f'urn: $urn#, direction: UPSTREAM, query: "*", count: $count#, {self.options}{cursor}: $cursor#'
        variables: dict[str, tuple[str, object]] = {"urn#": ("String", urn)}
        if hops != "all":
            text += ', orFilters: [{and: [{field: "degree", condition: EQUAL, values: $degrees#}]}]'
            variables["degrees#"] = ("[String!]", [str(degree) for degree in range(1, hops + 1)])
        return ListField(f"{self.root}(input: {{{text}}}) {{ {self.results} }}", variables, most)


_SCROLL, _SEARCH = "scrollAcrossLineage", "searchAcrossLineage"
_FLAGS = ("skipCache", "skipHighlighting", "skipAggregates", "includeSoftDeleted", "includeRestricted")
_SIGNS = ("explored", "truncatedChildren", "ignoredAsHop")
_RESULT = "searchResults { degree entity { urn type } }"
_SIBLINGS = "... on Dataset { siblings { siblings { urn } } }"
