"""Finds the files with results in a workspace and reads each in the format that its content shows."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

from incident_gate.files import FileError, open_regular
from incident_gate.outcome.results import dbt, great_expectations, junit, soda
from incident_gate.outcome.results.model import Content, FileResults, NoResultsError
from incident_gate.outcome.results.wording import shown
from incident_gate.select.json_parts import read_parts
from incident_gate.text import NO_SECRETS, Redactor, quote

MAX_BYTES = 100 << 20
MAX_FILES = 1_000
MAX_RESULTS = 100_000
"""Of all files together."""

_HEAD = 1 << 10
_BOM = b"\xef\xbb\xbf"


class _Format(NamedTuple):
    """A format in JSON: which keys it needs, and whether a file is of it."""

    name: str
    wanted: Mapping[str, Any]
    accepts: Callable[[Mapping[str, Any]], bool]
    read: Callable[[Mapping[str, Any]], Content]


# The first that accepts a file reads it.
_JSON_FORMATS = tuple(_Format(m.NAME, m.WANTED, m.accepts, m.read) for m in (dbt, great_expectations, soda))


@dataclass(frozen=True, slots=True, kw_only=True)
class ResultFiles:
    """Where results are.

    Args:
        patterns: Paths or globs, one each; relative ones are below `folder`.
        folder: The workspace, or the current folder of a command line.
        confined: Whether files outside `folder` are refused.
        job_start: When the job started, Unix time in seconds: an older file is of another job.
        redact: Replaces secrets in messages.
    """

    patterns: Sequence[str]
    folder: Path
    confined: bool
    job_start: float
    redact: Redactor = NO_SECRETS


def load(files: ResultFiles) -> tuple[FileResults, ...]:
    """Read all files; what is wrong with one is a `problem` of it, and never stops the others."""
    loaded: list[FileResults] = []
    count = 0
    for path, problem, is_named in islice(_paths(files), MAX_FILES + 1):
        if len(loaded) == MAX_FILES:
            loaded.append(FileResults(path=path, problem=f"is beyond the limit of {MAX_FILES:,} files"))
            break
        results = FileResults(path=path, problem=problem) if problem else _read(path, files, is_named=is_named)
        count += len(results.checks) + len(results.builds)
        if count > MAX_RESULTS:
            loaded.append(FileResults(path=path, problem=f"is beyond the limit of {MAX_RESULTS:,} results"))
            break
        loaded.append(results)
    return tuple(loaded)


def _paths(files: ResultFiles) -> Iterator[tuple[str, str, bool]]:
    """Every path, each once, with what is wrong with it, and whether it is named and not only matched."""
    seen: set[str] = set()
    for pattern in files.patterns:
        try:
            is_named = _is_path(files.folder / pattern, pattern)
            matches = [pattern] if is_named else _matches(files.folder, pattern)
        except (ValueError, NotImplementedError) as error:
            yield pattern, f"is neither a path nor a pattern: {error}", True
            continue
        if not matches:
            yield pattern, "matches no file", True
        for match in matches:
            # Not the text: "./a.xml" is "a.xml".
            if (path := os.path.normpath(match)) not in seen:
                seen.add(path)
                yield match, "", is_named


def _is_path(path: Path, pattern: str) -> bool:
    """Whether it stands for one file: a file's name may contain brackets."""
    if "\0" in pattern:
        raise ValueError("it contains a null character")
    return not re.search(r"[*?\[]", pattern) or path.is_file()


def _matches(folder: Path, pattern: str) -> list[str]:
    path = Path(pattern)
    root = Path(path.anchor) if path.anchor else folder
    found = (match for match in root.glob(str(path.relative_to(path.anchor))) if not match.is_dir())
    return sorted(
        str(match.relative_to(folder) if not path.anchor else match) for match in islice(found, MAX_FILES + 1)
    )


def _read(path: str, files: ResultFiles, *, is_named: bool) -> FileResults:
    try:
        target = resolve(files.folder / path, files)
        with open_regular(target, max_bytes=MAX_BYTES) as file:
            modified = os.fstat(file.fileno()).st_mtime
            name, content = _parse(file)
    except NoResultsError as error:
        # A pattern matches other files too: dbt's manifest.json, a report of coverage.
        return FileResults(path=path, problem=str(error)) if is_named else FileResults(path=path, note=str(error))
    except FileError as error:
        return FileResults(path=path, problem=str(error))
    except OSError as error:
        return FileResults(path=path, problem=f"cannot be read: {error.strerror or type(error).__name__}")
    time = modified if content.time is None else content.time
    # Some tools write whole seconds.
    if time < int(files.job_start):
        return FileResults(path=path, format=name, time=time, problem="is older than this job: another one wrote it")
    note = content.note
    if not (note or content.problem or content.checks or content.builds):
        note = "has no results"
    return FileResults(
        path=path,
        format=name,
        time=time,
        checks=tuple(c._replace(message=shown(c.message, files.redact)) if c.message else c for c in content.checks),
        builds=tuple(b._replace(message=shown(b.message, files.redact)) if b.message else b for b in content.builds),
        problem=content.problem,
        note=note,
    )


def resolve(path: Path, files: ResultFiles) -> Path:
    """A path without links.

    Raises:
        FileError: It leads out of the workspace.
    """
    try:
        resolved = path.resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links
        raise FileError("cannot be resolved") from None
    if files.confined and not resolved.is_relative_to(files.folder.resolve()):
        raise FileError("leads out of the workspace")
    return resolved


def _parse(file: BinaryIO) -> tuple[str, Content]:
    head = file.read(_HEAD)
    file.seek(len(_BOM) if head.startswith(_BOM) else 0)
    first = head.removeprefix(_BOM).lstrip()[:1]
    if not first:
        raise FileError("is empty")
    if first == b"<" or head[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return junit.NAME, junit.read(file)
    root = read_parts(file, _WANTED)
    for form in _JSON_FORMATS:
        if form.accepts(root):
            return form.name, form.read(root)
    schema = root.get("metadata", {}) if isinstance(root.get("metadata"), dict) else {}
    if isinstance(text := schema.get("dbt_schema_version"), str):
        raise NoResultsError(f"is of dbt, but has no results: its schema is {quote(text)}")
    raise NoResultsError("is none of the formats that are read: dbt, JUnit XML, Great Expectations, Soda")


def _merged(first: Any, second: Any) -> Any:
    """What either of two readers needs."""
    if isinstance(first, Mapping) and isinstance(second, Mapping):
        return {key: _merged(first.get(key), second.get(key)) for key in {**first, **second}}
    if isinstance(first, list) and isinstance(second, list):
        return [_merged(first[0], second[0])]
    return second if first is None else first


def _all_wanted() -> Mapping[str, Any]:
    wanted: Any = {}
    for form in _JSON_FORMATS:
        wanted = _merged(wanted, form.wanted)
    return wanted  # type: ignore[no-any-return]


_WANTED = _all_wanted()
