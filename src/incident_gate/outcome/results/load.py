"""Finds the files with results in a workspace, reads each in the format that its content shows, and evaluates them."""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass, field, replace
from fnmatch import fnmatchcase
from pathlib import Path, PurePath
from typing import BinaryIO

from incident_gate.dbt.project import MANIFEST_FILE, DbtProject, project_limits, read_project
from incident_gate.dbt.stream import MAX_FILE, Limits, encoding_of, entries
from incident_gate.errors import Hint
from incident_gate.files import FileError, MissingError, OutsideError, locate, open_regular
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.result import Evaluation
from incident_gate.outcome.results import dbt, great_expectations, junit, soda
from incident_gate.outcome.results.dbt import DbtReader, Projects
from incident_gate.outcome.results.evaluate import evaluate
from incident_gate.outcome.results.great_expectations import ExpectationsReader
from incident_gate.outcome.results.model import FileResults, JsonReader, Moment, NoResultsError, ResultKeeper
from incident_gate.outcome.results.soda import SodaReader
from incident_gate.text import NO_SECRETS, Redactor

MAX_FILES = 1_000

_USUAL_MANIFEST = f"target/{MANIFEST_FILE}"
_HEAD = 1 << 10
_HOUR = 3600
_NOT_READ = "is none of the formats that are read: dbt, JUnit XML, Great Expectations, Soda"
_WRITE_IT = Hint("check `{test-results}`, and that the step that writes it has run")
# The earliest local time, and an hour for a file that was written late.
_EARLIEST = -13 * _HOUR
_WANTED = {
    **dbt.WANTED,
    **great_expectations.WANTED,
    **soda.WANTED,
    "results.*": {**dbt.RESULT, **great_expectations.EXPECTATION},
}


def result_limits() -> Limits:
    """How much may be read of the results of one job."""
    return Limits(what="results", entries=100_000)


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFiles:
    """Where results are.

    `patterns` are paths or globs, relative ones below `folder`; `confined` refuses files outside of it. A file that is
    older than `job_start` (Unix time in seconds) is of another job. `manifests` are paths of dbt's, besides those
    beside its results, and `platforms` those of its tables, besides those of their adapters.
    """

    patterns: Sequence[str]
    folder: Path
    confined: bool
    job_start: float
    manifests: Sequence[str] = ()
    platforms: Collection[str] = ()
    redact: Redactor = NO_SECRETS
    limits: Limits = field(default_factory=result_limits)

    def locate(self, path: str, *, in_folder: str = "") -> Path:
        """The file that a path means."""
        if self.confined:
            return locate(path, self.folder, in_folder=in_folder)
        return locate(str(self.folder / path), None, in_folder=in_folder)

    def visible(self, path: str) -> str:
        """A path up to a link that leads out of the workspace: nobody must see what is there, not even its name."""
        folder = os.path.dirname(path)  # noqa: PTH120 - as it is written
        try:
            self.locate(folder)
        except OutsideError:
            return self.visible(folder)
        return path


def assess(outputs: Sequence[OutputEntry], files: ResultFiles, *, job_failed: bool) -> Evaluation:
    """Decide about each output by the files with results; the outputs that selectors stand for are among them."""
    results = load(files)
    projects, problems = _projects(results, files)
    return evaluate(outputs, (*results, *problems), projects, job_failed=job_failed, redact=files.redact)


def load(files: ResultFiles) -> tuple[FileResults, ...]:
    """Read all files; what is wrong with one is a `problem` of it, and never stops the others."""
    loaded: list[FileResults] = []
    for path, problem, is_named in _paths(files):
        if len(loaded) == MAX_FILES:
            loaded.append(FileResults(path=path, problem=f"is beyond the limit of {MAX_FILES:,} files"))
            break
        loaded.append(FileResults(path=path, problem=problem) if problem else _read(path, files, is_named=is_named))
    return tuple(loaded)


def _paths(files: ResultFiles) -> Iterator[tuple[str, str, bool]]:
    """Every path, each once, with what is wrong with it, and whether it is named and not only matched."""
    seen: set[str] = set()
    for pattern in files.patterns:
        try:
            is_named = not re.search(r"[*?\[]", pattern) or os.path.isfile(files.folder / pattern)  # noqa: PTH113 - as above
            matches = [pattern] if is_named else sorted(_matches(files, pattern))
        except FileError as error:
            yield pattern, str(error), True
            continue
        if not matches:
            yield pattern, Hint("matches no file: {0}", _WRITE_IT), True
        for match in matches:
            if is_named and os.path.isdir(files.folder / match):  # noqa: PTH112 - raises nothing
                hint = Hint("is a folder: name files in `{test-results}`, like {0}/**/*.xml", match.rstrip("/"))
                yield match, hint, True
                continue
            # Not the text: "./a.xml" is "a.xml".
            if (path := os.path.normpath(match)) not in seen:
                seen.add(path)
                yield match, "", is_named


def _matches(files: ResultFiles, pattern: str) -> set[str]:
    """The files that a pattern matches, up to one more than are read. `**` does not follow symlinks to folders."""
    parts = Path(pattern).parts
    top = parts[0] if Path(pattern).anchor else ""
    found: set[str] = set()
    # Folders, relative to the workspace, with the parts of the pattern that are left for what is in them.
    left = [(top, parts[1:] if top else parts)]
    seen = set(left)
    while left and len(found) <= MAX_FILES:
        folder, (part, *rest) = left.pop()
        for name, is_folder, is_link in _entries(files.folder / folder, part):
            files.limits.check_time()
            path = os.path.join(folder, name)  # noqa: PTH118 - a Path for each entry is slow
            if part == "**":
                below = [(path, (part, *rest))] if is_folder and not is_link else []
            elif not fnmatchcase(name, part):
                continue
            else:
                below = [(path, tuple(rest))] if rest and is_folder else []
                if not rest and not is_folder:
                    found.add(files.visible(path))
            new = [place for place in below if place not in seen]
            seen.update(new)
            left += new
        if part == "**" and (folder, tuple(rest or ("*",))) not in seen:
            left.append((folder, tuple(rest or ("*",))))
    return found


def _entries(folder: Path, part: str) -> Iterator[tuple[str, bool, bool]]:
    """What is in a folder: name, whether it is a folder, and whether it is a link."""
    if part == "..":
        yield part, True, False
    try:
        with os.scandir(folder) as entries_:
            for entry in entries_:
                # Of a link, `is_dir` raises where it leads in a circle.
                is_link = entry.is_symlink()
                yield entry.name, os.path.isdir(entry) if is_link else entry.is_dir(), is_link  # noqa: PTH112
    except OSError:
        return  # no folder, or one that may not be read


def _read(path: str, files: ResultFiles, *, is_named: bool) -> FileResults:
    try:
        with open_regular(files.locate(path), max_bytes=MAX_FILE) as file:
            modified = os.fstat(file.fileno()).st_mtime
            results = _parse(path, file, ResultKeeper(files.limits, files.redact))
    except NoResultsError as error:
        # A pattern matches other files too: dbt's manifest.json, a report of coverage.
        return FileResults(path=path, problem=str(error)) if is_named else FileResults(path=path, note=str(error))
    except MissingError as error:
        return FileResults(path=path, problem=Hint("{0}: {1}", error, _WRITE_IT))
    except FileError as error:
        return FileResults(path=path, problem=str(error))
    except OSError as error:
        return FileResults(path=path, problem=f"cannot be read: {error.strerror or type(error).__name__}")
    time = _time(results.written, modified)
    # Some tools write whole seconds.
    if time < int(files.job_start):
        problem = "is older than this job: check that the step that writes it has run"
        return FileResults(path=path, format=results.format, time=time, problem=problem)
    is_empty = not (results.note or results.problem or results.stray or results.results)
    return replace(results, path=path, time=time, note="has no results" if is_empty else results.note)


def _time(written: Moment | None, modified: float) -> float:
    """When a file was written, as far as it can be known."""
    if not written:
        return modified
    later = written.seconds - modified
    is_local = not written.has_zone and later >= _EARLIEST
    return modified if is_local or later > _HOUR else written.seconds


def _parse(path: str, file: BinaryIO, keeper: ResultKeeper) -> FileResults:
    head = file.read(_HEAD)
    file.seek(0)
    first = head.decode(encoding_of(file), errors="replace").lstrip()[:1]
    if not first:
        raise FileError("is empty: the program that writes it may have been stopped")
    if first == "<":
        return replace(junit.read(file, keeper), format=junit.NAME)
    if first not in "{[":
        # A pattern like reports/** matches pictures and logs too. A name that promises results is taken at its word.
        raise (FileError if path.endswith((".json", ".xml")) else NoResultsError)(_NOT_READ)
    # The first that accepts a file reads it. Two of them have a list `results`.
    readers: dict[str, JsonReader] = {
        dbt.NAME: DbtReader(keeper),
        great_expectations.NAME: ExpectationsReader(keeper),
        soda.NAME: SodaReader(keeper),
    }
    for keys, value in entries(file, _WANTED, keeper.limits):
        for reader in readers.values() if keys else ():
            reader.take(keys, value)
    for name, reader in readers.items():
        if results := reader.results():
            return replace(results, format=name)
    raise NoResultsError(_NOT_READ)


def _projects(results: Sequence[FileResults], files: ResultFiles) -> tuple[Projects, list[FileResults]]:
    """The projects, and what is wrong with a manifest that exists."""
    folders = dict.fromkeys(PurePath(result.path).parent for result in results if result.format == dbt.NAME)
    if not folders:
        return Projects(), []
    found: dict[Path, DbtProject] = {}
    problems: list[FileResults] = []
    limits = project_limits().sharing_time_of(files.limits)
    for paths in ([*files.manifests, *(str(folder / MANIFEST_FILE) for folder in folders)], [_USUAL_MANIFEST]):
        for path in dict.fromkeys(paths):
            try:
                place = files.locate(path, in_folder=MANIFEST_FILE)
                if place.resolve() not in found:  # a selector may name its folder
                    found[place.resolve()] = read_project(place, limits)
            except MissingError:
                continue
            except FileError as error:
                problems.append(FileResults(path=path, problem=str(error)))
        if found or problems:
            break
    return Projects(tuple(found.values()), files.platforms), problems
