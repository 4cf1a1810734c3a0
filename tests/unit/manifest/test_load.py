"""A manifest's file that is missing, odd or too large."""

import errno
import os
from datetime import date
from pathlib import Path

import pytest

from incident_gate.manifest.load import load_manifest, read_manifest
from incident_gate.manifest.model import ManifestError

URN = "urn:li:chart:(superset,17)"
TODAY = date(2026, 11, 23)


def complaint(path: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        read_manifest(path, "shown.yml", TODAY)
    assert len(caught.value.mistakes) == 1
    assert caught.value.path == "shown.yml"
    return str(caught.value)


def test_a_file_is_read_and_named_as_the_user_gave_it(tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text(f"- {URN}\n")
    manifest = read_manifest(path, "shown.yml", TODAY)
    assert manifest.path == "shown.yml"
    assert [entry.urn.text for entry in manifest.inputs] == [URN]


def test_a_missing_file_shows_what_to_write(tmp_path: Path) -> None:
    text = complaint(tmp_path / "none.yml")
    assert text.startswith("shown.yml:1:1: there is no such file\nCreate it")
    assert "inputs:\n  - urn:li:dataset:(" in text


def test_a_directory_is_named_one(tmp_path: Path) -> None:
    assert "shown.yml:1:1: the file is a folder" in complaint(tmp_path)


def test_a_path_through_a_file_is_explained(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be opened: Not a directory" in complaint(tmp_path / "file" / "gate.yml")


@pytest.mark.skipif(not hasattr(os, "mkfifo"), reason="the system knows no named pipes")
def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    assert "the file is not a regular file" in complaint(tmp_path / "pipe")


@pytest.mark.skipif(not Path("/dev/zero").exists(), reason="the system has no endless file")
def test_an_endless_device_is_not_read() -> None:
    assert "the file is not a regular file" in complaint(Path("/dev/zero"))


def test_an_unreadable_file_is_explained(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "gate.yml"
    path.touch()

    def refuse(*_: object) -> None:  # as the system would, were these tests not allowed to run as root
        raise PermissionError(errno.EACCES, "Permission denied")

    monkeypatch.setattr(os, "open", refuse)
    assert "cannot be opened: Permission denied" in complaint(path)


def test_a_file_of_100_megabytes_is_refused_without_being_read(tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.touch()
    os.truncate(path, 100 * 1024 * 1024)
    assert "the file has 100 MiB, more than the limit of 2 MiB" in complaint(path)


def test_mistakes_inside_are_reported_under_the_name_given(tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text("- x\n")
    assert complaint(path).startswith('shown.yml:1:3: "x" is not a URN')


def test_another_file_is_refused_without_its_lines() -> None:
    with pytest.raises(ManifestError) as caught:
        load_manifest("env.yml", b"password: secret\nuser: [a]\n", TODAY)
    assert [str(mistake) for mistake in caught.value.mistakes] == ["this is not a manifest: none of its keys is known"]
    assert not caught.value.text
