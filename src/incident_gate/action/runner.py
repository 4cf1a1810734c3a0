"""The files by which a step hands things to the runner: outputs, state and the job summary."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from actions_toolkit.file_command import prepare_key_value_message

# What `steps.<id>.outputs.<name>` and `STATE_<name>` can be written as.
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_LIMIT = 1024 * 1024


def write_values(path: str | None, values: Mapping[str, str], what: str = "outputs") -> str:
    """Append values to the runner's file of outputs or state.

    Returns:
        Empty if it worked, else a warning: what could not be written and why. The verdict does not depend on it.
    """
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
