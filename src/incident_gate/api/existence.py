"""Check that everything a manifest names exists in DataHub."""

from __future__ import annotations

from collections.abc import Iterator

from incident_gate.api.connect import OnExchange, connect
from incident_gate.api.spelling import spelled_error, speller
from incident_gate.datahub.health.query import Depth, HealthQuery, History
from incident_gate.datahub.health.reader import Reader
from incident_gate.incident import Health
from incident_gate.manifest.model import Manifest, Mistake, Position, UpstreamOf, Waiver
from incident_gate.settings import RunSettings
from incident_gate.urn import Urn


def missing_assets(
    settings: RunSettings, manifest: Manifest, *, on_exchange: OnExchange | None = None
) -> tuple[Mistake, ...]:
    """Look for each asset and each waived incident.

    Args:
        settings: How to reach DataHub.
        manifest: Its inputs, outputs and waivers, and the assets that its selectors name.
        on_exchange: Called after every request, for the debug log.

    Returns:
        What does not exist or could not be looked at, each with its position.

    Raises:
        DataHubError: DataHub could not be queried.
        SettingError: The CA bundle or the proxy cannot be used.
    """
    named = list(_named(manifest))
    with connect(settings, on_exchange) as client:
        # An incident that is waived may be resolved by now.
        reading = Reader(client, Depth(History.WHOLE)).read([query for _, query, _ in named])
    spell = speller(settings.connection)
    if reading.failure:
        raise spelled_error(reading.failure, spell)
    found: dict[Mistake, None] = {}
    for (position, _, waivers), health in zip(named, reading.healths, strict=True):
        for problem in health.problems:
            hint = spell(problem.hint) if spell else problem.hint
            found[Mistake(position, f"{problem.message.rstrip('.')}. {hint}".rstrip())] = None
        if not health.problems:
            found |= dict.fromkeys(_unknown_waivers(waivers, health))
    return tuple(sorted(found, key=lambda mistake: mistake.position))


def _named(manifest: Manifest) -> Iterator[tuple[Position, HealthQuery, tuple[Waiver, ...]]]:
    """Every asset of the manifest, with the waivers of incidents that must be on it."""
    for entry in manifest.inputs:
        waivers = tuple(waiver for waiver in entry.ignore if waiver.incident)
        yield entry.position, HealthQuery(entry.urn, existence_only=not waivers), waivers
    named: list[tuple[Position, Urn]] = [(entry.position, entry.urn) for entry in manifest.outputs]
    for selector in manifest.selectors:
        if isinstance(selector.what, UpstreamOf):
            named += [(selector.position, urn) for urn in selector.what.urns]
    for position, urn in named:
        yield position, HealthQuery(urn, existence_only=True), ()


def _unknown_waivers(waivers: tuple[Waiver, ...], health: Health) -> Iterator[Mistake]:
    known = {incident.urn for incident in (*health.incidents, *health.resolved)}
    for waiver in waivers:
        if waiver.incident not in known and not health.unread:
            message = f"there is no incident {waiver.incident} on this asset"
            yield Mistake(waiver.position, message, "the URN of one of its incidents, or no waiver")
