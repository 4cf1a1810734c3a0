"""Inputs and outputs that the settings name, with and without a manifest's file."""

from datetime import date
from pathlib import Path

import pytest

from incident_gate.manifest.model import NOWHERE, Manifest, ManifestError, OnIncident, Position
from incident_gate.settings.model import RunSettings
from incident_gate.settings.read import manifest_of, read_settings

TODAY = date(2026, 11, 23)
ORDERS = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders,PROD)"
DAILY = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.orders_daily,PROD)"
MANIFEST = ".github/incident-gate.yml"


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    (tmp_path / ".git").mkdir()
    (tmp_path / ".github").mkdir()
    return tmp_path


def settings(workspace: Path, **given: str) -> RunSettings:
    values = {"datahub-url": "http://localhost:8080"} | given
    return read_settings(lambda name: values.get(name, ""), {}, workspace=workspace)


def load(workspace: Path, **given: str) -> Manifest:
    return manifest_of(settings(workspace, **given), TODAY)


def test_urns_one_a_line_need_no_file(workspace: Path) -> None:
    manifest = load(workspace, inputs=f"{ORDERS}\n\n  {DAILY}  \n{ORDERS}", outputs=DAILY)
    assert [(entry.urn.text, entry.position) for entry in manifest.inputs] == [(ORDERS, NOWHERE), (DAILY, NOWHERE)]
    assert [(entry.urn.text, entry.position) for entry in manifest.outputs] == [(DAILY, NOWHERE)]


def test_urns_are_added_to_the_files_whose_entries_come_first(workspace: Path) -> None:
    text = f"inputs:\n  - urn: {ORDERS}\n    on-incident: warn\noutputs:\n  - urn: {DAILY}\n    name: Daily\n"
    (workspace / MANIFEST).write_text(text)
    manifest = load(workspace, inputs=f"{DAILY}\n{ORDERS}", outputs=f"{DAILY}\n{ORDERS}")
    assert [entry.label for entry in manifest.outputs] == ["Daily", "analytics.orders"]
    assert [entry.urn.text for entry in manifest.inputs] == [ORDERS, DAILY]
    assert manifest.inputs[0].rules.on_incident is OnIncident.WARN
    assert manifest.inputs[0].position == Position(2, 5)


@pytest.mark.parametrize("text", ["", "# nothing\n", "defaults: {on-incident: warn}", "inputs: []"])
def test_a_file_besides_urns_may_name_no_asset(workspace: Path, text: str) -> None:
    (workspace / MANIFEST).write_text(text)
    assert [entry.urn.text for entry in load(workspace, inputs=ORDERS).inputs] == [ORDERS]
    with pytest.raises(ManifestError):
        load(workspace)


def test_a_file_besides_urns_must_be_right(workspace: Path) -> None:
    (workspace / MANIFEST).write_text("input: []")
    with pytest.raises(ManifestError):
        load(workspace, inputs=ORDERS)


def test_another_file_than_the_default_must_exist(workspace: Path) -> None:
    with pytest.raises(ManifestError, match="there is no such file"):
        load(workspace, manifest="gate.yml", inputs=ORDERS)


INSTEAD = "with `incident-gate init`, or name assets with inputs instead."
CREATE = f"Create it {INSTEAD} A manifest looks like this:\ninputs:\n  - urn:li:dataset:("


@pytest.mark.parametrize(
    ("manifest", "is_checked_out", "hint"),
    [
        (MANIFEST, True, CREATE),
        (MANIFEST, False, "The repository is not checked out here: add a step with actions/checkout before this one."),
        ("gate.yml", True, f"Check the path, create the file {INSTEAD}"),
    ],
)
def test_missing_file_is_explained(tmp_path: Path, manifest: str, *, is_checked_out: bool, hint: str) -> None:
    if is_checked_out:
        (tmp_path / ".git").mkdir()
    with pytest.raises(ManifestError) as caught:
        load(tmp_path, manifest=manifest)
    assert caught.value.message == f"{manifest}: there is no such file"
    assert caught.value.hint.startswith(hint)


def test_the_content_saved_by_the_main_stage_is_enough(workspace: Path) -> None:
    given = settings(workspace, outputs=DAILY)
    assert [entry.urn.text for entry in manifest_of(given, TODAY, b"").outputs] == [DAILY]
    assert [entry.urn.text for entry in manifest_of(given, TODAY, f"- {ORDERS}".encode()).inputs] == [ORDERS]
