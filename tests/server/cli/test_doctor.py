"""The doctor: what it finds out about each server and token, and that it writes nothing."""

from __future__ import annotations

import io
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from pytest_httpx import HTTPXMock

from incident_gate.cli.main import run
from incident_gate.datahub.connection import Connection, parse_address, proxy_for
from incident_gate.doctor.checks import origins
from incident_gate.sandbox import Fault, FaultKind, Faults, Generation, Grant, Sandbox, ViewPolicy
from tests.helpers.asking import CUSTOMERS, DASHBOARD, JOB, ORDERS
from tests.helpers.command import gate

TOKEN = "doctor-token"
MODEL = "urn:li:mlModel:(urn:li:dataPlatform:sagemaker,forecast,PROD)"


def write(folder: Path, **assets: Sequence[str]) -> str:
    """Write a manifest with these inputs and outputs."""
    path = folder / "gate.yml"
    path.write_text(json.dumps(assets), encoding="utf-8")
    return str(path)


@pytest.fixture
def manifest(tmp_path: Path) -> str:
    return write(tmp_path, inputs=[ORDERS], outputs=[CUSTOMERS])


def doctor(server: Sandbox | str, *arguments: str, token: str = TOKEN) -> tuple[int, str]:
    out = io.StringIO()
    url = server if isinstance(server, str) else server.url
    environment = {"DATAHUB_GMS_URL": url, "DATAHUB_GMS_TOKEN": token}
    code = run(["doctor", *arguments], environment, out, io.StringIO())
    return code, out.getvalue()


def findings(server: Sandbox, *arguments: str, token: str = TOKEN) -> dict[str, tuple[str, str]]:
    code, out = doctor(server, *arguments, "--format", "json", token=token)
    document: Any = json.loads(out)
    assert document["version"] == 1
    assert document["healthy"] is (code == 0)
    assert code == (3 if any(f["state"] == "problem" for f in document["findings"]) else 0)
    return {f["subject"]: (f["state"], f["detail"] + " " + f["hint"]) for f in document["findings"]}


def start(generation: Generation = Generation.G4, **grant: Any) -> Any:
    def seed(store: Any) -> None:
        store.add_assets([ORDERS, CUSTOMERS])

    return Sandbox.start(schema=generation, tokens=[Grant(token=TOKEN, **grant)], seed=seed)


@pytest.mark.parametrize(
    ("generation", "name"),
    [
        (Generation.G1, "That of DataHub Cloud of 2022. Incidents are on datasets only."),
        (Generation.G2, "That of DataHub 0.13 to 0.15."),
        (Generation.G3, "That of DataHub 1.3 to 1.7."),
        (Generation.G4, "It has everything that the gate can use."),
    ],
)
def test_each_generation_is_recognised_and_nothing_is_written(generation: Generation, name: str, manifest: str) -> None:
    with start(generation) as server:
        found = findings(server, manifest)

        assert {subject: state for subject, (state, _) in found.items()} == {
            "settings": "ok",
            "address": "ok",
            "connection": "ok",
            "token": "ok",
            "version": "ok",
            "schema": "ok",
            "incidents": "unknown",
            "inputs": "ok",
            "outputs": "ok",
            "index lag": "note",
        }
        settings = "The address comes from DATAHUB_GMS_URL. The token comes from DATAHUB_GMS_TOKEN. "
        assert found["settings"][1] == settings
        assert found["connection"][1] == "DataHub answers without TLS. "
        assert found["schema"][1].strip() == name
        assert generation.version in found["version"][1]
        assert "belongs to datahub" in found["token"][1]
        assert "1 of 1 input can be read" in found["inputs"][1]
        assert not any("mutation" in request.query for request in server.requests)


def test_a_token_that_may_not_edit_is_a_problem_of_each_output(tmp_path: Path) -> None:
    with start(edits=(ORDERS,)) as server:
        found = findings(server, write(tmp_path, outputs=[CUSTOMERS, ORDERS]))

    state, text = found["output analytics.customers"]
    assert state == "problem"
    assert '"Edit Incidents"' in text
    assert found["outputs"] == (
        "problem",
        "Incidents can be edited on 1 of 2 outputs. What keeps the others from being edited is above.",
    )


def test_an_asset_that_is_hidden_or_missing_is_a_problem(tmp_path: Path) -> None:
    with start(sees=(ORDERS, DASHBOARD)) as server:
        found = findings(server, write(tmp_path, inputs=[ORDERS, DASHBOARD], outputs=[CUSTOMERS]))

    assert found["input sales"][0] == "problem"
    assert "Not found in DataHub" in found["input sales"][1]
    assert found["output analytics.customers"][0] == "problem"
    assert found["inputs"][0] == "problem"
    assert "1 of 2 inputs can be read" in found["inputs"][1]


@pytest.mark.parametrize(
    ("kind", "urn", "name"), [("input", DASHBOARD, "sales"), ("output", ORDERS, "analytics.orders")]
)
def test_nothing_that_can_be_used_is_not_called_fine(tmp_path: Path, kind: str, urn: str, name: str) -> None:
    with start(edits=()) as server:
        found = findings(server, write(tmp_path, **{f"{kind}s": [urn]}))

    assert found[f"{kind} {name}"][0] == "problem"
    assert f"{kind}s" not in found


def test_a_type_that_the_server_does_not_know_is_a_problem(tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text(f"outputs:\n  - urn: {CUSTOMERS}\n    incident: {{type: FRESHNESS}}\n")
    with start(Generation.G1) as server:
        state, text = findings(server, str(path))["output analytics.customers"]

    assert state == "problem"
    assert text.startswith("This server knows no incidents of type FRESHNESS. Name another `type`")


@pytest.mark.parametrize(
    "faults",
    [
        Faults(lacks=("Query.getGrantedPrivileges",)),
        Faults(rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, operation="incidentGatePrivileges", code=500),)),
        Faults(introspection=False),
    ],
)
def test_privileges_that_the_server_does_not_tell_stay_open(manifest: str, faults: Faults) -> None:
    with start() as server:
        server.faults = faults
        found = findings(server, manifest)

    assert (found["inputs"][0], found["outputs"][0]) == ("ok", "unknown")
    assert found["schema"][0] == ("ok" if faults.introspection else "unknown")


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        (None, "rejected the token (HTTP 401)"),
        (Fault(kind=FaultKind.HTML), "web page"),
        (Fault(kind=FaultKind.STATUS, status=500), "HTTP 500. Check the server's health and its log."),
    ],
)
def test_server_that_does_not_let_us_in_is_a_problem(manifest: str, fault: Fault | None, said: str) -> None:
    with start() as server:
        server.faults = Faults(rules=(fault,) if fault else ())
        found = findings(server, manifest, token=TOKEN if fault else "wrong")

    assert found["connection"][0] == "problem"
    assert said in found["connection"][1]
    assert found["the rest"][0] == "unknown"


@pytest.mark.parametrize("kind", ["inputs", "outputs"])
def test_a_server_that_fails_later_is_a_problem(tmp_path: Path, kind: str) -> None:
    with start() as server:
        server.faults = Faults(rules=(Fault(kind=FaultKind.REDIRECT, after=2),))
        found = findings(server, write(tmp_path, **{kind: [ORDERS]}))

    assert found["connection"][0] == "problem"
    assert found["schema"][0] == "ok"
    assert found.get(kind, ("", ""))[0] != "ok"


def test_what_the_manifest_does_not_name_is_not_looked_at(tmp_path: Path) -> None:
    with start() as server:
        found = findings(server, write(tmp_path, inputs=[ORDERS]))
        assert found["outputs"] == ("ok", "The manifest names none, so no outcome is reported. ")
        found = findings(server, write(tmp_path, outputs=[CUSTOMERS]))
        assert found["inputs"] == ("ok", "The manifest names none. ")


def answered(httpx_mock: HTTPXMock, members: dict[str, list[str]], user: dict[str, str] | None) -> dict[str, Any]:
    """What the doctor finds on a server that has these types and does not check who asks."""
    types = [
        {"name": name, "fields": [{"name": field} for field in fields]}
        for name, fields in ({"Query": ["dataset"]} | members).items()
    ]
    answers: dict[str, Any] = {
        "incidentGateSelf": {"me": user and {"corpUser": user}, "appConfig": None},
        "incidentGateSchema": {"__schema": {"types": types}},
    }

    def answer(request: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"data": answers[json.loads(request.content)["operationName"]]})

    httpx_mock.add_callback(answer, is_reusable=True)
    out = io.StringIO()
    arguments = ["doctor", "--datahub-url", "http://datahub:8080", "--format", "json"]
    run([*arguments, *([] if user is None else ["--datahub-token", TOKEN])], {}, out, io.StringIO())
    return {f["subject"]: f for f in json.loads(out.getvalue())["findings"]}


@pytest.mark.parametrize(
    ("user", "states", "said"),
    [
        (None, ("warning", "unknown"), "it does not check who asks"),
        ({}, ("unknown", "unknown"), "does not report whose it is"),
        ({"urn": "urn:li:corpuser:robot"}, ("ok", "unknown"), "belongs to urn:li:corpuser:robot"),
    ],
)
def test_token_is_described_as_far_as_the_server_knows_it(
    httpx_mock: HTTPXMock, user: dict[str, str] | None, states: tuple[str, str], said: str
) -> None:
    found = answered(httpx_mock, {"Dataset": ["incidents"]}, user)

    assert (found["token"]["state"], found["version"]["state"]) == states
    assert said in found["token"]["detail"]


def test_a_server_that_does_not_know_the_question_who_asks_is_looked_at_all_the_same(httpx_mock: HTTPXMock) -> None:
    refused = {"message": "Validation error (FieldUndefined@[me]) : Field 'me' in type 'Query' is undefined"}
    httpx_mock.add_response(json={"errors": [refused]})

    found = answered(httpx_mock, {"Dataset": ["incidents"]}, {"username": "ana"})

    assert (found["connection"]["state"], found["token"]["state"], found["schema"]["state"]) == ("ok", "unknown", "ok")


def test_a_server_without_incidents_is_a_problem(httpx_mock: HTTPXMock) -> None:
    found = answered(httpx_mock, {"Dataset": ["urn"]}, {})

    assert found["schema"]["state"] == "problem"
    assert "0.13 or later" in found["schema"]["hint"]


def test_default_manifest_is_looked_at_where_there_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    with start() as server:
        state, text = findings(server)["assets"]
        assert (state, ".github/incident-gate.yml" in text) == ("unknown", True)
        assert run(["doctor", "none.yml"], {"DATAHUB_GMS_URL": server.url}, io.StringIO(), io.StringIO()) == 2
        Path(".github").mkdir()
        Path(".github/incident-gate.yml").write_text(f"- {ORDERS}\n")
        assert findings(server)["inputs"][0] == "ok"


def test_people_get_one_paragraph_a_finding(manifest: str) -> None:
    with start(edits=()) as server:
        code, out = doctor(server, manifest)

    assert code == 3
    assert "problem  output analytics.customers: The token may not edit incidents on it.\n         → In DataHub" in out
    assert out.endswith("\n\n1 problem found.\n")
    assert all(len(line) <= 100 for line in out.splitlines())
    assert "more:" not in out  # there are few
    with start() as server:
        code, out = doctor(server, manifest)
    assert (code, out.splitlines()[-1]) == (0, "No problems found.")


@pytest.mark.parametrize(
    ("environment", "arguments", "expected"),
    [
        (
            {"DATAHUB_GMS_HOST": "{url}"},
            ("--datahub-token", TOKEN),
            "The address comes from DATAHUB_GMS_HOST. The token comes from --datahub-token.",
        ),
        (
            {"http_proxy": "http://ana:hidden@proxy:3128", "NO_PROXY": "127.0.0.0/8", "DATAHUB_GMS_TOKEN": TOKEN},
            ("--datahub-url", "{url}"),
            "Requests go past the proxy that http_proxy names: 127.0.0.0/8 in NO_PROXY covers the address.",
        ),
    ],
)
def test_origin_of_each_setting_is_shown(
    environment: dict[str, str], arguments: tuple[str, ...], expected: str, manifest: str
) -> None:
    with start() as server:
        variables = {name: value.format(url=server.url) for name, value in environment.items()}
        options = [argument.format(url=server.url) for argument in arguments]

        ended = gate("doctor", manifest, *options, "--format", "json", environment=variables)

    [found] = [finding for finding in ended.json["findings"] if finding["subject"] == "settings"]
    assert found["state"] == "ok"
    assert expected in found["detail"]
    assert "hidden" not in ended.out


def test_url_and_host_that_disagree_are_a_warning(manifest: str) -> None:
    with start() as server:
        variables = {"DATAHUB_GMS_URL": server.url, "DATAHUB_GMS_HOST": "datahub-gms", "DATAHUB_GMS_TOKEN": TOKEN}

        ended = gate("doctor", manifest, environment=variables)

    assert "DATAHUB_GMS_URL and DATAHUB_GMS_HOST name different servers" in " ".join(ended.out.split())


def test_origins_of_certificates_are_shown() -> None:
    connection = Connection(
        address=parse_address("https://datahub.example.com", setting="datahub-url"),
        token="",
        proxy=proxy_for("https://datahub.example.com", {"HTTPS_PROXY": "http://ana:hidden@proxy:3128"}),
        ca_bundle=Path("ca.pem"),
        certificate_folder="/etc/ssl/certs",
    )

    assert " ".join(origins(connection)) == (
        "The address comes from datahub-url. There is no token. Requests go through the proxy http://proxy:3128, which "
        "HTTPS_PROXY names. Certificate authorities are those of SSL_CERT_DIR, and those of ca-bundle."
    )


@pytest.mark.parametrize(
    ("views", "state", "text"),
    [
        (ViewPolicy(urns=(ORDERS, CUSTOMERS)), "problem", "do not show 1 active incident that the assets' summaries"),
        (ViewPolicy(), "ok", "1 active incident listed, and the assets' summaries name no other. "),
    ],
)
def test_policy_that_hides_incidents_is_a_problem(manifest: str, views: ViewPolicy, state: str, text: str) -> None:
    with start(Generation.CLOUD, views=(views,)) as server:
        server.store.raise_incident(ORDERS)
        found = findings(server, manifest)["incidents"]

    assert found[0] == state
    assert text in found[1]
    assert ('"View Entity Page" on all assets' in found[1]) is (state == "problem")


@pytest.mark.parametrize(
    ("urn", "grant"),
    [
        (JOB, {"edits": (JOB,)}),
        (MODEL, {"edits": (MODEL,)}),
        # Edit Entity suffices.
        (ORDERS, {"edits": (), "edits_entities": None}),
    ],
)
def test_privileges_are_asked_of_every_type(tmp_path: Path, urn: str, grant: dict[str, Any]) -> None:
    with start(**grant) as server:
        server.store.add_asset(urn)

        assert findings(server, write(tmp_path, outputs=[urn]))["outputs"][0] == "ok"
