"""The decision: what an answer means under the manifest's rules. Pure; knows no server and no sink."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from incident_gate.incident import Health, Incident, Priority, Problem
from incident_gate.manifest.model import InputEntry, OnFailingAssertion, OnIncident, OnUnknown, Rules


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
    """What holds for one input after precedence: its entry, the action's inputs, the manifest's defaults.

    `sources` are the rules in words, each with the place where it is set.
    """

    on_incident: OnIncident = OnIncident.BLOCK
    on_unknown: OnUnknown = OnUnknown.BLOCK
    on_failing_assertion: OnFailingAssertion = OnFailingAssertion.IGNORE
    assertion_max_age: timedelta | None = None
    types: frozenset[str] | None = None
    min_priority: Priority | None = None
    siblings: bool = True
    sources: tuple[str, ...] = ()

    def with_on_unknown(self, on_unknown: OnUnknown) -> Rule:
        """The same rule with another word for what is unknown."""
        return replace(self, on_unknown=on_unknown)


_BUILT_IN = Rules(OnIncident.BLOCK, OnUnknown.BLOCK, OnFailingAssertion.IGNORE, siblings=True)


def rule_for(entry: Rules, settings: Rules, defaults: Rules) -> Rule:
    """Settle one input's rule: the entry first, then the action's inputs, then the manifest's defaults."""
    values: dict[str, Any] = {}
    sources: list[str] = []
    for name in Rules._fields:
        for place, rules in (("entry", entry), ("input", settings), ("defaults", defaults), ("built in", _BUILT_IN)):
            value = getattr(rules, name)
            if value is not None:
                values[name] = value
                if place != "built in" or name in {"on_incident", "on_unknown"}:
                    sources.append(f"{name.replace('_', '-')}: {_shown(value)} ({place})")
                break
    return Rule(**values, sources=tuple(sources))


def _shown(value: object) -> str:
    """A rule's value as the manifest has it."""
    match value:
        case bool():
            return str(value).lower()
        case Priority():
            return value.name
        case timedelta():
            return f"{value.total_seconds() / 3600:g}h"
        case frozenset():
            return ", ".join(sorted(value))
    return str(value)


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
