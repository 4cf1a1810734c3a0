"""The decision: what an answer means under the manifest's rules. Pure; knows no server and no sink."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from incident_gate.datahub.model import Incident, Problem
from incident_gate.manifest.model import InputEntry, OnIncident, OnUnknown


class Verdict(StrEnum):
    """What is known of an asset's health, worst last."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    UNHEALTHY = "unhealthy"


class Conclusion(StrEnum):
    """What the run does about it, worst last."""

    PASS = "pass"
    WARN = "warn"
    BLOCK = "block"


@dataclass(frozen=True, slots=True)
class Excused:
    """An active incident that does not count, and the rule that says so."""

    incident: Incident
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """One input's verdict with all its grounds.

    `blocking` are the readable active incidents that nothing excuses, most severe first; `unread` counts those that the
    server has but would not show, which nothing can excuse either. `rules` names, for `--explain`, which rule decided
    each of `on-incident` and `on-unknown` (entry, action input, manifest defaults or built-in).
    """

    entry: InputEntry
    verdict: Verdict
    conclusion: Conclusion
    on_incident: OnIncident
    on_unknown: OnUnknown
    blocking: tuple[Incident, ...] = ()
    unread: int = 0
    excused: tuple[Excused, ...] = ()
    problems: tuple[Problem, ...] = ()
    siblings: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()

    @property
    def blocking_count(self) -> int:
        """Active incidents that nothing excuses, readable or not."""
        return len(self.blocking) + self.unread
