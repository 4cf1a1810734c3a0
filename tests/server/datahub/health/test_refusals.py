"""What comes back instead of an answer, and what the gate reports and does about it.

What lets every run pass if it is only unknown blocks, whatever `on-unknown` is: wrong addresses and tokens.
"""

import socket
from collections.abc import Callable

import pytest

from incident_gate.datahub.client import RequestLog
from incident_gate.errors import ExitCode
from incident_gate.report.model import Report
from incident_gate.sandbox import Fault, FaultKind, Faults, Grant, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.gating import check, reasons, verdicts
from tests.helpers.loopback import answer_all, listening

MIXED = "urn:li:dataset:(urn:li:dataPlatform:snowflake,DB.Sales.Orders,PROD)"
LOWER = "urn:li:dataset:(urn:li:dataPlatform:snowflake,db.sales.orders,PROD)"

OTHER_SERVICES = {
    "ssh": b"SSH-2.0-OpenSSH_9.6\r\n",
    "redis": b"-ERR unknown command\r\n",
    "tls port": b"\x15\x03\x01\x00\x02\x02\x46",
    "no POST": b"HTTP/1.0 501 Unsupported method ('POST')\r\nContent-Type: text/html\r\n\r\n<html>",
    "plain HTTP to a TLS port": b"HTTP/1.1 400 Bad Request\r\nContent-Type: text/html\r\n\r\n<h1>",
    "not found": b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
    "other JSON": b'HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n\r\n{"status": "ok"}',
}


@pytest.mark.parametrize("name", OTHER_SERVICES)
def test_other_service_blocks_although_unknown_warns(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("incident_gate.datahub.transport.CONNECTION_PATIENCE", 0.3)

    def serve(client: socket.socket) -> None:
        answer_all(client, OTHER_SERVICES[name])

    with listening(serve) as port:
        result = check(f"http://127.0.0.1:{port}", ORDERS, CUSTOMERS, on_unknown="warn", timeout="2")

    assert result.exit_code is ExitCode.DATAHUB
    assert result.failure is not None
    assert "datahub-url" in result.failure.hint


def looking_up(error: int) -> Callable[..., object]:
    def look_up(*_: object, **__: object) -> object:
        raise socket.gaierror(error, "no")

    return look_up


def test_name_that_does_not_exist_blocks_although_unknown_warns(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", looking_up(socket.EAI_NONAME))

    result = check("http://datahub.example.com", ORDERS, on_unknown="warn", timeout="1")

    assert result.exit_code is ExitCode.DATAHUB
    assert "the host name does not exist" in str(result.failure)


def test_name_server_that_fails_is_a_datahub_that_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("socket.getaddrinfo", looking_up(socket.EAI_AGAIN))

    assert check("http://datahub.example.com", ORDERS, on_unknown="warn", timeout="1").exit_code is ExitCode.OK


def test_refused_connection_is_a_datahub_that_is_down() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]

    assert check(f"http://127.0.0.1:{port}", ORDERS, on_unknown="warn", timeout="1").exit_code is ExitCode.OK


@pytest.mark.parametrize("number", [1, 2])
def test_token_that_may_read_no_input_blocks_although_unknown_warns(each_sandbox: Sandbox, number: int) -> None:
    urns = [ORDERS, CUSTOMERS][:number]
    each_sandbox.store.add_assets(urns)
    rules = [Fault(kind=FaultKind.FIELD_ERROR, urn=urn, code=403) for urn in urns]
    each_sandbox.faults = Faults(rules=tuple(rules))

    result = check(each_sandbox, *urns, on_unknown="warn")

    assert result.exit_code is ExitCode.DATAHUB
    assert "refuses every input" in str(result.failure)


def test_token_that_may_not_see_one_of_the_inputs_only_warns() -> None:
    with Sandbox.start(tokens=[Grant(token="few", sees=(CUSTOMERS,))]) as server:
        server.store.add_assets([ORDERS, CUSTOMERS])

        assert check(server, ORDERS, CUSTOMERS, on_unknown="warn").exit_code is ExitCode.OK


def test_redirect_to_https_shows_both_addresses_and_what_to_set(sandbox: Sandbox) -> None:
    secure = sandbox.url.replace("http:", "https:")
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.REDIRECT, location=f"{secure}/api/graphql"),))

    failure = check(sandbox, ORDERS).failure

    assert failure is not None
    assert f"{sandbox.url} redirects to {secure} instead of answering" in failure.message
    assert "Use https in" in failure.hint


# Names in capitals


def test_urn_that_datahub_has_in_lower_case_is_named(each_sandbox: Sandbox) -> None:
    each_sandbox.store.add_assets([LOWER, CUSTOMERS])

    decision = check(each_sandbox, MIXED, CUSTOMERS).decisions[0]

    assert reasons(decision) == ["not-found"]
    assert f"DataHub has it in lower case: `{LOWER}`" in decision.problems[0].hint
    operations = each_sandbox.requests.operations
    assert operations.count("incidentGateExistence") == 1


# Bounds on requests


def test_rate_limit_has_its_own_advice(sandbox: Sandbox) -> None:
    sandbox.faults = Faults(rules=(Fault(kind=FaultKind.RATE_LIMIT, retry_after="60"),))

    failure = check(sandbox, ORDERS, timeout="2").failure

    assert failure is not None
    assert "limits the rate of requests (HTTP 429) and asks to wait 60 s (1 attempt)" in failure.message
    assert "is up" not in failure.hint
    assert "Let fewer gates run" in failure.hint
    assert len(sandbox.requests) == 1


# What the server itself answers


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
