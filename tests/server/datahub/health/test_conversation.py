"""What comes back instead of an answer, and what the gate says and does about it."""

import pytest

from incident_gate.datahub.client import RequestLog
from incident_gate.errors import ExitCode
from incident_gate.report.model import Report
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.gating import check, tables, verdicts


def failure(result: Report) -> str:
    """What ended the conversation."""
    assert result.failure is not None
    return str(result.failure)


@pytest.fixture
def server(sandbox: Sandbox) -> Sandbox:
    """A stand-in with one healthy asset."""
    sandbox.store.add_asset(ORDERS)
    return sandbox


@pytest.mark.parametrize(
    ("fault", "sentence"),
    [
        (Fault(kind=FaultKind.HTML), "answers with a web page (HTTP 200)"),
        (Fault(kind=FaultKind.REDIRECT), "redirects to http://127.0.0.1"),
        (Fault(kind=FaultKind.REDIRECT, location="https://sso.example.com/a"), "redirects to https://sso.example.com"),
        (Fault(kind=FaultKind.REDIRECT, location="//[broken"), "redirects to an invalid address"),
        (Fault(kind=FaultKind.STATUS, status=401), "rejected the token (HTTP 401)"),
        (Fault(kind=FaultKind.STATUS, status=403), "forbids the request (HTTP 403)"),
        (Fault(kind=FaultKind.STATUS, status=404), "has no GraphQL API at /api/graphql (HTTP 404)"),
        (Fault(kind=FaultKind.STATUS, status=418, body="tea"), "something that is not GraphQL (HTTP 418)"),
        (Fault(kind=FaultKind.STATUS, status=200, body="[1, 2]"), "something that is not GraphQL (HTTP 200)"),
        (Fault(kind=FaultKind.STATUS, status=200, body='{"ok": true}'), "something that is not GraphQL (HTTP 200)"),
    ],
    ids=lambda value: value.kind if isinstance(value, Fault) else None,
)
@pytest.mark.parametrize("on_unknown", ["block", "warn"])
def test_what_a_setting_causes_is_refused_at_once(
    server: Sandbox, fault: Fault, sentence: str, on_unknown: str
) -> None:
    server.faults = Faults(rules=(fault,))

    result = check(server, ORDERS, on_unknown=on_unknown)

    assert sentence in failure(result)
    assert result.failure is not None
    assert "Check datahub-" in result.failure.hint
    assert (verdicts(result), result.exit_code) == (["unknown"], ExitCode.DATAHUB)
    assert len(server.requests) == 1


@pytest.mark.parametrize("fault", [Fault(kind=FaultKind.HTML), Fault(kind=FaultKind.STATUS, status=401)])
def test_refusal_of_one_batch_blocks_although_unknown_is_waved_through(sandbox: Sandbox, fault: Fault) -> None:
    urns = tables(600)
    sandbox.store.add_assets(urns)
    sandbox.faults = Faults(rules=(Fault(kind=fault.kind, status=fault.status, urn=urns[300]),))

    result = check(sandbox, *urns, on_unknown="warn")

    assert verdicts(result)[300] == "unknown"
    assert result.exit_code is ExitCode.DATAHUB


def test_missing_token_is_told_apart_from_a_wrong_one(server: Sandbox) -> None:
    wrong = check(server, ORDERS, datahub_token="wrong")
    missing = check(server, ORDERS, datahub_token="")

    assert "rejected the token" in failure(wrong)
    assert "requires a token, but none was provided" in failure(missing)


@pytest.mark.parametrize("code", [503, 504])
def test_graphql_that_is_busy_is_asked_again(server: Sandbox, code: int) -> None:
    server.faults = Faults(rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, code=code, times=2),))

    assert verdicts(check(server, ORDERS)) == ["healthy"]
    assert len(server.requests) == 3


def test_unreachable_server_is_waved_through_only_on_request(server: Sandbox) -> None:
    server.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=503),))

    blocked = check(server, ORDERS, CUSTOMERS, timeout="0.5")
    warned = check(server, ORDERS, CUSTOMERS, timeout="0.5", on_unknown="warn")

    assert blocked.exit_code is ExitCode.DATAHUB
    assert warned.exit_code is ExitCode.OK
    assert [d.conclusion.value for d in warned.decisions] == ["warn", "warn"]


def test_every_request_is_told_with_its_operation_and_without_any_value(server: Sandbox) -> None:
    told: list[RequestLog] = []
    server.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=503, times=1),))

    check(server, ORDERS, on_request=told.append)

    assert [(e.operation, e.assets, e.attempt, e.status) for e in told] == [
        ("incidentGateHealth", 1, 1, 503),
        ("incidentGateHealth", 1, 2, 200),
    ]
    assert server.token not in str(told)


def test_requests_carry_the_token_the_extra_headers_and_the_operations_name(server: Sandbox) -> None:
    check(server, ORDERS, headers="X-Access: one\nX-Other: two")

    [request] = server.requests
    assert request.operation == "incidentGateHealth"
    assert request.headers["authorization"] == f"Bearer {server.token}"
    assert (request.headers["x-access"], request.headers["x-other"]) == ("one", "two")
    assert request.headers["user-agent"].startswith("datahub-incident-gate/")
