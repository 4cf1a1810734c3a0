"""Addresses of pages in DataHub's user interface."""

from __future__ import annotations

from urllib.parse import quote

# The UI's own words for entity types; what is missing here has no page of incidents that we know of.
_PAGES = {
    "dataset": "dataset",
    "chart": "chart",
    "dashboard": "dashboard",
    "dataJob": "tasks",
    "dataFlow": "pipelines",
}


def incidents_page(ui_url: str | None, asset_urn: str) -> str | None:
    """The page that lists an asset's incidents, or None if there is no address to build it from."""
    page = _PAGES.get(asset_urn.removeprefix("urn:li:").partition(":")[0])
    if not ui_url or not page:
        return None
    # A lone surrogate has no UTF-8 form: that page will not be found, but the report still comes out.
    return f"{ui_url.rstrip('/')}/{page}/{quote(asset_urn, safe='', errors='replace')}/Incidents"
