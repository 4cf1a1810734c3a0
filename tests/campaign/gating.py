"""A campaign of tokens and policies: the gate's verdicts, compared with what the server's own store shows to be true.

A schedule has a server, a token, assets with their incidents, and what goes wrong. The truth is read from the store, by
none of the gate's code: whether an asset may be viewed, and whether the list of its incidents, its summary or the
incident's entity could show that one is active.
"""

import random
import time
from collections import Counter
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from enum import StrEnum
from unittest.mock import patch

from incident_gate.datahub.health import witness
from incident_gate.sandbox import DEFAULT_TOKEN, Fault, FaultKind, Faults, Generation, Grant, Sandbox, Store, ViewPolicy
from incident_gate.sandbox.records import IncidentFilter, parse_urn
from incident_gate.sandbox.request import matches, may_view
from tests.campaign.campaign import AT_ONCE, compressed
from tests.helpers.gating import check

OPEN = "urn:li:dataset:(urn:li:dataPlatform:hive,open.t{},PROD)"
SECRET = "urn:li:dataset:(urn:li:dataPlatform:s3,secret.t{},PROD)"
DASHBOARD = "urn:li:dashboard:(looker,d{})"
TAG, DOMAIN = "urn:li:tag:open", "urn:li:domain:sales"
HEALTHY, UNHEALTHY, UNKNOWN = "healthy", "unhealthy", "unknown"
ANYTHING = frozenset({HEALTHY, UNHEALTHY, UNKNOWN})
# Real seconds: how long the gate waits before it looks again, a lag that is over by then, and one that is not.
SECOND_LOOK, MOMENT, FOR_LONG = 0.06, 0.03, 600.0
# The hook holds 100 incidents of a state: so many newer ones drop the oldest from the summary.
BURYING = 100
EVERYTHING = IncidentFilter(count=10_000)


class Presence(StrEnum):
    """Whether an asset is there."""

    THERE = "there"
    REMOVED = "removed"
    MISSING = "missing"


class Life(StrEnum):
    """What became of an incident."""

    ACTIVE = "active"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    BURIED = "buried"  # active, and dropped from the summary by newer ones, which are over
    DELETED = "deleted"  # the summary keeps its name
    LOST = "lost"  # indexed, and not stored


@dataclass(frozen=True, slots=True)
class Lags:
    """Seconds until a write is seen by searches and by the hook; None is a hook that is off."""

    index: float = 0.0
    hook: float | None = 0.0


@dataclass(frozen=True, slots=True)
class Incident:
    """An incident, with the lags of the first write and of what followed."""

    life: Life
    raised: Lags = Lags()
    ended: Lags = Lags()


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An input of the manifest, or the sibling of one."""

    urn: str
    presence: Presence = Presence.THERE
    tagged: bool = False
    in_domain: bool = False
    incidents: tuple[Incident, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A server, a token, and what the gate is asked about. `siblings` are pairs of places among the assets."""

    seed: int
    generation: Generation
    grant: Grant
    assets: tuple[Asset, ...]
    siblings: tuple[tuple[int, int], ...] = ()
    faults: Faults


@dataclass(slots=True)
class Tally:
    """What a campaign saw."""

    schedules: int = 0
    requests: int = 0
    verdicts: Counter[str] = field(default_factory=Counter)
    silent: int = 0
    false_passes: list[str] = field(default_factory=list)
    false_blocks: list[str] = field(default_factory=list)
    others: list[str] = field(default_factory=list)

    @property
    def broken(self) -> list[str]:
        """Everything that does not hold."""
        return self.false_passes + self.false_blocks + self.others

    def add(self, other: "Tally") -> None:
        """Take in another one."""
        self.schedules += other.schedules
        self.requests += other.requests
        self.verdicts += other.verdicts
        self.silent += other.silent
        self.false_passes += other.false_passes
        self.false_blocks += other.false_blocks
        self.others += other.others

    @property
    def figures(self) -> dict[str, int]:
        """The counts, by name."""
        return {
            "schedules": self.schedules,
            "requests": self.requests,
            **{f"{word} inputs": self.verdicts[word] for word in (HEALTHY, UNHEALTHY, UNKNOWN)},
            "inputs passed because no answer showed their incident": self.silent,
            "false passes": len(self.false_passes),
            "false blocks": len(self.false_blocks),
            "other wrong verdicts": len(self.others),
        }


# Drawing


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    generation = dice.choice([*Generation, Generation.CLOUD, Generation.CLOUD])
    hook_is_off = dice.random() < 0.1
    assets = [_draw_asset(dice, place, hook_is_off=hook_is_off) for place in range(dice.randint(2, 6))]
    if dice.random() < 0.3:
        assets[0] = _with_a_moment(dice, assets[0])
    datasets = [place for place, asset in enumerate(assets) if asset.urn.startswith("urn:li:dataset:")]
    pairs = [tuple(dice.sample(datasets, 2)) for _ in range(dice.choice((0, 1, 1, 2)))] if len(datasets) > 1 else []
    return Schedule(
        seed=seed,
        generation=generation,
        # Cloud of 2022 had no view authorization.
        grant=_draw_grant(dice, assets, has_views=generation is not Generation.G1),
        assets=tuple(assets),
        siblings=tuple(dict.fromkeys((min(pair), max(pair)) for pair in pairs)),
        faults=_draw_faults(dice, assets),
    )


def _draw_asset(dice: random.Random, place: int, *, hook_is_off: bool) -> Asset:
    return Asset(
        urn=dice.choice((OPEN, OPEN, OPEN, SECRET, DASHBOARD)).format(place),
        presence=dice.choice([Presence.THERE] * 6 + [Presence.REMOVED, Presence.MISSING]),
        tagged=dice.random() < 0.5,
        in_domain=dice.random() < 0.5,
        incidents=tuple(
            Incident(
                dice.choices(list(Life), weights=(30, 30, 10, 1, 8, 8))[0],
                _draw_lags(dice, hook_is_off=hook_is_off),
                _draw_lags(dice, hook_is_off=hook_is_off),
            )
            for _ in range(dice.choice((0, 0, 0, 1, 1, 2, 3)))
        ),
    )


def _draw_lags(dice: random.Random, *, hook_is_off: bool) -> Lags:
    index, hook = dice.choice((0.0, 0.0, 0.0, FOR_LONG)), dice.choice((0.0, 0.0, 0.0, FOR_LONG, None))
    return Lags(index, None if hook_is_off else hook)


def _with_a_moment(dice: random.Random, asset: Asset) -> Asset:
    """With one incident that searches or the hook see while the gate runs. One alone: so each state has its truth."""
    lags = dice.choice((Lags(index=MOMENT), Lags(hook=MOMENT)))
    incident = dice.choice((Incident(Life.ACTIVE, lags), Incident(Life.RESOLVED, Lags(), lags)))
    return Asset(urn=asset.urn, tagged=asset.tagged, in_domain=asset.in_domain, incidents=(incident,))


def _draw_grant(dice: random.Random, assets: list[Asset], *, has_views: bool) -> Grant:
    urns = tuple(asset.urn for asset in assets)
    limited = (
        ViewPolicy(urns=urns),
        ViewPolicy(urns=("urn:li:dataset:(urn:li:dataPlatform:hive,*",)),
        ViewPolicy(tags=(TAG,)),
        ViewPolicy(domains=(DOMAIN,)),
        ViewPolicy(types=("dataset",)),
        ViewPolicy(platforms=("hive",)),
        ViewPolicy(types=("dataset",), tags=(TAG,)),
    )
    views = dice.choice(
        (
            None,
            (),
            (ViewPolicy(),),
            *[(policy,) for policy in limited],
            tuple(dice.sample(limited, 2)),
            (ViewPolicy(), dice.choice(limited)),
        )
    )
    sees = tuple(urn for urn in urns if dice.random() < 0.7) if dice.random() < 0.1 else None
    return Grant(token=DEFAULT_TOKEN, views=views if has_views else None, sees=sees, edits=())


def _draw_faults(dice: random.Random, assets: list[Asset]) -> Faults:
    rules = tuple(_draw_fault(dice, assets) for _ in range(dice.choice((0, 0, 0, 1, 1, 2))))
    return Faults(
        rules=rules,
        seed=dice.randint(0, 2**32),
        old_summaries=dice.random() < 0.2,
        blank_names=dice.random() < 0.3,
        introspection=dice.random() < 0.8,
        page_limit=dice.choice((None, None, None, 1, 2)),
        lacks=("aspects",) if dice.random() < 0.1 else (),
    )


def _draw_fault(dice: random.Random, assets: list[Asset]) -> Fault:
    after, times = dice.choice((0, 0, 1, 2, 3)), dice.choice((1, 1, 2, 8))
    if dice.random() < 0.5:
        kind, code = dice.choice(_OF_DATA), dice.choice((403, 500, 503))
        return Fault(kind=kind, code=code, urn=dice.choice(assets).urn, after=after, times=times)
    kind = dice.choice(_OF_REQUESTS)
    status, code = dice.choice((429, 500, 502, 503, 504)), dice.choice((403, 500, 503, 504))
    return Fault(kind=kind, status=status, code=code, after=after, times=times, retry_after="0")


_OF_DATA = (
    FaultKind.NULL_ELEMENT,
    FaultKind.NULL_INCIDENTS,
    FaultKind.NULL_EXISTS,
    FaultKind.LOST_INCIDENTS,
    FaultKind.FIELD_ERROR,
    FaultKind.THROW,
)
_OF_REQUESTS = (
    FaultKind.STATUS,
    FaultKind.RATE_LIMIT,
    FaultKind.HTML,
    FaultKind.DROP_BEFORE,
    FaultKind.DROP_AFTER,
    FaultKind.GRAPHQL_ERROR,
    FaultKind.GRAPHQL_ERROR_AFTER,
)


# Arranging


def _arrange(store: Store, schedule: Schedule) -> None:
    for asset in schedule.assets:
        if asset.presence is not Presence.MISSING:
            tags, domains = (TAG,) if asset.tagged else (), (DOMAIN,) if asset.in_domain else ()
            removed = asset.presence is Presence.REMOVED or None
            store.add_asset(asset.urn, removed=removed, tags=tags, domains=domains)
    for one, other in schedule.siblings:
        # The link is there on both sides; what was never ingested stays so.
        ends = [schedule.assets[one], schedule.assets[other]]
        there = [asset for asset in ends if asset.presence is not Presence.MISSING]
        if there:
            _link(store, there[0].urn, next(asset.urn for asset in ends if asset is not there[0]))
    for asset in schedule.assets:
        for incident in asset.incidents:
            _live(store, asset.urn, incident)


def _link(store: Store, urn: str, sibling: str) -> None:
    held = store.assets([urn])[urn]
    store.add_asset(urn, removed=held.removed, tags=held.tags, domains=held.domains, siblings=[sibling])


def _live(store: Store, asset: str, incident: Incident) -> None:
    now = time.time_ns() // 1_000_000
    urn = store.raise_incident(
        asset, title="late", created_ms=now - 1_000, lag=incident.raised.index, hook_lag=incident.raised.hook
    )
    index, hook = incident.ended.index, incident.ended.hook
    match incident.life:
        case Life.ACTIVE:
            pass
        case Life.RESOLVED:
            store.resolve(urn, lag=index, hook_lag=hook)
        case Life.REOPENED:
            store.resolve(urn)
            store.update_incident(urn, {"state": "ACTIVE"}, lag=index, hook_lag=hook)
        case Life.BURIED:
            newer = [store.raise_incident(asset, title="newer", created_ms=now) for _ in range(BURYING)]
            for other in newer:
                store.resolve(other)
        case Life.DELETED:
            store.delete_incident(urn)
        case Life.LOST:
            store.lose_incident(urn)


# The truth


@dataclass(frozen=True, slots=True)
class Truth:
    """The verdicts that are right; `silent` where an incident is active and no answer can show it."""

    right: frozenset[str]
    silent: bool = False


class _Evidence:
    """What a server can show of an asset's incidents to a token."""

    def __init__(self, server: Sandbox, schedule: Schedule, asset: str) -> None:
        store, generation = server.store, schedule.generation
        stored = {incident.urn: incident.state for incident in store.incidents(asset)}
        views = schedule.grant.views
        # Cloud adds the view policies to each search, and one with any condition matches no incident.
        is_searched = not (generation.is_cloud and views is not None and ViewPolicy() not in views)
        indexed = store.search_incidents([asset], EVERYTHING).get(asset)
        active = store.search_incidents([asset], IncidentFilter(state="ACTIVE", count=10_000)).get(asset)
        found = set(indexed.urns) if is_searched and indexed else set()
        counted = set(active.urns) if is_searched and active else set()
        has_summary = generation.schema_version >= (0, 13) and not server.faults.lacks
        summary = store.summaries([asset]).get(asset, {}) if has_summary else {}
        named = {detail["urn"] for detail in summary.get("activeIncidentDetails", ())}
        self.active = {urn for urn, state in stored.items() if state == "ACTIVE"}
        listed = counted & stored.keys()
        # Counted, and not there to be listed.
        self.lost = counted - stored.keys()
        # Open source loads no list that has a lost incident, and answers for no incident of its own.
        if generation.is_cloud:
            sees = schedule.grant.sees
            known = {urn for urn in stored if sees is None or matches(sees, urn)} | (found & stored.keys())
        else:
            known = found if found <= stored.keys() else set()
            listed = set() if self.lost else listed
        known |= listed
        # A summary that names what the list lacks makes the gate read the whole history.
        history = found if named - listed and not (found - stored.keys() and not generation.is_cloud) else set()
        self.certain = self.active & (listed | (named & known) | history)
        self.doubtful = named - known


def truth(server: Sandbox, schedule: Schedule, urn: str) -> Truth:
    """What the gate may say about an asset, by what the store has now."""
    store, generation, grant = server.store, schedule.generation, schedule.grant
    linked = store.siblings([urn]).get(urn)
    siblings = linked.urns if linked else ()

    def is_hidden(one: str) -> bool:
        unseen = grant.sees is not None and not matches(grant.sees, one)
        return unseen or not may_view(grant.views, parse_urn(one), store.assets([one]).get(one))

    asset = store.assets([urn]).get(urn)
    never = (
        asset is None
        or asset.removed is True
        or any(map(is_hidden, (urn, *siblings)))
        or parse_urn(urn).kind not in generation.destinations
    )
    evidence = [_Evidence(server, schedule, one) for one in (urn, *siblings)]
    if never or any(each.lost for each in evidence):
        return Truth(frozenset({UNHEALTHY, UNKNOWN}))
    if any(each.certain for each in evidence):
        return Truth(frozenset({UNHEALTHY}))
    if any(each.doubtful for each in evidence):
        return Truth(frozenset({UNKNOWN}))
    # What no answer shows passes, and nothing else can be asked of the gate.
    return Truth(frozenset({HEALTHY}), silent=any(each.active for each in evidence))


# Playing


def play(schedule: Schedule) -> Tally:
    """Play one schedule; what does not hold is in the tally, in words."""
    tally = Tally(schedules=1)
    with Sandbox.start(schema=schedule.generation, tokens=[schedule.grant], faults=schedule.faults) as server:
        _arrange(server.store, schedule)
        urns = [asset.urn for asset in schedule.assets]
        before = [truth(server, schedule, urn) for urn in urns]
        try:
            result = check(server, *urns)
        except Exception as error:  # noqa: BLE001 - reported with the schedule
            tally.others.append(f"seed {schedule.seed}: raised {error!r}\n    {schedule}")
            return tally
        # Searches and the hook may have caught up in between.
        after = [truth(server, schedule, urn) for urn in urns]
        tally.requests = len(server.requests)
    for decision, first, last in zip(result.decisions, before, after, strict=True):
        verdict = decision.verdict.value
        tally.verdicts[verdict] += 1
        tally.silent += verdict == HEALTHY and last.silent
        right = first.right | last.right
        # A fault may leave anything open, and lets nothing pass.
        if verdict in right or (verdict == UNKNOWN and schedule.faults.rules):
            continue
        words = f"seed {schedule.seed}: {decision.entry.urn.text} is {verdict}, not {sorted(right)}"
        wrong = tally.false_passes if verdict == HEALTHY else tally.false_blocks if right == {HEALTHY} else tally.others
        wrong.append(f"{words}: {decision.problems}\n    {schedule}")
    if (result.exit_code == 0) != all(decision.verdict.value == HEALTHY for decision in result.decisions):
        tally.others.append(f"seed {schedule.seed}: exit code {result.exit_code}\n    {schedule}")
    return tally


def campaign(schedules: Iterable[Schedule]) -> Tally:
    """Play schedules, several at a time."""
    total = Tally()
    with compressed(), patch.object(witness, "SECOND_LOOK", SECOND_LOOK), ThreadPoolExecutor(AT_ONCE) as pool:
        for tally in pool.map(play, schedules):
            total.add(tally)
    return total


def drawn(seed: int, number: int) -> list[Schedule]:
    """That many schedules, the first of them drawn from `seed`."""
    return [draw(seed + offset) for offset in range(number)]
