"""Ages, times and addresses of pages: the right page for each kind of asset, and no way out of the path."""

from __future__ import annotations

from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.report.json import timestamp
from incident_gate.report.view import age, incidents_page
from tests.helpers.report_samples import DAY, HOUR, NOW, UI


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        *((0, "just now"), (59_999, "just now"), (60_000, "1 min"), (HOUR - 1, "59 min"), (HOUR, "1 h")),
        *((DAY - 1, "23 h"), (DAY, "1 d"), (400 * DAY, "400 d"), (-HOUR, "just now")),
        *((NOW, ""), (NOW + 1, "")),
    ],
)
def test_age_is_in_its_largest_unit(passed: int, words: str) -> None:
    assert age(NOW - passed, NOW) == words


def test_what_has_no_time_has_no_age() -> None:
    assert age(None, NOW) == ""
    assert timestamp(None) is None


def test_times_are_in_utc() -> None:
    assert timestamp(NOW) == "2026-05-28T20:26:40Z"


@pytest.mark.parametrize(
    ("urn", "page"),
    [
        ("urn:li:dataset:(urn:li:dataPlatform:hive,a b,PROD)", "dataset"),
        ("urn:li:chart:(looker,1)", "chart"),
        ("urn:li:dashboard:(looker,1)", "dashboard"),
        ("urn:li:dataJob:(urn:li:dataFlow:(airflow,dag,prod),task)", "tasks"),
        ("urn:li:dataFlow:(airflow,dag,prod)", "pipelines"),
    ],
)
def test_each_kind_of_asset_has_its_page(urn: str, page: str) -> None:
    address = incidents_page(UI, urn)
    assert address is not None
    assert address.startswith(f"{UI}/{page}/urn%3Ali%3A")
    assert unquote(address) == f"{UI}/{page}/{urn}/Incidents"


def test_a_trailing_slash_does_not_double() -> None:
    assert incidents_page(UI + "/datahub/", "urn:li:chart:x") == f"{UI}/datahub/chart/urn%3Ali%3Achart%3Ax/Incidents"


@pytest.mark.parametrize(
    ("ui", "urn"), [(None, "urn:li:chart:x"), ("", "urn:li:chart:x"), (UI, "urn:li:tag:x"), (UI, "x")]
)
def test_without_address_or_page_there_is_no_link(ui: str | None, urn: str) -> None:
    assert incidents_page(ui, urn) is None


@given(st.text())
def test_no_urn_leaves_its_place_in_the_path(rest: str) -> None:
    address = incidents_page(UI, "urn:li:dataset:" + rest)
    assert address is not None
    parts = urlsplit(address)
    assert (parts.netloc, parts.query, parts.fragment) == ("datahub.example.com", "", "")
    assert len(parts.path.split("/")) == 4
    assert address.isascii()
    assert address.isprintable()


def test_a_urn_without_a_form_in_utf_8_still_has_an_address() -> None:
    assert incidents_page(UI, "urn:li:chart:\ud800") == f"{UI}/chart/urn%3Ali%3Achart%3A%3F/Incidents"
