"""Name the owners of what a stage reports."""

from __future__ import annotations

from dataclasses import replace

from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import Failure
from incident_gate.datahub.graph.consumers import owners_of_consumers
from incident_gate.datahub.graph.owners import owners_of
from incident_gate.errors import DataHubError
from incident_gate.notify.event import EventKind, affected_assets, events_of
from incident_gate.report.model import Report
from incident_gate.settings import Settings

# The verdict is known by then, and nobody should wait long for a name.
_SECONDS = 10.0


def with_owners(client: Client, settings: Settings, report: Report) -> Report:
    """Add the owners of what blocks and of what was raised or resolved.

    Nothing is queried where there is no such asset. A report is complete without owners, so what DataHub refuses here
    is left out.

    Args:
        client: Queries DataHub.
        settings: Whether the owners of consumers are of use.
        report: Of the stage so far.
    """
    assets = affected_assets(report)
    if not assets or report.failure:
        return report
    notify, client = settings.notify, client.within(_SECONDS)
    try:
        report = replace(report, owners=owners_of(client, assets))
        if notify.uses_slack and events_of(report, frozenset(map(EventKind, notify.events)), {}):
            report = replace(report, consumers=owners_of_consumers(client, assets, notify.downstream_hops))
    except (Failure, DataHubError):
        pass
    return report
