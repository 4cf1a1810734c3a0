"""What a step hands to the runner: commands in its log, and the files for outputs, state and the job summary."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TextIO

from actions_toolkit.command import Command
from actions_toolkit.file_command import prepare_key_value_message

from incident_gate.process import write
from incident_gate.report.annotations import Annotation, Level

# What `steps.<id>.outputs.<name>` and `STATE_<name>` can be written as.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LIMIT = 1024 * 1024


class StepLog(NamedTuple):
    """The step's log, in which lines that start with `::` are commands to the runner."""

    stdout: TextIO

    def mask(self, secrets: Iterable[str]) -> None:
        """Mask secrets in all that follows."""
        self._print(masks(secrets))

    def annotate(self, annotations: Iterable[Annotation]) -> None:
        """Annotate the run."""
        self._print(commands(annotations))

    def warn(self, warning: str) -> None:
        """Annotate a warning; nothing if it is empty."""
        if warning:
            self.annotate([Annotation(level=Level.WARNING, message=warning)])

    def debug(self, *lines: str) -> None:
        """Print lines that the runner shows where the user asked for debug logging."""
        self._print(str(Command("debug", {}, line)) for line in lines)

    def text(self, text: str) -> None:
        """Print text in which nothing is a command, whatever its lines begin with."""
        token = os.urandom(16).hex()
        write(self.stdout, f"{Command('stop-commands', {}, token)}\n{text.rstrip()}\n::{token}::\n")

    def _print(self, lines: Iterable[str]) -> None:
        write(self.stdout, "".join(f"{line}\n" for line in lines))


def commands(annotations: Iterable[Annotation]) -> Iterator[str]:
    """The workflow commands for the runner, one line each."""
    for annotation in annotations:
        properties = {"title": annotation.title, "file": annotation.file}
        if annotation.file and annotation.line:
            properties |= {"line": str(annotation.line)}
            if annotation.col:
                properties |= {"col": str(annotation.col)}
        # The runner warns of a property without a value.
        given = {name: value for name, value in properties.items() if value}
        yield str(Command(annotation.level.value, given, annotation.message))


def masks(secrets: Iterable[str]) -> Iterator[str]:
    """The workflow commands that mask secrets in all that follows: one for each line, as the runner masks by line."""
    for secret in secrets:
        for line in secret.splitlines():
            if line.strip():
                yield str(Command("add-mask", {}, line.strip()))


def write_values(path: str | None, values: Mapping[str, str], what: str = "outputs") -> str:
    """Append values to the runner's file of outputs or state; returns a warning if that fails."""
    for name, value in values.items():
        if not _NAME.fullmatch(name):
            raise ValueError(f"not a name for the runner's file of {what}: {name!r}")
        if len(value.encode(errors="replace")) > _LIMIT:
            return f"The {what} were not written: {name} is longer than the {_LIMIT:,} bytes that the runner takes."
    # In the heredoc the value ends at a delimiter drawn at random, so no value can end it early.
    messages = (prepare_key_value_message(name, value) for name, value in values.items())
    return _append(path, "".join(f"{message}\n" for message in messages), what)


def write_summary(path: str | None, markdown: str) -> str:
    """Append Markdown to the job summary; returns as `write_values` does."""
    return _append(path, markdown, "job summary")


def size(path: str | None) -> int:
    """How many bytes a file already has; 0 if that is not known."""
    try:
        return os.stat(path).st_size if path else 0  # noqa: PTH116
    except (OSError, ValueError):
        return 0


def _append(path: str | None, text: str, what: str) -> str:
    if not path:
        return f"The {what} could not be written: the runner named no file for it."
    try:
        data = text.encode(errors="replace")
        # Runners that imitate GitHub's name files that they have not made yet.
        descriptor = os.open(Path(path), os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
        try:
            _write_whole(descriptor, data)
        finally:
            os.close(descriptor)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return f"The {what} could not be written to {path}: {reason}."
    return ""


def _write_whole(descriptor: int, data: bytes) -> None:
    """All or nothing: half a heredoc fails the step in the runner, and half a summary is a broken page."""
    before = os.fstat(descriptor).st_size
    try:
        view = memoryview(data)
        while view:
            view = view[os.write(descriptor, view) :]
    except OSError:
        with suppress(OSError):
            os.ftruncate(descriptor, before)
        raise
