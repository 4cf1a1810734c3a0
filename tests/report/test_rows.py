"""Incidents as rows: their order, titles, types and siblings."""

from __future__ import annotations

import pytest

from incident_gate.gate.policy import Conclusion
from incident_gate.incident import Incident, Priority
from incident_gate.report.rows import IncidentRow, rows_of, rows_with, sibling_name
from tests.helpers.report_samples import decision, entry, report, unhealthy

FINE = decision(entry("fine"))


@pytest.mark.parametrize(
    ("title", "description", "said"),
    [("T", "D", "T"), (None, "D", "D"), (" \u200b", "D", "D"), (None, None, "(no title)"), ("", "\n", "(no title)")],
)
def test_an_incident_without_a_title_has_a_name(title: str | None, description: str | None, said: str) -> None:
    found = Incident(urn="urn:li:incident:1", asset="x", title=title, description=description)
    assert IncidentRow(FINE, found).title == said


@pytest.mark.parametrize(
    ("kind", "custom", "said"),
    [
        ("CUSTOM", "Own", "Own"),
        ("CUSTOM", None, "CUSTOM"),
        ("FIELD", "Own", "FIELD"),
        (None, "Own", "Own"),
        (None, None, ""),
    ],
)
def test_a_custom_type_has_its_own_name(kind: str | None, custom: str | None, said: str) -> None:
    assert IncidentRow(FINE, Incident(urn="u", asset="x", type=kind, custom_type=custom)).type == said


@pytest.mark.parametrize(
    ("urn", "name"),
    [
        ("urn:li:dataset:(urn:li:dataPlatform:dbt,a,b,PROD)", "dbt a,b"),
        ("urn:li:dataset:(urn:li:dataPlatform:dbt)", "urn:li:dataset:(urn:li:dataPlatform:dbt)"),
        ("urn:li:chart:(looker,1)", "urn:li:chart:(looker,1)"),
    ],
)
def test_a_sibling_is_named_by_platform_and_name(urn: str, name: str) -> None:
    assert sibling_name(urn) == name


def test_incidents_are_worst_first_within_an_asset_and_among_assets() -> None:
    low, high = (unhealthy(name, name, priority=Priority[name]) for name in ("LOW", "HIGH"))
    assert [found.title for found in rows_with(report(low, high), Conclusion.BLOCK)] == ["HIGH", "LOW"]
    both = decision(entry("both"), Conclusion.BLOCK, blocking=(*high.blocking, *low.blocking), unread=1)
    assert [found.priority for found in rows_of(both)] == ["HIGH", "LOW", ""]
