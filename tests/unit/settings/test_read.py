"""Reading settings: defaults, errors, paths and warnings."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from incident_gate.ci.run import BLOCKED
from incident_gate.errors import SettingError
from incident_gate.incident import Priority
from incident_gate.manifest.model import OnFailingAssertion, OnIncident, OnUnknown, Rules
from incident_gate.settings.model import OverrideReason, RunSettings, Waiting
from incident_gate.settings.options import DEFAULT_TIMEOUT, Mode
from incident_gate.settings.parse import ReportFile
from incident_gate.settings.read import read_settings, secrets_of

URL = "https://datahub.example.com"
GITHUB = {"GITHUB_ACTIONS": "true", "GITHUB_REPOSITORY": "acme/shop", "GITHUB_WORKFLOW": "Nightly"}
GITLAB = {"GITLAB_CI": "true", "CI_PROJECT_PATH": "acme/shop", "CI_JOB_NAME": "load"}


def settings(
    environment: Mapping[str, str] | None = None, *, workspace: Path | None = None, **given: str
) -> RunSettings:
    said = {"datahub-url": URL} | {name.replace("_", "-"): value for name, value in given.items()}
    found = GITHUB if environment is None else environment
    return read_settings(lambda name: said.get(name, ""), found, workspace=workspace)


def mistake(environment: Mapping[str, str] | None = None, **given: Any) -> str:
    with pytest.raises(SettingError) as caught:
        settings(environment, **given)
    return str(caught.value)


def on_the_command_line(environment: Mapping[str, str], mode: Mode, **given: str) -> RunSettings:
    said = {"datahub-url": URL} | {name.replace("_", "-"): value for name, value in given.items()}
    return read_settings(lambda name: said.get(name, ""), environment, mode=mode, command_line=True)


def test_nothing_but_the_address_is_needed() -> None:
    made = settings()

    assert (made.mode, made.manifest, made.timeout) == (Mode.GATE, Path(".github/incident-gate.yml"), DEFAULT_TIMEOUT)
    assert (made.overrides.on_incident, made.overrides.on_unknown) == (None, None)
    assert (made.report_outcome, made.dry_run, made.connection.token, made.warnings) == (False, False, "", ())


@pytest.mark.parametrize(
    ("given", "field", "value"),
    [
        ({"incident_title": "late"}, "incident_title", "late"),
        ({"incident_message": "see runbook"}, "incident_message", "see runbook"),
        ({"report_outcome": "true"}, "report_outcome", True),
        ({"dry_run": "TRUE"}, "dry_run", True),
        ({"timeout": "2m"}, "timeout", 120),
        ({"timeout": " "}, "timeout", DEFAULT_TIMEOUT),
        ({"mode": " raise \n", "incident_key": "x"}, "mode", Mode.RAISE),
        ({"variables": "A=1"}, "variables", {"A": "1"}),
        ({"report_branches": "main"}, "report_branches", ("main",)),
        ({"test_results": "a.xml\nb/*.xml"}, "test_results", ("a.xml", "b/*.xml")),
        ({"report_files": "json=a"}, "report_files", (ReportFile("json", "a"),)),
        ({"wait": "30m", "wait_stable": "5m"}, "waiting", Waiting(1800, 60, 300)),
        (
            {"on_incident": "warn", "on_unknown": "warn", "on_failing_assertion": "block"},
            "overrides",
            Rules(OnIncident.WARN, OnUnknown.WARN, OnFailingAssertion.BLOCK),
        ),
        (
            {"types": "SQL", "min_priority": "HIGH"},
            "overrides",
            Rules(types=frozenset({"SQL"}), min_priority=Priority.HIGH),
        ),
        ({"override": "backfill"}, "override", OverrideReason("backfill", "ana")),
    ],
)
def test_value_reaches_its_field(given: dict[str, Any], field: str, value: object) -> None:
    for actor in ("GITHUB_ACTOR", "USER", "USERNAME"):
        assert getattr(settings(GITHUB | {actor: "ana"}, **given), field) == value


def test_no_secret_is_in_a_repr() -> None:
    made = settings(
        datahub_token="token-hidden",
        headers="X-Access: hidden",
        slack_token="xoxb-hidden",
        slack_channel="#data",
        webhook_url="https://example.com/hidden",
        github_token="ghs_hidden",
    )

    assert made.connection.token == "token-hidden"
    assert dict(made.connection.headers) == {"X-Access": "hidden"}
    assert made.notify.uses_slack
    assert made.notify.webhook_url.endswith("/hidden")
    assert "hidden" not in repr(made)


def test_every_mistake_is_reported_on_a_line_of_its_own(tmp_path: Path) -> None:
    paths = dict.fromkeys(("manifest", "ca_bundle", "test_results"), "../x") | {"report_files": "json=../x"}
    wrong = {"datahub_url": "", "datahub_token": "a b", "dry_run": "maybe", "inputs": "x", "wait_stable": "1m"}
    environment = {"ALL_PROXY": "http://proxy:3128", "SLACK_API_URL": "http://slack.example.com"}
    reported = mistake(environment, workspace=tmp_path, slack_token="xoxb-1", **wrong, **paths).splitlines()

    outside = "leads out of the workspace: '../x'. Use a path below the repository's checkout."
    expected = (
        "No DataHub URL: set datahub-url or DATAHUB_GMS_URL. For example https://",
        "SLACK_API_URL is not an https address. Use https; http is for addresses of this machine only.",
        f"ca-bundle {outside}",
        "datahub-token has a character that no token has: ",
        "dry-run is 'maybe'. Use true or false.",
        'inputs, URN 1: "x" is not a URN; a URN looks like urn:li:dataset:(',
        f"manifest {outside}",
        f"report-files {outside}",
        "slack-token needs slack-channel. Set slack-channel as well.",
        f"test-results {outside}",
        "wait-stable is longer than wait. Use a longer wait, or a shorter wait-stable.",
    )
    for line, begin in zip(sorted(reported), expected, strict=True):
        assert line.startswith(begin)


@pytest.mark.parametrize(
    ("mode", "word", "status"),
    [
        ("raise", "success", "failure"),
        ("resolve", "failure", "success"),
        ("report", "Failure", "failure"),
        ("report", "skipped", "skipped"),
        ("gate", "", ""),
        ("gate", "something new", "something new"),
        # The words of every CI system
        ("report", "failed", "failure"),
        ("gate", "canceled", "cancelled"),
        ("report", "SUCCESS", "success"),
        ("report", "UNSTABLE", "failure"),
        ("gate", "ABORTED", "cancelled"),
        ("report", "NOT_BUILT", "skipped"),
        ("report", "upstream_failed", "skipped"),
        ("report", "timed_out", "failure"),
    ],
)
def test_status_is_what_the_mode_or_the_word_means(mode: str, word: str, status: str) -> None:
    assert settings(mode=mode, job_status=word).status == status


def test_gitlabs_status_is_read_by_itself() -> None:
    environment = GITLAB | {"CI_JOB_STATUS": "failed"}

    assert on_the_command_line(environment, Mode.REPORT).status == "failure"
    assert on_the_command_line(environment, Mode.REPORT, job_status="skipped").status == "skipped"
    assert "is not set" in mistake(GITHUB | {"CI_JOB_STATUS": "success"}, mode="report")


@pytest.mark.parametrize(
    ("environment", "word", "message"),
    [
        (GITHUB, "", "job-status is not set, so there is nothing to report."),
        (GITHUB, "fialed", "job-status is 'fialed'. Use success, failure, cancelled, skipped, or the word"),
        (GITHUB, "RUNNING", "job-status is 'running': the job has not ended. Report at the end"),
        (GITLAB | {"CI_JOB_STATUS": "pending"}, "", "CI_JOB_STATUS is 'pending': the job has not ended."),
    ],
)
def test_job_without_an_end_cannot_be_reported(environment: dict[str, str], word: str, message: str) -> None:
    assert mistake(environment, mode="report", job_status=word).startswith(message)


# Identity


@pytest.mark.parametrize(
    "given", [{"mode": "raise"}, {"mode": "resolve"}, {"mode": "report"}, {"report_outcome": "true"}]
)
def test_writing_needs_an_identity(given: dict[str, Any]) -> None:
    given = {"job_status": "success", **given}

    assert "Cannot tell which job this is (no CI system detected)." in mistake({}, **given)
    hint = "Set incident-key to a name that only this job has, for example orders.build."
    assert hint in mistake({"CI": "true"}, **given)
    assert settings({}, **given, incident_key="nightly").identity.is_known
    for environment in (GITHUB, GITLAB, {"AIRFLOW_CTX_DAG_ID": "orders"}, {"JOB_NAME": "x", "BUILD_NUMBER": "1"}):
        assert settings(environment, **given).identity.is_known


def test_checking_needs_no_identity() -> None:
    assert not settings({}).identity.is_known


@pytest.mark.parametrize("mode", [Mode.RAISE, Mode.RESOLVE, Mode.REPORT])
def test_leg_of_a_matrix_must_be_given_on_githubs_command_line(mode: Mode) -> None:
    given = {"job_status": "success"}

    with pytest.raises(SettingError) as caught:
        on_the_command_line(GITHUB, mode, **given)

    assert "--matrix is not set" in str(caught.value)
    assert "--matrix '${{ toJSON(matrix) }}'" in str(caught.value)
    assert on_the_command_line(GITHUB, mode, **given, matrix="null").identity.matrix == ""
    leg = on_the_command_line(GITHUB, mode, **given, matrix='{"region": "eu"}')
    assert leg.identity.matrix == '{"region":"eu"}'
    assert on_the_command_line(GITHUB, mode, **given, incident_key="eu").identity.incident_key == "eu"
    # GitLab's name of the job has the leg's values, and the scope does without them.
    assert on_the_command_line(GITLAB, mode, **given).identity.job == "load"
    assert on_the_command_line(GITHUB, Mode.GATE).identity.is_known


@pytest.mark.parametrize(
    ("mode", "is_blocked"), [("gate", True), ("report", True), ("raise", False), ("resolve", False)]
)
def test_gate_that_stopped_the_job_blocks_every_report(mode: str, *, is_blocked: bool) -> None:
    blocked = GITHUB | {BLOCKED: "true"}

    assert settings(blocked, mode=mode, job_status="failure", incident_key="eu").is_blocked is is_blocked


# Paths


def test_a_path_below_the_workspace_is_resolved(tmp_path: Path) -> None:
    (tmp_path / "deep").mkdir()
    made = settings(workspace=tmp_path, manifest="deep/../gate.yml", ca_bundle="deep/ca.pem")

    assert (made.manifest, made.manifest_shown) == (tmp_path / "gate.yml", "deep/../gate.yml")
    for written in ("./gate.yml", ".//gate.yml"):
        made_here = settings(workspace=tmp_path, manifest=written)
        assert (made_here.manifest, made_here.manifest_shown) == (tmp_path / "gate.yml", "gate.yml")
    assert made.connection.ca_bundle == tmp_path / "deep" / "ca.pem"
    assert settings(workspace=tmp_path).connection.ca_bundle is None


# What works and should not stay so


@pytest.mark.parametrize(
    ("url", "token", "warned"),
    [
        ("http://datahub.example.com", "t", True),
        ("http://datahub.example.com", "", False),
        ("https://datahub.example.com", "t", False),
        ("http://localhost:8080", "t", False),
    ],
)
def test_a_token_in_the_clear_brings_a_warning(url: str, token: str, *, warned: bool) -> None:
    assert any("unencrypted" in text for text in settings(datahub_url=url, datahub_token=token).warnings) is warned


@pytest.mark.parametrize(
    ("environment", "said"),
    [
        ({"GITHUB_RUN_ID": "1", "GITHUB_ACTOR": "dependabot[bot]"}, "Dependabot secret"),
        ({"GITHUB_EVENT_NAME": "pull_request"}, "from forks"),
        ({"GITHUB_EVENT_NAME": "push"}, ""),
    ],
)
def test_a_missing_token_is_explained_where_github_gives_none(environment: dict[str, str], said: str) -> None:
    assert [said in text for text in settings(environment).warnings] == ([True] if said else [])
    assert settings(environment, datahub_token="t").warnings == ()


# Who this job is


def test_the_identity_is_the_jobs_and_not_the_runs() -> None:
    environment = {
        "GITHUB_REPOSITORY": "acme/shop",
        "GITHUB_WORKFLOW_REF": "acme/shop/.github/workflows/nightly.yml@refs/heads/main",
        "GITHUB_REF": "refs/heads/main",
        "GITHUB_JOB": "build",
        "GITHUB_RUN_ID": "1",
    }

    identity = settings(environment, incident_key="staging", matrix='{"b": 2, "a": 1}').identity

    assert (identity.server, identity.repository) == ("datahub.example.com", "acme/shop")
    assert (identity.workflow, identity.job) == (".github/workflows/nightly.yml", "build")
    assert (identity.matrix, identity.incident_key) == ('{"a":1,"b":2}', "staging")


@pytest.mark.parametrize(
    ("given", "notice"),
    [
        ({"slack_channel": "#data"}, "slack-channel has no effect without slack-token."),
        ({"webhook_secret": f"whsec_{'a' * 32}"}, "webhook-secret has no effect without webhook-url."),
        ({"comment": "true"}, "comment has no effect without github-token."),
        ({"slack_channel": "#data", "slack_token": "xoxb-1"}, ""),
        (
            {"headers": "X-Env: prod\nX-Token: abcdefgh1"},
            "Not masked, as an ordinary word or a short value is no secret: the value of X-Env in headers.",
        ),
    ],
)
def test_option_without_effect_is_a_notice(given: dict[str, str], notice: str) -> None:
    found = settings(None, workspace=None, **given)

    assert found.notices == ((notice,) if notice else ())


def test_entry_that_exempts_nothing_from_a_proxy_is_a_notice() -> None:
    environment = GITHUB | {"HTTPS_PROXY": "http://proxy:3128", "NO_PROXY": "a:b:c"}

    assert settings(environment).notices == ("NO_PROXY has entries that cannot be used: a:b:c.",)


def test_only_secrets_are_masked() -> None:
    said = {"datahub-token": "s1 ", "headers": "X-Env: production\nX-Token: abcdefgh1", "incident-title": "late"}

    assert secrets_of(lambda name: said.get(name, ""), {}) == ("s1", "abcdefgh1")
