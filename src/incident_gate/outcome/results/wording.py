"""Short and harmless forms of what results files contain."""

from __future__ import annotations

import re
from datetime import UTC, datetime

from incident_gate.text import NO_SECRETS, Redactor, plain

LONGEST_MESSAGE = 300

_READ = 4000
# Longer than what is shown by more than any secret has: what is cut in a secret is not recognized as one.
_KEPT = 2000
# dbt's and SQL engines' headers: the next line is the message, the lines after it quote the query.
_HEADER = re.compile(r"[\w ]*\bError in |\W*$")
# What quotes the query or rows. XML's attributes have spaces where the message had line breaks.
_QUOTED = re.compile(r"(?:^|\s)(?:LINE \d+:|compiled code at |\[SQL: |@@ ,|DETAIL: ).*", re.IGNORECASE)
# pytest's form of an escape sequence, which XML cannot contain.
_ESCAPE = re.compile(r"#x1B\[[0-9;]*[A-Za-z]")


def one_line(message: object) -> str:
    """The first line of a message that is not empty: what follows it is often the query or rows of data.

    It is for `shown`: secrets are still in it.
    """
    if not isinstance(message, str):
        return ""
    lines = [_QUOTED.sub("", line).strip() for line in _ESCAPE.sub("", message[:_READ]).splitlines()]
    lines = [line for line in lines if line]
    count = 2 if lines and _HEADER.match(lines[0]) else 1
    return ": ".join(line.removesuffix(":") for line in lines[:count])[:_KEPT]


def shown(message: str, redact: Redactor = NO_SECRETS) -> str:
    """A message as people see it: without secrets, on one line, cut."""
    return plain(redact(message), LONGEST_MESSAGE)


def unix_time(text: object) -> float | None:
    """The Unix time of an ISO date and time, UTC without a zone; None for what is none, and for 1970."""
    if not isinstance(text, str):
        return None
    try:
        moment = datetime.fromisoformat(text.strip())
        seconds = (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return seconds if seconds >= _YEAR else None


_YEAR = 366 * 24 * 3600
"""Tools write the beginning of 1970, in whatever time zone, where they know no time."""
