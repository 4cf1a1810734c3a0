"""A manifest's file: named as the user gave it, missing, too large, or another file."""

import os
from datetime import date
from pathlib import Path

import pytest

from incident_gate.manifest.load import load_manifest, read_content
from incident_gate.manifest.model import ManifestError

TODAY = date(2026, 11, 23)


def complaint(path: Path) -> str:
    with pytest.raises(ManifestError) as caught:
        read_content(path, "shown.yml")
    assert caught.value.path == "shown.yml"
    return str(caught.value)


def test_a_file_that_cannot_be_read_has_no_line(tmp_path: Path) -> None:
    missing = tmp_path / "none.yml"
    large = tmp_path / "large.yml"
    large.touch()
    os.truncate(large, 100 * 1024 * 1024)
    assert complaint(missing) == (
        "shown.yml: there is no such file\nCheck the path, or create the file with `incident-gate init`."
    )
    assert complaint(large) == (
        "shown.yml: the file has 100 MiB, more than the limit of 2 MiB\nCheck the path and its permissions."
    )


def test_another_file_is_refused_without_its_lines() -> None:
    with pytest.raises(ManifestError) as caught:
        load_manifest("env.yml", b"password: secret\nuser: [a]\n", TODAY)
    assert [str(mistake) for mistake in caught.value.mistakes] == ["this is not a manifest: none of its keys is known"]
    assert not caught.value.text
