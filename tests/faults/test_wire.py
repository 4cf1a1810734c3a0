"""Faults below HTTP, in front of the stand-in and alone."""

import socket
import threading
import time
from collections.abc import Iterator

import httpx
import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import ORDERS, plain_client
from tests.helpers.wire import WireFault, WireServer

RAISE = f'mutation raiseIncident {{ raiseIncident(input: {{ type: OPERATIONAL resourceUrn: "{ORDERS}" }}) }}'


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with plain_client(timeout=0.5, headers={"Authorization": "Bearer sandbox-token"}) as client:
        yield client


def send(http: httpx.Client, front: WireServer) -> httpx.Response:
    return http.post(f"{front.url}/api/graphql", json={"query": RAISE})


def test_passes_requests_through(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)
    with WireServer(upstream=sandbox.url) as front:
        responses = [send(http, front) for _ in range(3)]
    urns = {response.json()["data"]["raiseIncident"] for response in responses}
    assert {response.headers["connection"] for response in responses} == {"close"}
    assert urns == {record.urn for record in sandbox.store.incidents(ORDERS)}
    assert sandbox.requests[0].headers["authorization"] == "Bearer sandbox-token"


@pytest.mark.parametrize(
    ("fault", "error", "landed"),
    [
        # Noticed while writing or while reading, as the race goes.
        (WireFault.RESET_ON_CONNECT, httpx.TransportError, 0),
        (WireFault.RESET_BEFORE_ANSWER, httpx.ReadError, 0),
        (WireFault.CLOSE_BEFORE_ANSWER, httpx.RemoteProtocolError, 0),
        (WireFault.HANG_BEFORE_HEADERS, httpx.ReadTimeout, 0),
        (WireFault.GARBAGE, httpx.RemoteProtocolError, 0),
        (WireFault.RESET_IN_BODY, httpx.ReadError, 1),
        (WireFault.TRUNCATED, httpx.RemoteProtocolError, 1),
        (WireFault.HANG_IN_BODY, httpx.ReadTimeout, 1),
        (WireFault.TRICKLE, httpx.ReadTimeout, 1),
    ],
)
def test_fault_breaks_one_answer(
    http: httpx.Client, sandbox: Sandbox, fault: WireFault, error: type[httpx.HTTPError], landed: int
) -> None:
    sandbox.store.add_asset(ORDERS)
    with WireServer([fault], upstream=sandbox.url) as front:
        with pytest.raises(error):
            send(http, front)
        assert len(sandbox.store.incidents(ORDERS)) == landed
        assert send(http, front).json()["data"]["raiseIncident"]
        assert [record.fault for record in front.requests] == [fault, WireFault.PASS]
        assert front.requests[0].at <= front.requests[1].at <= time.monotonic()


def test_ends_at_once_while_hanging(sandbox: Sandbox) -> None:
    with WireServer(then=WireFault.HANG_BEFORE_HEADERS, upstream=sandbox.url) as front:

        def hang() -> None:
            with plain_client(timeout=None) as client, pytest.raises(httpx.HTTPError):
                send(client, front)

        threads = [threading.Thread(target=hang) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(front.requests) < len(threads):
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert not [thread for thread in threading.enumerate() if thread.name == "wire"]


def test_ends_after_a_client_that_breaks_off_in_the_middle_of_its_request(sandbox: Sandbox) -> None:
    with (
        WireServer(upstream=sandbox.url) as front,
        socket.create_connection(("127.0.0.1", int(front.url.rpartition(":")[2]))) as client,
    ):
        client.sendall(b"POST /api/graphql HTTP/1.1\r\nHost: datahub\r\nContent-Length: 100\r\n\r\n{")
        client.close()
    assert len(sandbox.requests) == 0
