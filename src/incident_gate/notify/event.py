"""What a stage has to announce, freed from where it is announced."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from enum import StrEnum

from incident_gate.datahub.graph.owners import Owner
from incident_gate.gate.policy import Conclusion, Decision
from incident_gate.report.links import incidents_page
from incident_gate.report.model import Report
from incident_gate.report.rows import rows_of, worst_first


class EventKind(StrEnum):
    """What users can be notified of, by the words of `notify-on`."""

    RAISED = "raised"
    RESOLVED = "resolved"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Item:
    """One asset in an announcement; all text is untrusted.

    `detail` is the incident's title, or the reason why the asset's health is unknown. `page` is where it is in
    DataHub's UI, None where there is no address.
    """

    asset: str
    name: str
    detail: str = ""
    page: str | None = None
    owners: tuple[Owner, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """One kind of thing that happened, on one or several assets.

    `override` is the reason why the job goes on although inputs block, and who gave it: untrusted text.
    """

    kind: EventKind
    items: tuple[Item, ...]
    override: str = ""


def events_of(
    report: Report, wanted: AbstractSet[EventKind], owners: Mapping[str, tuple[Owner, ...]]
) -> tuple[Event, ...]:
    """What a stage's report contains of what the user chose to be notified of.

    An incident that is kept is not announced again.

    Args:
        report: The whole stage.
        wanted: The kinds of `notify-on`.
        owners: By the URN of the asset.

    Returns:
        At most one event of each kind, each with at least one item.
    """
    found = {kind: tuple(_items(report, kind, owners)) for kind in EventKind if kind in wanted}
    override = str(report.override) if report.override and report.override.effective else ""
    return tuple(
        Event(kind=kind, items=items, override=override if kind is EventKind.BLOCKED else "")
        for kind, items in found.items()
        if items
    )


def affected_assets(report: Report) -> tuple[str, ...]:
    """The assets that something blocks on, or whose incident was raised or resolved: those whose owners matter."""
    blocking = (d.entry.urn.text for d in worst_first(filter(_blocks, report.decisions)) if not d.entry.is_selector)
    results = report.outcome.results if report.outcome else ()
    changed = (r.entry.urn.text for r in results if r.raised or r.resolved)
    return tuple(dict.fromkeys((*blocking, *changed)))


def _items(report: Report, kind: EventKind, owners: Mapping[str, tuple[Owner, ...]]) -> Iterator[Item]:
    if kind is EventKind.BLOCKED:
        yield from _blocked(report, owners)
        return
    for result in report.outcome.results if report.outcome else ():
        if result.raised if kind is EventKind.RAISED else result.resolved:
            urn = result.entry.urn.text
            yield Item(
                asset=urn,
                name=result.entry.label,
                detail=result.title if kind is EventKind.RAISED else "",
                page=incidents_page(report.ui_url, urn),
                owners=owners.get(urn, ()),
            )


def _blocks(decision: Decision) -> bool:
    return decision.conclusion is Conclusion.BLOCK or decision.is_overridden


def _blocked(report: Report, owners: Mapping[str, tuple[Owner, ...]]) -> Iterator[Item]:
    for decision in worst_first(filter(_blocks, report.decisions)):
        urn = decision.entry.urn.text
        found = rows_of(decision)
        more = f" (and {len(found) - 1:,} more)" if len(found) > 1 else ""
        detail = f"{found[0].title}{more}" if found else "; ".join(p.message for p in decision.problems)
        yield Item(
            asset=urn,
            name=decision.entry.label,
            detail=detail,
            page=incidents_page(report.ui_url, found[0].asset if found else urn),
            owners=owners.get(urn, ()),
        )
