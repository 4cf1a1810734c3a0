"""The incident's type that fits a kind of check."""

from __future__ import annotations

import re

# By the names of dbt's and its packages' tests, of Great Expectations' expectations and of Soda's metrics.
_BY_NAME = (
    ("FRESHNESS", re.compile(r"fresh|recency|recent_data")),
    ("VOLUME", re.compile(r"row_?count|fewer_rows|volume")),
    ("DATA_SCHEMA", re.compile(r"schema|table_columns|columns_to_match|column_to_exist|column_count")),
)


def incident_type(name: str, *, column: bool) -> str:
    """The incident's type.

    Args:
        name: The kind of check, as the tool names it.
        column: Whether it is about one column.
    """
    for incident, pattern in _BY_NAME:
        if pattern.search(name.lower()):
            return incident
    return "FIELD" if column else "OPERATIONAL"
