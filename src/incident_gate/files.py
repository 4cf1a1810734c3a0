"""Files that a user or a manifest names: untrusted, so only regular files, up to a size, below the workspace.

`locate` turns what the user wrote into a path, `open_regular` and `read_regular` read one within a bound. Both raise a
`FileError`, whose text is a phrase that follows the file's name.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import BinaryIO


class FileError(Exception):
    """A file that cannot be used: the message is a phrase that follows the file's name."""


class MissingError(FileError):
    """A file that does not exist."""


class OutsideError(FileError):
    """A path that leads out of the workspace, or to nowhere."""


def locate(text: str, root: Path | None, *, in_folder: str = "") -> Path:
    """The path that a text means.

    Args:
        text: As the user wrote it. `~` is the home folder.
        root: The folder that it starts from and must stay below, with all symlinks followed; None where the user may
            name any file, and relative paths start from the current folder.
        in_folder: The name of the file that is meant where the text names a folder.

    Raises:
        OutsideError: It leads out of the folder, or is no path.
    """
    try:
        path = Path(text).expanduser() if text.partition("/")[0] == "~" else Path(text)
        if root is not None:
            path = _below(root, path)
        if in_folder and os.path.isdir(path):  # noqa: PTH112 - raises nothing where a folder above cannot be read
            path = path / in_folder if root is None else _below(root, path / in_folder)
        os.fsencode(path)
    except (ValueError, RuntimeError):  # a NUL, a half of a surrogate pair, no home folder
        raise OutsideError("is not a path") from None
    if "\0" in text:
        raise OutsideError("is not a path")
    return path


def locate_pattern(pattern: str, root: Path | None) -> str:
    """The same for a pattern of files, as it is. Symlinks are followed when its matches are located."""
    if root is None:
        return str(locate(pattern, None))
    top = os.path.abspath(root)  # noqa: PTH100 - resolves no symlinks
    is_below = os.path.commonpath([top, os.path.abspath(Path(root, pattern))]) == top  # noqa: PTH100
    if pattern.partition("/")[0] == "~" or not is_below:
        raise OutsideError("leads out of the workspace")
    return pattern


def _below(root: Path, path: Path) -> Path:
    """A path below a folder, all symlinks resolved."""
    top = root.resolve()
    try:
        resolved = (top / path).resolve()
        resolved.stat()  # Python 3.13 does not resolve a loop of symlinks
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        pass  # found on reading
    except (OSError, RuntimeError):
        raise OutsideError("cannot be resolved") from None
    if not resolved.is_relative_to(top):
        raise OutsideError("leads out of the workspace")
    return resolved


def open_regular(path: Path, *, max_bytes: int) -> BinaryIO:
    """Open a regular file for reading, as `locate` returned it.

    Raises:
        MissingError: It does not exist.
        FileError: It is a folder, a pipe or a device, is too large, or cannot be opened.
    """
    try:
        # Not blocking, because opening a pipe waits until something writes to it.
        descriptor = os.open(path, os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_BINARY", 0))
    except FileNotFoundError:
        raise MissingError("does not exist") from None
    except (OSError, ValueError) as error:
        raise FileError(f"cannot be opened: {_reason(error)}") from None
    if problem := _problem(os.fstat(descriptor), max_bytes):
        os.close(descriptor)
        raise FileError(problem)
    return os.fdopen(descriptor, "rb")


def read_regular(path: Path, *, max_bytes: int) -> bytes:
    """Read a regular file whole; raises what `open_regular` does."""
    with open_regular(path, max_bytes=max_bytes) as file:
        try:
            data = file.read(max_bytes + 1)
        except OSError as error:
            raise FileError(f"cannot be read: {_reason(error)}") from None
    if len(data) > max_bytes:  # it has grown, or is one of the system's, which have no size
        raise FileError(f"has more than the limit of {size(max_bytes)}")
    return data


def size(count: int) -> str:
    """A number of bytes for people."""
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}".replace(".0 ", " ")
    return f"{count} bytes"


def _problem(status: os.stat_result, max_bytes: int) -> str:
    if stat.S_ISDIR(status.st_mode):
        return "is a folder"
    if not stat.S_ISREG(status.st_mode):
        return "is not a regular file"
    if status.st_size > max_bytes:
        return f"has {size(status.st_size)}, more than the limit of {size(max_bytes)}"
    return ""


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or type(error).__name__
