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
from incident_gate.datahub.graph.lists import EntityList, Found, ListField, inline, read_lists
from incident_gate.incident import Problem, Reason

Hops: TypeAlias = Literal["all"] | int

MOST_SIBLINGS = 100
"""Of one asset: each is a walk of its own."""

_MOST_ROUNDS = 10
# What is between two assets and takes a step of its own on servers that do not skip it.
_TYPES_BETWEEN = ("DATA_JOB", "QUERY", "DATA_PROCESS_INSTANCE")
_BETWEEN = ("urn:li:dataJob:", "urn:li:query:", "urn:li:dataProcessInstance:")
# Those of them that the field `lineage` shows beyond a walk, and that are no assets.
_NO_ASSETS = _BETWEEN[1:]
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
    discovery = Discovery(client, schema)
    form = _Form.of(discovery.known)
    if form is None:
        for result in results:
            message = "This DataHub cannot be asked for lineage"
            result.problem(Reason.ERROR, message, "Name the upstream assets in the manifest.")
        return results
    walking = _Walking(client, discovery, form, most)
    todo = [
        _Step(result, urn, hops)
        for result in results
        for urn in (result.start, *_followed(result, result.start, starts[result.start]))
    ]
    for _ in range(_MOST_ROUNDS):
        steps = walking.due(todo)
        if not steps:
            break
        todo = [further for step, walked in walking.read(steps) for further in _take(step, walked)]
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


def _distance(hops: Hops) -> float:
    return float("inf") if hops == "all" else hops


class _Walking:
    """Reads walks, and with them the relations of the assets that they pass: `relations`, by asset, each once."""

    def __init__(self, client: Client, discovery: Discovery, form: _Form, most: int) -> None:
        self.relations: dict[str, EntityList] = {}
        self._client = client
        self._discovery = discovery
        self._form = form
        self._most = most
        self._asked: dict[tuple[str, str, bool], float] = {}  # how many hops were left
        self._walks: dict[str, int] = {}  # how many of each start

    def due(self, todo: Sequence[_Step]) -> list[_Step]:
        """The steps that lead further than what was asked before, within the limits."""
        due = []
        for step in todo:
            result, key = step.result, (step.result.start, step.urn, step.walks)
            if self._asked.get(key, 0) >= _distance(step.left):
                continue
            if len(result.found) > self._most:
                result.problem(Reason.TOO_MANY, f"DataHub lists more than {self._most:,} entities", "Raise `at-most`.")
                continue
            if self._walks.get(result.start, 0) + step.walks > self._most:
                result.problem(Reason.INCOMPLETE, f"Its lineage takes more than {self._most:,} walks")
                continue
            self._asked[key] = _distance(step.left)
            self._walks[result.start] = self._walks.get(result.start, 0) + step.walks
            due.append(step)
        return due

    def read(self, steps: Sequence[_Step]) -> list[tuple[_Step, EntityList]]:
        """The walks of those steps that take one."""
        walking = [step for step in steps if step.walks]
        walks = [self._form.walk(step.urn, step.left, self._most) for step in walking]
        new = [urn for urn in dict.fromkeys(step.urn for step in steps) if urn not in self.relations]
        related = {urn: text for urn in new if (text := self._form.relations(urn, self._most))}
        lists = read_lists(self._client, "incidentGateLineage", [*walks, *related.values()])
        refusal = next((read.refusal for read in lists if read.refusal), None)
        if refusal and self._discovery.learn(refusal) and (form := _Form.of(self._discovery.known)):
            self._form = form
            return self.read(steps)
        self.relations |= dict(zip(related, lists[len(walks) :], strict=True))
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


@dataclass(frozen=True, slots=True)
class _Form:
    """How one server is asked for lineage; `related` are the types of assets that show their own relations."""

    root: str
    options: str
    results: str
    related: frozenset[str]
    relation_options: str
    relation_fields: str

    @classmethod
    def of(cls, schema: Capabilities) -> _Form | None:
        """The form for what a server has, so far as that is known; None if it has no lineage."""
        root = next((name for name in (_SCROLL, _SEARCH) if schema.accepts("Query", name)), "")
        name = f"{root[:1].upper()}{root[1:]}"
        if not root or not schema.accepts(f"{name}Input", "orFilters"):
            return None
        flags = [flag for flag in _FLAGS if schema.accepts("SearchFlags", flag)]
        options = 'keepAlive: "5m", ' if root == _SCROLL and schema.accepts(f"{name}Input", "keepAlive") else ""
        if flags and schema.accepts(f"{name}Input", "searchFlags"):
            options += f"searchFlags: {inline(dict.fromkeys(flags, 'true'))}, "
        # Of a server that hides its schema it is not known which of the types it has.
        if schema.has(f"{name}Input", "lineageFlags") and schema.has("LineageFlags", "ignoreAsHops"):
            between = [kind for kind in _TYPES_BETWEEN if schema.has("EntityType", kind)]
            ignored = ", ".join(f"{{entityType: {kind}}}" for kind in between)
            options += f"lineageFlags: {{ignoreAsHops: [{ignored}]}}, "
        scroll = ["nextScrollId"] if root == _SCROLL else []
        page = ["total", *scroll, *(["isPartial"] if schema.accepts(f"{name}Results", "isPartial") else [])]
        signs = [sign for sign in _SIGNS if schema.accepts("SearchAcrossLineageResult", sign)]
        siblings = f" {_SIBLINGS}" if schema.accepts("Dataset", "siblings") else ""
        known = frozenset(TYPE_NAMES if schema.members else _RELATED)
        return cls(
            root,
            options,
            f"{' '.join(page)} searchResults {{ {' '.join(['degree', *signs])} entity {{ urn type{siblings} }} }}",
            frozenset(kind for kind in known if schema.accepts(TYPE_NAMES[kind], "lineage")),
            "".join(f", {flag}: true" for flag in _SWITCHES if schema.accepts("LineageInput", flag)),
            "total filtered" if schema.accepts("EntityLineageResult", "filtered") else "total",
        )

    def walk(self, urn: str, hops: Hops, most: int) -> ListField:
        """The list of one asset's upstreams."""
        scrolls = self.root == _SCROLL
        cursor = "scrollId" if scrolls else "start"
        text = f'urn: $urn#, direction: UPSTREAM, query: "*", count: $count#, {self.options}{cursor}: $cursor#'
        variables: dict[str, tuple[str, object]] = {"urn#": ("String", urn)}
        if hops != "all":
            text += ', orFilters: [{and: [{field: "degree", condition: EQUAL, values: $degrees#}]}]'
            variables["degrees#"] = ("[String!]", [str(degree) for degree in range(1, hops + 1)])
        return ListField(
            f"{self.root}(input: {{{text}}}) {{ {self.results} }}", variables, most, scrolls=scrolls, cost=16
        )

    def relations(self, urn: str, most: int) -> ListField | None:
        """The list of what an asset is made from in one step; None for a type that does not show it."""
        kind = urn.removeprefix("urn:li:").partition(":")[0]
        if kind not in self.related:
            return None
        text = f"direction: UPSTREAM, start: $cursor#, count: $count#{self.relation_options}"
        fields = f"{self.relation_fields} relationships {{ type entity {{ urn type }} }}"
        return ListField(
            f"{kind}(urn: $urn#) {{ lineage(input: {{{text}}}) {{ {fields} }} }}",
            {"urn#": ("String!", urn)},
            most,
            cost=10,
            path=("lineage",),
            entries="relationships",
        )


_SCROLL, _SEARCH = "scrollAcrossLineage", "searchAcrossLineage"
_FLAGS = ("skipCache", "skipHighlighting", "skipAggregates", "includeSoftDeleted", "includeRestricted")
_SWITCHES = ("separateSiblings", "includeGhostEntities")
_SIGNS = ("explored", "truncatedChildren", "ignoredAsHop")
_SIBLINGS = "... on Dataset { siblings { siblings { urn } } }"
# The types that have relations of their own on every server, for one that hides its schema.
_RELATED = (
    *("dataset", "dataJob", "dataFlow", "dashboard", "chart"),
    *("mlModel", "mlModelGroup", "mlFeature", "mlFeatureTable", "mlPrimaryKey"),
)
