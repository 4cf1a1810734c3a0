"""What a sandbox holds at its start."""

import json
from pathlib import Path

import pytest

from incident_gate.sandbox import Grant, Sandbox, Store, ViewPolicy
from incident_gate.sandbox.seed import sample_seed, sample_urns, seed_from
from tests.helpers.asking import CUSTOMERS, ORDERS, Asker

CONTENT = {
    "assets": [CUSTOMERS, {"urn": ORDERS, "removed": True, "tags": ["urn:li:tag:a"]}],
    "lineage": [{"upstream": ORDERS, "downstream": CUSTOMERS}],
    "incidents": [{"urn": ORDERS, "title": "late", "priority": 0}],
    "assertions": [
        {"dataset": ORDERS, "assertion_id": "a", "runs": ["SUCCESS", {"result": "FAILURE", "at_ms": 2_000_000_000_000}]}
    ],
    "operations": [{"dataset": ORDERS, "at_ms": 7}],
    "tokens": [{"token": "t", "edits": [ORDERS], "views": [{"urns": [ORDERS]}]}, {"token": "u"}],
}


def test_seed_from_a_file(tmp_path: Path) -> None:
    file = tmp_path / "seed.json"
    file.write_text(json.dumps(CONTENT))
    seed = seed_from(file)
    store = Store()
    seed.fill(store)
    assets = [asset for asset in store.documents() if "assertion" not in asset.urn]
    assert [(asset.urn, asset.removed) for asset in assets] == [(CUSTOMERS, None), (ORDERS, True)]
    assert [record.title for record in store.incidents(ORDERS)] == ["late"]
    assert store.neighbours([ORDERS], downstream=True) == {ORDERS: [CUSTOMERS]}
    runs = store.runs(["urn:li:assertion:a"])["urn:li:assertion:a"]
    assert [run.result for run in runs] == ["FAILURE", "SUCCESS"]
    assert store.operations(ORDERS) == [7]
    views = (ViewPolicy(urns=(ORDERS,)),)
    assert seed.grants == (Grant(token="t", edits=(ORDERS,), views=views), Grant(token="u"))
    store.close()


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[]",
        '{"asset": []}',
        '{"assets": [{"urn": "x"}]}',
        '{"assets": 1}',
        '{"incidents": [{"name": 1}]}',
        '{"assertions": [{"runs": []}]}',
        '{"tokens": [{"token": "t", "views": [{"colour": ["red"]}]}]}',
    ],
)
def test_seed_file_with_a_mistake_is_named(tmp_path: Path, text: str) -> None:
    file = tmp_path / "seed.json"
    file.write_text(text)
    with pytest.raises(ValueError, match=r"seed\.json: "):
        seed_from(file)


def test_samples_exist_and_have_no_incident(ask: Asker) -> None:
    with Sandbox.start(seed=sample_seed) as server:
        for urn in sample_urns():
            assert ask.data(server, "query q($u: String!) { entityExists(urn: $u) }", u=urn) == {"entityExists": True}
            assert server.store.incidents(urn) == []
