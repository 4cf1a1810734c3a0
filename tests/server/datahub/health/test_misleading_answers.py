"""Where a naive gate passes when it must not: each answer of a real server that looks like health and is none."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from incident_gate.errors import ExitCode
from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Grant, Sandbox
from tests.helpers.asking import CHART, CUSTOMERS, DASHBOARD, FLOW, JOB, MODEL, ORDERS
from tests.helpers.gating import check, only, reasons, tables, verdicts


def strike(server: Sandbox, kind: FaultKind, urn: str, *, code: int = 500, times: int | None = None) -> None:
    server.faults = Faults(rules=(Fault(kind=kind, urn=urn, code=code, times=times),))


def with_asset(server: Sandbox, **given: Any) -> None:
    server.store.add_asset(ORDERS, **given)


def with_resolved(server: Sandbox, lag: float = 0.0) -> None:
    with_asset(server)
    server.store.resolve(server.store.raise_incident(ORDERS), lag=lag)


def without_incidents(server: Sandbox, urn: str = ORDERS, **given: Any) -> None:
    with_asset(server, **given)
    strike(server, FaultKind.NULL_INCIDENTS, urn)


@pytest.mark.parametrize(
    ("arrange", "verdict", "expected"),
    [
        pytest.param(partial(with_asset, removed=False), "healthy", [], id="healthy"),
        pytest.param(with_resolved, "healthy", [], id="resolved"),
        pytest.param(partial(with_resolved, lag=60), "healthy", [], id="still listed, and resolved in the store"),
        pytest.param(lambda _: None, "unknown", ["not-found"], id="never ingested"),
        pytest.param(partial(with_asset, removed=True), "unknown", ["removed"], id="removed"),
        pytest.param(without_incidents, "unknown", ["no-incidents-field"], id="null incidents"),
        pytest.param(partial(with_asset, siblings=[MODEL]), "healthy", [], id="sibling that was never ingested"),
        pytest.param(
            partial(without_incidents, urn=MODEL, siblings=[MODEL]),
            "unknown",
            ["no-incidents-field"],
            id="sibling without a list",
        ),
    ],
)
def test_asset_is_healthy_only_where_the_answer_says_so(
    each_sandbox: Sandbox, arrange: Callable[[Sandbox], None], verdict: str, expected: list[str]
) -> None:
    arrange(each_sandbox)

    result = check(each_sandbox, ORDERS)

    assert (verdicts(result), reasons(only(result))) == ([verdict], expected)
    assert result.exit_code is (ExitCode.OK if verdict == "healthy" else ExitCode.BLOCKED)


def test_active_incident_blocks(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    urn = each_sandbox.store.raise_incident(ORDERS, title="Late", priority=1, type="CUSTOM", custom_type="LATE")

    result = check(each_sandbox, ORDERS)

    [incident] = only(result).blocking
    assert (incident.urn, incident.title, incident.type, incident.custom_type) == (urn, "Late", "CUSTOM", "LATE")
    assert incident.priority is not None
    assert incident.priority.name == "HIGH"
    assert incident.created_ms
    assert result.exit_code is ExitCode.BLOCKED


def test_incidents_that_are_counted_and_not_listed_block(each_sandbox: Sandbox) -> None:
    for _ in range(2):
        each_sandbox.store.raise_incident(ORDERS)
    strike(each_sandbox, FaultKind.LOST_INCIDENTS, ORDERS)

    decision = only(check(each_sandbox, ORDERS))

    assert (decision.verdict, decision.unread) == ("unhealthy", 2)
    # On Cloud the summary names them, and the primary store shows them.
    assert len(decision.blocking) == (2 if each_sandbox.generation is Generation.CLOUD else 0)


@pytest.mark.parametrize("code", [403, 404, 500])
def test_error_in_an_asset_is_no_health(each_sandbox: Sandbox, code: int) -> None:
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    strike(each_sandbox, FaultKind.FIELD_ERROR, ORDERS, code=code)

    result = check(each_sandbox, ORDERS, CUSTOMERS)

    assert verdicts(result) == ["unknown", "healthy"]
    assert reasons(result.decisions[0]) == ["refused" if code == 403 else "error"]
    hidden = each_sandbox.generation.hides_reasons and code == 500
    reason = "An unknown error occurred." if hidden else "Failed to retrieve incidents from GMS"
    assert reason in result.decisions[0].problems[0].message
    assert result.exit_code is ExitCode.BLOCKED


@pytest.mark.parametrize("code", [503, 504])
def test_asset_that_stays_busy_is_unknown_and_the_others_are_answered(
    monkeypatch: pytest.MonkeyPatch, each_sandbox: Sandbox, code: int
) -> None:
    monkeypatch.setattr("incident_gate.datahub.response.PARTIAL_PATIENCE", 0.2)
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    strike(each_sandbox, FaultKind.FIELD_ERROR, ORDERS, code=code)

    assert verdicts(check(each_sandbox, ORDERS, CUSTOMERS)) == ["unknown", "healthy"]


def test_null_element_is_no_health(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_assets([ORDERS, CUSTOMERS])
    strike(each_sandbox, FaultKind.NULL_ELEMENT, ORDERS)

    result = check(each_sandbox, ORDERS, CUSTOMERS)

    assert verdicts(result) == ["unknown", "healthy"]
    assert reasons(result.decisions[0]) == ["hidden"]


def test_asset_that_the_token_may_not_see_is_no_health(each_generation: Generation) -> None:
    with Sandbox.start(schema=each_generation, tokens=[Grant(token="few", sees=(CUSTOMERS,))]) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])

        assert verdicts(check(server, CUSTOMERS, ORDERS)) == ["healthy", "unknown"]


def test_asset_that_throws_is_unknown_and_every_other_is_answered(each_sandbox: Sandbox) -> None:
    urns = tables(250)
    each_sandbox.store.add_assets(urns)
    each_sandbox.store.raise_incident(urns[124])
    strike(each_sandbox, FaultKind.THROW, urns[123])

    result = check(each_sandbox, *urns)

    expected = ["healthy"] * 250
    expected[123:125] = ["unknown", "unhealthy"]
    assert verdicts(result) == expected
    reason = "An unknown error occurred." if each_sandbox.generation.hides_reasons else urns[123]
    assert reason in result.decisions[123].problems[0].message


def test_server_that_throws_for_everything_is_not_asked_for_ever(sandbox: Sandbox) -> None:
    urns = tables(250)
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.GRAPHQL_ERROR),))

    result = check(sandbox, *urns)

    assert set(verdicts(result)) == {"unknown"}
    assert result.exit_code is ExitCode.DATAHUB
    assert len(sandbox.requests) == 65


def test_complexity_limit_is_met_with_smaller_questions() -> None:
    # Forty aliased fields are too many for it.
    with Sandbox.start(schema="g1", faults=Faults(no_entities=True, complexity_limit=150)) as server:
        urns = tables(60)
        server.store.add_assets(urns)
        server.store.raise_incident(urns[59])

        assert verdicts(check(server, *urns)) == ["healthy"] * 59 + ["unhealthy"]
        assert server.requests.operations.count("incidentGateSchema") == 1
        assert "incidentGateSiblings" not in server.requests.operations


def test_complexity_limit_below_the_query_for_one_asset_leaves_unknown_what_is_not_asked(each_sandbox: Sandbox) -> None:
    urns = tables(10)
    each_sandbox.store.add_assets(urns)
    each_sandbox.store.raise_incident(urns[9])
    each_sandbox.faults = Faults(complexity_limit=12)

    result = check(each_sandbox, *urns)

    assert verdicts(result) == ["unknown"] * 9 + ["unhealthy"]
    assert "not-asked" in reasons(result.decisions[0])


@pytest.mark.parametrize("schema", [Generation.G2, Generation.G3, Generation.G4])
def test_resolved_incidents_are_not_read(schema: Generation) -> None:
    with Sandbox.start(schema=schema) as server:
        server.store.add_asset(ORDERS)
        for _ in range(130):
            server.store.raise_incident(ORDERS, state="RESOLVED")

        assert verdicts(check(server, ORDERS)) == ["healthy"]
        assert len(server.requests) == 1


def test_every_asset_type_is_asked(each_sandbox: Sandbox) -> None:
    urns = [ORDERS, JOB, FLOW, DASHBOARD, CHART]
    each_sandbox.store.add_assets(urns)
    healthy = check(each_sandbox, *urns)
    for urn in urns:
        each_sandbox.store.raise_incident(urn)
    unhealthy = check(each_sandbox, *urns)

    if each_sandbox.generation is Generation.G1:
        # It has incidents on datasets only: of the others nothing can be known.
        assert verdicts(healthy) == ["healthy", *["unknown"] * 4]
        assert verdicts(unhealthy) == ["unhealthy", *["unknown"] * 4]
        assert "does not track incidents on a dataJob" in healthy.decisions[1].problems[0].message
    else:
        assert verdicts(healthy) == ["healthy"] * 5
        assert verdicts(unhealthy) == ["unhealthy"] * 5


def test_never_ingested_asset_of_every_type_blocks(each_sandbox: Sandbox) -> None:
    assert verdicts(check(each_sandbox, ORDERS, JOB, FLOW, DASHBOARD, CHART)) == ["unknown"] * 5


# Siblings


@pytest.mark.parametrize("limit", [9, 15, 20, 30])
def test_sibling_that_a_cheap_query_does_not_ask_for_never_passes(each_sandbox: Sandbox, limit: int) -> None:
    each_sandbox.store.add_asset(ORDERS, siblings=[MODEL])
    each_sandbox.store.raise_incident(MODEL)
    each_sandbox.faults = Faults(complexity_limit=limit)

    assert "healthy" not in verdicts(check(each_sandbox, ORDERS, CUSTOMERS))


@pytest.mark.parametrize("times", [1, 2, 3, 4, 5])
@pytest.mark.parametrize(
    "message", ["Validation error", "Invalid syntax : x", "maximum query complexity exceeded 12 > 3", "Bad Request"]
)
def test_refusals_before_a_sound_server_teach_nothing(sandbox: Sandbox, message: str, times: int) -> None:
    sandbox.store.add_asset(ORDERS, siblings=[MODEL])
    sandbox.store.raise_incident(MODEL)
    body = f'{{"errors": [{{"message": "{message}"}}]}}'
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=200, body=body, times=times),))

    assert "healthy" not in verdicts(check(sandbox, ORDERS))


def test_incident_of_a_sibling_counts(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS, siblings=[MODEL])
    each_sandbox.store.add_asset(MODEL)
    each_sandbox.store.raise_incident(MODEL)

    decision = only(check(each_sandbox, ORDERS))

    assert [incident.asset for incident in decision.blocking] == [MODEL]
    assert decision.siblings == (MODEL,)


def test_sibling_that_is_not_visible_is_unknown(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS, siblings=[MODEL])
    each_sandbox.store.add_asset(MODEL)
    strike(each_sandbox, FaultKind.NULL_ELEMENT, MODEL)

    result = check(each_sandbox, ORDERS)

    assert (verdicts(result), reasons(only(result))) == (["unknown"], ["hidden"])
    assert "siblings: false" in only(result).problems[0].hint


def test_incidents_of_a_sibling_beyond_the_first_page_are_read(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS, siblings=[MODEL])
    for _ in range(130):
        each_sandbox.store.raise_incident(MODEL)

    decision = only(check(each_sandbox, ORDERS))

    assert (len(decision.blocking), decision.unread) == (130, 0)


# Paging


def test_every_incident_is_read_past_the_servers_own_page_limit(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_asset(ORDERS)
    raised = {each_sandbox.store.raise_incident(ORDERS) for _ in range(45)}
    each_sandbox.faults = Faults(page_limit=10)

    decision = only(check(each_sandbox, ORDERS))

    assert {incident.urn for incident in decision.blocking} == raised
    assert decision.unread == 0
    starts = [request.variables.get("start") for request in each_sandbox.requests]
    assert sorted({start for start in starts if start is not None}) == [0, 10, 20, 30, 40]


def test_what_lies_beyond_the_offset_limit_is_counted(sandbox: Sandbox) -> None:
    sandbox.faults = Faults(offset_limit=500)
    for number in range(520):
        sandbox.store.raise_incident(ORDERS, incident_id=f"i{number}")

    decision = only(check(sandbox, ORDERS))

    assert decision.verdict == "unhealthy"
    assert len(decision.blocking) + decision.unread == 520
    assert decision.unread >= 20
