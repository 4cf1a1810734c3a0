import os
from pathlib import Path

import pytest

from incident_gate.files import FileError, open_regular, size


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
    with pytest.raises(FileError, match=r"^does not exist$"):
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


def test_a_path_that_no_system_has_is_refused() -> None:
    with pytest.raises(FileError, match=r"^cannot be opened: "):
        open_regular(Path("a\0b"), max_bytes=1)


@pytest.mark.parametrize(
    ("count", "text"), [(5, "5 bytes"), (1536, "1.5 KiB"), (64 << 20, "64 MiB"), (1 << 30, "1 GiB")]
)
def test_sizes_for_people(count: int, text: str) -> None:
    assert size(count) == text
