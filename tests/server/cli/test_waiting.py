"""Waiting against a real server: requests, restarts, refusals, cancelling, and what is printed."""

from __future__ import annotations

import io
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Sandbox
from tests.helpers.asking import CUSTOMERS, ORDERS
from tests.helpers.command import Ended, ask, gate
from tests.helpers.step import Step

WAITING = ("--wait-interval", "0.1s", "--wait")


@pytest.fixture
def two_inputs(tmp_path: Path) -> str:
    path = tmp_path / "two.yml"
    path.write_text(f"- {ORDERS}\n- {CUSTOMERS}\n")
    return str(path)


def at_request(server: Sandbox, number: int, change: Callable[[], object]) -> None:
    """Change the data before a request is answered."""

    def note(_: object) -> None:
        if len(server.requests) == number:
            change()

    server.on_request = note


def test_gate_passes_when_the_incident_is_resolved(datahub: Sandbox, two_inputs: str) -> None:
    incident = datahub.store.raise_incident(ORDERS, title="late")
    at_request(datahub, 4, lambda: datahub.store.resolve(incident))

    ended = ask(datahub, "check", two_inputs, *WAITING, "100s")

    assert ended.code == 0, ended.out
    assert "Waited " in ended.out
    assert ": 1 open incident." in ended.out
    assert ended.err.count("Waiting up to ") == 1
    # The first and the last request name both inputs, those between only the one that does not pass.
    counts = [len(request.variables["urns"]) for request in datahub.requests if "urns" in request.variables]
    assert counts[0] == counts[-1] == 2
    assert set(counts[1:-1]) == {1}


def test_one_request_a_poll(manifest: str) -> None:
    # The oldest has to be asked for existence in a request of its own, and for its schema only once.
    with Sandbox.start(schema=Generation.G1) as server:
        server.store.add_asset(ORDERS)
        server.store.raise_incident(ORDERS, title="late")
        ask(server, "check", manifest)
        once = len(server.requests)

        ended = ask(server, "check", manifest, *WAITING, "0.3s")

        assert ended.code == 1
        polls, rest = divmod(len(server.requests) - 2 * once, 2)
        assert (polls in range(1, 4), rest) == (True, 0)


def test_wait_that_is_over_blocks_and_is_reported(datahub: Sandbox, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    ended = ask(datahub, "check", manifest, *WAITING, "0.2s", "--format", "json")

    assert ended.code == 1
    assert ended.json["waited"]["seconds"] >= 0.2
    assert ended.json["waited"]["inputs"] == [ORDERS]


def test_steady_time_is_waited_for(datahub: Sandbox, manifest: str) -> None:
    incident = datahub.store.raise_incident(ORDERS, title="late")
    at_request(datahub, 3, lambda: datahub.store.resolve(incident))
    started = time.monotonic()

    ended = ask(datahub, "check", manifest, *WAITING, "100s", "--wait-stable", "0.4s")

    assert ended.code == 0
    assert time.monotonic() - started >= 0.4


def test_refusal_ends_the_waiting(datahub: Sandbox, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS, title="late")
    refuse = Faults(rules=(Fault(kind=FaultKind.STATUS, status=401),))
    at_request(datahub, 3, lambda: setattr(datahub, "faults", refuse))

    ended = ask(datahub, "check", manifest, *WAITING, "1h")

    assert ended.code == 3
    assert "rejected the token" in ended.out


def test_restart_of_datahub_is_survived(manifest: str, tmp_path: Path) -> None:
    data = tmp_path / "datahub.db"
    with Sandbox.start(data=data) as server:
        server.store.add_asset(ORDERS)
        incident = server.store.raise_incident(ORDERS, title="late")
        port, token = int(server.url.rpartition(":")[2]), server.token
        ended: list[Ended] = []
        waiter = threading.Thread(
            target=lambda: ended.append(
                gate(
                    *("check", manifest, *WAITING, "1h", "--timeout", "5"),
                    environment={"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_TOKEN": token},
                )
            )
        )
        waiter.start()
        while len(server.requests) < 3:
            time.sleep(0.02)
    time.sleep(0.2)
    with Sandbox.start(data=data, port=port) as again:
        again.store.resolve(incident)
        waiter.join()

    assert [result.code for result in ended] == [0]


def test_terminal_shows_one_line_that_is_cleared(
    datahub: Sandbox, manifest: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    from incident_gate.cli.main import run  # noqa: PLC0415 - with a terminal of its own

    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    monkeypatch.setattr("incident_gate.gate.wait._TICK", 0.05)
    datahub.store.raise_incident(ORDERS, title="late")
    err = Terminal()
    environment = {"DATAHUB_GMS_URL": datahub.url, "DATAHUB_GMS_TOKEN": datahub.token}

    run(["check", manifest, *WAITING, "0.3s"], environment, io.StringIO(), err)

    text = err.getvalue()
    assert text.startswith("\rWaiting up to 0 s for analytics.orders: ")
    assert text.count("\r") > 3
    assert "\n" not in text
    assert text.endswith("\r\x1b[K")


def test_step_waits_and_says_so(step: Step, datahub: Sandbox) -> None:
    incident = datahub.store.raise_incident(ORDERS, title="late")
    at_request(datahub, 4, lambda: datahub.store.resolve(incident))

    ended = step.main(datahub, wait="20s", wait_interval="0.1", wait_stable="0")

    assert (ended.code, ended.outputs["conclusion"]) == (0, "pass")
    assert "Waited " in ended.summary
    assert any(text.startswith("Waited ") for text in ended.said("notice"))
    assert "Waiting up to 20 s for analytics.orders: 1 open incident" in ended.log
