"""What one reading shows of all assets: each with an answer, and within the room that a run has."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.listing import worse
from incident_gate.errors import DataHubError, Hint, RefusedError, UnreachableError
from incident_gate.incident import Assertion, Health, Incident, Problem, Reason, severity

_FAILURES = {Reason.NO_ANSWER, Reason.ERROR, Reason.REFUSED}
_REFUSALS = {Reason.REFUSED, Reason.HIDDEN}
_ABSENT = frozenset({Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN})

# Bytes of active incidents that one reading keeps, beside the most severe of every asset.
KEPT_BYTES = 4 << 20
# Of an incident, besides its texts.
_EMPTY_INCIDENT = 400


class Reading(NamedTuple):
    """The health of every asset that was asked for; a batch's lacks those without an answer.

    `failure` is set when the requests as a whole failed: then some assets, perhaps all, are without an answer.
    """

    healths: Mapping[HealthQuery, Health]
    failure: DataHubError | None = None

    @property
    def nothing_answered(self) -> bool:
        """Whether DataHub failed on every asset, so that the health of none is known."""
        return all(_has_only(health, _FAILURES) for health in self.healths.values())


class Room:
    """The room for incidents that one reading has. Threads share it."""

    def __init__(self) -> None:
        self._left = KEPT_BYTES
        self._lock = threading.Lock()

    def kept(self, health: Health) -> Health:
        """The health with as many active incidents as there is room for; the rest is counted, and counts as well.

        What this gate has raised itself comes first, because it may not count, then the most severe.
        """
        needed = sum(map(_size, health.incidents))
        with self._lock:
            if needed <= self._left:
                self._left -= needed
                return health
            incidents = sorted(health.incidents, key=lambda incident: (incident.mark is None, severity(incident)))
            kept = incidents[:1]
            for incident in incidents[1:]:
                if _size(incident) > self._left:
                    break
                self._left -= _size(incident)
                kept.append(incident)
        left_out = len(incidents) - len(kept)
        return health._replace(
            incidents=tuple(kept),
            unread=health.unread + left_out,
            left_out=left_out,
            unlisted=min(health.unlisted, len(kept)),
        )


def _size(incident: Incident) -> int:
    texts = (incident.urn, incident.title, incident.description, incident.message, incident.custom_type)
    return _EMPTY_INCIDENT + sum(len(text) for text in texts if text)


def common_failure(healths: Sequence[Health]) -> DataHubError | None:
    """The failure that all assets share, if DataHub answered for none of them."""
    if not healths:
        return None
    problem = healths[0].problems[0] if healths[0].problems else Problem(Reason.ERROR, "")
    if all(_has_only(health, _REFUSALS) for health in healths):
        return RefusedError(
            f"DataHub refuses every input. The first: {problem.message}.",
            hint=Hint("Check {datahub-token} and {datahub-url}: the token's user must be allowed to view the inputs."),
        )
    if all(_has_only(health, _FAILURES) for health in healths):
        return UnreachableError(f"DataHub failed on every input. The first: {problem.message}.", hint=problem.hint)
    return None


def _has_only(health: Health, reasons: set[Reason]) -> bool:
    """Whether nothing is known of an asset but a problem of such a kind."""
    failed = any(problem.reason in reasons for problem in health.problems)
    return failed and not health.incidents and not health.unread


def unanswered(query: HealthQuery, failure: DataHubError | None) -> Health:
    """The health of an asset that no answer came for."""
    message = failure.message.rstrip(".") if failure else "DataHub did not answer for it"
    problem = Problem(Reason.NO_ANSWER, message, failure.hint if failure else "")
    return Health(urn=query.urn.text, problems=(problem,))


def combined(query: HealthQuery, healths: Sequence[Health]) -> Health:
    """The health of an asset by the answers for all its URNs."""
    first = healths[0]
    if len(healths) == 1:
        return first
    absent = [any(problem.reason in _ABSENT for problem in health.problems) for health in healths]
    # Which of the URNs DataHub knows depends on what was ingested.
    present = [health for health, is_absent in zip(healths, absent, strict=True) if not is_absent]
    problems = [
        problem
        for health, is_absent in zip(healths, absent, strict=True)
        for problem in health.problems
        if not (present and is_absent and problem.reason in _ABSENT) or (health is first and query.must_exist)
    ]
    if not present and not query.must_exist and {problem.reason for problem in problems} == {Reason.NOT_FOUND}:
        names = ", ".join(health.urn for health in healths)
        problems = [Problem(Reason.NOT_FOUND, f"None of its URNs is in DataHub: {names}", first.problems[0].hint)]
    siblings = [*(health.urn for health in present), *(sibling for health in healths for sibling in health.siblings)]
    return Health(
        urn=first.urn,
        incidents=_each_once(incident for health in healths for incident in health.incidents),
        # Siblings of each other count the same incidents.
        unread=max(health.unread for health in healths),
        left_out=max(health.left_out for health in healths),
        problems=tuple(dict.fromkeys(problems)),
        siblings=tuple(sibling for sibling in dict.fromkeys(siblings) if sibling != first.urn),
        resolved=_each_once(incident for health in healths for incident in health.resolved),
        assertions=_worst_of_each(found for health in healths for found in health.assertions),
        assertion_problems=tuple(problem for health in healths for problem in health.assertion_problems),
        unlisted=max(health.unlisted for health in healths),
        unverified=_each_once(incident for health in healths for incident in health.unverified),
        of_each_urn=tuple(healths),
        answered=frozenset.intersection(*(health.answered for health in present or healths)),
    )


def _each_once(incidents: Iterable[Incident]) -> tuple[Incident, ...]:
    return tuple({incident.urn: incident for incident in incidents}.values())


def _worst_of_each(assertions: Iterable[Assertion]) -> tuple[Assertion, ...]:
    """Each assertion once: siblings of each other may list the same ones."""
    found: dict[str, Assertion] = {}
    for assertion in assertions:
        found[assertion.urn] = worse(found[assertion.urn], assertion) if assertion.urn in found else assertion
    return tuple(found.values())
