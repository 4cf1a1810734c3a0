"""Several files as one: the latest result of each check and of each build counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from incident_gate.outcome.results import dbt
from incident_gate.outcome.results.model import Build, Check, FileResults
from incident_gate.outcome.results.patterns import Names
from incident_gate.text import quote


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


def combine(files: Sequence[FileResults], *, unique_ids: Collection[str], patterns: Sequence[str]) -> Combined:
    """Combine files.

    Args:
        files: In any order.
        unique_ids: Of all nodes and tests in dbt's manifests.
        patterns: Of the gate's manifest: they may name checks of a project whose manifest is not known.
    """
    # A copy has the same time and content: teams copy dbt's file after each command, and the last one is still there.
    originals = {(file.format, file.time, file.checks, file.builds): file for file in files if file.format}
    files = [*originals.values(), *(file for file in files if not file.format)]
    files = [_of_known_project(file, unique_ids, patterns) for file in files]
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


def _of_known_project(file: FileResults, unique_ids: Collection[str], patterns: Sequence[str]) -> FileResults:
    names = _names(file)
    if file.format != dbt.NAME or not names:
        return file
    checks = Names(check.name for check in file.checks)
    named = {name for pattern in patterns for name in checks.matching(pattern)}
    if not named and not any(name in unique_ids for name in names):
        problem = "is of a dbt project to which no output belongs, or whose manifest.json is not known"
        return replace(file, checks=(), builds=(), problem=problem)
    failed = [check.name for check in file.checks if check.verdict.is_bad]
    failed += [build.node for build in file.builds if build.verdict.is_bad]
    unknown = [name for name in failed if unique_ids and name not in unique_ids and name not in named]
    if unknown:
        problem = f"has a failure that manifest.json does not know ({quote(unknown[0])}): the two are of different runs"
        return replace(file, problem=file.problem or problem)
    return file


def _names(file: FileResults) -> list[str]:
    return [*(check.name for check in file.checks), *(build.node for build in file.builds)]
