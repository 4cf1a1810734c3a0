"""What files with results report: checks that were run and datasets that were built, in short and harmless forms."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

from incident_gate.dbt.stream import Limits
from incident_gate.files import FileError
from incident_gate.text import NO_SECRETS, Redactor, code_span, plain


class NoResultsError(FileError):
    """A file that is complete, and not one of results."""


class CheckStatus(StrEnum):
    """How a check or a build ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"  # it could not be run, or broke off
    SKIPPED = "skipped"
    UNKNOWN = "unknown"  # a status without a meaning here: never a pass
    UNPROVEN = "unproven"  # passed, in a file that is incomplete or has a failure that belongs to no check

    @property
    def is_bad(self) -> bool:
        """Whether it is a failure of the output it belongs to."""
        return self in {CheckStatus.FAILED, CheckStatus.ERROR}


class ResultKind(StrEnum):
    """What a result is of."""

    CHECK = "check"
    BUILD = "build"  # of a dbt node that can be an output
    NODE = "node"  # another node of dbt: it is no output, and its failure can be why the job failed
    STRAY = "stray"  # a failure of something around checks: a module that cannot be imported, a suite


class ReportedResult(NamedTuple):
    """One result.

    `name` is its full name, which patterns are matched with, or a node's unique id. `message` is one line. `identity`
    distinguishes checks of one name. `type` is that of the incident it raises. `urns` are datasets that the file names.
    """

    name: str
    status: CheckStatus
    message: str = ""
    kind: ResultKind = ResultKind.CHECK
    identity: tuple[Any, ...] = ()
    type: str = "OPERATIONAL"
    urns: tuple[str, ...] = ()

    @property
    def line(self) -> str:
        """An item of a Markdown list: what failed, and how."""
        broke_off = self.status is CheckStatus.ERROR and self.kind is not ResultKind.BUILD
        shown = f"- {code_span(self.name or '?')}{' could not be run' if broke_off else ''}"
        return f"{shown}: {code_span(self.message)}" if self.message else shown


class Moment(NamedTuple):
    """A time as a file has it: Unix time in seconds, as if of UTC where it is somebody's local time."""

    seconds: float
    has_zone: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResults:
    """What one file reports.

    `written` is the time in the file, `time` when it was written as far as that can be known, in seconds. Three phrases
    follow the file's name: `problem` is why the job's status must decide about what the other files do not mention
    (what failed in this file counts all the same), `stray` the failure that belongs to no check (nothing in this file
    counts as passed), `note` why it reports nothing although nothing is wrong with it.
    """

    path: str = ""
    format: str = ""
    written: Moment | None = None
    time: float = 0.0
    results: tuple[ReportedResult, ...] = ()
    problem: str = ""
    stray: str = ""
    note: str = ""


class ResultKeeper(NamedTuple):
    """What readers of all formats share: the limits of all files together, and what replaces secrets."""

    limits: Limits
    redact: Redactor = NO_SECRETS

    def keep(self, message: object, *names: str) -> str:
        """Count a result with these names; its message as it is shown."""
        shown = self.shown(message)
        self.limits.keep(shown, *names)
        return shown

    def shown(self, message: object) -> str:
        """A message as people see it: its first line, without secrets, cut."""
        return plain(self.redact(one_line(message)), LONGEST_MESSAGE)


class JsonReader(ABC):
    """Reads one format: takes in the entries of any JSON file, and knows at its end whether it is of this format."""

    def __init__(self, keeper: ResultKeeper) -> None:
        self._keeper = keeper
        self._values: dict[str, Any] = {}  # of the root

    def take(self, path: tuple[str, ...], value: Any) -> None:
        """Take in an entry."""
        if len(path) == 1:
            self._values[path[0]] = value
        self._take(path, value)

    @abstractmethod
    def _take(self, path: tuple[str, ...], value: Any) -> None: ...

    @abstractmethod
    def results(self) -> FileResults | None:
        """What the file reports; None where it is of another format."""


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
    """The first line of a message that is not empty: what follows it is often the query or rows of data."""
    if not isinstance(message, str) or not message:
        return ""
    lines = [_QUOTED.sub("", line).strip() for line in _ESCAPE.sub("", message[:_READ]).splitlines()]
    lines = [line for line in lines if line]
    count = 2 if lines and _HEADER.match(lines[0]) else 1
    return ": ".join(line.removesuffix(":") for line in lines[:count])[:_KEPT]


def moment(text: object) -> Moment | None:
    """An ISO date and time; None for what is none, and for 1970, which tools write where they know no time."""
    if not isinstance(text, str):
        return None
    try:
        found = datetime.fromisoformat(text.strip())
        seconds = (found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
    return Moment(seconds, found.tzinfo is not None) if seconds >= _YEAR else None


_YEAR = 366 * 24 * 3600

# By the names of dbt's and its packages' tests, of Great Expectations' expectations and of Soda's metrics.
_TYPES = (
    ("FRESHNESS", re.compile(r"fresh|recency|recent_data")),
    ("VOLUME", re.compile(r"row_?count|fewer_rows|volume")),
    ("DATA_SCHEMA", re.compile(r"schema|table_columns|columns_to_match|column_to_exist|column_count")),
)


def incident_type(name: str, *, column: bool) -> str:
    """The incident's type that fits a kind of check, as the tool names it; `column`: it is about one column."""
    for incident, pattern in _TYPES:
        if pattern.search(name.lower()):
            return incident
    return "FIELD" if column else "OPERATIONAL"
