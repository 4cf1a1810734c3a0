"""Addresses of pages in DataHub's user interface."""

from __future__ import annotations

from urllib.parse import quote

# DataHub's own names for the pages of its entity types, and whether the page lists incidents.
_PAGES = {
    "dataset": ("dataset", True),
    "chart": ("chart", True),
    "dashboard": ("dashboard", True),
    "dataJob": ("tasks", True),
    "dataFlow": ("pipelines", True),
    "container": ("container", False),
    "dataProduct": ("dataProduct", False),
    "domain": ("domain", False),
    "glossaryTerm": ("glossaryTerm", False),
    "mlFeature": ("features", False),
    "mlFeatureTable": ("featureTables", False),
    "mlModel": ("mlModels", False),
    "mlModelGroup": ("mlModelGroup", False),
    "mlPrimaryKey": ("mlPrimaryKeys", False),
}


def asset_page(ui_url: str | None, urn: str) -> str | None:
    """An asset's page, or None if there is no address to build it from."""
    page, _ = _PAGES.get(urn.removeprefix("urn:li:").partition(":")[0], ("", False))
    if not ui_url or not page:
        return None
    # A lone surrogate has no UTF-8 form: that page does not exist, but the report is still written.
    return f"{ui_url.rstrip('/')}/{page}/{quote(urn, safe='', errors='replace')}"


def incidents_page(ui_url: str | None, urn: str) -> str | None:
    """The page that lists an asset's incidents, the asset's own page where there is none of incidents."""
    page = asset_page(ui_url, urn)
    _, lists_incidents = _PAGES.get(urn.removeprefix("urn:li:").partition(":")[0], ("", False))
    return f"{page}/Incidents" if page and lists_incidents else page


def assertion_page(ui_url: str | None, asset: str, urn: str) -> str | None:
    """The page of an assertion, among those of its dataset."""
    page = asset_page(ui_url, asset)
    return f"{page}/Quality/List?assertion_urn={quote(urn, safe='', errors='replace')}" if page else None
