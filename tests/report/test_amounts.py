"""Ages and times as every report writes them."""

from __future__ import annotations

import pytest

from incident_gate.report.amounts import age, timestamp
from tests.helpers.report_samples import DAY, HOUR, NOW


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        *((0, "just now"), (59_999, "just now"), (60_000, "1 min"), (HOUR - 1, "59 min"), (HOUR, "1 h")),
        *((DAY - 1, "23 h"), (DAY, "1 d"), (400 * DAY, "400 d"), (-HOUR, "just now")),
    ],
)
def test_age_is_in_its_largest_unit(passed: int, words: str) -> None:
    assert age(NOW - passed, NOW) == words


def test_what_has_no_time_has_no_age() -> None:
    assert age(None, NOW) == ""
    assert timestamp(None) is None


def test_times_are_in_utc() -> None:
    assert timestamp(NOW) == "2026-05-28T20:26:40Z"
