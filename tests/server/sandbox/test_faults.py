"""Requests that meet a fault."""

import threading
import time
from types import SimpleNamespace

import httpx
import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, IncidentRecord, Sandbox
from incident_gate.sandbox.faults import FaultBook
from tests.helpers.asking import CUSTOMERS, ORDERS, Asker, plain_client

RAISE = f'mutation raiseIncident {{ raiseIncident(input: {{ type: OPERATIONAL resourceUrn: "{ORDERS}" }}) }}'
READ = "query gate($urns: [String!]!) { entities(urns: $urns) { urn } }"
LIST = f"""query list {{ dataset(urn: "{ORDERS}") {{
  incidents(state: ACTIVE) {{ total incidents {{ urn status {{ state }} }} }} }} }}"""


def set_rules(sandbox: Sandbox, *rules: Fault) -> None:
    sandbox.faults = Faults(rules=rules)


def raised(sandbox: Sandbox) -> list[IncidentRecord]:
    return sandbox.store.incidents(ORDERS)


@pytest.fixture(autouse=True)
def orders(sandbox: Sandbox) -> None:
    sandbox.store.add_asset(ORDERS)


@pytest.mark.parametrize(
    ("fault", "shown", "landed"),
    [
        (Fault(kind=FaultKind.RATE_LIMIT, retry_after="7"), 429, 0),
        (Fault(kind=FaultKind.HTML), "<!doctype", 0),
        (Fault(kind=FaultKind.REDIRECT, location="http://login.example.com/"), 302, 0),
        (Fault(kind=FaultKind.STATUS, status=502), 502, 0),
        (Fault(kind=FaultKind.STATUS_AFTER, status=502), 502, 1),
        (Fault(kind=FaultKind.GRAPHQL_ERROR, code=503), "SERVICE_UNAVAILABLE", 0),
        (Fault(kind=FaultKind.GRAPHQL_ERROR_AFTER, code=409), "CONFLICT", 1),
        (Fault(kind=FaultKind.DROP_BEFORE), httpx.ReadError, 0),
        (Fault(kind=FaultKind.DROP_AFTER), httpx.ReadError, 1),
        (Fault(kind=FaultKind.DELAYED_WRITE, seconds=0.3), httpx.ReadError, 1),
        (Fault(kind=FaultKind.HANG), httpx.ReadTimeout, 0),
        (Fault(kind=FaultKind.HANG, seconds=0.1), httpx.ReadError, 0),
        (Fault(kind=FaultKind.HANG_AFTER), httpx.ReadTimeout, 1),
    ],
)
def test_what_a_client_sees_and_what_was_written(
    sandbox: Sandbox, fault: Fault, shown: int | str | type[httpx.HTTPError], landed: int
) -> None:
    set_rules(sandbox, fault)
    with plain_client(timeout=0.5) as http:
        if isinstance(shown, type):
            with pytest.raises(shown):
                Asker(http).post(sandbox, RAISE)
        else:
            response = Asker(http).post(sandbox, RAISE)
            assert response.status_code == (shown if isinstance(shown, int) else 200)
            assert isinstance(shown, int) or shown in response.text
            assert response.headers.get("retry-after") == fault.retry_after
            assert response.headers.get("location") == (fault.location if shown == 302 else None)
    # A delayed write lands after the connection was reset.
    if fault.kind is FaultKind.DELAYED_WRITE:
        assert raised(sandbox) == []
    deadline = time.monotonic() + 60
    while len(raised(sandbox)) < landed and time.monotonic() < deadline:
        time.sleep(0.02)
    assert len(raised(sandbox)) == landed


def test_request_executed_twice(ask: Asker, sandbox: Sandbox) -> None:
    set_rules(sandbox, Fault(kind=FaultKind.TWICE))
    answer = ask.data(sandbox, RAISE)
    records = raised(sandbox)
    assert len(records) == 2
    assert answer["raiseIncident"] in {record.urn for record in records}
    with_id = RAISE.replace("type:", 'id: "mine" type:')
    assert ask.error(sandbox, with_id)["extensions"]["code"] == 409
    assert len(raised(sandbox)) == 3


def test_latency_of_all_and_of_one(ask: Asker, sandbox: Sandbox) -> None:
    of_one = Fault(kind=FaultKind.LATENCY, operation="raiseIncident", seconds=0.2)
    of_another = Fault(kind=FaultKind.LATENCY, operation="resolveIncident", seconds=3_600)
    sandbox.faults = Faults(latency=0.1, rules=(of_one, of_another))
    begin = time.monotonic()
    ask.data(sandbox, READ, urns=[])
    middle = time.monotonic()
    ask.data(sandbox, RAISE)
    assert middle - begin >= 0.1
    assert time.monotonic() - middle >= 0.3


def test_latency_does_not_hold_up_other_requests(ask: Asker) -> None:
    def wait(server: Sandbox) -> None:
        with pytest.raises(httpx.HTTPError), plain_client(timeout=None) as http:
            Asker(http).data(server, READ, urns=[])

    with Sandbox.start(faults=Faults(rules=(Fault(kind=FaultKind.LATENCY, times=1, seconds=3_600),))) as server:
        waiting = threading.Thread(target=wait, args=(server,))
        waiting.start()
        while not server.requests:
            time.sleep(0.01)
        ask.data(server, READ, urns=[])
    waiting.join()


def test_error_rate_follows_its_seed(ask: Asker, sandbox: Sandbox) -> None:
    def draw(seed: int) -> list[int]:
        sandbox.faults = Faults(error_rate=0.5, seed=seed)
        return [ask.post(sandbox, READ, {"urns": []}).status_code for _ in range(20)]

    first = draw(1)
    assert set(first) == {200, 503}
    assert draw(1) == first
    assert draw(2) != first


def test_rule_strikes_the_operation_by_its_name_or_field(ask: Asker, sandbox: Sandbox) -> None:
    for operation in ("raise.*", "raiseIncident"):
        set_rules(sandbox, Fault(kind=FaultKind.HTML, operation=operation))
        assert ask.post(sandbox, RAISE.replace("mutation raiseIncident", "mutation other")).text.startswith("<!doctype")
        assert ask.post(sandbox, READ, {"urns": []}).status_code == 200
        ask.data(sandbox, READ, urns=[])
    set_rules(sandbox, Fault(kind=FaultKind.STATUS, operation="gate"))
    assert ask.post(sandbox, READ, {"urns": []}).status_code == 503


def test_rule_strikes_requests_that_mention_a_urn(ask: Asker, sandbox: Sandbox) -> None:
    set_rules(sandbox, Fault(kind=FaultKind.STATUS, urn=ORDERS))
    assert ask.post(sandbox, READ, {"urns": [CUSTOMERS, ORDERS]}).status_code == 503
    assert ask.post(sandbox, READ, {"urns": [CUSTOMERS]}).status_code == 200


def test_rule_waits_and_wears_out(ask: Asker, sandbox: Sandbox) -> None:
    set_rules(sandbox, Fault(kind=FaultKind.STATUS, operation="entities", after=1, times=2))
    statuses = []
    for _ in range(5):
        ask.data(sandbox, LIST)
        statuses.append(ask.post(sandbox, READ, {"urns": []}).status_code)
    assert statuses == [200, 503, 503, 200, 200]


def test_setting_faults_counts_anew(ask: Asker, sandbox: Sandbox) -> None:
    faults = Faults(rules=(Fault(kind=FaultKind.STATUS, times=1),))
    for _ in range(2):
        sandbox.faults = faults
        assert [ask.post(sandbox, READ, {"urns": []}).status_code for _ in range(2)] == [503, 200]


def test_lag_hides_a_raise_and_then_a_resolution(ask: Asker, sandbox: Sandbox, clock: SimpleNamespace) -> None:
    sandbox.faults = Faults(lag=1.0)
    urn = ask.data(sandbox, RAISE)["raiseIncident"]
    assert len(raised(sandbox)) == 1
    assert ask.data(sandbox, LIST)["dataset"]["incidents"] == {"total": 0, "incidents": []}
    assert ask.data(sandbox, f'{{ entityExists(urn: "{urn}") }}') == {"entityExists": True}
    clock.now += 1.0
    assert ask.data(sandbox, LIST)["dataset"]["incidents"]["total"] == 1
    ask.data(
        sandbox, f'mutation updateIncidentStatus {{ updateIncidentStatus(urn: "{urn}", input: {{ state: RESOLVED }}) }}'
    )
    stale = ask.data(sandbox, LIST)["dataset"]["incidents"]
    assert stale == {"total": 1, "incidents": [{"urn": urn, "status": {"state": "RESOLVED"}}]}
    clock.now += 1.0
    assert ask.data(sandbox, LIST)["dataset"]["incidents"] == {"total": 0, "incidents": []}


def test_random_lag_never_reorders_the_changes_of_one_incident(
    ask: Asker, sandbox: Sandbox, clock: SimpleNamespace
) -> None:
    sandbox.store.add_asset(CUSTOMERS)
    urn = sandbox.store.raise_incident(ORDERS, lag=1.0)
    sandbox.store.resolve(urn, lag=0.0)
    assert ask.data(sandbox, LIST)["dataset"]["incidents"]["total"] == 0
    clock.now += 1.0
    assert ask.data(sandbox, LIST)["dataset"]["incidents"]["total"] == 0
    everything = f'{{ dataset(urn: "{ORDERS}") {{ incidents(state: RESOLVED) {{ total }} }} }}'
    assert ask.data(sandbox, everything)["dataset"]["incidents"]["total"] == 1


def test_random_lag_shows_writes_one_by_one(ask: Asker, sandbox: Sandbox, clock: SimpleNamespace) -> None:
    sandbox.faults = Faults(lag=(0.0, 0.6), seed=5)
    for _ in range(8):
        ask.data(sandbox, RAISE)
    totals = []
    for _ in range(13):
        totals.append(ask.data(sandbox, LIST)["dataset"]["incidents"]["total"])
        clock.now += 0.05
    assert totals == sorted(totals)
    assert totals[-1] == 8
    assert len(set(totals)) > 2


def test_lag_is_repeatable_and_within_its_bounds() -> None:
    def draw(seed: int) -> list[float]:
        book = FaultBook(Faults(lag=(1.0, 3.0), seed=seed))
        return [book.lags()[0] for _ in range(50)]

    assert all(1.0 <= lag <= 3.0 for lag in draw(1))
    assert min(draw(1)) < 1.5
    assert max(draw(1)) > 2.5
    assert draw(1) == draw(1) != draw(2)


def test_faults_over_http(ask: Asker, sandbox: Sandbox) -> None:
    rules = [{"kind": "status", "operation": "entities", "times": 1, "status": 502}]
    with plain_client() as http:
        answer = http.post(
            f"{sandbox.url}/sandbox/faults", json={"rules": rules, "lag": [0, 2], "page_limit": 5, "lacks": ["aspects"]}
        )
        assert answer.status_code == 200
        assert sandbox.faults == Faults(
            rules=(Fault(kind=FaultKind.STATUS, operation="entities", times=1, status=502),),
            lag=(0.0, 2.0),
            page_limit=5,
            lacks=("aspects",),
        )
        assert ask.post(sandbox, READ, {"urns": []}).status_code == 502
        mistakes: list[object] = [
            {"latencies": 1},
            {"rules": [{"kind": "no"}]},
            {"rules": [{"kind": "html", "x": 1}]},
            [],
        ]
        for wrong in mistakes:
            assert http.post(f"{sandbox.url}/sandbox/faults", json=wrong).status_code == 400
    assert sandbox.faults.page_limit == 5
