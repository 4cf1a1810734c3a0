"""The faults, the moments at which they strike, and what the gate must make of each."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from enum import StrEnum
from itertools import product

from incident_gate.report.model import Report
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.gating import check, tables
from tests.helpers.wire import WireFault, WireServer, WireStep

# Seconds that a gate has to end in which only time ends, one that ends with an answer, and one that would have to wait.
SHORT, LONG, HOPELESS = 4, 100, 50
BATCH = 5
ASSETS = tables(3 * BATCH)


class Moment(StrEnum):
    """Which request a fault strikes first."""

    FIRST = "first request"  # about three assets
    PAGE = "later page"  # of an asset with 25 incidents, of which the first page shows 10
    BATCH = "one of several batches"  # the second of three to come in, and all after it


class Often(StrEnum):
    """How often it strikes."""

    ONCE = "once"
    TWICE = "twice"
    FOR_EVER = "for ever"


class Kind(StrEnum):
    """What may be done about a fault."""

    NONE = "the answer can be used all the same"
    PASSING = "the same question may be answered next time"
    REFUSAL = "a setting is wrong: asking again cannot help"
    HOPELESS = "nobody will answer before the time is up"
    PER_QUESTION = "this question is refused, a smaller one may be answered"
    PER_ASSET = "an asset's own error"
    BUSY_ASSET = "an asset's own error that may pass"


@dataclass(frozen=True, slots=True)
class Trouble:
    """A fault, by its name in the table, with a pattern of the words that report it."""

    name: str
    kind: Kind
    fault: Fault | WireStep
    words: str = ""


def _wire(fault: WireFault, kind: Kind, words: str = "", **values: float) -> Trouble:
    step = WireStep(fault=fault, pause=values.get("pause", 0.05), size=int(values.get("size", 3_000_000)))
    return Trouble(fault.value.replace("-", " "), kind, step, words)


def _status(status: int, kind: Kind, words: str = "") -> Trouble:
    return Trouble(
        f"HTTP {status}", kind, Fault(kind=FaultKind.STATUS, status=status), words or f"answers HTTP {status}"
    )


def _graphql(code: int, kind: Kind, words: str) -> Trouble:
    return Trouble(f"GraphQL {code}", kind, Fault(kind=FaultKind.GRAPHQL_ERROR, code=code), words)


def _partial(code: int, kind: Kind) -> Trouble:
    fault = Fault(kind=FaultKind.FIELD_ERROR, code=code)
    return Trouble(f"partial data, GraphQL {code}", kind, fault, "Failed to retrieve incidents")


TROUBLES = (
    # The reset can meet the client while it connects or while it sends.
    _wire(WireFault.RESET_ON_CONNECT, Kind.PASSING, "Cannot connect|broke"),
    _wire(WireFault.RESET_BEFORE_ANSWER, Kind.PASSING, "broke"),
    _wire(WireFault.CLOSE_BEFORE_ANSWER, Kind.PASSING, "broke"),
    _wire(WireFault.RESET_IN_BODY, Kind.PASSING, "broke"),
    _wire(WireFault.RESET_AFTER_ANSWER, Kind.NONE),
    _wire(WireFault.TRUNCATED, Kind.PASSING, "broke"),
    _wire(WireFault.HALF_JSON, Kind.PASSING, "sends JSON that breaks off"),
    _wire(WireFault.GARBAGE, Kind.PASSING, "not HTTP"),
    _wire(WireFault.HANG_BEFORE_HEADERS, Kind.PASSING, "does not answer in time"),
    _wire(WireFault.HANG_IN_BODY, Kind.PASSING, "does not answer in time"),
    _wire(WireFault.TRICKLE, Kind.PASSING, "does not answer in time"),
    _wire(WireFault.WRONG_TYPE, Kind.NONE),
    _wire(WireFault.HUGE, Kind.PER_QUESTION, "MiB in one answer"),
    Trouble("HTML with 200", Kind.REFUSAL, Fault(kind=FaultKind.HTML), "answers with a web page"),
    Trouble("302 to the same host", Kind.REFUSAL, Fault(kind=FaultKind.REDIRECT), "redirects to http://127.0.0.1"),
    Trouble(
        "302 to another host",
        Kind.REFUSAL,
        Fault(kind=FaultKind.REDIRECT, location="https://login.example.com/"),
        "redirects to https://login.example.com",
    ),
    _status(401, Kind.REFUSAL, "rejected the token"),
    _status(403, Kind.REFUSAL, "forbids the request"),
    _status(404, Kind.REFUSAL, "has no GraphQL API"),
    _status(400, Kind.PER_QUESTION),
    _status(413, Kind.PER_QUESTION),
    Trouble("429", Kind.PASSING, Fault(kind=FaultKind.RATE_LIMIT), "limits the rate"),
    Trouble(
        "429, Retry-After 0.2", Kind.PASSING, Fault(kind=FaultKind.RATE_LIMIT, retry_after="0.2"), "limits the rate"
    ),
    Trouble(
        "429, Retry-After 60", Kind.HOPELESS, Fault(kind=FaultKind.RATE_LIMIT, retry_after="60"), "limits the rate"
    ),
    _status(500, Kind.PER_QUESTION),
    _status(502, Kind.PASSING),
    _status(503, Kind.PASSING),
    _status(504, Kind.PASSING),
    _graphql(403, Kind.PER_QUESTION, r"\(code 403\)"),
    _graphql(404, Kind.PER_QUESTION, r"\(code 404\)"),
    _graphql(500, Kind.PER_QUESTION, r"\(code 500\)"),
    _graphql(503, Kind.PASSING, "is busy"),
    _graphql(504, Kind.PASSING, "is busy"),
    _partial(403, Kind.PER_ASSET),
    _partial(500, Kind.PER_ASSET),
    _partial(503, Kind.BUSY_ASSET),
    _partial(504, Kind.BUSY_ASSET),
)


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the matrix."""

    trouble: Trouble
    moment: Moment
    often: Often
    on_unknown: str = "block"

    def __str__(self) -> str:
        """Its name in the tests' report."""
        return f"{self.trouble.name}, {self.moment}, {self.often}, {self.on_unknown}"

    @property
    def exit_code(self) -> int:  # noqa: C901, PLR0911 - a table
        """What the gate must return."""
        clean = 1 if self.moment is Moment.PAGE else 0
        lasting = self.often is Often.FOR_EVER
        first, page = self.moment is Moment.FIRST, self.moment is Moment.PAGE
        unknown = 1 if self.on_unknown == "block" else clean
        nothing = 3 if self.on_unknown == "block" else clean
        match self.trouble.kind:
            case Kind.NONE:
                return clean
            case Kind.REFUSAL:
                return 3
            case Kind.PASSING if self.trouble.name in {"half json", "garbage"} and lasting:
                # For a while it may be the way; in the end it is a wrong address.
                return 3
            case Kind.PASSING:
                return clean if not lasting else nothing if first else unknown
            case Kind.HOPELESS:
                return nothing if first else unknown
            case Kind.PER_QUESTION if first and lasting and self.trouble.name in {"HTTP 400", "GraphQL 403"}:
                # Refused for every input: a wrong address or token.
                return 3
            case Kind.PER_QUESTION if first:
                # Of three assets the first half is one: asked alone, it is the second to be refused.
                return {Often.ONCE: clean, Often.TWICE: unknown, Often.FOR_EVER: nothing}[self.often]
            case Kind.PER_QUESTION:
                return unknown if lasting or page else clean
            case Kind.PER_ASSET:
                return unknown
            case Kind.BUSY_ASSET:
                return unknown if lasting else clean

    @property
    def timeout(self) -> int:
        """The gate's timeout: short only where nothing else ends it."""
        if self.trouble.kind is Kind.HOPELESS:
            return HOPELESS
        return SHORT if self.trouble.kind is Kind.PASSING and self.often is Often.FOR_EVER else LONG

    @property
    def is_told(self) -> bool:
        """Whether the trouble must be reported in its own words."""
        return self.exit_code == 3 or (self.often is Often.FOR_EVER and self.moment is Moment.FIRST)


def _cells() -> Iterator[Cell]:
    """Every fault once and for ever; two of each kind at the other moments as well.

    What a fault is made of decides what kind it is; its kind decides the rest.
    """
    of_kind = Counter[Kind]()
    for trouble in TROUBLES:
        yield Cell(trouble, Moment.FIRST, Often.ONCE)
        yield Cell(trouble, Moment.FIRST, Often.FOR_EVER, "warn")
        of_kind[trouble.kind] += 1
        if of_kind[trouble.kind] <= 2:
            yield Cell(trouble, Moment.FIRST, Often.TWICE)
            yield Cell(trouble, Moment.FIRST, Often.FOR_EVER)
            yield from (
                Cell(trouble, *rest) for rest in product((Moment.PAGE, Moment.BATCH), (Often.ONCE, Often.FOR_EVER))
            )


CELLS = tuple(_cells())


@dataclass(frozen=True, slots=True)
class Run:
    """What became of a cell, and how many requests the server got."""

    result: Report
    requests: int


def play(cell: Cell) -> Run:
    """Run the gate into a fault."""
    strikes = {Often.ONCE: 1, Often.TWICE: 2, Often.FOR_EVER: None}[cell.often]
    with Sandbox.start() as server:
        assets = _arrange(server, cell.moment)
        spared = 0 if cell.moment is Moment.FIRST else 1
        with _struck(server, cell, spared, strikes) as url:
            timeout = str(cell.timeout)
            result = check(url, *assets, datahub_token=server.token, timeout=timeout, on_unknown=cell.on_unknown)
            return Run(result, len(server.requests))


def _arrange(server: Sandbox, moment: Moment) -> list[str]:
    assets = ASSETS if moment is Moment.BATCH else ASSETS[:3] if moment is Moment.FIRST else ASSETS[:1]
    server.store.add_assets(assets)
    if moment is Moment.PAGE:
        for _ in range(25):
            server.store.raise_incident(assets[0])
    return assets


@contextmanager
def _struck(server: Sandbox, cell: Cell, spared: int, strikes: int | None) -> Iterator[str]:
    """The address at which the fault strikes."""
    page_limit = 10 if cell.moment is Moment.PAGE else None
    fault = cell.trouble.fault
    if isinstance(fault, Fault):
        urn = ASSETS[1] if fault.kind is FaultKind.FIELD_ERROR and cell.moment is Moment.FIRST else None
        values = {name: getattr(fault, name) for name in ("kind", "status", "code", "retry_after", "location")}
        rule = Fault(**values, after=spared, times=strikes, urn=urn)
        server.faults = Faults(page_limit=page_limit, rules=(rule,))
        yield server.url
        return
    server.faults = Faults(page_limit=page_limit)
    passed = WireStep(fault=WireFault.PASS)
    script = [passed] * spared + [fault] * (strikes or 0)
    with WireServer(script, server.url, then=passed if strikes else fault).running() as url:
        yield url
