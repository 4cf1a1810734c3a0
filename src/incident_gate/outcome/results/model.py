"""What a results file reports: the checks that were run and the datasets that were built."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from incident_gate.files import FileError


class NoResultsError(FileError):
    """A file that is complete, and not one of results."""


class Verdict(StrEnum):
    """How a check or a build ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"  # it could not be run, or broke off
    SKIPPED = "skipped"
    UNKNOWN = "unknown"  # a status without a meaning here: never a pass

    @property
    def is_bad(self) -> bool:
        """Whether it is a failure of the output it belongs to."""
        return self in {Verdict.FAILED, Verdict.ERROR}


class Check(NamedTuple):
    """One check. `name` is its full name, which patterns are matched with; `message` is one line.

    `type` is the type of the incident that its failure raises. `urns` are the datasets that the file itself names.
    """

    name: str
    verdict: Verdict
    message: str = ""
    type: str = "OPERATIONAL"
    urns: tuple[str, ...] = ()


class Build(NamedTuple):
    """The build of one node of a dbt project, by its unique id."""

    node: str
    verdict: Verdict
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class FileResults:
    """What one file reports.

    Args:
        path: As people know it, relative to the workspace.
        format: The tool's name.
        time: When it was written, Unix time in seconds: from the file itself, else its modification time.
        checks: In the file's order.
        builds: In the file's order.
        problem: Why the job's status must decide about what the other files do not mention; a phrase that follows the
            file's name. What failed in this file counts all the same.
        note: Why the file reports nothing although nothing is wrong with it; a phrase like `problem`.
    """

    path: str
    format: str = ""
    time: float = 0.0
    checks: tuple[Check, ...] = ()
    builds: tuple[Build, ...] = ()
    problem: str = ""
    note: str = ""


class Content(NamedTuple):
    """What a format's reader finds in a file; the fields have the meaning of those of `FileResults`.

    `time` is None where the file does not have one.
    """

    time: float | None = None
    checks: tuple[Check, ...] = ()
    builds: tuple[Build, ...] = ()
    problem: str = ""
    note: str = ""
