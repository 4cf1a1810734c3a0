"""Waivers that no longer waive anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from incident_gate.gate.policy import Decision
from incident_gate.manifest.model import Mistake


def unused_waivers(decisions: Iterable[Decision]) -> Iterator[Mistake]:
    """A warning for each waiver whose incident is not active, where the answer about its input is complete."""
    for decision in decisions:
        if not decision.entry.ignore or decision.problems or decision.unread:
            continue
        active = {incident.urn for incident in decision.blocking} | {e.incident.urn for e in decision.excused}
        for waiver in decision.entry.ignore:
            if waiver.incident and waiver.incident not in active:
                yield Mistake(
                    waiver.position,
                    f"the waiver for {waiver.incident} matches no active incident of this input",
                    "an active incident, or no waiver",
                )
