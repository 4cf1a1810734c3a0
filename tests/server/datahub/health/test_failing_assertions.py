"""Assertions in the gate: what fails, what is not known, and what they cost."""

import time

import pytest

from incident_gate.errors import ExitCode
from incident_gate.report import json as json_report
from incident_gate.report.headline import headline
from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.gating import check, only, tables, verdicts

HOUR_MS = 3_600_000


def ago(hours: float) -> int:
    return time.time_ns() // 1_000_000 - int(hours * HOUR_MS)


def asserted(server: Sandbox, *results: str, dataset: str = ORDERS, description: str | None = None) -> str:
    """An assertion with results, the latest last and an hour old."""
    urn = server.store.add_assertion(dataset, description=description)
    for number, result in enumerate(results):
        server.store.add_run(urn, result, at_ms=ago(len(results) - number))
    return urn


def test_assertions_are_not_read_by_default(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    asserted(each_sandbox, "FAILURE")

    result = check(each_sandbox, ORDERS)

    assert verdicts(result) == ["healthy"]
    assert all("assertions" not in request.query for request in each_sandbox.requests)


@pytest.mark.parametrize(
    ("results", "verdict"),
    [
        ((), "unknown"),
        (("FAILURE", "SUCCESS"), "healthy"),
        (("SUCCESS", "ERROR"), "unknown"),
        (("FAILURE", "INIT"), "unhealthy"),
    ],
)
def test_latest_result_decides(each_sandbox: Sandbox, results: tuple[str, ...], verdict: str) -> None:
    each_sandbox.store.add_asset(ORDERS)
    asserted(each_sandbox, *results)

    assert verdicts(check(each_sandbox, ORDERS, on_failing_assertion="block")) == [verdict]


@pytest.mark.parametrize("starts", [3, 49, 60])
def test_failure_before_any_number_of_first_runs_never_passes(sandbox: Sandbox, starts: int) -> None:
    sandbox.store.add_asset(ORDERS)
    asserted(sandbox, "SUCCESS")
    asserted(sandbox, "FAILURE", *["INIT"] * starts)

    verdict = only(check(sandbox, ORDERS, on_failing_assertion="block")).verdict
    assert verdict == ("unhealthy" if starts < 50 else "unknown")


@pytest.mark.parametrize("introspection", [True, False])
@pytest.mark.parametrize(
    "lacking",
    [
        "AssertionInfo.description",
        "AssertionInfo.externalUrl",
        "Assertion.status",
        "Assertion.info",
        "Dataset.assertions",
    ],
)
def test_fields_that_the_assertions_lack_cost_assertions_alone(lacking: str, *, introspection: bool) -> None:
    with Sandbox.start(faults=Faults(lacks=(lacking,), introspection=introspection)) as server:
        server.store.add_assets([ORDERS, MODEL])
        server.store.add_asset(CUSTOMERS, siblings=[MODEL])
        server.store.raise_incident(MODEL)
        asserted(server, "SUCCESS")
        manifest = f'inputs:\n  - "{CUSTOMERS}"\n  - urn: "{ORDERS}"\n    on-failing-assertion: block\n'

        expected = "unknown" if lacking == "Dataset.assertions" else "healthy"
        assert verdicts(check(server, manifest=manifest)) == ["unhealthy", expected]


def test_assertion_of_a_sibling_counts_unless_siblings_do_not(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS, siblings=[MODEL])
    sandbox.store.add_asset(MODEL)
    failing = asserted(sandbox, "FAILURE", dataset=MODEL)

    decision = only(check(sandbox, ORDERS, on_failing_assertion="block"))
    alone = check(
        sandbox, manifest=f'inputs:\n  - urn: "{ORDERS}"\n    siblings: false\n', on_failing_assertion="block"
    )

    assert [(a.urn, a.asset) for a in decision.failing] == [(failing, MODEL)]
    assert verdicts(alone) == ["healthy"]


@pytest.mark.parametrize(("age", "verdict"), [("24h", "unknown"), ("7d", "healthy")])
def test_result_beyond_the_maximum_age_is_unknown(sandbox: Sandbox, age: str, verdict: str) -> None:
    sandbox.store.add_asset(ORDERS)
    sandbox.store.add_run(sandbox.store.add_assertion(ORDERS), at_ms=ago(30))
    rules = f"    on-failing-assertion: block\n    assertion-max-age: {age}\n"

    assert verdicts(check(sandbox, manifest=f'inputs:\n  - urn: "{ORDERS}"\n{rules}')) == [verdict]


def test_only_entries_that_want_them_are_asked(sandbox: Sandbox) -> None:
    sandbox.store.add_assets([ORDERS, CUSTOMERS])
    for dataset in (ORDERS, CUSTOMERS):
        asserted(sandbox, "FAILURE", dataset=dataset)
    manifest = f'inputs:\n  - "{CUSTOMERS}"\n  - urn: "{ORDERS}"\n    on-failing-assertion: warn\n'

    result = check(sandbox, manifest=manifest)

    assert verdicts(result) == ["healthy", "unhealthy"]
    assert result.exit_code is ExitCode.OK
    assert sandbox.requests.operations[0] == "incidentGateHealth"
    assert sandbox.requests.operations.count("incidentGateHealth") == 1


def test_waiver_of_an_assertion_excuses_it_and_one_that_matches_nothing_is_a_warning(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    urn = asserted(sandbox, "FAILURE")
    manifest = f"""inputs:
  - urn: {ORDERS}
    ignore:
      - {{assertion: "{urn}", until: 2027-01-31, reason: known}}
      - {{incident: "urn:li:incident:gone", until: 2027-01-31, reason: known}}
"""

    result = check(sandbox, manifest=manifest, on_failing_assertion="block")

    assert verdicts(result) == ["healthy"]
    assert [excuse.item.urn for excuse in only(result).excused] == [urn]
    assert headline(result) == "Passed: no open incident or failing assertion counts on 1 input (1 does not count)"
    [warning] = result.warnings
    assert (warning.position.line, warning.position.column) == (5, 9)
    assert "urn:li:incident:gone matches no active incident" in warning.message


@pytest.mark.parametrize(
    "kind", [FaultKind.NULL_ASSERTIONS, FaultKind.ASSERTIONS_ERROR, FaultKind.NULL_RUNS, FaultKind.RUNS_ERROR]
)
def test_assertions_that_cannot_be_read_are_unknown(each_sandbox: Sandbox, kind: FaultKind) -> None:
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    asserted(each_sandbox, "SUCCESS")
    each_sandbox.faults = Faults(rules=(Fault(kind=kind, urn=ORDERS),))

    result = check(each_sandbox, ORDERS, CUSTOMERS, on_failing_assertion="block")

    assert verdicts(result) == ["unknown", "healthy"]


@pytest.mark.parametrize("generation", [Generation.G2, Generation.G3, Generation.G4])
def test_soft_deleted_assertion_is_left_out(generation: Generation) -> None:
    with Sandbox.start(schema=generation) as server:
        server.store.add_asset(ORDERS)
        asserted(server, "SUCCESS")
        gone = server.store.add_assertion(ORDERS, removed=True)
        server.store.add_run(gone, "FAILURE")

        assert verdicts(check(server, ORDERS, on_failing_assertion="block")) == ["healthy"]


def test_every_page_of_assertions_is_read(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    for _ in range(24):
        asserted(each_sandbox, "SUCCESS")
    each_sandbox.faults = Faults(assertion_page_limit=10)
    assert verdicts(check(each_sandbox, ORDERS, on_failing_assertion="block")) == ["healthy"]

    asserted(each_sandbox, "FAILURE")

    assert verdicts(check(each_sandbox, ORDERS, on_failing_assertion="block")) == ["unhealthy"]


def test_hundred_datasets_take_at_most_three_requests(sandbox: Sandbox) -> None:
    urns = tables(100)
    sandbox.store.add_assets(urns)
    for urn in urns:
        for _ in range(5):
            asserted(sandbox, "SUCCESS", dataset=urn)
    asserted(sandbox, "FAILURE", dataset=urns[7])

    result = check(sandbox, *urns, on_failing_assertion="block")

    assert [place for place, verdict in enumerate(verdicts(result)) if verdict != "healthy"] == [7]
    reading = [name for name in sandbox.requests.operations if name not in {"incidentGatePeople", "incidentGateOwners"}]
    assert reading == ["incidentGateHealth", "incidentGateAssertionRuns"]


def test_assertions_are_reported_beside_incidents(sandbox: Sandbox) -> None:
    urns = tables(3)
    sandbox.store.add_assets(urns)
    sandbox.store.raise_incident(urns[0], title="Late")
    asserted(sandbox, "FAILURE", dataset=urns[0], description="rows > 0")
    urn = asserted(sandbox, "SUCCESS", "FAILURE", "FAILURE", dataset=urns[1], description="unique id")

    result = check(sandbox, *urns, on_failing_assertion="block")

    assert headline(result) == "Blocked: 1 incident on 1 input, 2 failing assertions on 2 inputs, 1 input clear"
    outputs = json_report.outputs(result)
    assert (outputs["blocking-count"], urn in outputs["failing-assertions"]) == ("3", True)
    assert "rows > 0" not in outputs["incidents"]
    [failing] = result.decisions[1].failing
    assert (failing.run_ms or 0) - (failing.since_ms or 0) == pytest.approx(HOUR_MS, abs=5_000)
