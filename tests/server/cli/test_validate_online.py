"""`validate --online`: every asset that a manifest names exists, and every waiver and value of a search."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.command import Ended, ask
from tests.helpers.dbt import PROJECTS

GONE = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.gone,PROD)"


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "gate.yml"


def online(server: Sandbox, path: Path, text: str) -> Ended:
    path.write_text(text)
    return ask(server, "validate", "--online", str(path))


def errors(ended: Ended, path: Path) -> list[str]:
    """The errors, each with its place, without the manifest's lines."""
    assert ended.code == 2
    return [line.removeprefix(f"{path}:") for line in ended.out.splitlines() if line.startswith(f"{path}:")]


def test_what_exists_is_valid(each_datahub: Sandbox, path: Path) -> None:
    found = each_datahub.store.raise_incident(ORDERS, state="RESOLVED")

    ended = online(
        each_datahub,
        path,
        f"inputs:\n- urn: {ORDERS}\n  ignore: [{{incident: '{found}', until: 2099-01-01, reason: r}}]\n"
        f"outputs:\n- {CUSTOMERS}\n",
    )

    assert ended == Ended(0, f"{path}: valid, 1 input, 1 output\n", "")


def test_every_asset_that_does_not_exist_has_its_place(datahub: Sandbox, path: Path) -> None:
    # Of an asset that is not there nothing is said about its incidents.
    gone = f"- urn: {GONE}\n  ignore: [{{incident: 'urn:li:incident:x', until: 2099-01-01, reason: r}}]\n"
    text = f"inputs:\n- {ORDERS}\n{gone}- upstream-of: ['{MODEL}']\noutputs:\n- {GONE.replace('gone', 'lost')}\n"

    ended = online(datahub, path, text)

    assert errors(ended, path) == [
        f"{place}: {urn}: Not found in DataHub. Check the spelling, or ingest it first."
        for place, urn in (("3:3", GONE), ("5:3", MODEL), ("7:3", GONE.replace("gone", "lost")))
    ]
    assert f"  3 | - urn: {GONE}\n    |   ^\n" in ended.out
    assert ended.out.endswith("\nFound 3 errors.\n")


def test_an_ignored_incident_must_be_on_the_asset(datahub: Sandbox, path: Path) -> None:
    found = datahub.store.raise_incident(ORDERS)
    other = datahub.store.raise_incident(CUSTOMERS)
    waiver = "  - {{incident: '{}', until: 2099-01-01, reason: r}}\n"
    text = f"inputs:\n- urn: {ORDERS}\n  ignore:\n{waiver.format(found)}{waiver.format(other)}"

    ended = online(datahub, path, text)

    assert errors(ended, path) == [
        f"5:5: There is no incident {other} on {ORDERS}. Correct the URN, or delete the rule."
    ]


def test_mistakes_come_before_any_request(datahub: Sandbox, path: Path) -> None:
    assert online(datahub, path, f"inputs: ['{GONE}', x]").code == 2
    assert datahub.requests == []


def test_a_server_that_is_down_is_no_mistake_of_the_manifest(datahub: Sandbox, path: Path) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=403),))

    ended = online(datahub, path, f"inputs: ['{ORDERS}']")

    assert ended.code == 3
    assert "valid" not in ended.out


def ignoring(assertion: str) -> str:
    return f"  - {{assertion: '{assertion}', until: 2099-01-01, reason: r}}\n"


def test_assertion_that_cannot_be_looked_for_is_reported(datahub: Sandbox, path: Path) -> None:
    found = datahub.store.add_assertion(ORDERS)
    datahub.faults = Faults(no_entity_exists=True)

    ended = online(datahub, path, f"inputs:\n- urn: {ORDERS}\n  ignore:\n{ignoring(found)}")

    assert errors(ended, path) == [f"4:5: DataHub does not report whether {found} exists."]


def test_mistyped_assertions_are_reported_at_their_waivers(each_datahub: Sandbox, path: Path) -> None:
    found = each_datahub.store.add_assertion(ORDERS)
    each_datahub.store.add_asset(MODEL)
    each_datahub.store.add_tag(ORDERS, "urn:li:tag:t")
    text = f"inputs:\n- urn: {ORDERS}\n  ignore:\n{ignoring(found)}{ignoring('urn:li:assertion:x')}"
    text += f"- search: {{tags: ['urn:li:tag:t']}}\n  ignore:\n{ignoring('urn:li:assertion:y')}"

    ended = online(each_datahub, path, text)

    assert errors(ended, path) == [
        "5:5: There is no assertion urn:li:assertion:x in DataHub. Correct the URN, or delete the rule.",
        "8:5: There is no assertion urn:li:assertion:y in DataHub. Correct the URN, or delete the rule.",
    ]


def test_values_of_searches_exist_or_match_an_asset(each_datahub: Sandbox, path: Path) -> None:
    store = each_datahub.store
    store.add_tag(ORDERS, "urn:li:tag:used")
    store.add_asset("urn:li:tag:unused")
    store.add_domain(ORDERS, "urn:li:domain:sales")
    search = "{tags: ['urn:li:tag:used', 'urn:li:tag:unused'], domains: ['urn:li:domain:sales'], platforms: snowflake}"

    ended = online(each_datahub, path, f"inputs:\n- search: {search}\n")

    assert ended == Ended(0, f"{path}: valid, 0 inputs, 0 outputs, 1 selector\n", "")


def test_mistyped_value_of_a_search_is_reported_at_its_selector(each_datahub: Sandbox, path: Path) -> None:
    ended = online(each_datahub, path, f"inputs:\n- {ORDERS}\n- search: {{env: PROD, tags: ['urn:li:tag:teir1']}}\n")

    [line] = errors(ended, path)
    assert line.startswith("3:3: urn:li:tag:teir1 is not in DataHub.")


def test_value_that_cannot_be_looked_for_is_reported(datahub: Sandbox, path: Path) -> None:
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, operation="incidentGateSearch"),))

    ended = online(datahub, path, "inputs:\n- search: {tags: ['urn:li:tag:t']}\n")

    assert ended.code == 2
    assert ended.out.startswith(f"{path}:2:3: urn:li:tag:t: DataHub reported an error for this asset: ")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, with a dbt project."""
    shutil.copy(PROJECTS / "shop-1.12" / "manifest.json", tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


SOURCE = "urn:li:dataset:(urn:li:dataPlatform:dbt,lake.raw.orders,PROD)"
WAREHOUSE = "urn:li:dataset:(urn:li:dataPlatform:duckdb,lake.raw.orders,PROD)"
DBT = "- dbt: {manifest: manifest.json, select: [source.shop.raw.orders]}\n"


@pytest.mark.usefixtures("project")
def test_one_urn_of_a_dbt_node_must_exist(each_datahub: Sandbox, path: Path) -> None:
    text = f"inputs:\n- {ORDERS}\n{DBT}"

    missing = online(each_datahub, path, text)
    each_datahub.store.add_asset(WAREHOUSE)
    found = online(each_datahub, path, text)

    assert missing.code == 2
    assert missing.out.startswith(f"{path}:3:3: {SOURCE}: None of its URNs is in DataHub: {SOURCE}, {WAREHOUSE}")
    assert found == Ended(0, f"{path}: valid, 1 input, 0 outputs, 1 selector\n", "")


@pytest.mark.usefixtures("project")
def test_platform_that_no_node_has_is_reported(datahub: Sandbox, path: Path) -> None:
    datahub.store.add_assets([SOURCE, WAREHOUSE])
    wrong = DBT.replace("select", "target-platform: dukdb, select")

    ended = online(datahub, path, f"inputs:\n- {ORDERS}\n{wrong}")

    assert ended.code == 2
    assert ended.out.startswith(f"{path}:3:3: DataHub has no table of the 1 dbt node that line 3 selects, for example ")
    assert "dataPlatform:dukdb" in ended.out
    assert online(datahub, path, f"inputs:\n- {ORDERS}\n{wrong}  urns: dbt\n").code == 0


@pytest.mark.usefixtures("project")
def test_nodes_among_the_outputs_must_exist(datahub: Sandbox, path: Path) -> None:
    ended = online(datahub, path, f"outputs:\n- {ORDERS}\n- dbt: manifest.json\n  urns: dbt\n")

    assert {line.partition(": ")[0] for line in errors(ended, path)} == {"3:3"}
    assert SOURCE not in ended.out
    assert ": Not found in DataHub." in ended.out


@pytest.mark.usefixtures("project")
def test_pattern_that_matches_no_node_is_reported(datahub: Sandbox, path: Path) -> None:
    ended = online(datahub, path, f"inputs:\n- {ORDERS}\n{DBT.replace('orders', 'order')}")

    assert ended.code == 2
    assert ended.out.startswith(f'{path}:3:3: No node of dbt: manifest.json matches "source.shop.raw.order". Compare')


@pytest.mark.usefixtures("project")
def test_pattern_may_be_meant_for_a_file_that_dbt_has_not_written_yet(datahub: Sandbox, path: Path) -> None:
    text = DBT.replace("orders", "order").replace("manifest.json", "[manifest.json, other.json]")

    assert online(datahub, path, f"inputs:\n- {ORDERS}\n{text}").code == 0
