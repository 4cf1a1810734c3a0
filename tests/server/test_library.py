"""The library: what it returns and raises, and that it neither prints, reads the environment nor imports early."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

import incident_gate
from incident_gate import BlockedError, GateError, Settings, check, report_outcome, to_json
from incident_gate.errors import DataHubError, RefusedError, SettingError, WriteError
from incident_gate.manifest.model import ManifestError
from incident_gate.sandbox import Fault, FaultKind, Faults, Grant, Sandbox
from incident_gate.settings.options import OPTIONS
from tests.helpers.asking import CUSTOMERS, ORDERS


def settings(server: Sandbox, **options: object) -> Settings:
    given: dict[str, object] = {"datahub_url": server.url, "datahub_token": server.token, "incident_key": "dag.task"}
    return Settings(**given | options)  # type: ignore[arg-type]


def test_check_returns_the_report_of_a_pass(datahub: Sandbox) -> None:
    report = check(settings(datahub, inputs=[ORDERS, CUSTOMERS]))

    assert (report.conclusion, report.verdict) == ("pass", "healthy")
    assert [decision.entry.urn.text for decision in report.decisions] == [ORDERS, CUSTOMERS]


def test_check_raises_with_the_report_where_an_input_blocks(datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="late")

    with pytest.raises(BlockedError, match=r"^Blocked: 1 incident on 1 input\.") as caught:
        check(settings(datahub, inputs=[ORDERS]))

    assert isinstance(caught.value, GateError)
    assert caught.value.exit_code == 1
    assert caught.value.report.decisions[0].blocking[0].title == "late"
    assert caught.value.hint.startswith("Resolve the incidents in DataHub;")
    assert json.loads(to_json(caught.value.report))["inputs"][0]["incidents"][0]["title"] == "late"
    with pytest.raises(BlockedError, match="not found") as caught:
        check(settings(datahub, inputs=[ORDERS.replace("orders", "ordres")]))
    assert caught.value.hint.startswith("Fix the input;")
    assert check(settings(datahub, inputs=[ORDERS], on_incident="warn")).conclusion == "warn"
    assert check(settings(datahub, inputs=[ORDERS], override="known")).conclusion == "warn"


def test_datahub_that_refuses_or_is_down_is_an_error_of_its_own(datahub: Sandbox) -> None:
    with pytest.raises(RefusedError, match="rejected the token"):
        check(settings(datahub, inputs=[ORDERS], datahub_token="wrong-token"))
    datahub.faults = Faults(rules=(Fault(kind=FaultKind.STATUS, status=503),))
    with pytest.raises(DataHubError):
        check(settings(datahub, inputs=[ORDERS], timeout=1))


def test_manifest_is_read(datahub: Sandbox, tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text("inputs:\n  - ${TABLE}\n")

    report = check(settings(datahub, manifest=path, variables={"TABLE": ORDERS}))
    assert [decision.entry.urn.text for decision in report.decisions] == [ORDERS]
    with pytest.raises(ManifestError, match="TABLE"):
        check(settings(datahub, manifest=path))


def test_outcome_is_raised_and_resolved(datahub: Sandbox) -> None:
    job = settings(datahub, outputs=[CUSTOMERS], incident_title="customers was not built")

    raised = report_outcome(job, "failure").outcome
    assert [incident.title for incident in datahub.store.incidents(CUSTOMERS, "ACTIVE")] == ["customers was not built"]
    resolved = report_outcome(job, "success").outcome

    assert raised
    assert resolved
    assert [result.change for result in (*raised.results, *resolved.results)] == ["raised", "resolved"]
    assert len(datahub.store.incidents(CUSTOMERS, "ACTIVE")) == 0


def test_output_that_cannot_be_written_raises() -> None:
    with Sandbox.start(tokens=[Grant(token="reader-token", edits=())]) as server:
        server.store.add_asset(CUSTOMERS)

        with pytest.raises(WriteError, match=r"analytics\.customers: "):
            report_outcome(settings(server, datahub_token="reader-token", outputs=[CUSTOMERS]), "failure")


@pytest.mark.parametrize("status", [None, ["failure"], True, "", "running"])
def test_status_that_is_none_is_an_error_of_its_own(datahub: Sandbox, status: object) -> None:
    with pytest.raises(SettingError, match=r"^(job_)?status is "):
        report_outcome(settings(datahub, outputs=[CUSTOMERS]), status)  # type: ignore[arg-type]

    assert len(datahub.requests) == 0


def test_arguments_are_options_of_the_table_with_its_defaults() -> None:
    defaults = Settings.__init__.__kwdefaults__
    assert defaults
    for name, default in defaults.items():
        option = OPTIONS[name.replace("_", "-")]
        value = Settings(datahub_url="https://datahub.example.com", **{name: default}).option(option.name)
        assert option.parse(value or option.default, name) == option.parse(option.default, name)


def test_errors_advise_no_variable_and_cite_no_file(datahub: Sandbox) -> None:
    errors = []
    wrong: tuple[dict[str, object], ...] = (
        {"datahub_url": ""},
        {"inputs": []},
        {"datahub_token": "", "inputs": [ORDERS]},
    )
    for given in wrong:
        with pytest.raises(GateError) as caught:
            check(settings(datahub, **given))
        errors.append(str(caught.value))

    with pytest.raises(SettingError, match="incident_key"):
        report_outcome(settings(datahub, outputs=[CUSTOMERS], incident_key=""), "failure")
    assert errors[0].startswith("No DataHub URL: set datahub_url. ")
    assert errors[1].endswith("Set inputs, outputs or manifest.")
    assert errors[2].endswith("Set datahub_token.")
    assert check(settings(datahub, inputs=[ORDERS])).manifest_path == ""


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"on_incident": "maybe"}, "on_incident is 'maybe'."),
        ({"timeout": -1}, "timeout is '-1'."),
        ({"datahub_url": "datahub"}, "datahub_url is not an http"),
        ({"ca_bundle": "/nowhere.pem"}, "ca_bundle nowhere.pem cannot be used"),
        ({"types": ["NONSENSE"]}, "types has 'NONSENSE'."),
        ({"inputs": ["nonsense"]}, "inputs"),
    ],
)
def test_errors_name_the_arguments(datahub: Sandbox, options: dict[str, object], message: str) -> None:
    given: dict[str, object] = {"inputs": [ORDERS]}

    with pytest.raises(SettingError) as caught:
        check(settings(datahub, **given | options))

    assert message in str(caught.value)
    assert len(datahub.requests) == 0


@pytest.mark.parametrize("options", [{"variables": {"A": "x\nB=y"}}, {"inputs": [f"{ORDERS}\n{CUSTOMERS}"]}])
def test_value_with_a_line_break_cannot_add_another(datahub: Sandbox, options: dict[str, object]) -> None:
    with pytest.raises(SettingError, match="has a value with a line break"):
        settings(datahub, **options)


def test_settings_show_no_secret(datahub: Sandbox) -> None:
    shown = repr(settings(datahub, headers={"X-Access-Token": "header-secret"}, datahub_token="s3cr3t-token"))

    assert "s3cr3t-token" not in shown
    assert "header-secret" not in shown
    assert "incident_key='dag.task'" in shown


def test_environment_is_not_read(
    datahub: Sandbox, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    for name, value in {
        "HTTP_PROXY": "http://127.0.0.1:1",
        "DATAHUB_GMS_URL": "http://127.0.0.1:1",
        "GITHUB_ACTIONS": "true",
        "GITHUB_EVENT_NAME": "pull_request",
        "SSL_CERT_FILE": "/nowhere",
    }.items():
        monkeypatch.setenv(name, value)

    check(settings(datahub, inputs=[ORDERS]))
    report = report_outcome(settings(datahub, outputs=[CUSTOMERS]), "failure")

    assert report.outcome
    assert [result.change for result in report.outcome.results] == ["raised"]
    assert capfd.readouterr() == ("", "")


def test_names_are_listed_and_no_others_exist() -> None:
    assert set(dir(incident_gate)) == set(incident_gate.__all__)
    assert all(getattr(incident_gate, name) for name in incident_gate.__all__)
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = incident_gate.nonsense
