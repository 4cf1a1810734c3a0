"""Numbers, durations and times as every report writes them."""

from __future__ import annotations

from datetime import UTC, datetime

_MINUTE_MS = 60_000
_HOUR_MS = 60 * _MINUTE_MS
_DAY_MS = 24 * _HOUR_MS


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
