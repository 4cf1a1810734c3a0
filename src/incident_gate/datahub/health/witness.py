"""The second witness: an asset's aspect `incidentsSummary`, which a hook of the server keeps in the primary store.

Where a token's view policies are limited, DataHub Cloud hides incidents from every search, so an asset's list is empty
without an error. The summary is not searched. It may be late, cut, missing or out of date: what it names as active is
checked, and its silence proves nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from incident_gate.datahub import queries
from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.answer import Extent, History, PartialHealth
from incident_gate.datahub.health.listing import PAGE, Listing
from incident_gate.datahub.health.request import IN_ALL_STATES, chunks, execute, fetch_health, read_pages
from incident_gate.json_values import mappings, text

# Seconds: index and hook lag separately, so a moment's disagreement of list and summary means nothing.
SECOND_LOOK = 2.0
# Incidents in one request.
CHECKED = 40
# Pages of one asset's history that are read to check what its summary names.
MOST_HISTORY_PAGES = 10


def check_summaries(
    client: Client,
    capabilities: Capabilities,
    extent: Extent,
    partials: Mapping[str, PartialHealth],
    sleep: Callable[[float], None],
) -> None:
    """Check what is unconfirmed; twice, because list and summary both lag. What stays so is unknown to a gate."""
    deadline, has_history = client.deadline, extent.history is not History.NONE
    # An outcome goes by its own incidents, and looks again by itself.
    for is_second in (False,) if has_history else (False, True):
        doubted = [partial for partial in partials.values() if any(each.unconfirmed for each in partial.listings)]
        if not doubted or deadline.passed:
            return
        try:
            if is_second:
                sleep(min(SECOND_LOOK, deadline.remaining))
                again = fetch_health(client, capabilities, extent, [partial.query for partial in doubted])
                for urn, later in again.items():
                    partials[urn].renew(later)
            listings = [listing for partial in doubted for listing in partial.listings]
            claims = [(listing, urn) for listing in listings for urn in listing.unconfirmed]
            _verify(client, capabilities, claims, has_history=has_history)
        except RequestFailure:
            continue  # then they stay unknown


def _verify(
    client: Client, capabilities: Capabilities, claims: Sequence[tuple[Listing, str]], *, has_history: bool
) -> None:
    """Ask the primary store, which answers on Cloud, and the lists in all states, which answer on open source."""
    histories: dict[str, Listing] = {}
    for chunk in chunks(claims, CHECKED):
        new = {listing.urn: listing for listing, _ in chunk if listing.urn not in histories}
        kinds = {listing.kind for listing in new.values()}
        operation = queries.incidents_by_urn(capabilities, len(chunk), kinds, details=has_history)
        singles = {f"u{place}": urn for place, (_, urn) in enumerate(chunk)}
        variables = {"urns": list(new), "start": 0, "count": PAGE, **singles}
        data = execute(client, operation, len(chunk), variables).data
        for place, (listing, urn) in enumerate(chunk):
            listing.verify(urn, data.get(f"a{place}"))
        histories |= {urn: Listing(urn, listing.kind, listing.redact, listing.shown) for urn, listing in new.items()}
        for entity in mappings(data, "entities"):
            if text(entity, "urn") in new and entity.get("history") is not None:
                histories[text(entity, "urn")].add(entity["history"])
    for listing in dict.fromkeys(listing for listing, _ in claims):
        history = histories[listing.urn]
        _take_history(listing, history, is_whole=not has_history)
        if listing.unconfirmed:
            # A server that was not asked for its schema may lack the details.
            details = IN_ALL_STATES._replace(details=has_history)
            read_pages(client, capabilities, history, details, MOST_HISTORY_PAGES)
            _take_history(listing, history, is_whole=not has_history)


def _take_history(listing: Listing, history: Listing, *, is_whole: bool) -> None:
    """Take in what a history shows: to a gate, all that is active, whether the summary names it or not."""
    # An outcome reads the history anyway.
    seen = history.active.keys() - listing.active.keys() if is_whole else listing.unconfirmed.keys()
    listing.unlisted |= {urn: history.active[urn] for urn in seen if urn in history.active}
    listing.confirmed_resolved |= history.resolved.keys() & listing.unconfirmed.keys()
