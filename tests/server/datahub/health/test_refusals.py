"""What lets every run pass if it is only unknown: wrong addresses and tokens block, whatever `on-unknown` is."""

import socket
from collections.abc import Callable

import pytest

from incident_gate.errors import ExitCode
from incident_gate.sandbox import Fault, FaultKind, Faults, Grant, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.gating import check, reasons
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
