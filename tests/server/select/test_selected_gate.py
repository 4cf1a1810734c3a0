"""A gate whose inputs nobody typed: selectors, from the manifest to the exit code."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.command import Ended, ask, gate
from tests.helpers.dbt import PROJECTS
from tests.helpers.gating import check as gated
from tests.helpers.selecting import table
from tests.helpers.step import Step

A, B, C = (table(name) for name in "abc")
TIER1 = "urn:li:tag:tier1"
SOURCE = "urn:li:dataset:(urn:li:dataPlatform:dbt,lake.raw.orders,PROD)"
LOWER = "urn:li:dataset:(urn:li:dataPlatform:duckdb,lake.raw.orders,PROD)"
WRITTEN = "urn:li:dataset:(urn:li:dataPlatform:duckdb,Lake.Raw.orders,PROD)"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a dbt project."""
    (tmp_path / "target").mkdir()
    shutil.copy(PROJECTS / "shop-1.12" / "manifest.json", tmp_path / "target")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def lineage(sandbox: Sandbox) -> Sandbox:
    """A is made from B."""
    return _with_lineage(sandbox)


@pytest.fixture
def each_lineage(each_sandbox: Sandbox) -> Sandbox:
    """The same on each generation in turn."""
    return _with_lineage(each_sandbox)


def _with_lineage(server: Sandbox) -> Sandbox:
    server.store.add_assets([A, B, C])
    server.store.add_lineage(B, A)
    return server


def _check(server: Sandbox, manifest: str, *options: str) -> Ended:
    Path("gate.yml").write_text(manifest, encoding="utf-8")
    return ask(server, "check", "gate.yml", *options)


def _document(server: Sandbox, manifest: str, code: int) -> Any:
    ended = _check(server, manifest, "--format", "json")
    assert ended.code == code, ended.err
    return ended.json


UPSTREAM = f"inputs: [upstream-of: outputs]\noutputs: [{A!r}]\n"
WARNED = UPSTREAM.replace("upstream-of: outputs", "{upstream-of: outputs, on-unknown: warn}")


@pytest.mark.usefixtures("here")
def test_an_incident_upstream_blocks_and_is_found_in_three_requests(each_lineage: Sandbox) -> None:
    passed = _check(each_lineage, UPSTREAM, "--verbose")
    assert passed.code == 0
    requests = [line for line in passed.err.splitlines() if line.startswith("incidentGate")]
    # The oldest servers have no field `exists`, which is then asked for apart.
    assert len(requests) <= (4 if each_lineage.generation is Generation.G1 else 3)
    each_lineage.store.raise_incident(B, title="late")
    ended = _check(each_lineage, UPSTREAM)
    assert ended.code == 1
    assert "late" in ended.out


@pytest.mark.usefixtures("here")
def test_a_thousand_upstreams_take_six_requests(sandbox: Sandbox) -> None:
    many = [table(f"many{number}") for number in range(1_000)]
    sandbox.store.add_assets([A, *many])
    for urn in many:
        sandbox.store.add_lineage(urn, A)
    ended = _check(sandbox, f"inputs: [{{upstream-of: {A!r}, at-most: 1000}}]\n", "--verbose")
    assert ended.code == 0, ended.out
    assert len([line for line in ended.err.splitlines() if line.startswith("incidentGate")]) <= 6


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("selector", "message"),
    [
        (f"upstream-of: {table('mistyped')!r}", "is not in DataHub"),
        (f"upstream-of: {B!r}", "Selects nothing"),
        ("upstream-of: outputs", "The manifest names no outputs"),
        ("search: {tags: ['urn:li:tag:teir1']}", "urn:li:tag:teir1 is not in DataHub"),
        ("search: {platforms: [snowflake]}\n    at-most: 2", "Selects 3 assets"),
        ("dbt: target/nothing.json", "does not exist"),
        ("dbt: {manifest: target, nodes: nodes.json}", "does not exist"),
    ],
)
def test_what_a_selector_cannot_establish_is_an_unknown_input(lineage: Sandbox, selector: str, message: str) -> None:
    manifest = f"inputs:\n  - {selector}\n"
    ended = _check(lineage, manifest)
    assert ended.code == 1
    assert message in " ".join(ended.out.split())
    assert "as an entry of its own" not in " ".join(ended.out.split())
    assert _check(lineage, f"{manifest}    on-unknown: warn\n").code == 0
    assert _document(lineage, manifest, 1)["verdict"] == "unknown"


@pytest.mark.usefixtures("here")
def test_nothing_selected_passes_only_where_that_is_fine(lineage: Sandbox) -> None:
    lineage.store.add_asset(TIER1)
    for selector in (f"upstream-of: {B!r}", f"search: {{tags: [{TIER1!r}]}}"):
        assert _check(lineage, f"inputs:\n  - {selector}\n").code == 1
        assert _check(lineage, f"inputs:\n  - {selector}\n    may-be-empty: true\n").code == 0


@pytest.mark.usefixtures("here")
def test_a_ghost_upstream_is_a_question_for_the_policy(lineage: Sandbox) -> None:
    lineage.store.add_lineage(table("ghost"), A)
    document = _document(lineage, UPSTREAM, 1)
    assert [entry["urn"] for entry in document["inputs"] if entry["verdict"] == "unknown"] == [table("ghost")]
    [problem] = document["inputs"][1]["problems"]
    assert "name this URN as an entry of its own with `on-unknown: warn`" in problem["hint"]
    named = UPSTREAM.replace("inputs: [", f"inputs: [{{urn: {table('ghost')!r}, on-unknown: warn}}, ")
    assert _check(lineage, named).code == 0
    assert _check(lineage, WARNED).code == 0


@pytest.mark.usefixtures("here")
def test_rules_and_waivers_of_a_selector_hold_for_what_it_selects(lineage: Sandbox) -> None:
    urn = lineage.store.raise_incident(B, title="late")
    selector = f"inputs:\n  - upstream-of: {A!r}\n    "
    assert _check(lineage, f"{selector}on-incident: warn\n").code == 0
    assert _check(lineage, f"{selector}types: [FRESHNESS]\n").code == 0
    waiver = f"ignore: [{{incident: {urn!r}, until: 2999-01-01, reason: known}}]\n"
    assert _check(lineage, f"{selector}{waiver}").code == 0


@pytest.mark.usefixtures("here")
def test_an_explicit_entry_wins_over_a_selected_one(lineage: Sandbox) -> None:
    lineage.store.raise_incident(B, title="late")
    manifest = f"inputs:\n  - upstream-of: {A!r}\n  - urn: {B!r}\n    on-incident: warn\n"
    document = _document(lineage, manifest, 0)
    assert [(entry["urn"], entry["line"], entry["conclusion"]) for entry in document["inputs"]] == [(B, 3, "warn")]


ONE_NODE = "dbt: {manifest: target/manifest.json, select: [source.shop.raw.orders]}"


@pytest.mark.usefixtures("here")
def test_a_dbt_node_is_healthy_where_any_of_its_twins_exists_and_none_has_an_incident(each_sandbox: Sandbox) -> None:
    manifest = f"inputs: [{ONE_NODE}]\n"
    none = _check(each_sandbox, manifest)
    assert none.code == 1
    assert "None of its URNs is in DataHub" in none.out
    for urn in (SOURCE, LOWER, WRITTEN):
        each_sandbox.store.add_asset(urn)
        ended = _check(each_sandbox, manifest)
        assert ended.code == 0
        has_no_table = "DataHub has no table of the 1 dbt node that line 1 selects" in ended.err + ended.out
        assert has_no_table is (urn == SOURCE)
        incident = each_sandbox.store.raise_incident(urn, title="late")
        document = _document(each_sandbox, manifest, 1)
        assert [(entry["urn"], entry["verdict"]) for entry in document["inputs"]] == [(SOURCE, "unhealthy")]
        each_sandbox.store.resolve(incident)


@pytest.mark.usefixtures("here")
def test_all_twins_are_asked_for_in_one_request(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(LOWER)
    ended = _check(sandbox, f"inputs: [{ONE_NODE}]\n", "--verbose")
    assert ended.code == 0
    requests = [line.split(":")[0] for line in ended.err.splitlines() if line.startswith("incidentGate")]
    assert requests == ["incidentGateHealth about 3 assets"]


@pytest.mark.usefixtures("here")
def test_an_explicit_twin_must_exist_itself(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(SOURCE)
    assert _check(sandbox, f"inputs:\n  - {ONE_NODE}\n").code == 0
    assert _check(sandbox, f"inputs:\n  - {ONE_NODE}\n  - {LOWER!r}\n").code == 1


DOWN = Faults(rules=(Fault(kind=FaultKind.STATUS, status=500, operation="incidentGateSchema|incidentGateLookup"),))


@pytest.mark.usefixtures("here")
def test_what_files_select_is_kept_when_datahub_fails_for_another_selector(datahub: Sandbox) -> None:
    manifest = f"inputs:\n  - {ONE_NODE}\n  - upstream-of: outputs\noutputs: [{A!r}]\n"
    Path("gate.yml").write_text(manifest, encoding="utf-8")
    datahub.faults = DOWN
    document = ask(datahub, "select", "gate.yml", "--format", "json").json
    assert [entry["line"] for entry in document["inputs"]] == [2]
    assert {problem["line"] for problem in document["problems"]} == {3}


@pytest.mark.usefixtures("here")
def test_a_file_without_outputs_is_the_problem_of_what_is_upstream_of_them(datahub: Sandbox) -> None:
    manifest = "inputs: [upstream-of: outputs]\noutputs: [dbt: target/none.json]\n"
    Path("gate.yml").write_text(manifest, encoding="utf-8")
    [problem, *_] = ask(datahub, "select", "gate.yml", "--format", "json").json["problems"]
    assert '"target/none.json" does not exist' in problem["message"]


@pytest.mark.parametrize("path", ["../target/manifest.json", "/etc/passwd", "link/manifest.json", "folder"])
def test_a_path_outside_the_folder_is_a_mistake(here: Path, datahub: Sandbox, path: str) -> None:
    (here / "link").symlink_to("/")
    (here / "folder").mkdir()
    (here / "folder/manifest.json").symlink_to("/etc/passwd")
    ended = _check(datahub, f"inputs:\n  - dbt: {path}\n")
    assert ended.code == 2
    assert ended.err.startswith("gate.yml:2:")
    assert "leads out of the workspace" in ended.err
    assert gate("select", "gate.yml").code == 2
    assert gate("validate", "gate.yml").code == 2
    assert "incidentGate" not in _check(datahub, f"inputs:\n  - dbt: {path}\n", "--verbose").err


def test_all_paths_outside_the_folder_are_reported_at_once(here: Path) -> None:
    text = "inputs:\n  - dbt: {manifest: [../a, target], nodes: ../b}\noutputs:\n  - dbt: ../c\n"
    (here / "gate.yml").write_text(text, encoding="utf-8")
    ended = gate("select", "gate.yml")
    assert ended.code == 2
    assert [line.split(" ", 2)[:2] for line in ended.err.splitlines()] == [
        ["gate.yml:2:5:", '"../a"'],
        ["gate.yml:2:5:", '"../b"'],
        ["gate.yml:4:5:", '"../c"'],
    ]


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(("status", "warned"), [(503, 0), (401, 3)])
def test_a_datahub_that_cannot_be_asked_for_lineage(datahub: Sandbox, status: int, warned: int) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=status),))
    assert _check(datahub, UPSTREAM, "--timeout", "0.3").code == 3
    # Only a DataHub that is down may pass: a refusal would let every run pass.
    assert _check(datahub, WARNED, "--timeout", "0.3").code == warned


@pytest.mark.usefixtures("here")
def test_a_refusal_counts_after_a_failure_too(datahub: Sandbox) -> None:
    datahub.faults = Faults(
        rules=(
            Fault(kind=FaultKind.RATE_LIMIT, retry_after="600", operation="incidentGate(Schema|Lookup|Lineage)"),
            Fault(kind=FaultKind.STATUS, status=401),
        )
    )
    named = WARNED.replace("inputs: [", f"inputs: [{{urn: {B!r}, on-unknown: warn}}, ")
    assert _check(datahub, named).code == 3


@pytest.mark.usefixtures("here")
def test_a_token_that_may_select_nothing_blocks_whatever_the_policy(each_lineage: Sandbox) -> None:
    each_lineage.faults = Faults(
        rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, code=403, operation="incidentGateLineage|.*AcrossLineage"),)
    )
    assert _document(each_lineage, WARNED, 3)["failure"]["message"].startswith("DataHub refuses every selector")


def test_an_annotation_is_on_the_selectors_line_and_names_both(datahub: Sandbox, step: Step) -> None:
    datahub.store.add_assets([A, B, C])
    datahub.store.add_lineage(B, A)
    datahub.store.raise_incident(B, title="late")
    step.write_manifest(f"inputs:\n  - {C!r}\n  - upstream-of: {A!r}\n")
    [error] = [command for command in step.main(datahub).commands if command.name == "error"]
    assert error.properties["line"] == "3"
    assert error.properties["title"] == "b: 1 open incident"
    assert f"selected by upstream-of: {A}" in error.data


def test_selectors_in_a_step_read_files_of_the_checkout(datahub: Sandbox, step: Step) -> None:
    step.write("dbt/target/manifest.json", (PROJECTS / "shop-1.12" / "manifest.json").read_text(encoding="utf-8"))
    step.write_manifest(
        "inputs: [dbt: {manifest: dbt/target/manifest.json, select: [source.shop.raw.orders]}]\n"
        "outputs: [dbt: {manifest: dbt/target/manifest.json, select: [model.shop.orders]}]\n"
    )
    model = "urn:li:dataset:(urn:li:dataPlatform:dbt,shop.mart.orders_v2,PROD)"
    datahub.store.add_assets([SOURCE, model])
    step.inputs["report-outcome"] = "true"
    assert step.main(datahub).code == 0
    ended = step.post(datahub, status="failure")
    assert (ended.code, len(datahub.store.incidents(model))) == (0, 1), ended.log
    datahub.store.raise_incident(SOURCE, title="late")
    assert step.main(datahub).code == 1
    step.write_manifest("inputs: [dbt: ../manifest.json]\n")
    assert step.main(datahub).code == 2


@pytest.mark.usefixtures("here")
def test_the_doctor_looks_at_what_is_selected(each_lineage: Sandbox) -> None:
    each_lineage.store.add_tag(C, TIER1)
    manifest = (
        f"inputs:\n  - upstream-of: {A!r}\n  - search: {{tags: [{TIER1!r}]}}\n  - upstream-of: {table('x')!r}\n"
        "  - dbt: {manifest: target, select: [source.shop.raw.orders]}\n"
        "outputs: [dbt: nothing.json]\n"
    )
    each_lineage.store.add_asset(LOWER)
    Path("gate.yml").write_text(manifest, encoding="utf-8")
    ended = ask(each_lineage, "doctor", "gate.yml", "--format", "json")
    found = {(check["subject"], check["state"]) for check in ended.json["findings"]}
    assert ended.code == 3
    assert (f"selector upstream-of: {table('x')}", "problem") in found
    assert (f"selector search: tags {TIER1}", "unknown") in found
    assert ("selector dbt: nothing.json", "unknown") in found
    assert "3 of 3 inputs can be read." in ended.out


@pytest.mark.usefixtures("here")
def test_waiting_selects_again_until_everything_is_established(datahub: Sandbox) -> None:
    start = table("later")
    datahub.store.add_assets([B, C])
    manifest = f"inputs: [{C!r}, upstream-of: {start!r}]\n"

    def add_at_the_fifth_request(_: object) -> None:
        if len(datahub.requests) == 5:
            datahub.store.add_asset(start, upstreams=[B])

    datahub.on_request = add_at_the_fifth_request
    ended = _check(datahub, manifest, "--wait", "20", "--wait-interval", "0.1", "--format", "json")
    assert ended.code == 0, ended.out
    assert [entry["urn"] for entry in ended.json["inputs"]] == [C, B]
    assert ended.json["verdict"] == "healthy"


def test_many_outputs_with_many_upstreams_are_within_the_limits(sandbox: Sandbox) -> None:
    outputs, upstreams = [table(f"output{n}") for n in range(30)], [table(f"upstream{n}") for n in range(450)]
    sandbox.store.add_assets([*outputs, *upstreams])
    for output in outputs:
        for upstream in upstreams:
            sandbox.store.add_lineage(upstream, output)
    manifest = "inputs:\n  - upstream-of: outputs\noutputs:\n" + "".join(f"  - {output}\n" for output in outputs)

    result = gated(sandbox, manifest=manifest)

    assert (result.exit_code, len(result.decisions)) == (0, len(upstreams))
