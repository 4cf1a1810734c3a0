"""Paths that the user names: below the workspace, where there is one."""

from __future__ import annotations

import os
from pathlib import Path

from incident_gate.errors import SettingError
from incident_gate.settings.parse import shown


def resolve_path(value: str, setting: str, workspace: Path | None) -> Path:
    """Resolve a path, which must stay below the workspace if there is one (symlinks are followed).

    Raises:
        SettingError: It is not a path, or leads out of the workspace.
    """
    if "\0" in value:
        raise SettingError(f"{setting} is not a path.", hint="Use a path below the workspace.")
    if workspace is None:
        return Path(value)
    root = workspace.resolve()
    try:
        resolved = (root / value).resolve()
        resolved.stat()  # Python 3.13 does not resolve a loop of symlinks; that a file is missing is found on reading
    except (FileNotFoundError, NotADirectoryError):
        pass
    except (OSError, RuntimeError):  # a loop of symlinks
        raise SettingError(f"{setting} cannot be resolved: {shown(value)}.", hint="Check its symlinks.") from None
    if not resolved.is_relative_to(root):
        raise SettingError(
            f"{setting} leads out of the workspace: {shown(value)}.",
            hint="Use a path below the repository's checkout.",
        )
    return resolved


def check_pattern(value: str, setting: str, workspace: Path | None) -> None:
    """Refuse a path or pattern of files that names a place outside the workspace, if there is one.

    Symlinks are followed when the files are read: the job may create them.

    Raises:
        SettingError: It names a place outside the workspace.
    """
    if "\0" in value or (workspace and not _below(value, workspace)):
        raise SettingError(
            f"{setting} leads out of the workspace: {shown(value)}.",
            hint="Use a path or pattern below the repository's checkout.",
        )


def _below(value: str, workspace: Path) -> bool:
    root = os.path.abspath(workspace)  # noqa: PTH100 - resolves no symlinks
    return os.path.commonpath([root, os.path.abspath(Path(root, value))]) == root  # noqa: PTH100
