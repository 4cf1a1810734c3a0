"""The decision: what an asset's health means under the manifest's rules. Pure functions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from enum import StrEnum
from typing import Any, NamedTuple

from incident_gate.incident import (
    Assertion,
    AssertionResult,
    Health,
    Incident,
    Priority,
    Problem,
    Question,
    Reason,
    questions,
    severity,
)
from incident_gate.manifest.model import (
    InputEntry,
    Mistake,
    OnFailingAssertion,
    OnIncident,
    OnUnknown,
    OutputEntry,
    Rules,
    Waiver,
)

_OPEN_HINT = "Open the dataset's Quality tab in DataHub."
# Problems of one input's assertions that are shown; more are counted.
_MOST_PROBLEMS = 5
# Clocks differ; a result from further ahead is not believed.
_AHEAD_MS = 3_600_000


class Verdict(StrEnum):
    """An asset's health, worst last."""

    HEALTHY = "healthy"
    UNKNOWN = "unknown"
    UNHEALTHY = "unhealthy"


class Conclusion(StrEnum):
    """What the run does, worst last."""

    PASS = "pass"  # noqa: S105 - no password
    WARN = "warn"
    BLOCK = "block"


class Excused(NamedTuple):
    """An active incident or a failing assertion that does not count, why, and the name of the rule that excuses it."""

    item: Incident | Assertion
    reason: str
    rule: str = ""


class MissingOutput(NamedTuple):
    """An output that does not exist in DataHub: no incident can be raised on it."""

    entry: OutputEntry
    problem: Problem


class Decision(NamedTuple):
    """One input's verdict, and what it is based on.

    `blocking` are the readable active incidents that nothing excuses, most severe first; `unread` counts those that the
    server counts but does not list, which nothing can excuse, and `left_out` of them were listed and not kept. `rules`
    are the rules that hold for it, each with the place where it is set (entry, action input, manifest defaults or
    built in).
    """

    entry: InputEntry
    verdict: Verdict
    conclusion: Conclusion
    on_unknown: OnUnknown
    blocking: tuple[Incident, ...] = ()
    unread: int = 0
    left_out: int = 0
    failing: tuple[Assertion, ...] = ()
    excused: tuple[Excused, ...] = ()
    problems: tuple[Problem, ...] = ()
    siblings: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    counts_assertions: bool = False

    @property
    def blocking_count(self) -> int:
        """Active incidents that nothing excuses, readable or not, and failing assertions."""
        return self.incident_count + len(self.failing)

    @property
    def is_overridden(self) -> bool:
        """Whether it would block without the run's override."""
        return any(rule.startswith("override: ") for rule in self.rules)

    @property
    def incident_count(self) -> int:
        """Active incidents that nothing excuses, readable or not."""
        return len(self.blocking) + self.unread


class Rule(NamedTuple):
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

    @property
    def counts_assertions(self) -> bool:
        """Whether assertions are read at all."""
        return self.on_failing_assertion is not OnFailingAssertion.IGNORE

    @property
    def questions(self) -> frozenset[Question]:
        """What must be known of the input before it is healthy."""
        return questions(siblings=self.siblings, assertions=self.counts_assertions)

    def with_on_unknown(self, on_unknown: OnUnknown) -> Rule:
        """The same rule for a server that refused: what is unknown then has one reason, which is no asset's own."""
        kept = (source for source in self.sources if not source.startswith("on-unknown:"))
        return self._replace(on_unknown=on_unknown, sources=(*kept, f"on-unknown: {on_unknown} (after a refusal)"))


def rule_for(entry: Rules, settings: Rules, defaults: Rules) -> Rule:
    """Settle one input's rule: the entry first, then the action's inputs, then the manifest's defaults."""
    values: dict[str, Any] = {}
    sources: list[str] = []
    for name in Rules._fields:
        for place, rules in (("entry", entry), ("input", settings), ("defaults", defaults), ("built in", Rule())):
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


def decide(
    entry: InputEntry, health: Health, rule: Rule, *, is_ours: Callable[[Incident], bool], now_ms: int = 0
) -> Decision:
    """Decide one input."""
    blocking, excused = _weigh(health.incidents, entry, rule, is_ours)
    # What the server counts but does not show cannot be matched with any excuse but the one for everything.
    unread = 0 if rule.on_incident is OnIncident.IGNORE else health.unread
    unverified, excused_too = _weigh(health.unverified, entry, rule, is_ours)
    excused += excused_too
    problems = [*health.problems_of(rule.questions), *_unverified(unverified)]
    failing: list[Assertion] = []
    if rule.counts_assertions:
        failing, waived, doubts = _weigh_assertions(health, entry.ignore, rule.assertion_max_age, now_ms)
        excused += waived
        problems += _counted(doubts)
    verdict, conclusion = Verdict.HEALTHY, Conclusion.PASS
    if problems:
        verdict, conclusion = Verdict.UNKNOWN, Conclusion(rule.on_unknown.value)
    if blocking or unread:
        verdict, conclusion = Verdict.UNHEALTHY, worst([Conclusion(rule.on_incident.value), conclusion])
    if failing:
        verdict, conclusion = Verdict.UNHEALTHY, worst([Conclusion(rule.on_failing_assertion.value), conclusion])
    return Decision(
        entry=entry,
        verdict=verdict,
        conclusion=conclusion,
        on_unknown=rule.on_unknown,
        blocking=tuple(sorted(blocking, key=severity)),
        unread=unread,
        left_out=min(health.left_out, unread),
        failing=tuple(sorted(failing, key=lambda assertion: assertion.since_ms or 0)),
        excused=tuple(excused),
        problems=tuple(problems),
        siblings=health.siblings,
        rules=rule.sources,
        counts_assertions=rule.counts_assertions,
    )


def worst(conclusions: Iterable[Conclusion]) -> Conclusion:
    """The worst of several conclusions; `pass` if there is none."""
    return max(conclusions, key=list(Conclusion).index, default=Conclusion.PASS)


# Incidents


def _weigh(
    incidents: Iterable[Incident], entry: InputEntry, rule: Rule, is_ours: Callable[[Incident], bool]
) -> tuple[list[Incident], list[Excused]]:
    """The incidents that count, and those that do not."""
    counting, excused = [], []
    for incident in incidents:
        if excuse := _excuse(incident, entry, rule, is_ours):
            excused.append(excuse)
        else:
            counting.append(incident)
    return counting, excused


def _excuse(incident: Incident, entry: InputEntry, rule: Rule, is_ours: Callable[[Incident], bool]) -> Excused | None:
    """Why an active incident does not count, and by which rule; None if it does."""
    if is_ours(incident):
        return Excused(incident, "raised by this workflow, which writes this asset", "own")
    for waiver in entry.ignore:
        if waiver.incident == incident.urn:
            return _waived(incident, waiver)
    if rule.on_incident is OnIncident.IGNORE:
        return Excused(incident, "on-incident: ignore", "on-incident")
    does = "warns" if rule.on_incident is OnIncident.WARN else "blocks"
    if rule.types is not None and incident.type is not None and incident.type not in rule.types:
        only = ", ".join(sorted(rule.types))
        return Excused(incident, f"{incident.type}, this input {does} only on {only}", "types")
    if rule.min_priority is not None and incident.priority is not None and incident.priority > rule.min_priority:
        floor = rule.min_priority.name
        up = f"only on {floor}" if rule.min_priority is Priority.CRITICAL else f"from {floor} up"
        return Excused(incident, f"{incident.priority.name}, this input {does} {up}", "min-priority")
    return None


def _waived(item: Incident | Assertion, waiver: Waiver) -> Excused:
    return Excused(item, f"ignored until {waiver.until.isoformat()}: {waiver.reason}", "ignore")


def _unverified(incidents: Sequence[Incident]) -> Iterator[Problem]:
    """One problem for all incidents that only summaries name; there may be hundreds."""
    if incidents:
        first, more = incidents[0], len(incidents) - 1
        others = f" and {more:,} more" if more else ""
        yield Problem(
            Reason.UNVERIFIED,
            f"The summary of {first.asset} names {first.urn}{others} as active, and DataHub does not show "
            f"{'them' if more else 'it'}",
            "Either this token may not see incidents (on DataHub Cloud a view policy that is limited to some assets "
            "hides them: run `incident-gate doctor`), or DataHub's search index must be restored.",
        )


# Assertions


def _weigh_assertions(
    health: Health, ignore: Iterable[Waiver], max_age: timedelta | None, now_ms: int
) -> tuple[list[Assertion], list[Excused], list[Problem]]:
    """The assertions of an asset and its siblings that fail, what is waived, and what is not known.

    FAILURE counts at any age. ERROR, a result older than `max_age` and what cannot be read are unknown; so is a dataset
    of which no assertion has ever run.
    """
    waivers = {waiver.assertion: waiver for waiver in ignore if waiver.assertion}
    failing, waived, problems = [], [], [*health.assertion_problems]
    by_asset: dict[str, list[Assertion]] = {}
    for assertion in health.assertions:
        if assertion.urn not in waivers:
            by_asset.setdefault(assertion.asset, []).append(assertion)
        elif assertion.result is AssertionResult.FAILURE or _doubt(assertion, max_age, now_ms):
            waived.append(_waived(assertion, waivers[assertion.urn]))
    for asset, assertions in by_asset.items():
        for assertion in assertions:
            if assertion.result is AssertionResult.FAILURE:
                failing.append(assertion)
            elif doubt := _doubt(assertion, max_age, now_ms):
                name = (assertion.description or assertion.urn)[:200]
                problems.append(Problem(Reason.ASSERTIONS, f"Its assertion {name} {doubt}", _OPEN_HINT))
        if all(assertion.result is AssertionResult.NEVER for assertion in assertions):
            message = f"None of the {len(assertions):,} assertions of {asset} has a result"
            problems.append(Problem(Reason.ASSERTIONS, message, "Run one of them, or leave them out for this input."))
    return failing, waived, problems


def _counted(problems: Sequence[Problem]) -> Iterator[Problem]:
    """The first problems, and how many more there are."""
    yield from problems[:_MOST_PROBLEMS]
    if more := len(problems[_MOST_PROBLEMS:]):
        yield Problem(Reason.ASSERTIONS, f"{more:,} more problems with its assertions", _OPEN_HINT)


def _doubt(assertion: Assertion, max_age: timedelta | None, now_ms: int) -> str:
    """Why an assertion's result is not known; empty if it is."""
    if assertion.result is AssertionResult.ERROR:
        return "ended with an error"
    if assertion.result is AssertionResult.UNREADABLE:
        return "has a result that cannot be read"
    if assertion.result is AssertionResult.SUCCESS and (assertion.run_ms or 0) - now_ms > _AHEAD_MS:
        return "has a result with a time in the future, so it is not known whether it is the latest"
    if assertion.result is AssertionResult.SUCCESS and max_age is not None:
        if assertion.run_ms is None:
            return "has no run time"
        if now_ms - assertion.run_ms > max_age.total_seconds() * 1000:
            hours = max_age.total_seconds() / 3600
            age = f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"  # noqa: PLR2004 - two days
            return f"ran last more than {age} ago"
    return ""


# Rules that are not used


def unused_waivers(decisions: Iterable[Decision]) -> Iterator[Mistake]:
    """A warning for each waiver whose incident is not active or whose assertion does not fail.

    Only where the answers about its inputs are complete. A waiver of a selector holds for all inputs that it selects.
    """
    unused: dict[Waiver, bool] = {}
    for decision in decisions:
        complete = not decision.problems and not decision.unread
        active = {incident.urn for incident in decision.blocking} | {failing.urn for failing in decision.failing}
        active |= {excuse.item.urn for excuse in decision.excused}
        for waiver in decision.entry.ignore:
            if waiver.incident or decision.counts_assertions:
                unused[waiver] = unused.get(waiver, True) and complete and waiver.urn not in active
    for waiver in (waiver for waiver, is_unused in unused.items() if is_unused):
        kind = "active incident" if waiver.incident else "failing assertion"
        yield Mistake(waiver.position, f"the `ignore` rule for {waiver.urn} matches no {kind}; delete it")
