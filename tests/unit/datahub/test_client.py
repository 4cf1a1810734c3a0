"""When a request is sent again, and with what it ends if no attempt is answered."""

from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from incident_gate.datahub.client import FIRST_WAIT, LONGEST_WAIT, Client, Operation, RequestLog, backoff
from incident_gate.datahub.failure import RequestFailure, TransientFailure
from incident_gate.datahub.parallel import Deadline
from incident_gate.datahub.response import size_limit
from incident_gate.errors import RefusedError, UnreachableError

SERVER = "datahub.example:8080"
OPERATION = Operation("Ask", "query Ask { me }")
DATA = httpx.Response(200, json={"data": {"me": 1}})
BUSY = httpx.Response(503)
PARTIAL = httpx.Response(
    200,
    json={"data": {"a": 1, "b": None}, "errors": [{"message": "busy", "path": ["b"], "extensions": {"code": 503}}]},
)
Answering = httpx.Response | Exception


@dataclass
class Server:
    """Answers in order, the last one to every further request. Its clock runs only while a client waits."""

    answers: list[Answering]
    seconds: float = 60.0
    now: float = 0.0
    each: float = 0.0  # seconds that a request takes
    overslept: float = 0.0
    is_plain: bool = False
    waits: list[float] = field(default_factory=list)
    requests: int = 0
    timeouts: list[dict[str, float]] = field(default_factory=list)
    request_logs: list[RequestLog] = field(default_factory=list)

    def ask(self, *, repeatable: bool = True, divisible: bool = False, within: float | None = None) -> dict[str, Any]:
        with httpx.Client(transport=httpx.MockTransport(self._respond)) as http:
            client = Client(
                http,
                f"http://{SERVER}/api/graphql",
                Deadline(self.seconds, lambda: self.now),
                on_request=self.request_logs.append,
                secrets=["s3cr3t-t0ken"],
                is_plain=self.is_plain,
                sleep=self._sleep,
            )
            if within:
                client = client.with_timeout(within)
            return client.execute(OPERATION, {}, repeatable=repeatable, divisible=divisible).data

    def _respond(self, request: httpx.Request) -> httpx.Response:
        answer = self.answers[min(self.requests, len(self.answers) - 1)]
        self.requests += 1
        self.timeouts.append(request.extensions["timeout"])
        self.now += self.each
        if isinstance(answer, Exception):
            raise answer
        return httpx.Response(answer.status_code, headers=answer.headers, content=answer.content)

    def _sleep(self, seconds: float) -> None:
        self.waits.append(seconds)
        self.now += seconds + self.overslept


@pytest.fixture
def _longest(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every wait drawn is the longest of its range."""
    monkeypatch.setattr("random.uniform", lambda _low, high: high)


def refused() -> Exception:
    return httpx.ConnectError("refused")


def broken() -> Exception:
    return httpx.ReadError("reset")


@pytest.mark.usefixtures("_longest")
def test_waits_double_up_to_the_longest() -> None:
    server = Server([*[BUSY] * 8, DATA])

    assert server.ask() == {"me": 1}
    assert server.waits == [0.25, 0.5, 1.0, 2.0, 4.0, 8.0, LONGEST_WAIT, LONGEST_WAIT]
    assert [log.attempt for log in server.request_logs] == [1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert backoff(100_000, None) == LONGEST_WAIT


def test_waits_are_drawn_so_that_gates_do_not_return_together() -> None:
    waits = set()
    for _ in range(20):
        server = Server([BUSY, DATA])
        server.ask()
        waits.update(server.waits)

    assert len(waits) > 1
    assert all(FIRST_WAIT / 2 <= wait <= FIRST_WAIT for wait in waits)


@pytest.mark.usefixtures("_longest")
@pytest.mark.parametrize(
    ("status", "seconds", "waits"),
    [(429, "7", [7.25, 0.5, 1.0]), (503, "7", [7.25, 0.5, 1.0]), (503, "0", [0.25, 0.5, 1.0])],
)
def test_retry_after_is_the_least_that_is_waited(status: int, seconds: str, waits: list[float]) -> None:
    server = Server([httpx.Response(status, headers={"retry-after": seconds}), *[BUSY] * 2, DATA])

    server.ask()

    assert server.waits == waits


@pytest.mark.parametrize(
    ("server", "message", "ends"),
    [
        # A connection is tried for half a minute of a long deadline, a busy server for all of it.
        (Server([refused()], seconds=3600), "Cannot connect to .* 30 s at most", (20, 30)),
        (Server([BUSY], seconds=300), r"503 .*`timeout`", (280, 300)),
        # Patience is that of the first failure.
        (Server([BUSY, refused()], seconds=300), "Cannot connect", (280, 300)),
        # A request that fails at the deadline is one attempt, and an attempt that it cut short is not the cause.
        (Server([BUSY], seconds=5, each=6), r"in time \(1 attempt\)\.", (6, 6)),
        (Server([BUSY, httpx.ReadTimeout("late")], seconds=10, each=6), r"503 \(2 attempts in \d+ s\)\.", (12, 13)),
        # Nothing is sent after a wait that took longer than planned.
        (Server([BUSY], seconds=5, overslept=10), r"503 \(1 attempt\)\.", (10, 11)),
    ],
)
def test_attempts_end_in_time_and_with_the_cause(server: Server, message: str, ends: tuple[float, float]) -> None:
    with pytest.raises(UnreachableError, match=message):
        server.ask()
    assert ends[0] <= server.now <= ends[1]


@pytest.mark.usefixtures("_longest")
def test_wait_that_would_reach_the_deadline_is_not_begun() -> None:
    server = Server([BUSY], seconds=0.75)

    with pytest.raises(UnreachableError, match=r"\(2 attempts in \d+ s\)\."):
        server.ask()
    assert server.waits == [0.25]


def test_partial_answer_is_better_than_none() -> None:
    server = Server([PARTIAL], seconds=300)

    assert server.ask() == {"a": 1, "b": None}
    assert server.requests > 1
    assert server.now <= 10


def test_partial_answer_before_another_failure_does_not_count() -> None:
    server = Server([PARTIAL, BUSY], seconds=300)

    with pytest.raises(UnreachableError):
        server.ask()


@pytest.mark.parametrize("before", [[], [httpx.ConnectError("refused")]])
def test_write_of_which_the_answer_was_lost_is_not_repeated(before: list[Answering]) -> None:
    server = Server([*before, broken(), DATA])

    with pytest.raises(TransientFailure) as raised:
        server.ask(repeatable=False)
    assert raised.value.may_have_executed
    assert server.requests == len(before) + 1


def test_write_that_did_not_arrive_is_repeated() -> None:
    assert Server([refused(), DATA]).ask(repeatable=False) == {"me": 1}
    with pytest.raises(UnreachableError, match="attempts in"):
        Server([refused()]).ask(repeatable=False)


@pytest.mark.parametrize("slow", [httpx.Response(504), httpx.ReadTimeout("late")])
def test_request_that_can_be_halved_is_not_repeated_where_it_is_too_slow(slow: Answering) -> None:
    server = Server([slow, DATA])

    with pytest.raises(RequestFailure) as raised:
        server.ask(divisible=True)
    assert (raised.value.status, server.requests) == (504, 1)


@pytest.mark.parametrize(("failure", "divisible"), [(BUSY, True), (httpx.ReadTimeout("late"), False)])
def test_request_that_is_not_too_slow_or_cannot_be_halved_is_repeated(failure: Answering, *, divisible: bool) -> None:
    assert Server([failure, DATA]).ask(divisible=divisible) == {"me": 1}


def test_request_is_not_halved_once_the_time_is_up() -> None:
    server = Server([httpx.ReadTimeout("late")], seconds=5, each=6)

    with pytest.raises(UnreachableError, match="does not answer in time"):
        server.ask(divisible=True)


def test_refusal_ends_the_attempts() -> None:
    server = Server([BUSY, httpx.Response(401), DATA])

    with pytest.raises(RefusedError):
        server.ask()
    assert server.requests == 2


def test_nothing_is_sent_after_the_deadline() -> None:
    server = Server([DATA], seconds=0)

    with pytest.raises(UnreachableError, match=f"^The time for asking {SERVER} is up\\."):
        server.ask()
    assert server.requests == 0


@pytest.mark.parametrize(
    ("is_plain", "speaks", "failure", "error"),
    [
        (True, False, broken(), RefusedError),
        (True, True, broken(), UnreachableError),
        # TLS has its own errors, and a server that is busy or refuses the connection has not closed it in silence.
        (False, False, broken(), UnreachableError),
        (True, False, BUSY, UnreachableError),
        (True, False, refused(), UnreachableError),
    ],
)
def test_server_that_closes_every_connection_may_not_speak_http(
    failure: Answering, error: type[Exception], monkeypatch: pytest.MonkeyPatch, *, is_plain: bool, speaks: bool
) -> None:
    monkeypatch.setattr("incident_gate.datahub.client.speaks_http", lambda *_: speaks)

    with pytest.raises(error) as raised:
        Server([failure], is_plain=is_plain).ask()
    assert ("not HTTP" in str(raised.value)) is (error is RefusedError)


@pytest.mark.usefixtures("_longest")
@pytest.mark.parametrize(("within", "seconds"), [(2, 60), (100, 2)])
def test_client_within_some_seconds_is_the_same_with_the_earlier_deadline(within: float, seconds: float) -> None:
    server = Server([BUSY], seconds=seconds)

    with pytest.raises(UnreachableError):
        server.ask(within=within)
    assert server.waits == [0.25, 0.5, 1.0]
    assert [log.operation for log in server.request_logs] == ["Ask"] * server.requests


def test_secret_in_an_answer_is_blanked_within_some_seconds_too() -> None:
    error = {"message": "no such token: s3cr3t-t0ken", "extensions": {"code": 400}}
    server = Server([httpx.Response(200, json={"data": None, "errors": [error]})])

    for within in (None, 2):
        with pytest.raises(RequestFailure) as raised:
            server.ask(within=within)
        assert "no such token" in str(raised.value)
        assert "s3cr3t" not in str(raised.value)


@pytest.mark.parametrize(("seconds", "read", "connect"), [(300, 45, 10), (20, 20, 10), (4, 4, 4)])
def test_one_request_takes_no_more_than_its_share_of_the_deadline(seconds: float, read: float, connect: float) -> None:
    server = Server([DATA], seconds=seconds)

    server.ask()

    assert server.timeouts == [{"connect": connect, "read": read, "write": read, "pool": read}]


def test_answer_beyond_the_limit_is_not_read() -> None:
    server = Server([httpx.Response(200, content=b" " * (size_limit(1) + 1))])

    with pytest.raises(RequestFailure, match="sends more than 8 MiB in one answer") as raised:
        server.ask()
    assert raised.value.status == 413


def test_host_name_that_cannot_be_written_is_a_wrong_setting() -> None:
    with pytest.raises(RefusedError, match="No request to"):
        Server([UnicodeError("label too long")]).ask()
