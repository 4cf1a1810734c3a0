"""Outputs with several URNs, as dbt nodes have: on which of them an outcome is reported."""

from __future__ import annotations

from collections.abc import Sequence

from incident_gate.incident import Health, Reason
from incident_gate.outcome.model import Context, Outcome, OutputOutcome
from incident_gate.outcome.own import of_key
from incident_gate.outcome.result import Change, OutputResult

Part = tuple[OutputOutcome, Health]
"""The outcome for one of an output's URNs, and its health."""

_ABSENT = frozenset({Reason.NOT_FOUND, Reason.REMOVED, Reason.EXISTENCE_UNKNOWN})
# Of the results for several URNs, the first of these is the output's.
_ORDER = (
    Change.FAILED,
    Change.RAISED,
    Change.WOULD_RAISE,
    Change.KEPT,
    Change.WOULD_KEEP,
    Change.RESOLVED,
    Change.WOULD_RESOLVE,
    Change.LEFT,
)


def split(end: OutputOutcome) -> list[OutputOutcome]:
    """The outcome for each URN of its output."""
    entry = end.entry
    if not entry.alternate_urns:
        return [end]
    return [
        end._replace(entry=entry._replace(urn=urn, alternate_urns=())) for urn in (entry.urn, *entry.alternate_urns)
    ]


def acting(context: Context, parts: Sequence[Part]) -> Sequence[Part]:
    """The URNs on which an outcome is reported.

    A failure is one incident: the one that is active on any of them, else a new one on the first that exists. A success
    resolves what is active on any of them.

    Args:
        context: Of this job.
        parts: One for each URN, the first of which is preferred.
    """
    if len(parts) == 1:
        return parts
    ours = [part for part in parts if _has_ours(context, part)]
    present = [part for part in parts if not _is_absent(part)]
    if parts[0][0].outcome is Outcome.SUCCESS:
        return [part for part in parts if part in ours or part in present] or parts[:1]
    # An incident that cannot be read may be this job's: a second one must not be raised beside it.
    unreadable = [part for part in present if _is_unreadable(part)]
    return ours or unreadable[:1] or present[:1] or parts[:1]


def merged(results: Sequence[OutputResult]) -> OutputResult:
    """The result for an output by those for its URNs."""
    first = min(results, key=lambda result: _ORDER.index(result.change) if result.change in _ORDER else len(_ORDER))
    incidents = [urn for result in results if result.change is first.change for urn in result.incidents]
    return first._replace(
        incidents=tuple(incidents),
        raised=tuple(urn for result in results for urn in result.raised),
        resolved=tuple(urn for result in results for urn in result.resolved),
        title=next((result.title for result in results if result.title), ""),
    )


def _has_ours(context: Context, part: Part) -> bool:
    end, health = part
    return bool(of_key(health.incidents, context.identity.key_of(end.entry.urn.text)))


def _is_absent(part: Part) -> bool:
    return any(problem.reason in _ABSENT for problem in part[1].problems)


def _is_unreadable(part: Part) -> bool:
    return any(problem.reason is not Reason.EXISTENCE_NOT_SUPPORTED for problem in part[1].problems)
