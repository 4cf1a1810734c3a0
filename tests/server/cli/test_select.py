"""`incident-gate select`: what is selected by which line."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.command import ask, gate
from tests.helpers.dbt import PROJECTS
from tests.helpers.selecting import table

A, B = table("a"), table("b")
DBT = "urn:li:dataset:(urn:li:dataPlatform:dbt,lake.raw.orders,PROD)"
LOWER = "urn:li:dataset:(urn:li:dataPlatform:duckdb,lake.raw.orders,PROD)"
WRITTEN = "urn:li:dataset:(urn:li:dataPlatform:duckdb,Lake.Raw.orders,PROD)"
MODEL = "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.mart.orders_v2,PROD)"
TABLE = "urn:li:dataset:(urn:li:dataPlatform:duckdb,shop.mart.orders_v2,PROD)"


@pytest.fixture(autouse=True)
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a dbt project."""
    (tmp_path / "target").mkdir()
    shutil.copy(PROJECTS / "shop-1.12" / "manifest.json", tmp_path / "target")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _write(text: str) -> None:
    Path("gate.yml").write_text(text, encoding="utf-8")


def test_the_document_of_files_needs_no_server() -> None:
    _write(
        "inputs:\n"
        f"  - {B}\n"
        "  - dbt: {manifest: target/manifest.json, select: [source.shop.raw.orders]}\n"
        "outputs:\n"
        "  - dbt: {manifest: target/manifest.json, select: [model.shop.orders]}\n"
    )
    ended = gate("select", "gate.yml", "--format", "json")
    assert (ended.code, ended.err) == (0, "")
    selector = "dbt: target/manifest.json"
    assert ended.json == {
        "inputs": [
            {"urn": B, "also": [], "line": 2, "selector": None},
            {"urn": DBT, "also": [LOWER, WRITTEN], "line": 3, "selector": selector},
        ],
        "outputs": [{"urn": MODEL, "also": [TABLE], "line": 5, "selector": selector}],
        "problems": [],
    }


def test_the_document_of_lineage(sandbox: Sandbox) -> None:
    sandbox.store.add_assets([A, B])
    sandbox.store.add_lineage(B, A)
    sandbox.store.raise_incident(B, title="not judged")
    _write(f"inputs:\n  - upstream-of: {A}\noutputs: [{A!r}]\n")
    ended = ask(sandbox, "select", "gate.yml", "--format", "json")
    assert ended.code == 0
    assert ended.json["inputs"] == [{"urn": B, "also": [], "line": 2, "selector": f"upstream-of: {A}"}]
    assert [output["urn"] for output in ended.json["outputs"]] == [A]


def test_problems_have_their_line() -> None:
    _write("inputs:\n  - dbt: target/manifest.json\n  - dbt: nothing.json\noutputs:\n  - dbt: other.json\n")
    ended = gate("select", "gate.yml", "--format", "json")
    assert ended.code == 0
    found = [(problem["line"], problem["selector"], problem["reason"]) for problem in ended.json["problems"]]
    assert found == [
        (3, "dbt: nothing.json", "unreadable-file"),
        (5, "dbt: other.json", "unreadable-file"),
    ]


def test_text() -> None:
    _write("inputs:\n  - dbt: {manifest: target/manifest.json, select: [source.shop.raw.orders, 'tag:none']}\n")
    ended = gate("select", "gate.yml")
    unknown = 'Unknown: line 2 (dbt: target/manifest.json): No node of dbt: target/manifest.json matches "tag:none". '
    assert ended.out.splitlines() == [
        "1 input",
        "  line 2 (dbt: target/manifest.json): 1 asset",
        f"    {DBT}",
        f"      also {LOWER}",
        f"      also {WRITTEN}",
        f"{unknown}Compare it with the unique ids that `dbt --quiet ls --output json --output-keys unique_id` prints.",
    ]


def test_text_of_lineage(sandbox: Sandbox) -> None:
    sandbox.store.add_assets([A, B])
    for upstream in (B, "urn:li:corpuser:ana"):
        sandbox.store.add_lineage(upstream, A)
    _write(f"inputs:\n  - upstream-of: {A}\n")
    assert ask(sandbox, "select", "gate.yml", "--inputs", A).out.splitlines() == [
        "2 inputs",
        "  settings",
        f"    {A}",
        f"  line 2 (upstream-of: {A}): 1 asset",
        f"    {B}",
        f'"upstream-of: {A}" (line 2) leaves out 1 of what it selects: no incidents are tracked there.',
    ]
    _write(f"inputs:\n  - upstream-of: {B}\n    may-be-empty: true\n")
    assert ask(sandbox, "select", "gate.yml").out == "Nothing is selected.\n"


def test_a_missing_url_is_an_error_only_where_it_is_needed() -> None:
    _write(f"inputs:\n  - upstream-of: {A}\n")
    ended = gate("select", "gate.yml")
    assert ended.code == 2
    assert "No DataHub URL" in ended.err


def test_a_datahub_that_cannot_be_asked(sandbox: Sandbox) -> None:
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=401),))
    _write(f"inputs:\n  - upstream-of: {A}\n")
    ended = ask(sandbox, "select", "gate.yml", "--format", "json")
    assert ended.code == 3
    assert [problem["reason"] for problem in ended.json["problems"]] == ["no-answer"]
