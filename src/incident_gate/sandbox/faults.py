"""What the sandbox gets wrong on demand."""

import random
import re
import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from enum import StrEnum
from typing import Any, Self


class FaultKind(StrEnum):
    """A way of misbehaving, by the moment at which it strikes."""

    # The request is not executed.
    STATUS = "status"
    RATE_LIMIT = "rate-limit"
    HTML = "html"
    REDIRECT = "redirect"
    DROP_BEFORE = "drop-before"
    HANG = "hang"
    GRAPHQL_ERROR = "graphql-error"
    DELAYED_WRITE = "delayed-write"  # reset now, executed `seconds` later

    # The request is executed, its answer comes otherwise or not at all.
    LATENCY = "latency"
    STATUS_AFTER = "status-after"
    GRAPHQL_ERROR_AFTER = "graphql-error-after"
    DROP_AFTER = "drop-after"
    HANG_AFTER = "hang-after"
    TWICE = "twice"  # executed twice, the second answer is sent: what a retrying proxy does

    # The request is executed, and its data is misleading for the assets that `urn` names.
    NULL_ELEMENT = "null-element"
    NULL_INCIDENTS = "null-incidents"
    NULL_EXISTS = "null-exists"
    LOST_INCIDENTS = "lost-incidents"  # counted, but not listed
    FIELD_ERROR = "field-error"  # the asset's incidents fail with `code`, the rest of the answer stands
    LOST_RESULT = "lost-result"  # counted by searches and walks, but not among their results
    NULL_ASSERTIONS = "null-assertions"
    ASSERTIONS_ERROR = "assertions-error"  # the dataset's assertions fail with `code`
    NULL_RUNS = "null-runs"  # `urn` names the assertion or its dataset
    RUNS_ERROR = "runs-error"  # the runs of the assertion, or of all of the dataset's, fail with `code`
    THROW = "throw"  # the asset fails the whole field that loads it, with all the other assets in it

    @property
    def is_about_data(self) -> bool:
        """Whether the fault strikes assets inside an answer instead of the request."""
        return self in _ABOUT_DATA


_ABOUT_DATA = frozenset(
    {
        FaultKind.NULL_ELEMENT,
        FaultKind.NULL_INCIDENTS,
        FaultKind.NULL_EXISTS,
        FaultKind.LOST_INCIDENTS,
        FaultKind.LOST_RESULT,
        FaultKind.NULL_ASSERTIONS,
        FaultKind.ASSERTIONS_ERROR,
        FaultKind.NULL_RUNS,
        FaultKind.RUNS_ERROR,
        FaultKind.FIELD_ERROR,
        FaultKind.THROW,
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule: what goes wrong, for which requests, how often.

    `operation` is a regular expression for the operation's name or a field at its root, `urn` a text in the request or,
    for faults about data, the asset (`*` at its end matches any rest). `after` and `times` count matching requests. A
    hang of 0 `seconds` lasts until the client gives up.
    """

    kind: FaultKind
    operation: str | None = None
    urn: str | None = None
    after: int = 0
    times: int | None = None
    rate: float = 1.0
    seconds: float = 0.0
    status: int = 503
    body: str = ""
    code: int = 500
    retry_after: str | None = None
    location: str = "/login"

    def is_for(self, names: Iterable[str], text: str) -> bool:
        """Whether the rule applies to a request with these operation names and this body."""
        if self.operation is not None and not any(re.fullmatch(self.operation, name) for name in names):
            return False
        return self.urn is None or self.kind.is_about_data or self.urn.rstrip("*") in text

    def is_about(self, urn: str) -> bool:
        """Whether a fault about data strikes this asset."""
        if self.urn is None:
            return True
        return urn.startswith(self.urn[:-1]) if self.urn.endswith("*") else urn == self.urn


@dataclass(frozen=True, slots=True, kw_only=True)
class Faults:
    """Everything that a server gets wrong, or is strict about; docs/sandbox.md describes each."""

    rules: tuple[Fault, ...] = ()
    seed: int = 0
    latency: float = 0.0
    error_rate: float = 0.0
    lag: float | tuple[float, float] = 0.0
    hook_lag: float | tuple[float, float] = 0.0
    no_hook: bool = False
    old_summaries: bool = False
    blank_names: bool = False
    page_limit: int | None = None
    assertion_page_limit: int | None = None
    search_page_limit: int | None = None
    walk_limit: int | None = None
    lineage_cache: float = 600.0
    merges_siblings: bool | None = None
    skips_jobs: bool = False
    ghosts_in_walks: bool = False
    restricted_left_out: bool = False
    offset_limit: int = 10_000
    strict_pages: bool = False
    complexity_limit: int = 2_000
    depth_limit: int = 50
    token_limit: int = 15_000
    introspection: bool = True
    no_entities: bool = False
    no_exists: bool = False
    no_entity_exists: bool = False
    lacks: tuple[str, ...] = ()
    unmapped_throws: bool = True

    @property
    def missing_fields(self) -> frozenset[str]:
        """The fields that the schema lacks."""
        switches = {
            "Query.entities": self.no_entities,
            "exists": self.no_exists,
            "Query.entityExists": self.no_entity_exists,
        }
        return frozenset(self.lacks).union(name for name, is_missing in switches.items() if is_missing)

    @classmethod
    def from_json(cls, values: object) -> Self:
        """Read what was posted to the server or written in a file."""
        if not isinstance(values, Mapping):
            raise ValueError("a JSON object was expected")  # noqa: TRY004 - the value came from outside
        given = dict(values)
        _refuse_unknown(given, cls)
        rules = given.pop("rules", [])
        for rule in rules:
            _refuse_unknown(rule, Fault)
        for name in {"lag", "hook_lag"} & given.keys():
            if isinstance(given[name], list):
                least, most = given[name]
                given[name] = (float(least), float(most))
        given["lacks"] = tuple(given.get("lacks", ()))
        return cls(rules=tuple(Fault(**{**rule, "kind": _kind(rule.get("kind"))}) for rule in rules), **given)


def _kind(name: object) -> FaultKind:
    for kind in FaultKind:
        if kind == name:
            return kind
    raise ValueError(f"a fault has no kind {name!r}; kinds are {', '.join(FaultKind)}")


def _refuse_unknown(values: Mapping[str, Any], kind: type) -> None:
    known = {item.name for item in fields(kind)}
    unknown = sorted(set(values) - known)
    if unknown:
        raise ValueError(f"{kind.__name__} has no field {', '.join(unknown)}; it has {', '.join(sorted(known))}")


@dataclass(frozen=True, slots=True)
class Strike:
    """The faults that one request meets."""

    request: tuple[Fault, ...] = ()
    data: tuple[Fault, ...] = field(default=())

    def first(self, *kinds: FaultKind) -> Fault | None:
        """The first fault of the request that is of one of these kinds."""
        return next((fault for fault in self.request if fault.kind in kinds), None)

    def about(self, urn: str, *kinds: FaultKind) -> Fault | None:
        """The first fault of one of these kinds that strikes this asset."""
        if not self.data:
            return None  # the usual case, asked for each asset
        return next((fault for fault in self.data if fault.kind in kinds and fault.is_about(urn)), None)


class FaultBook:
    """Faults, and how often each of their rules matched and struck. Safe to use from several threads."""

    def __init__(self, faults: Faults) -> None:
        self.faults = faults
        self._matched = [0] * len(faults.rules)
        self._struck = [0] * len(faults.rules)
        self._random = random.Random(faults.seed)  # noqa: S311 - repeatable on purpose
        self._lock = threading.Lock()

    def strike(self, names: Iterable[str], text: str) -> Strike:
        """Decide what a request with these operation names and this body meets."""
        names = tuple(names)
        with self._lock:
            met = [rule for number, rule in enumerate(self.faults.rules) if self._strikes(number, rule, names, text)]
            if self.faults.error_rate and self._random.random() < self.faults.error_rate:
                met.append(Fault(kind=FaultKind.STATUS))
        return Strike(
            request=tuple(fault for fault in met if not fault.kind.is_about_data),
            data=tuple(fault for fault in met if fault.kind.is_about_data),
        )

    def lags(self) -> tuple[float, float | None]:
        """How long searches do not see the next write, and the hook does not; None if the hook is off."""
        faults = self.faults
        return self._draw(faults.lag), None if faults.no_hook else self._draw(faults.hook_lag)

    def _draw(self, seconds: float | tuple[float, float]) -> float:
        if not isinstance(seconds, tuple):
            return seconds
        with self._lock:
            return self._random.uniform(*seconds)

    def _strikes(self, number: int, rule: Fault, names: tuple[str, ...], text: str) -> bool:
        if not rule.is_for(names, text):
            return False
        self._matched[number] += 1
        if self._matched[number] <= rule.after:
            return False
        if rule.times is not None and self._struck[number] >= rule.times:
            return False
        if rule.rate < 1.0 and self._random.random() >= rule.rate:
            return False
        self._struck[number] += 1
        return True
