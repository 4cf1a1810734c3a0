"""The second witness: an asset's aspect `incidentsSummary`, which a hook of the server keeps in the primary store.

Where a token's view policies are limited, DataHub Cloud hides incidents from every search, so an asset's list is empty
without an error. The summary is not searched. It may be late, cut, missing or out of date: what it names as active is
checked, and its silence proves nothing.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from incident_gate.incident import Incident, read_priority
from incident_gate.text import Redactor

ASPECT = "incidentsSummary"
# A hook holds 100 incidents of each state by default, in 30 kB.
_MOST_BYTES = 512 * 1024
_LONGEST = 500
_PREFIX = "urn:li:incident:"


def read_summary(aspects: object, asset: str, redact: Redactor) -> tuple[dict[str, Incident], frozenset[str]]:
    """The incidents that an asset's summary names as active, and the URNs of those that it names as resolved.

    None of either where it cannot be read.
    """
    summary = _payload(aspects)
    if not summary:
        return {}, frozenset()
    active = {urn: _incident(urn, details, asset, redact) for urn, details in _named(summary, "active")}
    return active, frozenset(urn for urn, _ in _named(summary, "resolved"))


def _incident(urn: str, details: Mapping[str, Any], asset: str, redact: Redactor) -> Incident:
    kind, created = details.get("type"), details.get("createdAt")
    return Incident(
        urn=redact(urn),
        asset=asset,
        type=redact(kind)[:_LONGEST] if isinstance(kind, str) and kind else None,
        priority=read_priority(details.get("priority")),
        created_ms=created if isinstance(created, int) and not isinstance(created, bool) else None,
    )


def _payload(aspects: object) -> Mapping[str, Any]:
    for aspect in aspects if isinstance(aspects, list) else ():
        payload = aspect.get("payload") if isinstance(aspect, dict) and aspect.get("aspectName") == ASPECT else None
        if isinstance(payload, str) and len(payload) <= _MOST_BYTES:
            try:
                value = json.loads(payload)
            except (ValueError, RecursionError):
                continue
            if isinstance(value, dict):
                return value
    return {}


def _named(summary: Mapping[str, Any], state: str) -> Iterator[tuple[str, Mapping[str, Any]]]:
    details, plain = summary.get(f"{state}IncidentDetails"), summary.get(f"{state}Incidents")
    # The older form has plain URNs; where both are there, the details come last and win.
    entries = [{"urn": urn} for urn in (plain if isinstance(plain, list) else ())]
    entries += [entry for entry in (details if isinstance(details, list) else ()) if isinstance(entry, dict)]
    for entry in entries:
        urn = entry.get("urn")
        if isinstance(urn, str) and urn.startswith(_PREFIX) and len(urn) <= _LONGEST:
            yield urn, entry
