"""Assertions of datasets and their runs."""

from types import SimpleNamespace
from typing import Any

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS, Asker

LIST = """query q($urn: String!, $start: Int, $count: Int, $limit: Int) { dataset(urn: $urn) {
  assertions(start: $start, count: $count) { start count total assertions { urn
    info { type description externalUrl }
    runEvents(status: COMPLETE, limit: $limit) { total failed succeeded
      runEvents { timestampMillis result { type externalUrl error { type } } } } } } } }"""
HEALTH = "query q($urn: String!) { dataset(urn: $urn) { health { type status message causes } } }"


def assertions(ask: Asker, server: Sandbox, urn: str = ORDERS, **more: Any) -> Any:
    return ask.data(server, LIST, urn=urn, **more)["dataset"]["assertions"]


def test_runs_are_listed_newest_first(ask: Asker, each_sandbox: Sandbox) -> None:
    store = each_sandbox.store
    urn = store.add_assertion(ORDERS, description="id is unique", external_url="https://dbt.example/1")
    for number, result in enumerate(("SUCCESS", "ERROR", "FAILURE", "INIT")):
        store.add_run(urn, result, at_ms=number, external_url="https://dbt.example/run", error="no table")
    page = assertions(ask, each_sandbox, limit=3)
    assert (page["start"], page["count"], page["total"]) == (0, 200, 1)
    (assertion,) = page["assertions"]
    facts = {"type": "DATASET", "description": "id is unique", "externalUrl": "https://dbt.example/1"}
    assert (assertion["urn"], assertion["info"]) == (urn, facts)
    runs = assertion["runEvents"]
    assert [run["timestampMillis"] for run in runs["runEvents"]] == [3, 2, 1]
    assert [run["result"]["type"] for run in runs["runEvents"]] == ["INIT", "FAILURE", "ERROR"]
    assert runs["runEvents"][0]["result"]["externalUrl"] == "https://dbt.example/run"
    assert runs["runEvents"][0]["result"]["error"] == {"type": "no table"}


def test_counts_are_of_the_runs_that_are_returned(ask: Asker, sandbox: Sandbox) -> None:
    urn = sandbox.store.add_assertion(ORDERS)
    for number, result in enumerate(("FAILURE", "FAILURE", "SUCCESS")):
        sandbox.store.add_run(urn, result, at_ms=number)

    def counts(limit: int | None) -> tuple[int, int, int]:
        runs = assertions(ask, sandbox, limit=limit)["assertions"][0]["runEvents"]
        return runs["total"], runs["failed"], runs["succeeded"]

    assert counts(1) == (1, 0, 1)
    assert counts(None) == (3, 2, 1)


def test_runs_can_be_limited_to_a_time(ask: Asker, sandbox: Sandbox) -> None:
    urn = sandbox.store.add_assertion(ORDERS)
    for number in range(5):
        sandbox.store.add_run(urn, at_ms=number)
    query = """query q($u: String!) { assertion(urn: $u) {
      runEvents(startTimeMillis: 1, endTimeMillis: 3) { runEvents { timestampMillis assertionUrn asserteeUrn } } } }"""
    runs = ask.data(sandbox, query, u=urn)["assertion"]["runEvents"]["runEvents"]
    assert [run["timestampMillis"] for run in runs] == [3, 2, 1]
    assert {(run["assertionUrn"], run["asserteeUrn"]) for run in runs} == {(urn, ORDERS)}


def test_assertions_come_in_pages(ask: Asker, sandbox: Sandbox) -> None:
    urns = [sandbox.store.add_assertion(ORDERS, assertion_id=f"a{number}") for number in range(7)]
    pages = [assertions(ask, sandbox, start=start, count=3) for start in (0, 3, 6)]
    assert [[assertion["urn"] for assertion in page["assertions"]] for page in pages] == [urns[:3], urns[3:6], urns[6:]]
    assert {page["total"] for page in pages} == {7}
    sandbox.faults = Faults(assertion_page_limit=2)
    page = assertions(ask, sandbox, count=5)
    assert (page["count"], len(page["assertions"]), page["total"]) == (2, 2, 7)


def test_lost_and_removed_assertions_are_counted_but_not_listed(ask: Asker, sandbox: Sandbox) -> None:
    kept, lost = (sandbox.store.add_assertion(ORDERS) for _ in range(2))
    sandbox.store.add_assertion(ORDERS, removed=True)
    sandbox.store.lose_assertion(lost)
    page = assertions(ask, sandbox)
    assert (page["total"], [assertion["urn"] for assertion in page["assertions"]]) == (3, [kept])
    query = f'{{ dataset(urn: "{ORDERS}") {{ assertions(includeSoftDeleted: true) {{ assertions {{ urn }} }} }} }}'
    assert len(ask.data(sandbox, query)["dataset"]["assertions"]["assertions"]) == 2


def test_time_series_lags(ask: Asker, sandbox: Sandbox, clock: SimpleNamespace) -> None:
    urn = sandbox.store.add_assertion(ORDERS)
    sandbox.store.add_run(urn, "SUCCESS", at_ms=1)
    sandbox.store.add_run(urn, "FAILURE", at_ms=2, lag=1.0)

    def latest() -> str:
        result: str = assertions(ask, sandbox, limit=1)["assertions"][0]["runEvents"]["runEvents"][0]["result"]["type"]
        return result

    assert latest() == "SUCCESS"
    clock.now += 1.0
    assert latest() == "FAILURE"


def test_health_names_failing_assertions(ask: Asker, sandbox: Sandbox) -> None:
    def health() -> list[Any]:
        elements = ask.data(sandbox, HEALTH, urn=ORDERS)["dataset"]["health"]
        return [element for element in elements if element["type"] == "ASSERTIONS"]

    sandbox.store.add_asset(ORDERS)
    first, second = (sandbox.store.add_assertion(ORDERS) for _ in range(2))
    assert health() == []
    sandbox.store.add_run(first, "SUCCESS")
    sandbox.store.add_run(second, "ERROR")
    passing = {"type": "ASSERTIONS", "status": "PASS", "message": "All assertions are passing", "causes": []}
    assert health() == [passing]
    sandbox.store.add_run(second, "FAILURE")
    message = "1 of 2 assertions are failing"
    assert health() == [{"type": "ASSERTIONS", "status": "FAIL", "message": message, "causes": [second]}]


def test_health_leaves_out_what_cannot_be_read(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.raise_incident(ORDERS)
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.FIELD_ERROR, urn=ORDERS),))
    assert ask.data(sandbox, HEALTH, urn=ORDERS)["dataset"]["health"] == []


@pytest.mark.parametrize(
    ("kind", "names_assertion", "failed"),
    [
        (FaultKind.ASSERTIONS_ERROR, False, ["dataset", "assertions"]),
        (FaultKind.RUNS_ERROR, False, ["dataset", "assertions", "assertions", 0, "runEvents"]),
        (FaultKind.RUNS_ERROR, True, ["dataset", "assertions", "assertions", 0, "runEvents"]),
        (FaultKind.NULL_ASSERTIONS, False, None),
        (FaultKind.NULL_RUNS, True, None),
    ],
)
def test_what_cannot_be_read_is_null(
    ask: Asker, sandbox: Sandbox, kind: FaultKind, failed: list[object] | None, *, names_assertion: bool
) -> None:
    urn = sandbox.store.add_assertion(ORDERS)
    sandbox.store.add_run(urn)
    sandbox.faults = Faults(rules=(Fault(kind=kind, urn=urn if names_assertion else ORDERS, code=403),))
    answer = ask(sandbox, LIST, urn=ORDERS)
    page = answer["data"]["dataset"]["assertions"]
    assert page is None or page["assertions"][0]["runEvents"] is None
    errors = [(error["path"], error["extensions"]["code"]) for error in answer.get("errors", ())]
    assert errors == ([(failed, 403)] if failed else [])


def test_dataset_is_found_by_its_failing_assertion(ask: Asker, sandbox: Sandbox) -> None:
    sandbox.store.add_assets([ORDERS, CUSTOMERS])
    sandbox.store.add_run(sandbox.store.add_assertion(ORDERS), "FAILURE")
    query = """{ searchAcrossEntities(input: { query: "*", types: [DATASET], orFilters: [{ and: [
      { field: "hasFailingAssertions", values: ["true"] }] }] }) { searchResults { entity { urn } } } }"""
    assert ask.data(sandbox, query)["searchAcrossEntities"]["searchResults"] == [{"entity": {"urn": ORDERS}}]


def test_assertions_are_found_by_their_dataset(ask: Asker, sandbox: Sandbox) -> None:
    urn = sandbox.store.add_assertion(ORDERS)
    sandbox.store.add_assertion(CUSTOMERS)
    query = """query q($u: String!) { searchAcrossEntities(input: { query: "*", types: [ASSERTION], orFilters: [{ and: [
      { field: "entity", values: [$u] }] }] }) { searchResults { entity { urn type } } } }"""
    results = ask.data(sandbox, query, u=ORDERS)["searchAcrossEntities"]["searchResults"]
    assert results == [{"entity": {"urn": urn, "type": "ASSERTION"}}]


def test_operations_are_listed_newest_first(ask: Asker, sandbox: Sandbox) -> None:
    for at_ms in (1, 3, 2):
        sandbox.store.add_operation(ORDERS, at_ms=at_ms)
    query = f'{{ dataset(urn: "{ORDERS}") {{ operations(limit: 2) {{ lastUpdatedTimestamp operationType }} }} }}'
    operations = ask.data(sandbox, query)["dataset"]["operations"]
    assert [operation["lastUpdatedTimestamp"] for operation in operations] == [3, 2]
