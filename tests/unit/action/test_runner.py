"""The runner's files: what is written is what the runner reads, and what cannot be written is only a warning."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.action.runner import size, write_summary, write_values
from tests.helpers.runner_grammar import values_in

names = st.from_regex(r"[a-z_][a-z0-9_-]{0,20}", fullmatch=True)
# The runner reads lines that end in LF or CR LF; a lone surrogate has no form in the file.
values = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\r")) | st.sampled_from(
    ["a<<b\nc", "ghadelimiter_\n", "x\n\ny", "=", "\u2028"]
)


@given(st.dictionaries(names, values, max_size=4), st.dictionaries(names, values, max_size=4))
def test_the_runner_reads_what_was_written(
    tmp_path_factory: pytest.TempPathFactory, first: dict[str, str], more: dict[str, str]
) -> None:
    path = tmp_path_factory.getbasetemp() / "output"
    path.write_bytes(b"")
    assert write_values(str(path), first) == ""
    assert write_values(str(path), more) == ""
    assert values_in(path.read_bytes().decode()) == first | more


@pytest.mark.parametrize("name", ["", "a b", "a=b", "a\nb", "a<<b", "1a", "é"])
def test_a_name_that_could_be_read_as_something_else_is_refused(tmp_path: Path, name: str) -> None:
    path = tmp_path / "output"
    path.touch()
    with pytest.raises(ValueError, match="not a name"):
        write_values(str(path), {"fine": "1", name: "x"})
    assert path.read_bytes() == b""


def test_a_value_that_the_runner_would_refuse_is_not_written(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.touch()
    assert "longer than the 1,048,576 bytes" in write_values(str(path), {"incidents": "é" * 600_000})
    assert path.read_bytes() == b""


def test_a_summary_is_appended_whole(tmp_path: Path) -> None:
    path = tmp_path / "summary"
    path.write_text("before\n")
    assert size(str(path)) == 7
    assert write_summary(str(path), "## é\n") == ""
    assert path.read_text(encoding="utf-8") == "before\n## é\n"


def test_a_disk_that_fills_up_leaves_no_half_summary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "summary"
    path.write_text("before\n")
    write = os.write

    def write_to_a_small_disk(descriptor: int, data: memoryview) -> int:
        """As on a disk with 1,000 bytes left: the write that gets there is cut short, and the next one fails."""
        if len(data) <= 1000:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        return write(descriptor, data[:1000])

    monkeypatch.setattr("os.write", write_to_a_small_disk)
    warning = write_summary(str(path), "x" * 2000)
    assert warning == f"The job summary could not be written to {path}: {os.strerror(errno.ENOSPC)}."
    assert path.read_text() == "before\n"


@pytest.mark.parametrize("path", [None, ""])
def test_no_file_named_is_a_warning(path: str | None) -> None:
    assert write_summary(path, "x") == "The job summary could not be written: the runner named no file for it."
    assert write_values(path, {"a": "b"}) == "The outputs could not be written: the runner named no file for it."
    assert size(path) == 0


def test_a_file_that_is_not_there_yet_is_made(tmp_path: Path) -> None:
    path = tmp_path / "missing"
    assert size(str(path)) == 0
    assert write_values(str(path), {"a": "b"}, "state") == ""
    assert values_in(path.read_text()) == {"a": "b"}


def test_a_missing_folder_is_a_warning_and_is_not_made(tmp_path: Path) -> None:
    path = tmp_path / "missing" / "output"
    assert write_values(str(path), {"a": "b"}, "state").startswith("The state could not be written to ")
    assert not path.parent.exists()


@pytest.mark.parametrize(
    ("path", "reason"),
    [
        ("/dev/full", "No space left on device"),
        ("/", "Is a directory"),
        ("a\0b", "embedded null"),
        ("/dev/null/x", "Not a dir"),
    ],
)
def test_a_file_that_cannot_be_written_is_a_warning_with_the_reason(path: str, reason: str) -> None:
    assert reason in write_summary(path, "x")
    assert reason in write_values(path, {"a": "b"})


def test_text_that_has_no_form_in_the_file_is_replaced(tmp_path: Path) -> None:
    path = tmp_path / "output"
    path.touch()
    assert write_values(str(path), {"a": "x\ud800y"}) == ""
    assert values_in(path.read_text()) == {"a": "x?y"}
