"""Outcomes on what a dbt project builds."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.command import Ended, gate
from tests.helpers.dbt import PROJECTS

pytestmark = pytest.mark.writes

DBT = "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.mart.orders_v2,PROD)"
WAREHOUSE = "urn:li:dataset:(urn:li:dataPlatform:duckdb,shop.mart.orders_v2,PROD)"
MANIFEST = """
outputs:
  - dbt: {manifest: target/manifest.json, select: [model.shop.orders]}
    incident: {title: orders was not built, priority: HIGH}
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a dbt project and a manifest."""
    (tmp_path / "target").mkdir()
    shutil.copy(PROJECTS / "shop-1.12" / "manifest.json", tmp_path / "target")
    (tmp_path / "gate.yml").write_text(MANIFEST, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _end(server: Sandbox, command: str, *options: str) -> Ended:
    environment = {"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": server.token}
    arguments = (command, "gate.yml", "--incident-key", "nightly", "--format", "json", *options)
    return gate(*arguments, environment=environment)


def _results(ended: Ended, code: int = 0) -> list[tuple[str, str]]:
    assert ended.code == code, ended.out + ended.err
    results: Any = ended.json["outcome"]["outputs"]
    return [(result["urn"], result["change"]) for result in results]


def _incidents(server: Sandbox) -> list[Any]:
    return [incident for urn in (DBT, WAREHOUSE) for incident in server.store.incidents(urn)]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("known", "target"), [([DBT, WAREHOUSE], DBT), ([DBT], DBT), ([WAREHOUSE], WAREHOUSE)])
def test_an_incident_is_raised_on_the_twin_that_exists(each_sandbox: Sandbox, known: list[str], target: str) -> None:
    each_sandbox.store.add_assets(known)
    assert _results(_end(each_sandbox, "raise")) == [(target, "raised")]
    [incident] = _incidents(each_sandbox)
    assert incident.title == "orders was not built"
    assert each_sandbox.store.incidents(target) == [incident]
    assert _results(_end(each_sandbox, "raise")) == [(target, "kept")]
    assert _results(_end(each_sandbox, "resolve")) == [(target, "resolved")]
    assert len(_incidents(each_sandbox)) == 1


@pytest.mark.usefixtures("here")
def test_nothing_is_raised_where_no_twin_exists(sandbox: Sandbox) -> None:
    assert _results(_end(sandbox, "raise"), 3) == [(DBT, "failed")]
    assert not _incidents(sandbox)


@pytest.mark.usefixtures("here")
def test_an_incident_on_the_other_twin_is_kept_and_resolved(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(WAREHOUSE)
    assert _results(_end(sandbox, "raise")) == [(WAREHOUSE, "raised")]
    sandbox.store.add_asset(DBT)  # ingested meanwhile
    assert _results(_end(sandbox, "raise")) == [(WAREHOUSE, "kept")]
    assert _results(_end(sandbox, "resolve")) == [(WAREHOUSE, "resolved")]
    assert _results(_end(sandbox, "raise")) == [(DBT, "raised")]


@pytest.mark.usefixtures("here")
def test_a_success_without_an_incident_is_reported_on_the_twin_that_exists(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(WAREHOUSE)
    ended = _end(sandbox, "resolve")
    assert _results(ended) == [(WAREHOUSE, "clear")]
    assert "not in DataHub" not in ended.out


@pytest.mark.usefixtures("here")
def test_nothing_is_raised_beside_a_twin_that_cannot_be_read(sandbox: Sandbox) -> None:
    sandbox.store.add_assets([DBT, WAREHOUSE])
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.NULL_INCIDENTS, urn=WAREHOUSE),))
    assert _results(_end(sandbox, "raise"), 3) == [(WAREHOUSE, "failed")]
    assert not _incidents(sandbox)


@pytest.mark.parametrize("command", ["raise", "resolve"])
def test_a_missing_file_is_reported(here: Path, sandbox: Sandbox, command: str) -> None:
    (here / "target" / "manifest.json").unlink()
    ended = _end(sandbox, command)
    assert _results(ended, 3) == [("dbt: target/manifest.json", "failed")]
    assert "does not exist" in ended.out


def test_own_incidents_on_selected_outputs_do_not_block(here: Path, sandbox: Sandbox) -> None:
    sandbox.store.add_assets([DBT, WAREHOUSE])
    assert _results(_end(sandbox, "raise")) == [(DBT, "raised")]
    (here / "gate.yml").write_text(f"inputs: [{WAREHOUSE!r}, {DBT!r}]\n{MANIFEST}", encoding="utf-8")
    ended = _end(sandbox, "check")
    assert ended.code == 0, ended.out


def test_everything_that_a_project_builds(here: Path, sandbox: Sandbox) -> None:
    (here / "gate.yml").write_text("outputs: [dbt: target]\n", encoding="utf-8")
    sandbox.store.add_asset(DBT)
    changes = [change for _, change in _results(_end(sandbox, "raise"), 3)]
    assert sorted(changes) == ["failed"] * 14 + ["raised"]


@pytest.mark.parametrize(
    ("file", "code"),
    [
        ("missing", 0),  # a fresh checkout: the job writes it
        ("broken", 0),
        ("there", 0),
        ("there, and the selector means another model", 1),
    ],
)
def test_own_incident_does_not_block_while_it_is_not_known_what_the_job_builds(
    here: Path, sandbox: Sandbox, file: str, code: int
) -> None:
    sandbox.store.add_assets([DBT, WAREHOUSE])
    text = f"inputs:\n  - {DBT}\n{MANIFEST}"
    (here / "gate.yml").write_text(text, encoding="utf-8")
    _end(sandbox, "raise")
    manifest = here / "target" / "manifest.json"
    match file:
        case "missing":
            manifest.unlink()
        case "broken":
            manifest.write_text("{", encoding="utf-8")
        case "there":
            pass
        case _:
            (here / "gate.yml").write_text(text.replace("shop.orders", "shop.payments"), encoding="utf-8")

    assert _end(sandbox, "check").code == code
    # One of another workflow blocks all the same.
    sandbox.store.raise_incident(DBT)
    assert _end(sandbox, "check").code == 1
