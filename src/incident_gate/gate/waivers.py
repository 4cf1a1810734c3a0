"""Waivers that no longer waive anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from incident_gate.gate.policy import Decision
from incident_gate.manifest.model import Mistake, Waiver


def unused_waivers(decisions: Iterable[Decision]) -> Iterator[Mistake]:
    """A warning for each waiver whose incident is not active, where the answers about its inputs are complete.

    A waiver of a selector holds for all inputs that it selects.
    """
    unused: dict[Waiver, bool] = {}
    for decision in decisions:
        complete = not decision.problems and not decision.unread
        active = {incident.urn for incident in decision.blocking} | {e.incident.urn for e in decision.excused}
        for waiver in decision.entry.ignore:
            if waiver.incident:
                unused[waiver] = unused.get(waiver, True) and complete and waiver.incident not in active
    for waiver in (waiver for waiver, is_unused in unused.items() if is_unused):
        yield Mistake(
            waiver.position,
            f"the waiver for {waiver.incident} matches no active incident",
            "an active incident, or no waiver",
        )
