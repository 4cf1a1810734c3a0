"""What assets are made from: walks up the lineage, across everything that hides a part of it.

A walk passes the server's search index, so it does not show what was never ingested: an upstream that is only the end
of an edge is in neither its results nor its total. The field `lineage` of an asset shows one step, from the graph
alone. So every asset that a walk passes is asked for that as well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal, NamedTuple, TypeAlias

from incident_gate.datahub.capabilities import TYPE_NAMES, Capabilities, Discovery
from incident_gate.datahub.client import Client
from incident_gate.datahub.graph.lists import EntityList, Found, ListField, read_lists
from incident_gate.datahub.graph.search import PagedSearch
from incident_gate.incident import Problem, Reason

Hops: TypeAlias = Literal["all"] | int

MOST_SIBLINGS = 100  # of one asset: each is a walk of its own
_MOST_ROUNDS = 10
# What is between two assets and takes a step of its own on servers that do not skip it.
_TYPES_BETWEEN = ("DATA_JOB", "QUERY", "DATA_PROCESS_INSTANCE")
_BETWEEN = ("urn:li:dataJob:", "urn:li:query:", "urn:li:dataProcessInstance:")
# Those of them that the field `lineage` shows beyond a walk, and that are no assets.
_NO_ASSETS = _BETWEEN[1:]
# The types that have relations of their own on every server, for one that hides its schema.
_RELATED = (
    *("dataset", "dataJob", "dataFlow", "dashboard", "chart"),
    *("mlModel", "mlModelGroup", "mlFeature", "mlFeatureTable", "mlPrimaryKey"),
)
_FLAGS = ("skipCache", "skipHighlighting", "skipAggregates", "includeSoftDeleted", "includeRestricted")
_SIGNS = ("explored", "truncatedChildren", "ignoredAsHop")
_SWITCHES = ("separateSiblings", "includeGhostEntities")
_PARTIAL_HINT = "Name the upstream assets in the manifest, or choose fewer `hops`."


@dataclass(slots=True)
class Upstreams:
    """The assets from which one is made, by URN; `problems` are why there may be more of them.

    `unlisted` are those that no walk lists: nearly always, they were never ingested.
    """

    start: str
    found: dict[str, Found] = field(default_factory=dict)
    unlisted: set[str] = field(default_factory=set)
    problems: dict[Problem, None] = field(default_factory=dict)

    def problem(self, reason: Reason, message: str, hint: str = _PARTIAL_HINT) -> None:
        """Note why there may be more upstreams."""
        self.problems[Problem(reason, message, hint)] = None


class _Step(NamedTuple):
    """From where to go on, with how many hops left; unless it `walks`, only the asset's own relations are read."""

    result: Upstreams
    urn: str
    left: Hops
    walks: bool = True


def read_upstreams(
    client: Client, schema: Capabilities | None, starts: Mapping[str, Sequence[str]], hops: Hops, *, most: int
) -> list[Upstreams]:
    """Walk up from several assets, of which each has its siblings; a walk with more than `most` entities ends early.

    A job or a query between two datasets is no hop: servers count it, users do not. An asset's siblings may have the
    edges that it lacks, so the walk goes on from them as well.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    results = [Upstreams(start) for start in starts]
    walking = _Walking(client, Discovery(client, schema), most)
    todo = [
        _Step(result, urn, hops)
        for result in results
        for urn in (result.start, *_followed(result, result.start, starts[result.start]))
    ]
    for _ in range(_MOST_ROUNDS):
        steps = walking.due(todo)
        if not steps:
            break
        walks = walking.read(steps)
        if walks is None:
            for result in results:
                message = "This DataHub cannot be asked for lineage"
                result.problem(Reason.ERROR, message, "Name the upstream assets in the manifest.")
            break
        todo = [further for step, walked in walks for further in _take(step, walked)]
        for step in steps:
            todo += _take_relations(step, walking.relations.get(step.urn), starts[step.result.start])
    else:
        for step in todo:
            message = f"The lineage has more than {_MOST_ROUNDS} jobs or siblings one after the other"
            step.result.problem(Reason.INCOMPLETE, message)
    for result in results:
        for urn in (result.start, *starts[result.start]):
            result.found.pop(urn, None)  # an asset is not made from itself, nor from its sibling
    return results


class _Walking:
    """Reads walks, and with them the relations of the assets that they pass: `relations`, by asset, each once."""

    def __init__(self, client: Client, discovery: Discovery, most: int) -> None:
        self.relations: dict[str, EntityList] = {}
        self._client = client
        self._discovery = discovery
        self._most = most
        self._asked: dict[tuple[str, str, bool], float] = {}  # how many hops were left
        self._walks: dict[str, int] = {}  # how many of each start

    def due(self, todo: Sequence[_Step]) -> list[_Step]:
        """The steps that lead further than what was asked before, within the limits."""
        due = []
        for step in todo:
            result, key = step.result, (step.result.start, step.urn, step.walks)
            distance = float("inf") if step.left == "all" else step.left
            if self._asked.get(key, 0) >= distance:
                continue
            if len(result.found) > self._most:
                result.problem(Reason.TOO_MANY, f"DataHub lists more than {self._most:,} entities", "Raise `at-most`.")
                continue
            walks = self._walks.get(result.start, 0) + step.walks
            if walks > self._most:
                result.problem(Reason.INCOMPLETE, f"Its lineage takes more than {self._most:,} walks")
                continue
            self._asked[key] = distance
            self._walks[result.start] = walks
            due.append(step)
        return due

    def read(self, steps: Sequence[_Step]) -> list[tuple[_Step, EntityList]] | None:
        """The walks of those steps that take one; None where the server cannot be asked for lineage."""
        walking = [step for step in steps if step.walks]
        new = [urn for urn in dict.fromkeys(step.urn for step in steps) if urn not in self.relations]

        def fields(known: Capabilities) -> list[ListField] | None:
            paged = PagedSearch.of(known, "Lineage", _FLAGS)
            if paged is None:
                return None
            walks = [_walk(known, paged, step, self._most) for step in walking]
            return [*walks, *(_relations(known, urn, self._most) for urn in new if _has_relations(known, urn))]

        lists = read_lists(self._client, "incidentGateLineage", self._discovery, fields)
        if lists is None:
            return None
        related = [urn for urn in new if _has_relations(self._discovery.known, urn)]
        self.relations |= dict(zip(related, lists[len(walking) :], strict=True))
        return list(zip(walking, lists, strict=False))


def _followed(result: Upstreams, urn: str, siblings: Iterable[str]) -> Sequence[str]:
    """The siblings of an asset from which the walk goes on."""
    named = list(siblings)
    if len(named) > MOST_SIBLINGS:
        message = f"{urn} has {len(named):,} siblings, of which {MOST_SIBLINGS:,} are followed"
        result.problem(Reason.INCOMPLETE, message)
    return named[:MOST_SIBLINGS]


def _take(step: _Step, walked: EntityList) -> list[_Step]:
    """Take in one walk's answer; return from where to go on."""
    result, left = step.result, step.left
    result.problems |= walked.problems
    further: list[_Step] = []
    for found in walked.found.values():
        degree = found.degree if found.degree is not None and found.degree > 0 else 1
        if left != "all" and degree > left:
            continue  # the server does not know the filter
        result.found[found.urn] = found
        result.unlisted.discard(found.urn)
        # An entity at the end of the walk is never explored.
        inside = left == "all" or degree < left
        if found.truncated or (inside and not found.explored):
            result.problem(Reason.INCOMPLETE, f"DataHub did not walk the whole lineage beyond {found.urn}")
        if found.siblings is None:
            message = f"A sibling of {found.urn} may not be seen with this token, and may have upstreams of its own"
            result.problem(Reason.HIDDEN, message, "Grant the token's user view access to it.")
        beyond: Hops = left if left == "all" else left - degree
        if beyond != "all" and found.urn.startswith(_BETWEEN):
            further.append(_Step(result, found.urn, beyond + 1, walks=not found.ignored_as_hop))
        elif inside:
            further.append(_Step(result, found.urn, beyond, walks=False))
        if inside:
            new = (sibling for sibling in found.siblings or () if left != "all" or sibling not in walked.found)
            further += [_Step(result, sibling, beyond) for sibling in _followed(result, found.urn, new)]
    return [next_step for next_step in further if next_step.urn != step.urn]


def _take_relations(step: _Step, relations: EntityList | None, siblings: Sequence[str]) -> list[_Step]:
    """Take in what an asset is made from that no walk lists; return from where to go on."""
    if relations is None:
        return []
    result, left = step.result, step.left
    result.problems |= relations.problems
    further: list[_Step] = []
    for found in relations.found.values():
        urn = found.urn
        is_listed = urn in result.found and urn not in result.unlisted
        if is_listed or urn == result.start or urn in siblings or urn.startswith(_NO_ASSETS):
            continue
        result.found[urn] = found
        result.unlisted.add(urn)
        beyond: Hops = left if left == "all" or urn.startswith(_BETWEEN) else left - 1
        if beyond:
            further.append(_Step(result, urn, beyond))
    return further


def _walk(schema: Capabilities, paged: PagedSearch, step: _Step, most: int) -> ListField:
    """The list of one asset's upstreams."""
    text = f'urn: $urn#, direction: UPSTREAM, query: "*", {paged.arguments}'
    variables: dict[str, tuple[str, object]] = {"urn#": ("String", step.urn)}
    # Of a server that hides its schema it is not known which of the types it has.
    if schema.has(f"{paged.type_prefix}Input", "lineageFlags") and schema.has("LineageFlags", "ignoreAsHops"):
        ignored = ", ".join(f"{{entityType: {kind}}}" for kind in _TYPES_BETWEEN if schema.has("EntityType", kind))
        text += f", lineageFlags: {{ignoreAsHops: [{ignored}]}}"
    if step.left != "all":
        text += ', orFilters: [{and: [{field: "degree", condition: EQUAL, values: $degrees#}]}]'
        variables["degrees#"] = ("[String!]", [str(degree) for degree in range(1, step.left + 1)])
    page = f"{paged.results} isPartial" if schema.accepts(f"{paged.type_prefix}Results", "isPartial") else paged.results
    signs = [sign for sign in _SIGNS if schema.accepts("SearchAcrossLineageResult", sign)]
    siblings = " ... on Dataset { siblings { siblings { urn } } }" if schema.accepts("Dataset", "siblings") else ""
    fields = f"{page} searchResults {{ {' '.join(['degree', *signs])} entity {{ urn type{siblings} }} }}"
    return ListField(f"{paged.name}(input: {{{text}}}) {{ {fields} }}", variables, most, scrolls=paged.scrolls, cost=16)


def _has_relations(schema: Capabilities, urn: str) -> bool:
    """Whether the server shows what an asset of that type is made from in one step."""
    kind = _kind(urn)
    return kind in (TYPE_NAMES if schema.members else _RELATED) and schema.accepts(TYPE_NAMES[kind], "lineage")


def _relations(schema: Capabilities, urn: str, most: int) -> ListField:
    """The list of what an asset is made from in one step."""
    switches = "".join(f", {switch}: true" for switch in _SWITCHES if schema.accepts("LineageInput", switch))
    text = f"direction: UPSTREAM, start: $cursor#, count: $count#{switches}"
    totals = "total filtered" if schema.accepts("EntityLineageResult", "filtered") else "total"
    fields = f"{totals} relationships {{ type entity {{ urn type }} }}"
    return ListField(
        f"{_kind(urn)}(urn: $urn#) {{ lineage(input: {{{text}}}) {{ {fields} }} }}",
        {"urn#": ("String!", urn)},
        most,
        cost=10,
        path=("lineage",),
        entries="relationships",
    )


def _kind(urn: str) -> str:
    return urn.removeprefix("urn:li:").partition(":")[0]
