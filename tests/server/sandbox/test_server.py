"""The server itself: addresses, tokens, what it notes, its life, its data, and the command that starts it."""

import argparse
import gc
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from urllib.parse import quote

import httpx
import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Request, Sandbox, command
from incident_gate.sandbox.seed import sample_seed
from tests.helpers.asking import ORDERS, Asker, plain_client

ME = "query me { me { corpUser { urn } } }"
KAFKA = "urn:li:dataset:(urn:li:dataPlatform:kafka,SampleKafkaDataset,PROD)"


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with plain_client(timeout=5) as client:
        yield client


@pytest.mark.parametrize("path", ["/api/graphql", "/gms/api/graphql", "/api/gms/graphql", "/api/gms/api/graphql"])
def test_graphql_answers_on_every_known_path(ask: Asker, sandbox: Sandbox, path: str) -> None:
    assert ask.post(sandbox, ME, path=path).json()["data"]["me"]["corpUser"]["urn"] == "urn:li:corpuser:datahub"
    assert sandbox.requests[-1].path == path


def test_get_is_not_answered_with_graphql(http: httpx.Client, sandbox: Sandbox) -> None:
    response = http.get(f"{sandbox.url}/api/graphql", params={"query": ME})
    assert "json" not in response.headers["content-type"]
    assert len(sandbox.requests) == 0


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer wrong", "Basic sandbox-token", "sandbox-token"])
def test_wrong_token_is_401_without_graphql(http: httpx.Client, sandbox: Sandbox, authorization: str | None) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    response = http.post(f"{sandbox.url}/api/graphql", json={"query": ME}, headers=headers)
    assert response.status_code == 401
    assert "json" not in response.headers["content-type"]


@pytest.mark.parametrize(
    "body", [b"", b"{", b"[]", b'"text"', b'{"query": 1}', b'{"query": "{me}", "variables": []}', b"\xff"]
)
def test_body_that_is_no_request_is_400(http: httpx.Client, sandbox: Sandbox, body: bytes) -> None:
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    response = http.post(f"{sandbox.url}/api/graphql", content=body, headers=headers)
    assert response.status_code == 400


def test_requests_are_noted(ask: Asker, sandbox: Sandbox) -> None:
    begin = time.monotonic()
    ask.post(sandbox, "query named($u: String!) { entityExists(urn: $u) }", {"u": ORDERS}, operation="named")
    ask.post(sandbox, ME)
    first, second = sandbox.requests
    assert (first.operation, first.variables, first.path) == ("named", {"u": ORDERS}, "/api/graphql")
    assert first.query.startswith("query named")
    assert first.headers["authorization"] == "Bearer sandbox-token"
    assert begin <= first.at <= second.at <= time.monotonic()
    assert sandbox.requests.operations == ["named", "me"]
    sandbox.requests.clear()
    assert list(sandbox.requests) == []


def test_requests_over_http_hide_the_token(ask: Asker, http: httpx.Client, sandbox: Sandbox) -> None:
    ask.data(sandbox, ME)
    response = http.get(f"{sandbox.url}/sandbox/requests")
    (noted,) = response.json()["requests"]
    assert (noted["operation"], noted["headers"]["authorization"]) == ("me", "***")
    assert "sandbox-token" not in response.text


def test_reset_goes_back_to_the_seed(ask: Asker, http: httpx.Client) -> None:
    with Sandbox.start(seed=sample_seed, faults=Faults(page_limit=1)) as server:
        server.store.add_asset(ORDERS)
        server.store.raise_incident(KAFKA, lag=5)
        ask.data(server, ME)
        assert http.post(f"{server.url}/sandbox/reset").status_code == 200
        assert server.store.incidents(KAFKA) == []
        assert server.store.assets([ORDERS, KAFKA]).keys() == {KAFKA}
        assert (len(server.requests), server.faults) == (0, Faults())
        server.store.raise_incident(KAFKA)
        query = f'{{ dataset(urn: "{KAFKA}") {{ incidents {{ total }} }} }}'
        assert ask.data(server, query)["dataset"]["incidents"]["total"] == 1


@pytest.mark.parametrize("prefix", ["", "/gms", "/api/gms"])
def test_config_and_health_need_no_token(http: httpx.Client, each_sandbox: Sandbox, prefix: str) -> None:
    config = http.get(f"{each_sandbox.url}{prefix}/config").json()
    assert config["noCode"] == "true"
    assert config["versions"]["acryldata/datahub"]["version"] == each_sandbox.generation.version
    assert http.get(f"{each_sandbox.url}{prefix}/health").status_code == 200


def test_page_for_a_browser_needs_no_other_host(http: httpx.Client, sandbox: Sandbox) -> None:
    page = http.get(f"{sandbox.url}/api/graphiql")
    assert page.headers["content-type"].startswith("text/html")
    assert '<textarea id="query"' in page.text
    assert "http" not in page.text.replace("http-equiv", "")


def test_leaves_no_thread(ask: Asker) -> None:
    with Sandbox.start() as server:
        ask.data(server, ME)
    assert not [thread for thread in threading.enumerate() if thread.name == "sandbox"]


def test_stops_at_once_with_clients_hanging(sandbox: Sandbox) -> None:
    failures = []

    def hang(server: Sandbox) -> None:
        with plain_client(timeout=None) as client:
            try:
                Asker(client).post(server, ME)
            except httpx.HTTPError as error:
                failures.append(error)

    with Sandbox.start(faults=Faults(rules=(Fault(kind=FaultKind.HANG),))) as server:
        threads = [threading.Thread(target=hang, args=(server,)) for _ in range(3)]
        for thread in threads:
            thread.start()
        while len(server.requests) < len(threads):
            time.sleep(0.01)
    for thread in threads:
        thread.join()
    assert len(failures) == 3
    assert sandbox.url != server.url


def test_stops_while_it_accepts_connections() -> None:
    """A socket that the server forgot would end this test: a ResourceWarning is an error here."""
    for _ in range(5):
        with Sandbox.start() as server:
            port = int(server.url.rpartition(":")[2])
            clients = [socket.create_connection(("127.0.0.1", port)) for _ in range(5)]
        for client in clients:
            client.close()
    gc.collect()  # takes a second in a process with many tests


def test_data_file_outlives_the_server(ask: Asker, tmp_path: Path, clock: SimpleNamespace) -> None:
    file = tmp_path / "sandbox.db"
    with Sandbox.start(data=file, seed=sample_seed) as server:
        server.store.raise_incident(KAFKA, title="late", lag=1.0)
        server.store.add_asset(KAFKA, removed=True)
    clock.now += 1.0
    with Sandbox.start(data=file, seed=sample_seed) as server:
        query = f'{{ dataset(urn: "{KAFKA}") {{ status {{ removed }} incidents {{ total incidents {{ title }} }} }} }}'
        incidents = {"total": 1, "incidents": [{"title": "late"}]}
        assert ask.data(server, query)["dataset"] == {"status": {"removed": True}, "incidents": incidents}


def parsed(*arguments: str) -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    command.add_arguments(parser)
    return parser.parse_args(arguments)


def test_data_can_change_between_two_requests(ask: Asker, sandbox: Sandbox) -> None:
    urn = sandbox.store.raise_incident(ORDERS)

    def resolve_before_the_second(request: Request) -> None:
        if len(sandbox.requests) == 2:
            assert request is sandbox.requests[1]
            sandbox.store.resolve(urn, message="by a person")

    sandbox.on_request = resolve_before_the_second
    query = f'{{ dataset(urn: "{ORDERS}") {{ incidents(state: ACTIVE) {{ total }} }} }}'
    totals = [ask.data(sandbox, query)["dataset"]["incidents"]["total"] for _ in range(3)]
    assert totals == [1, 0, 0]


def test_address_that_cannot_be_used_is_named(capsys: pytest.CaptureFixture[str], sandbox: Sandbox) -> None:
    port = sandbox.url.rpartition(":")[2]
    assert [command.run(parsed("--port", port)), command.run(parsed("--host", "no.such.host.invalid"))] == [2, 2]
    in_use, unknown = capsys.readouterr().err.splitlines()
    where = f"error: Cannot listen on 127.0.0.1, port {port}: "
    assert in_use == f"{where}Address already in use; choose another with --port."
    assert unknown.startswith("error: Cannot listen on no.such.host.invalid, port 9002: ")


@pytest.mark.parametrize("port", ["-1", "65536", "http"])
def test_port_that_does_not_exist_is_refused(capsys: pytest.CaptureFixture[str], port: str) -> None:
    with pytest.raises(SystemExit):
        parsed(f"--port={port}")
    assert f"is '{port}': use a number from 0 to 65535" in capsys.readouterr().err


def test_links_to_assets_lead_to_the_sandbox_itself(http: httpx.Client) -> None:
    """Port 9002 is that of DataHub's UI: what is derived from it is the same address."""
    assert parsed().port == 9002
    with Sandbox.start() as server:
        page = http.get(f"{server.url}/dataset/{KAFKA}/Incidents")
    assert (page.status_code, page.headers["content-type"]) == (200, "text/html; charset=utf-8")


def test_address_of_an_ipv6_host_has_brackets(ask: Asker) -> None:
    with Sandbox.start(host="::1") as server:
        assert server.url.startswith("http://[::1]:")
        assert ask.data(server, ME)


def test_help_lists_the_samples(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        parsed("--help")
    assert KAFKA in capsys.readouterr().out


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", f"/aspects/{KAFKA}?aspect=datasetKey&version=0", 200),
        ("GET", f"/gms/entitiesV2/{quote(KAFKA, safe='')}", 200),
        ("GET", f"/aspects/{KAFKA}?aspect=glossaryTerms&version=0", 404),
        ("GET", f"/aspects/{KAFKA}x?aspect=datasetKey&version=0", 400),
        ("GET", f"/aspects/{KAFKA.replace('Kafka', 'kafka')}?aspect=datasetKey&version=0", 404),
        ("GET", f"/entitiesV2/{KAFKA.replace('Kafka', 'kafka')}", 404),
        # What the sandbox does not serve is not absent.
        ("GET", f"/aspects/{KAFKA}?aspect=schemaMetadata&version=0", 501),
        ("GET", "/aspects/urn:li:incident:a?aspect=incidentKey&version=0", 501),
        ("POST", "/entities?action=ingest", 501),
        ("GET", "/openapi/v3/entity/dataset", 501),
        ("HEAD", "/openapi/v3/entity/dataset/x", 501),
        ("POST", "/somewhere", 404),
    ],
)
def test_rest_paths(http: httpx.Client, sandbox: Sandbox, method: str, path: str, status: int) -> None:
    sandbox.store.add_asset(KAFKA)

    answer = http.request(method, sandbox.url + path, headers={"Authorization": f"Bearer {sandbox.token}"})

    assert answer.status_code == status
    assert method == "HEAD" or status == 200 or answer.json()["status"] == status


def test_rest_reads_the_key_and_what_was_ingested(http: httpx.Client, sandbox: Sandbox) -> None:
    sandbox.store.add_asset(KAFKA, owners=["urn:li:corpuser:ana"])
    headers = {"Authorization": f"Bearer {sandbox.token}"}
    key = {"platform": "urn:li:dataPlatform:kafka", "name": "SampleKafkaDataset", "origin": "PROD"}

    one = http.get(f"{sandbox.url}/aspects/{KAFKA}?aspect=datasetKey", headers=headers).json()["aspect"]
    every = http.get(f"{sandbox.url}/entitiesV2/{KAFKA}", headers=headers).json()["aspects"]

    assert one == {"com.linkedin.metadata.key.DatasetKey": key}
    assert every["datasetKey"]["value"] == key
    assert "ownership" in every
    assert http.get(f"{sandbox.url}/entitiesV2/{KAFKA}").status_code == 401
