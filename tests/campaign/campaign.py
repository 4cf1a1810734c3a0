"""A campaign of faults: schedules drawn from a seed, each played against a stand-in, and what must hold after each run.

Time is compressed: lag, delays and the program's own timeouts are scaled alike.
"""

import random
import threading
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from unittest.mock import patch

from incident_gate.datahub import client
from incident_gate.incident import mark_in
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.job_end import IDENTITY, SCALE, Job, output, signed

ASSET = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"
RAISE, WRITES = "incidentGateRaise", "incidentGate(Raise|Keep|Resolve)"
READS = "incidentGate(Health|HealthOfEach|Incident|Schema)"
IN_DOUBT = " (in doubt)"
# Seconds of the real thing: the longest lag that the program promises to cope with, and a delay that fits beside it.
LONGEST_LAG, LONGEST_DELAY = 3.0, 0.4
# Real seconds after which a request counts as lost. Shorter, and a busy machine would lose requests on its own.
HANGING = 1.0
AT_ONCE = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """One end of the job; with `rival`, two of them at the same time. `faults` are what it meets."""

    outcome: str
    rival: str | None = None
    offset: float = 0.0
    person_resolves: bool = False
    faults: tuple[Fault, ...] = ()


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

    schedules: int = 0
    runs: Counter[str] = field(default_factory=Counter)
    requests: int = 0
    broken: list[str] = field(default_factory=list)

    def add(self, other: "Tally") -> None:
        """Take in another one."""
        self.schedules += other.schedules
        self.runs += other.runs
        self.requests += other.requests
        self.broken += other.broken


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
    return Run(
        outcome=dice.choice(("failure", "failure", "success")),
        rival=dice.choice((None, None, "failure", "success")),
        offset=dice.choice((0.0, 0.0, dice.uniform(0.0, 2.0))),
        person_resolves=dice.random() < 0.25,
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
        seconds=dice.uniform(0.1, LONGEST_DELAY) * SCALE if fault.seconds else 0.0,
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


@contextmanager
def compressed() -> Iterator[None]:
    """Retries and timeouts of the transport on the campaign's time."""
    shorter = {
        "FIRST_WAIT": client.FIRST_WAIT * SCALE,
        "LONGEST_WAIT": client.LONGEST_WAIT * SCALE,
        "REQUEST_SECONDS": HANGING,
        "CONNECTION_PATIENCE": 1.5,
    }
    with ExitStack() as stack:
        for name, value in shorter.items():
            stack.enter_context(patch.object(client, name, value))
        yield


def play(schedule: Schedule) -> Tally:
    """Play one schedule; what does not hold is in the tally, in words."""
    tally = Tally(schedules=1)
    faults = Faults(lag=_scaled(schedule.lag), seed=schedule.seed)
    with Sandbox.start(schema=schedule.generation, faults=faults) as server:
        game = _Game(server, schedule)
        for number, run in enumerate(schedule.runs, start=1):
            for broken in game.play(run, number):
                tally.broken.append(f"seed {schedule.seed}, run {number}: {broken}\n    {schedule}")
            tally.runs.update(game.said)
        tally.requests = len(server.requests)
    return tally


def _scaled(lag: float | tuple[float, float]) -> float | tuple[float, float]:
    return (lag[0] * SCALE, lag[1] * SCALE) if isinstance(lag, tuple) else lag * SCALE


class _Game:
    def __init__(self, server: Sandbox, schedule: Schedule) -> None:
        self.server = server
        self.lag = schedule.lag
        self.seed = schedule.seed
        store = server.store
        store.add_asset(ASSET)
        self.key = IDENTITY.key_of(ASSET)
        other = signed("lost", "another asset")
        store.raise_incident(ASSET, title="raised by a person")
        store.raise_incident(ASSET, title="another job's", description=other)
        store.resolve(store.raise_incident(ASSET, title="over", description=other))
        self.others = self._others()
        self.job = Job(server=server, outputs=[output(ASSET)], seconds=8.0)
        self.said: list[str] = []

    def play(self, run: Run, number: int) -> list[str]:
        """One run, or two at a time, and what does not hold after it."""
        before = self.active()
        if run.person_resolves:
            for urn in before:
                self.server.store.resolve(urn, message="by hand")
            before = []
        self.server.faults = Faults(rules=run.faults, lag=_scaled(self.lag), seed=self.seed + number)
        ends = [run.outcome, *([run.rival] if run.rival else [])]
        self.said = self._end(ends, run.offset * SCALE, number)
        # What is still on its way gets there: delayed writes, and after them the search index.
        time.sleep((LONGEST_DELAY + LONGEST_LAG) * SCALE * 1.1)
        self.server.faults = Faults(lag=_scaled(self.lag), seed=self.seed + number)
        active = self.active()
        broken = [] if self._others() == self.others else ["others' incidents were changed"]
        in_doubt = any(word.endswith(IN_DOUBT) for word in self.said)
        if not in_doubt and len(active) not in _allowed(ends):
            broken.append(f"{ends} said {self.said} and left {len(active)} active incidents of ours")
        if in_doubt:
            broken += self._converge(run.outcome, number)
        return broken

    def _converge(self, outcome: str, number: int) -> list[str]:
        """Where a run said that it is in doubt, the next one must set it right."""
        said = self._end([outcome], 0.0, number)
        active = self.active()
        if any(word.endswith(IN_DOUBT) for word in said) or len(active) not in _allowed([outcome]):
            return [f"the next {outcome} said {said} and left {len(active)} active incidents of ours"]
        return []

    def _end(self, ends: Sequence[str], offset: float, number: int) -> list[str]:
        said: list[str] = []

        def end(outcome: str, wait: float) -> None:
            time.sleep(wait)
            try:
                said.extend(_said(result) for result in self.job.end(outcome, number).results)
            except Exception as error:  # noqa: BLE001 - told with the schedule
                said.append(f"raised {error!r}")

        threads = [threading.Thread(target=end, args=(o, i * offset)) for i, o in enumerate(ends)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        return said

    def active(self) -> list[str]:
        """Our active incidents in the primary store."""
        return [i.urn for i in self.server.store.incidents(ASSET, "ACTIVE") if self._is_ours(i.description)]

    def _others(self) -> list[object]:
        return [i for i in self.server.store.incidents(ASSET) if not self._is_ours(i.description)]

    def _is_ours(self, description: str | None) -> bool:
        mark = mark_in(description)
        return mark is not None and mark.key == self.key


def _said(result: OutputResult) -> str:
    """What a run says of its output: a raise that it could not see to the end of is in doubt, like a failure."""
    in_doubt = result.change is Change.FAILED or (result.change is Change.RAISED and result.message)
    return f"{result.change}{IN_DOUBT if in_doubt else ''}"


def _allowed(ends: Sequence[str]) -> set[int]:
    """How many active incidents may be left: with a success and a failure at a time, either may be the last."""
    return {1 if end == "failure" else 0 for end in ends}


def campaign(schedules: Iterable[Schedule]) -> Tally:
    """Play schedules, several at a time: they mostly wait."""
    total = Tally()
    with compressed(), ThreadPoolExecutor(AT_ONCE) as pool:
        for tally in pool.map(play, schedules):
            total.add(tally)
    return total


def drawn(seed: int, number: int) -> list[Schedule]:
    """That many schedules, the first of them drawn from `seed`."""
    return [draw(seed + offset) for offset in range(number)]
