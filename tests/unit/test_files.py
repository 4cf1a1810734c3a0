import os
from pathlib import Path

import pytest

from incident_gate.files import FileError, MissingError, locate, locate_pattern, open_regular, read_regular, size


def test_a_regular_file_is_opened(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"{}")
    with open_regular(path, max_bytes=2) as file:
        assert file.read() == b"{}"


def test_a_larger_file_is_refused_with_the_limit(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"x" * 2048)
    with pytest.raises(FileError, match=r"^has 2 KiB, more than the limit of 1 KiB$"):
        open_regular(path, max_bytes=1024)


def test_what_is_missing_is_named_as_missing(tmp_path: Path) -> None:
    with pytest.raises(MissingError, match=r"^does not exist$"):
        open_regular(tmp_path / "a.json", max_bytes=1)


def test_a_folder_is_refused(tmp_path: Path) -> None:
    with pytest.raises(FileError, match=r"^is a folder$"):
        open_regular(tmp_path, max_bytes=1)


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="this system has no named pipes")
def test_a_pipe_is_refused_without_waiting(tmp_path: Path) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    with pytest.raises(FileError, match=r"^is not a regular file$"):
        open_regular(path, max_bytes=1)


def test_a_device_is_refused() -> None:
    with pytest.raises(FileError, match=r"^is not a regular file$"):
        open_regular(Path(os.devnull), max_bytes=1)


@pytest.mark.parametrize(("path", "reason"), [(Path("a\0b"), "ValueError"), (Path(__file__) / "x", "Not a directory")])
def test_what_cannot_be_opened_is_refused_with_the_reason(path: Path, reason: str) -> None:
    with pytest.raises(FileError, match=f"^cannot be opened: {reason}$"):
        open_regular(path, max_bytes=1)


def test_a_file_is_read_within_the_limit_whatever_size_the_system_reports(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_bytes(b"12")
    assert read_regular(path, max_bytes=2) == b"12"
    with pytest.raises(FileError, match=r"more than the limit of 1 bytes$"):
        read_regular(path, max_bytes=1)
    with pytest.raises(FileError, match=r"^has more than the limit of 10 bytes$"):
        read_regular(Path("/proc/self/status"), max_bytes=10)  # of size 0


# Paths


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    folder = tmp_path / "workspace"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path)
    (tmp_path / "manifest.json").touch()
    (folder / "target").mkdir()
    (folder / "target/manifest.json").symlink_to(tmp_path / "manifest.json")
    (folder / "loop").symlink_to("loop")
    return folder


@pytest.mark.parametrize(
    "path", ["..", "../x", "/x", "inside/../../x", "link/x", "link", "../workspaces/x", "target", "~", "~/x"]
)
def test_a_path_out_of_the_workspace_is_refused(workspace: Path, path: str) -> None:
    with pytest.raises(FileError, match=r"^leads out of the workspace$"):
        locate(path, workspace, in_folder="manifest.json")
    assert locate(path, None, in_folder="manifest.json")


@pytest.mark.parametrize(("path", "problem"), [("loop/x", "cannot be resolved"), ("a\0b", "is not a path")])
def test_a_path_to_nowhere_is_refused(workspace: Path, path: str, problem: str) -> None:
    with pytest.raises(FileError, match=f"^{problem}$"):
        locate(path, workspace)


@pytest.mark.parametrize("path", ["a\0b", "\ud800"])
def test_what_no_system_takes_as_a_path_is_refused_anywhere(path: str) -> None:
    with pytest.raises(FileError, match=r"^is not a path$"):
        locate(path, None)


def test_a_path_below_the_workspace_is_resolved(workspace: Path) -> None:
    (workspace / "inside").symlink_to("target")

    assert locate("inside/x", workspace) == workspace / "target/x"
    assert locate("inside", workspace, in_folder="x") == workspace / "target/x"
    assert locate("inside", workspace) == workspace / "target"
    assert locate("x", workspace, in_folder="y") == workspace / "x"


def test_the_home_folder_is_meant_by_a_tilde(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))

    assert locate("~/x", None) == tmp_path / "x"
    assert locate("~x", None) == Path("~x")
    assert locate("~/x", tmp_path) == tmp_path / "x"


@pytest.mark.parametrize("pattern", ["..", "../*.xml", "/x", "a/../../*", "../workspaces/*", "~/*.xml"])
def test_a_pattern_of_a_place_outside_the_workspace_is_refused(workspace: Path, pattern: str) -> None:
    with pytest.raises(FileError, match=r"^leads out of the workspace$"):
        locate_pattern(pattern, workspace)
    assert locate_pattern(pattern, None) == str(Path(pattern).expanduser())


def test_links_in_a_pattern_are_followed_when_its_matches_are_located(workspace: Path) -> None:
    for pattern in ("./target/**/*.xml", "link/*.xml"):
        assert locate_pattern(pattern, workspace) == pattern


@pytest.mark.parametrize(
    ("count", "text"), [(5, "5 bytes"), (1536, "1.5 KiB"), (64 << 20, "64 MiB"), (1 << 30, "1 GiB")]
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert size(count) == text
