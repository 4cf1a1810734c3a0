"""A campaign of faults: schedules drawn from a seed, each played against a stand-in, and what must hold after each run.

Time is compressed: lag, delays and the program's own timeouts are scaled alike. A busy machine takes its time all the
same, so what breaks a rule is played again on a slower scale: only a schedule that breaks it again is broken.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from enum import StrEnum
from functools import partial
from typing import Any
from unittest.mock import patch

from incident_gate.datahub import client, transport
from incident_gate.incident import Incident, mark_in
from incident_gate.outcome.own import newer_run
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.job_end import IDENTITY, SCALE, Job, output, signed

ASSET = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"
RAISE, WRITES = "incidentGateRaise", "incidentGate(Raise|Keep|Resolve)"
READS = "incidentGate(Health|HealthOfEach|Incident|Schema)"
IN_DOUBT = " (in doubt)"
# Seconds of the real thing: the longest lag that the program promises to cope with, and a delay that fits beside it.
LONGEST_LAG, LONGEST_DELAY = 3.0, 0.4
# The same, after which a request counts as lost, and for which a connection is tried again.
HANGING, PATIENCE = 20.0, 30.0
AT_ONCE = 10
# How much slower a schedule is played again, and how often.
SLOWER, AGAIN = 5, 3
# Two legs of one matrix, which write the same table.
LEGS = (IDENTITY, IDENTITY._replace(matrix='{"region":"eu"}'))


class Person(StrEnum):
    """What a person does with this job's active incidents before a run."""

    RESOLVES = "resolves"
    TAKES = "takes"  # sets a stage and writes a message
    NOTES = "notes"  # writes below the mark
    FREES = "frees"  # deletes the mark


# What happens between a run's first look and the one just before it writes, besides what a person does.
NEWER_KEEPS = "a newer run keeps"
RACES = (Person.RESOLVES, Person.TAKES, Person.FREES, NEWER_KEEPS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One end of the job; with `rival`, two of them at the same time. `faults` are what it meets.

    `back` makes it the repetition of an older run, that many runs ago. `leg` is the leg of the matrix, and `rival_leg`
    the rival's: legs write the same table. On `branch` it does not count. With `refused`, three incidents of its own
    are active, and the second write is refused.
    """

    outcome: str
    rival: str | None = None
    offset: float = 0.0
    leg: int = 0
    rival_leg: int = 0
    back: int = 0
    on_branch: bool = False
    person: Person | None = None
    resolves_during: float | None = None
    race: Person | str | None = None
    refused: bool = False
    faults: tuple[Fault, ...] = ()

    @property
    def ends(self) -> tuple[tuple[str, int], ...]:
        """The outcomes with their legs."""
        return ((self.outcome, self.leg), *([(self.rival, self.rival_leg)] if self.rival else []))


@dataclass(frozen=True, slots=True, kw_only=True)
class Schedule:
    """A server with its lag, and what happens to it."""

    seed: int
    generation: Generation
    lag: float | tuple[float, float]
    runs: tuple[Run, ...]


@dataclass(slots=True)
class Tally:
    """What a campaign saw."""

    runs: Counter[str] = field(default_factory=Counter)
    broken: list[str] = field(default_factory=list)


def draw(seed: int) -> Schedule:
    """The schedule of a seed."""
    dice = random.Random(seed)  # noqa: S311 - repeatable on purpose
    lag = dice.choice(
        (0.0, dice.uniform(0.1, LONGEST_LAG), LONGEST_LAG, (0.0, dice.uniform(0.5, LONGEST_LAG)), (0.0, LONGEST_LAG))
    )
    return Schedule(
        seed=seed,
        generation=dice.choice(list(Generation)),
        lag=lag,
        runs=tuple(_draw_run(dice) for _ in range(dice.randint(2, 5))),
    )


def _draw_run(dice: random.Random) -> Run:
    if dice.random() < 0.25:
        # Alone with what happens: then it is known what must be left.
        person = dice.choice((None, Person.TAKES, Person.NOTES))
        outcome, back = dice.choice(("failure", "success", "success")), dice.choice((0, 0, 1))
        if dice.random() < 0.3:
            return Run(outcome="success", person=person, refused=True, faults=(REFUSAL,))
        return Run(outcome=outcome, person=person, back=back, race=dice.choice(RACES))
    return Run(
        outcome=dice.choice(("failure", "failure", "success")),
        rival=dice.choice((None, None, "failure", "success")),
        offset=dice.choice((0.0, 0.0, dice.uniform(0.0, 2.0))),
        leg=dice.choice((0, 0, 0, 1)),
        rival_leg=dice.choice((0, 0, 1)),
        back=dice.choice((0, 0, 0, 1, 2)),
        on_branch=dice.random() < 0.1,
        person=dice.choice(list(Person)) if dice.random() < 0.5 else None,
        resolves_during=dice.uniform(0.0, 1.0) if dice.random() < 0.1 else None,
        faults=_draw_blindness(dice)
        if dice.random() < 0.15
        else tuple(_draw_fault(dice) for _ in range(dice.choice((0, 1, 1, 2, 3)))),
    )


def _draw_blindness(dice: random.Random) -> tuple[Fault, ...]:
    """The answer of a raise is lost, and then the asset cannot be read either."""
    return (
        replace(dice.choice(_AFTER), operation=RAISE, times=1),
        Fault(kind=FaultKind.GRAPHQL_ERROR, operation=READS, after=1, times=dice.choice((1, 2, 10))),
    )


def _draw_fault(dice: random.Random) -> Fault:
    of_writes = dice.random() < 0.7
    fault = dice.choice(_OF_WRITES if of_writes else _OF_ALL)
    return replace(
        fault,
        operation=dice.choice((RAISE, RAISE, WRITES)) if of_writes else READS,
        after=dice.choice((0, 0, 0, 1, 2)),
        times=dice.choice((1, 1, 1, 2, 3, 8)),
        seconds=dice.uniform(0.1, LONGEST_DELAY) if fault.seconds else 0.0,
    )


_OF_ALL = (
    *(Fault(kind=FaultKind.STATUS, status=status) for status in (429, 500, 502, 503, 504)),
    *(Fault(kind=FaultKind.GRAPHQL_ERROR, code=code) for code in (500, 503, 504)),
    Fault(kind=FaultKind.RATE_LIMIT, retry_after="0"),
    Fault(kind=FaultKind.HTML),
    Fault(kind=FaultKind.DROP_BEFORE),
    Fault(kind=FaultKind.HANG),
    Fault(kind=FaultKind.LATENCY, seconds=1.0),
)
_AFTER = (
    # Not 429: a server that limits the rate says so before it does anything.
    *(Fault(kind=FaultKind.STATUS_AFTER, status=status) for status in (500, 502, 503, 504)),
    *(Fault(kind=FaultKind.GRAPHQL_ERROR_AFTER, code=code) for code in (500, 503, 504)),
    Fault(kind=FaultKind.HANG_AFTER),
    *(Fault(kind=kind) for kind in (FaultKind.DROP_AFTER, FaultKind.TWICE) for _ in range(2)),
    *(Fault(kind=FaultKind.DELAYED_WRITE, seconds=1.0) for _ in range(2)),
)
_OF_WRITES = (*_OF_ALL, *_AFTER)
REFUSAL = Fault(kind=FaultKind.GRAPHQL_ERROR, operation="incidentGateResolve", code=403, after=1, times=1)


@contextmanager
def compressed(scale: float = SCALE) -> Iterator[None]:
    """Retries and timeouts of the transport on the campaign's time."""
    waits = {name: getattr(client, name) * scale for name in ("FIRST_WAIT", "LONGEST_WAIT")}
    with (
        patch.multiple(client, REQUEST_SECONDS=HANGING * scale, **waits),
        patch.object(transport, "CONNECTION_PATIENCE", PATIENCE * scale),
    ):
        yield


def play(schedule: Schedule, scale: float = SCALE) -> Tally:
    """Play one schedule; what does not hold is in the tally, in words."""
    tally = Tally()
    schedule = _scaled(schedule, scale)
    faults = Faults(lag=schedule.lag, seed=schedule.seed)
    with Sandbox.start(schema=schedule.generation, faults=faults) as server:
        game = _Game(server, schedule, scale)
        for number, run in enumerate(schedule.runs, start=1):
            for broken in game.play(run, number):
                tally.broken.append(f"seed {schedule.seed}, run {number}: {broken}\n    {schedule}")
            tally.runs.update(game.said)
    return tally


def _scaled(schedule: Schedule, scale: float) -> Schedule:
    """The same in real seconds."""
    lag = schedule.lag
    runs = (
        replace(run, faults=tuple(replace(fault, seconds=fault.seconds * scale) for fault in run.faults))
        for run in schedule.runs
    )
    return replace(
        schedule, lag=(lag[0] * scale, lag[1] * scale) if isinstance(lag, tuple) else lag * scale, runs=tuple(runs)
    )


class _Game:
    def __init__(self, server: Sandbox, schedule: Schedule, scale: float) -> None:
        self.server = server
        self.scale = scale
        self.lag = schedule.lag
        self.seed = schedule.seed
        store = server.store
        store.add_asset(ASSET)
        other = signed("lost", "another asset")
        store.raise_incident(ASSET, title="raised by a person")
        store.raise_incident(ASSET, title="another job's", description=other)
        store.resolve(store.raise_incident(ASSET, title="over", description=other))
        job = Job(server=server, outputs=[output(ASSET)], seconds=160.0 * scale, scale=scale)
        self.legs = [replace(job, identity=identity) for identity in LEGS]
        self.keys = [identity.key_of(ASSET) for identity in LEGS]
        # What a person resolved, and what a person wrote where.
        self.over: set[str] = set()
        self.written: dict[str, tuple[str | None, str | None]] = {}
        self.freed: dict[str, Any] = {}
        self.held: list[str] = []
        self.reported: list[OutputResult] = []
        self.said: list[str] = []

    def play(self, run: Run, number: int) -> list[str]:
        """One run, or two at a time, and what does not hold after it."""
        if run.person:
            self._act(run.person)
        # What a person did is in the index before the run begins.
        time.sleep(LONGEST_LAG * self.scale * 1.1)
        number = max(1, number - run.back)
        if run.refused:
            description = signed("failed", ASSET, run="1001", identity=LEGS[0])
            for _ in range(3):
                self.server.store.raise_incident(ASSET, description=description)
            time.sleep(LONGEST_LAG * SCALE * 1.1)
        before, active = self._all(), set(self.active(0))
        newer = [len(self._newer(leg, number)) for leg in range(len(LEGS))]
        self.server.faults = Faults(rules=run.faults, lag=self.lag, seed=self.seed + number)
        self.said = self._end(run.ends, run.offset * self.scale, number, run)
        newer[0] = 1 if self.held else newer[0]
        self._settle(number)
        broken = self._check(run, before)
        broken += self._check_between(run, number, active)
        doubtful = {leg for word, leg in self._words if word.endswith(IN_DOUBT)}
        for leg in {leg for _, leg in run.ends}:
            ends = [end for end, of in run.ends if of == leg]
            left, allowed = len(self.active(leg)), _allowed(ends, newer[leg])
            # What a run has just raised may be over before it looks for it.
            allowed |= {0} if run.race in {Person.RESOLVES, Person.FREES} else set()
            if run.on_branch or run.resolves_during is not None:
                continue
            # A request that was sent once may be executed twice, and two jobs may raise at the same time: where the
            # server accepts no id, the next run folds what they raised.
            twins = left > 1 and "failure" in ends and (len(ends) > 1 or bool(run.faults))
            if leg in doubtful or twins:
                broken += self._converge(ends[0], leg, number)
            elif left not in allowed:
                broken.append(f"leg {leg}: {ends} reported {self.said} and left {left} active incidents, not {allowed}")
        return broken

    def _act(self, person: Person, legs: Sequence[int] = range(len(LEGS))) -> None:
        store = self.server.store
        for leg in legs:
            for urn in self.active(leg):
                description = store.incidents_by_urn([urn])[urn].description or ""
                match person:
                    case Person.RESOLVES:
                        store.resolve(urn, message="by hand")
                        self.over.add(urn)
                    case Person.TAKES:
                        stage = "INVESTIGATION" if self.server.generation.has_stages else None
                        self.written[urn] = (stage, "Ana: looking at the loader")
                        store.update_incident(urn, {"stage": stage, "message": "Ana: looking at the loader"})
                    case Person.NOTES:
                        store.update_incident(urn, {"description": f"{description}\n\nNote by Ana."})
                    case Person.FREES:
                        lines = [line for line in description.splitlines() if mark_in(line) is None]
                        store.update_incident(urn, {"description": "\n".join(lines)})
                        self.freed[urn] = store.incidents_by_urn([urn])[urn]

    def _race(self, race: str, number: int) -> None:
        """Between two looks of a run; what happens is in the index before the second."""
        if race == NEWER_KEEPS:
            self.legs[0].end("failure", number + 10)
            self.held = self._newer(0, number)
        else:
            self._act(Person(race), [0])
        time.sleep(LONGEST_LAG * SCALE * 1.1)

    def _check(self, run: Run, before: dict[str, Any]) -> list[str]:
        """What holds after any run, in doubt or not."""
        after = self._all()
        played = set() if run.on_branch else {self.keys[leg] for _, leg in run.ends}
        broken = [
            f"{urn}, which is not this job's, was changed"
            for urn, incident in before.items()
            if _key(incident) not in played and after[urn] != incident and run.resolves_during is None
        ]
        broken += [f"{urn}, which a person freed, was changed" for urn, was in self.freed.items() if after[urn] != was]
        broken += [
            f"{urn} was reported and is {after[urn].state}"
            for result in self.reported
            for urns, state in ((result.raised, "ACTIVE"), (result.resolved, "RESOLVED"))
            for urn in urns
            if after[urn].state != state and not (run.rival or run.resolves_during is not None or urn in self.over)
        ]
        broken += [f"{urn}, which a person resolved, was opened" for urn in self.over if after[urn].state == "ACTIVE"]
        broken += [
            f"{urn} lost what a person wrote: {after[urn].stage}, {after[urn].message}"
            for urn, written in self.written.items()
            if after[urn].state == "ACTIVE" and (after[urn].stage, after[urn].message) != written
        ]
        if run.on_branch and any(word != "nothing" for word in self.said):
            broken.append(f"a branch reported {self.said}")
        return broken

    def _check_between(self, run: Run, number: int, active: set[str]) -> list[str]:
        """What holds after something happened between two looks, or a second write was refused."""
        broken = []
        if self.held and not self._newer(0, number):
            broken.append(f"{self.held} of a newer run left no active incident that names it")
        resolved = {urn for result in self.reported for urn in result.resolved}
        if run.refused and resolved != active - set(self.active(0)):
            broken.append(f"{self.said} and reported {resolved} of {active} as resolved")
        return broken

    def _converge(self, outcome: str, leg: int, number: int) -> list[str]:
        """Where a run said that it is in doubt, or left twins, the next one must set it right."""
        newer = len(self._newer(leg, number))
        said = self._end([(outcome, leg)], 0.0, number, Run(outcome=outcome))
        self._settle(number)
        left = len(self.active(leg))
        if any(word.endswith(IN_DOUBT) for word in said) or left not in _allowed([outcome], newer):
            return [f"leg {leg}: the next {outcome} said {said} and left {left} active incidents"]
        return []

    def _settle(self, number: int) -> None:
        """What is still on its way gets there: delayed writes, and after them the search index."""
        time.sleep((LONGEST_DELAY + LONGEST_LAG) * self.scale * 1.1)
        self.server.faults = Faults(lag=self.lag, seed=self.seed + number)

    def _end(self, ends: Sequence[tuple[str, int]], offset: float, number: int, run: Run) -> list[str]:
        self._words: list[tuple[str, int]] = []
        self.reported, self.held = [], []
        race = run.race

        def end(outcome: str, leg: int, wait: float) -> None:
            time.sleep(wait)
            try:
                job = replace(self.legs[leg], before_look=partial(self._race, race, number) if race else None)
                report = job.end(outcome, number, branch="feature" if run.on_branch else "main")
                self.reported += report.results
                self._words += [("nothing", leg)] if report.nothing else [(_said(r), leg) for r in report.results]
            except Exception as error:  # noqa: BLE001 - reported with the schedule
                self._words.append((f"raised {error!r}", leg))

        def resolve(wait: float) -> None:
            time.sleep(wait)
            for urn in self.active(0):
                self.server.store.resolve(urn, message="by hand, meanwhile")

        threads = [threading.Thread(target=end, args=(*one, i * offset)) for i, one in enumerate(ends)]
        if run.resolves_during is not None:
            threads.append(threading.Thread(target=resolve, args=(run.resolves_during * self.scale,)))
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return [word for word, _ in self._words]

    def active(self, leg: int) -> list[str]:
        """A leg's active incidents in the primary store."""
        return [i.urn for i in self.server.store.incidents(ASSET, "ACTIVE") if _key(i) == self.keys[leg]]

    def _newer(self, leg: int, number: int) -> list[str]:
        """Those of them that a newer run raised or kept."""
        run = self.legs[leg].run_of(number)
        return [
            incident.urn
            for incident in self.server.store.incidents(ASSET, "ACTIVE")
            if _key(incident) == self.keys[leg] and newer_run(_as_read(incident), run)
        ]

    def _all(self) -> dict[str, Any]:
        return {incident.urn: incident for incident in self.server.store.incidents(ASSET)}


def _as_read(record: Any) -> Incident:
    return Incident(urn=record.urn, asset=ASSET, mark=mark_in(record.description), message=record.message)


def _key(record: Any) -> str:
    mark = mark_in(record.description)
    return mark.key if mark else ""


def _said(result: OutputResult) -> str:
    """What a run reports of its output: a raise that it could not see to the end of is in doubt, like a failure."""
    in_doubt = result.change is Change.FAILED or (result.change is Change.RAISED and result.message)
    return f"{result.change}{IN_DOUBT if in_doubt else ''}"


def _allowed(ends: Sequence[str], newer: int) -> set[int]:
    """How many active incidents may be left: with a success and a failure at a time, either may be the last.

    A success leaves those of newer runs.
    """
    return {1 if end == "failure" else newer for end in ends}


def campaign(schedules: Iterable[Schedule]) -> Tally:
    """Play schedules, several at a time: they mostly wait."""
    total = Tally()
    schedules = list(schedules)
    with compressed(), ThreadPoolExecutor(AT_ONCE) as pool:
        played = list(pool.map(play, schedules))
    with compressed(SCALE * SLOWER):
        for schedule, tally in zip(schedules, played, strict=True):
            for _ in range(AGAIN if tally.broken else 0):
                tally = play(schedule, SCALE * SLOWER)  # noqa: PLW2901 - instead of the first
                if tally.broken:
                    break
            total.runs += tally.runs
            total.broken += tally.broken
    return total
