"""Waivers that no longer waive anything."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from incident_gate.gate.policy import Decision
from incident_gate.manifest.model import Mistake, Waiver


def unused_waivers(decisions: Iterable[Decision]) -> Iterator[Mistake]:
    """A warning for each waiver whose incident is not active or whose assertion does not fail.

    Only where the answers about its inputs are complete.

    A waiver of a selector holds for all inputs that it selects.
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
        yield Mistake(
            waiver.position,
            f"the waiver for {waiver.urn} matches no {_kind(waiver)}",
            f"{'an' if waiver.incident else 'a'} {_kind(waiver)}, or no waiver",
        )


def _kind(waiver: Waiver) -> str:
    return "active incident" if waiver.incident else "failing assertion"
