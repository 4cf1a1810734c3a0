"""Numbers, times and addresses of pages as every report writes them."""

from __future__ import annotations

import unicodedata
from datetime import UTC, datetime
from urllib.parse import quote

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS

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

NOT_READ = {"NOT FOUND": "Not in DataHub", "REMOVED": "Removed from DataHub", "UNCHECKED": "Not checked"}
"""Why an asset itself is listed, by the tag of its row."""


def count(number: int, noun: str) -> str:
    """`1 input`, `2 inputs`, `1,000 inputs`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def duration(seconds: float) -> str:
    """A duration in words: `45 s`, `12 min`, `2 h 5 min`."""
    minutes = round(seconds / 60)
    if seconds < 90:  # noqa: PLR2004 - up to here, seconds are easier to read
        return f"{seconds:.0f} s"
    if minutes < 60:  # noqa: PLR2004
        return f"{minutes} min"
    return f"{minutes // 60} h {minutes % 60} min" if minutes % 60 else f"{minutes // 60} h"


def age(created_ms: int | None, now_ms: int) -> str:
    """A duration in its largest unit: `12 min`, `3 h`, `2 d`; empty if unknown."""
    if created_ms is None:
        return ""
    passed = now_ms - created_ms
    for length, unit in ((_DAY_MS, "d"), (_HOUR_MS, "h"), (_MINUTE_MS, "min")):
        if passed >= length:
            return f"{passed // length} {unit}"
    return "just now"


def timestamp(ms: int | None) -> str | None:
    """A time in ISO 8601, UTC; None if there is none or the server's number is not a time."""
    if ms is None:
        return None
    try:
        return datetime.fromtimestamp(ms / 1000, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
    except (OverflowError, ValueError, OSError):
        return None


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


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(_cell_width(character) for character in text)


def fitted(text: str, size: int) -> str:
    """The text cut to at most `size` columns, with an ellipsis if something was cut."""
    if cells(text) <= size:
        return text
    used = 0
    for index, character in enumerate(text):
        used += _cell_width(character)
        if used > size - 1:
            return text[:index].rstrip() + "…"
    return text


def _cell_width(character: str) -> int:
    if unicodedata.category(character) in {"Mn", "Me"}:
        return 0
    return 2 if unicodedata.east_asian_width(character) in {"W", "F"} else 1
