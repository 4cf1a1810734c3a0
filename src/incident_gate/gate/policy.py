"""The decision: what an answer means under the manifest's rules. Pure; knows no server and no sink."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import NamedTuple, TypeVar

from incident_gate.incident import Health, Incident, Priority, Problem
from incident_gate.manifest.model import Defaults, InputEntry, OnIncident, OnUnknown

T = TypeVar("T")


class Verdict(StrEnum):
    """What is known of an asset's health, worst last."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    UNHEALTHY = "unhealthy"


class Conclusion(StrEnum):
    """What the run does about it, worst last."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    BLOCK = "block"


class Excused(NamedTuple):
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """What holds for one input after precedence: its own word, the action's inputs, the manifest's defaults.

    `sources` names where each of `on-incident` and `on-unknown` was said.
    """

    on_incident: OnIncident = OnIncident.BLOCK
    on_unknown: OnUnknown = OnUnknown.BLOCK
    types: frozenset[str] | None = None
    min_priority: Priority | None = None
    siblings: bool = True
    sources: tuple[str, ...] = ()

    def with_on_unknown(self, on_unknown: OnUnknown) -> Rule:
        """The same rule with another word for what is unknown."""
        return replace(self, on_unknown=on_unknown)


class Overrides(NamedTuple):
    """What the action's inputs or the command line's options say for every entry that does not say otherwise."""

    on_incident: OnIncident | None = None
    on_unknown: OnUnknown | None = None


def rule_for(entry: InputEntry, overrides: Overrides, defaults: Defaults) -> Rule:
    """Settle one input's rule: the entry's own word first, then the action's input, then the manifest's defaults."""
    on_incident, incident_source = _first(
        ("entry", entry.on_incident),
        ("input", overrides.on_incident),
        ("defaults", defaults.on_incident),
        ("built in", OnIncident.BLOCK),
    )
    on_unknown, unknown_source = _first(
        ("entry", entry.on_unknown),
        ("input", overrides.on_unknown),
        ("defaults", defaults.on_unknown),
        ("built in", OnUnknown.BLOCK),
    )
    siblings, _ = _first(("entry", entry.siblings), ("defaults", defaults.siblings), ("built in", True))
    types = entry.types if entry.types is not None else defaults.types
    min_priority = entry.min_priority if entry.min_priority is not None else defaults.min_priority
    return Rule(
        on_incident=on_incident,
        on_unknown=on_unknown,
        types=types,
        min_priority=min_priority,
        siblings=siblings,
        sources=(
            f"on-incident: {on_incident} ({incident_source})",
            f"on-unknown: {on_unknown} ({unknown_source})",
            *([f"types: {', '.join(sorted(types))}"] if types is not None else []),
            *([f"min-priority: {min_priority.name}"] if min_priority is not None else []),
            *([] if siblings else ["siblings: false"]),
        ),
    )


def decide(entry: InputEntry, health: Health, rule: Rule, *, is_ours: Callable[[Incident], bool]) -> Decision:
    """Judge one input.

    Args:
        entry: The input; its waivers are those that have not run out.
        health: What DataHub said of it.
        rule: What holds for it.
        is_ours: Whether this workflow raised an incident on an asset that it writes: it must not block itself.
    """
    judged = [(incident, _excuse(incident, entry, rule, is_ours)) for incident in health.incidents]
    blocking = sorted((incident for incident, excuse in judged if excuse is None), key=severity)
    # What the server counts but does not show cannot be matched with any excuse but the one for everything.
    unread = 0 if rule.on_incident is OnIncident.IGNORE else health.unread
    verdict, conclusion = Verdict.HEALTHY, Conclusion.PASS
    if health.problems:
        verdict, conclusion = Verdict.UNKNOWN, Conclusion(rule.on_unknown.value)
    if blocking or unread:
        verdict, conclusion = Verdict.UNHEALTHY, worst([Conclusion(rule.on_incident.value), conclusion])
    return Decision(
        entry=entry,
        verdict=verdict,
        conclusion=conclusion,
        on_incident=rule.on_incident,
        on_unknown=rule.on_unknown,
        blocking=tuple(blocking),
        unread=unread,
        excused=tuple(Excused(incident, excuse) for incident, excuse in judged if excuse is not None),
        problems=health.problems,
        siblings=health.siblings,
        rules=rule.sources,
    )


def severity(incident: Incident) -> tuple[int, int]:
    """Sorts incidents worst first: by priority (none counts as the worst), then the oldest."""
    priority = incident.priority if incident.priority is not None else Priority.CRITICAL
    return (priority, incident.created_ms or 0)


def worst(conclusions: Iterable[Conclusion]) -> Conclusion:
    """The gravest of several conclusions; `pass` where there is none."""
    return max(conclusions, key=list(Conclusion).index, default=Conclusion.PASS)


def _excuse(incident: Incident, entry: InputEntry, rule: Rule, is_ours: Callable[[Incident], bool]) -> str | None:
    """Why an active incident does not count; None if it does."""
    if is_ours(incident):
        return "raised by this workflow, which writes this asset"
    for waiver in entry.ignore:
        if waiver.incident == incident.urn:
            return f"waived until {waiver.until.isoformat()}: {waiver.reason}"
    if rule.on_incident is OnIncident.IGNORE:
        return "on-incident: ignore"
    if rule.types is not None and incident.type is not None and incident.type not in rule.types:
        return f"type {incident.type} is not among {', '.join(sorted(rule.types))}"
    if rule.min_priority is not None and incident.priority is not None and incident.priority > rule.min_priority:
        return f"priority {incident.priority.name} is below {rule.min_priority.name}"
    return None


def _first(*said: tuple[str, T | None]) -> tuple[T, str]:
    """The first of several sources that says anything, and its name; the last one always does."""
    return next((value, source) for source, value in said if value is not None)
