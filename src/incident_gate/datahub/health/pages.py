"""The further pages of an asset's lists of incidents."""

from __future__ import annotations

from incident_gate.datahub.capabilities import Capabilities, Selection
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.listing import Listing
from incident_gate.datahub.health.request import Asset, Page, ask_page

ACTIVE = Selection(page=True)
IN_ALL_STATES = Selection(incidents=False, history=True, page=True)

# Incidents in one page. Servers refuse offsets beyond 10,000 (5,000 on newer ones).
FURTHER_PAGE, MOST_PAGES = 1000, 500


def read_pages(client: Client, capabilities: Capabilities, listing: Listing, kind: str, selection: Selection) -> None:
    """Read on until the list is complete, or a page brings nothing: then what is counted and not shown stays unread.

    Args:
        client: Where to ask.
        capabilities: What the server understands.
        listing: The list so far, which grows.
        kind: The word in its asset's URN that names the type.
        selection: Which list it is.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    asset = Asset(kind, listing.urn)
    for _ in range(MOST_PAGES):
        if not listing.incomplete:
            return
        # No more than there are: a page that reaches beyond the last offset is refused whole.
        page = Page(listing.reached, min(FURTHER_PAGE, listing.total - listing.reached))
        try:
            element = ask_page(client, capabilities, asset, selection, page)
        except RequestFailure:
            return
        value = element.value.get(selection.list_name) if isinstance(element.value, dict) else None
        if value is None or element.errors or not listing.add(value, size=page.size):
            return
