"""The sandbox as its command starts it."""

import json
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import httpx
import pytest

from incident_gate.sandbox import Generation, Sandbox
from incident_gate.sandbox.seed import sample_seed
from tests.helpers.asking import plain_client
from tests.helpers.processes import PATIENCE, popen

KAFKA = "urn:li:dataset:(urn:li:dataPlatform:kafka,SampleKafkaDataset,PROD)"


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    with plain_client(timeout=5) as client:
        yield client


CURL_RAISE = (
    'mutation raiseIncident { raiseIncident(input: { type: OPERATIONAL title: "Dataset Failed Quality Checks" '
    'description: "Dataset failed 2/6 Quality Checks" '
    'resourceUrn: "urn:li:dataset:(urn:li:dataPlatform:kafka,SampleKafkaDataset,PROD)" }) }'
)


CURL_READ = (
    "query dataset { dataset(urn: %s) { incidents(state: ACTIVE, start: 0, count: 10) "
    "{ total incidents { urn title description status { state } } } } }"
)


CURL_RESOLVE = (
    'mutation updateIncidentStatus { updateIncidentStatus(urn: %s, input: { state: RESOLVED message: "Fixed" }) }'
)


@contextmanager
def served(*arguments: str) -> Iterator[str]:
    """The address of a sandbox that was started by its command, and that stops without a complaint."""
    program = (
        "import argparse, sys; from incident_gate.sandbox import command; parser = argparse.ArgumentParser(); "
        "command.add_arguments(parser); sys.exit(command.run(parser.parse_args()))"
    )
    process = popen(
        [sys.executable, "-W", "error", "-c", program, "--port", "0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        yield process.stdout.readline().split()[-1]
    finally:
        process.send_signal(signal.SIGTERM)
        _, complaints = process.communicate(timeout=PATIENCE)
    assert (process.returncode, complaints) == (0, "")


@pytest.mark.parametrize("generation", list(Generation))
def test_documented_calls(http: httpx.Client, generation: Generation) -> None:
    with Sandbox.start(schema=generation, seed=sample_seed) as server:
        _make_documented_calls(http, server.url)


@pytest.mark.parametrize("generation", [Generation.G1, Generation.CLOUD])
def test_command_serves_the_documented_calls(http: httpx.Client, generation: Generation) -> None:
    with served("--schema", generation) as url:
        _make_documented_calls(http, url)
        assert http.get(f"{url}/config").json()["versions"]["acryldata/datahub"]["version"] == generation.version


def _make_documented_calls(http: httpx.Client, url: str) -> None:
    def call(query: str) -> dict[str, dict[str, dict[str, object]]]:
        headers = {"Authorization": "Bearer sandbox-token"}
        answer = http.post(f"{url}/api/graphql", json={"query": query, "variables": {}}, headers=headers).json()
        assert "errors" not in answer, answer
        data: dict[str, dict[str, dict[str, object]]] = answer["data"]
        return data

    urn = call(CURL_RAISE)["raiseIncident"]
    listed = call(CURL_READ % json.dumps(KAFKA))["dataset"]["incidents"]
    assert listed == {
        "total": 1,
        "incidents": [
            {
                "urn": urn,
                "title": "Dataset Failed Quality Checks",
                "description": "Dataset failed 2/6 Quality Checks",
                "status": {"state": "ACTIVE"},
            }
        ],
    }
    assert str(call(CURL_RESOLVE % json.dumps(urn))["updateIncidentStatus"]).lower() == "true"
    assert call(CURL_READ % json.dumps(KAFKA))["dataset"]["incidents"] == {"total": 0, "incidents": []}


@pytest.mark.parametrize(
    ("arguments", "accepted"),
    [((), {"sandbox-token": 200, "any": 200, "": 401}), (("--token", "one"), {"one": 200, "any": 401, "": 401})],
)
def test_command_accepts_any_token_unless_one_is_named(
    http: httpx.Client, arguments: tuple[str, ...], accepted: dict[str, int]
) -> None:
    with served(*arguments) as url:
        statuses = {
            token: http.post(
                f"{url}/api/graphql",
                json={"query": "{ __typename }"},
                headers={"Authorization": f"Bearer {token}".strip()},
            ).status_code
            for token in accepted
        }
    assert statuses == accepted
