"""Files of a job's workspace: untrusted input, so only regular files, up to a size."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


class FileError(Exception):
    """A file that cannot be read: the message is a phrase that follows the file's name."""


class OutsideError(FileError):
    """A path that leads out of the workspace."""


def open_regular(path: Path, *, max_bytes: int) -> BinaryIO:
    """Open a regular file for reading.

    Args:
        path: The file. That it lies below the workspace is checked by the caller.
        max_bytes: The largest size that is accepted.

    Raises:
        FileError: It does not exist, is a folder, a pipe or a device, is too large, or cannot be opened.
    """
    try:
        # Not blocking, because opening a pipe waits until something writes to it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise FileError("does not exist") from None
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else type(error).__name__
        raise FileError(f"cannot be opened: {reason}") from None
    if problem := _problem(os.fstat(descriptor), max_bytes):
        os.close(descriptor)
        raise FileError(problem)
    return os.fdopen(descriptor, "rb")


def _problem(status: os.stat_result, max_bytes: int) -> str:
    if stat.S_ISDIR(status.st_mode):
        return "is a folder"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_size > max_bytes:
        return f"has {size(status.st_size)}, more than the limit of {size(max_bytes)}"
    return ""


def below(root: Path, text: str) -> Path:
    """The path that a text means, symlinks resolved.

    Args:
        root: The folder that it must stay below; a relative path starts there.
        text: As the user wrote it.

    Raises:
        OutsideError: It leads out of the folder, or to nowhere.
    """
    top = root.resolve()
    try:
        path = (top / text).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of symlinks, a NUL
        raise OutsideError("cannot be resolved") from None
    if not path.is_relative_to(top):
        raise OutsideError("leads out of the workspace")
    return path


def size(count: int) -> str:
    """A number of bytes for people."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}".replace(".0 ", " ")
    return f"{count} bytes"
