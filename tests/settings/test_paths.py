"""Paths that the user names: they stay below the workspace, where there is one."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_gate.errors import SettingError
from incident_gate.settings.paths import check_pattern, resolve_path


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    return folder


@pytest.mark.parametrize("path", ["..", "../x", "/x", "inside/../../x", "link/x", "link", "../workspaces/x"])
def test_path_out_of_the_workspace_is_refused(workspace: Path, path: str) -> None:
    with pytest.raises(SettingError, match="leads out of the workspace"):
        resolve_path(path, "manifest", workspace)


def test_loop_of_links_is_refused(workspace: Path) -> None:
    (workspace / "a").symlink_to("b")
    (workspace / "b").symlink_to("a")

    with pytest.raises(SettingError, match="manifest "):
        resolve_path("a/x", "manifest", workspace)


def test_nul_in_a_path_is_refused(workspace: Path) -> None:
    with pytest.raises(SettingError, match=r"manifest is not a path\."):
        resolve_path("a\0b", "manifest", workspace)


@pytest.mark.parametrize("pattern", ["..", "../*.xml", "/x", "a/../../*", "../workspaces/*", "a\0b"])
def test_pattern_out_of_the_workspace_is_refused(workspace: Path, pattern: str) -> None:
    with pytest.raises(SettingError, match="leads out of the workspace"):
        check_pattern(pattern, "test-results", workspace)


def test_pattern_below_the_workspace_and_any_pattern_without_one_are_accepted(workspace: Path) -> None:
    check_pattern("target/**/*.xml", "test-results", workspace)
    check_pattern("link/*.xml", "test-results", workspace)  # the job may change links until the files are read
    check_pattern("../*.xml", "test-results", None)
