"""Name the people behind what a stage reports."""

from __future__ import annotations

from collections.abc import Mapping

from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import Failure
from incident_gate.datahub.graph.owners import Work, owners_of_consumers, people_of
from incident_gate.errors import DataHubError
from incident_gate.gate.policy import Decision
from incident_gate.report.model import Report
from incident_gate.settings.model import RunSettings

# The verdict is known by then, and nobody should wait long for a name.
_SECONDS = 10.0


def with_owners(client: Client, settings: RunSettings, report: Report) -> Report:
    """Add the owners of what blocks, warns, or was raised or resolved, and who works on the incidents.

    Nothing is queried where there is no such asset. A report is complete without owners, so what DataHub refuses here
    is left out.

    Args:
        client: Queries DataHub.
        settings: Whether the owners of consumers are of use.
        report: Of the stage so far.
    """
    assets = report.affected_assets
    if not assets or report.failure:
        return report
    notify, client = settings.notify, client.with_timeout(_SECONDS)
    incidents = {incident.asset for decision in report.decisions for incident in decision.blocking}
    try:
        people = people_of(client, [*assets, *sorted(incidents)], with_work=bool(incidents))
        report = report._replace(
            owners=people.owners,
            decisions=tuple(_with_work(decision, people.work) for decision in report.decisions),
        )
        if notify.uses_slack and not notify.events.isdisjoint(report.events):
            report = report._replace(consumers=owners_of_consumers(client, assets, notify.downstream_hops))
    except (Failure, DataHubError):
        pass
    return report


def _with_work(decision: Decision, work: Mapping[str, Work]) -> Decision:
    """The decision with stage and assignees of its incidents."""
    if not any(incident.urn in work for incident in decision.blocking):
        return decision
    blocking = (
        incident._replace(stage=work[incident.urn].stage, assignees=work[incident.urn].assignees)
        if incident.urn in work
        else incident
        for incident in decision.blocking
    )
    return decision._replace(blocking=tuple(blocking))
