"""Several files as one: the latest result of each check and of each build counts."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from incident_gate.outcome.results import dbt
from incident_gate.outcome.results.model import Build, Check, FileResults


@dataclass(frozen=True, slots=True, kw_only=True)
class Combined:
    """What all files report together.

    Args:
        checks: By full name; one file can list several checks of one name.
        builds: By unique id.
        problems: Files that could not be used as a whole: (path, phrase).
        notes: Files that report nothing, or failures only: (path, phrase).
    """

    checks: Mapping[str, tuple[Check, ...]]
    builds: Mapping[str, Build]
    problems: tuple[tuple[str, str], ...] = ()
    notes: tuple[tuple[str, str], ...] = ()

    @property
    def explains_failure(self) -> bool:
        """Whether something failed that can explain why the job failed."""
        return any(build.verdict.is_bad for build in self.builds.values()) or any(
            check.verdict.is_bad for checks in self.checks.values() for check in checks
        )


def combine(files: Sequence[FileResults], *, is_known: Callable[[str], bool]) -> Combined:
    """Combine files.

    Args:
        files: In any order.
        is_known: Whether a unique id or name of dbt's belongs to a known project or output: a file without any is of
            another project.
    """
    files = [_of_known_project(file, is_known) for file in files]
    from_dbt = {name for file in files if file.format == dbt.NAME for name in _names(file)}
    checks: dict[str, tuple[Check, ...]] = {}
    builds: dict[str, Build] = {}
    for _, at_once in groupby(sorted(files, key=_time), key=_time):
        latest: dict[str, list[Check]] = {}
        built: dict[str, Build] = {}
        for file in at_once:
            for check in file.checks:
                # A converter's JUnit of dbt's results turns warnings into failures.
                if file.format == dbt.NAME or check.name not in from_dbt:
                    latest.setdefault(check.name, []).append(check)
            for build in file.builds:
                if build.node not in built or build.verdict.is_bad:
                    built[build.node] = build
        checks.update((name, tuple(found)) for name, found in latest.items())
        builds.update(built)
    return Combined(
        checks=checks,
        builds=builds,
        problems=tuple((file.path, file.problem) for file in files if file.problem),
        notes=tuple((file.path, file.note) for file in files if file.note),
    )


def _time(file: FileResults) -> float:
    return file.time


def _of_known_project(file: FileResults, is_known: Callable[[str], bool]) -> FileResults:
    names = _names(file)
    if file.format != dbt.NAME or not names or any(map(is_known, names)):
        return file
    problem = "is of a dbt project whose manifest.json is not known, so that no output is related to its results"
    return replace(file, checks=(), builds=(), problem=problem)


def _names(file: FileResults) -> list[str]:
    return [*(check.name for check in file.checks), *(build.node for build in file.builds)]
