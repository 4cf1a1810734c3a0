"""One asset with several URNs, as a dbt node has: their answers as one."""

from __future__ import annotations

from collections.abc import Sequence

from incident_gate.incident import Health, Problem, Reason

_ABSENT = frozenset({Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN})


def combined(healths: Sequence[Health], *, first_must_exist: bool) -> Health:
    """The health of an asset by the answers for all its URNs.

    Incidents on any of them count, and one of them must exist.

    Args:
        healths: One for each URN; the first is the one that is reported.
        first_must_exist: Whether the first URN must exist itself: the manifest names it.
    """
    first = healths[0]
    if len(healths) == 1:
        return first
    absent = [_is_absent(health) for health in healths]
    problems = [
        problem
        for number, health in enumerate(healths)
        for problem in health.problems
        # Which of the URNs DataHub knows depends on what was ingested.
        if all(absent) or not absent[number] or problem.reason not in _ABSENT or (number == 0 and first_must_exist)
    ]
    if all(absent) and not first_must_exist and {problem.reason for problem in problems} == {Reason.NOT_FOUND}:
        names = ", ".join(health.urn for health in healths)
        problems = [Problem(Reason.NOT_FOUND, f"None of its URNs is in DataHub: {names}", first.problems[0].hint)]
    known = [health.urn for number, health in enumerate(healths) if number and not absent[number]]
    siblings = dict.fromkeys([*known, *(sibling for health in healths for sibling in health.siblings)])
    return Health(
        urn=first.urn,
        incidents=tuple({incident.urn: incident for health in healths for incident in health.incidents}.values()),
        # Siblings of each other count the same incidents.
        unread=max(health.unread for health in healths),
        problems=tuple(dict.fromkeys(problems)),
        siblings=tuple(sibling for sibling in siblings if sibling != first.urn),
        resolved=tuple({incident.urn: incident for health in healths for incident in health.resolved}.values()),
        assertions=tuple({found.urn: found for health in healths for found in health.assertions}.values()),
        assertion_problems=tuple(problem for health in healths for problem in health.assertion_problems),
        unlisted=max(health.unlisted for health in healths),
        unverified=tuple({incident.urn: incident for health in healths for incident in health.unverified}.values()),
    )


def _is_absent(health: Health) -> bool:
    return any(problem.reason in _ABSENT for problem in health.problems)
