"""The post stage inside nested composite actions: the runner evaluates another action's inputs for it, or none."""

from __future__ import annotations

import io

import pytest

from incident_gate.action.entry import reports_outcome
from incident_gate.action.stage import Stage
from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.runner_grammar import commands_in
from tests.helpers.step import Step

WEBHOOK_SECRET = "whsec_c2VjcmV0LW9mLXRoZS1ob29rLTEyMzQ1Ng=="


def active(server: Sandbox, urn: str = CUSTOMERS) -> int:
    return len(server.store.incidents(urn, "ACTIVE"))


def nested(step: Step, **environment: str) -> tuple[int, list[str]]:
    """The post stage with no inputs but those in `environment`; its exit code and what it annotates."""
    saved = {f"STATE_{name}": value for name, value in step.ended(0, "").state.items()}
    variables = {**step.environment, **saved, **environment}
    assert reports_outcome(variables)
    stdout = io.StringIO()
    code = Stage(environment=variables, stdout=stdout).post()
    found = [command for line in stdout.getvalue().splitlines() for command in commands_in(line)]
    return code, [f"{command.name}: {command.data}" for command in found if command.name in {"notice", "warning"}]


def test_saved_inputs_and_identity_decide(step: Step, datahub: Sandbox) -> None:
    datahub.store.add_asset(MODEL)
    given = {
        "report_outcome": "true",
        "outputs": MODEL,
        "incident_key": "eu",
        "matrix": '{"leg": 1}',
        "incident_title": "Late",
    }
    step.main(datahub, **given)

    code, _ = nested(
        step,
        **{
            "INPUT_JOB-STATUS": "failure",
            "INPUT_DATAHUB-TOKEN": datahub.token,
            "INPUT_DATAHUB-URL": "https://other.example.com",
            "INPUT_MODE": "resolve",
            "INPUT_OUTPUTS": ORDERS,
            "INPUT_INPUTS": "another action's",
            "INPUT_INCIDENT-KEY": "another",
            "INPUT_REPORT-OUTCOME": "false",
            "INPUT_INCIDENT-TITLE": "another action's",
            "DATAHUB_GMS_URL": "https://other.example.com",
        },
    )

    assert (code, active(datahub), active(datahub, MODEL), active(datahub, ORDERS)) == (0, 1, 1, 0)
    assert datahub.store.incidents(MODEL)[0].title == "Late"
    # The same job finds them again.
    step.main(datahub, **given)
    step.post(datahub, status="success", **given)
    assert (active(datahub), active(datahub, MODEL)) == (0, 0)


def test_token_of_the_environment_is_enough(step: Step, datahub: Sandbox) -> None:
    step.main(datahub, report_outcome="true")

    nested(step, **{"INPUT_JOB-STATUS": "failure", "DATAHUB_GMS_TOKEN": datahub.token})

    assert active(datahub) == 1


@pytest.mark.parametrize(
    ("environment", "missing"),
    [
        ({"INPUT_JOB-STATUS": "failure"}, "The gate had a DataHub token, and the end of the job has none."),
        ({"INPUT_DATAHUB-TOKEN": "sandbox-token"}, "The job's status is missing."),
        ({}, "The gate had a DataHub token"),
    ],
)
def test_missing_token_or_status_is_a_warning(
    step: Step, datahub: Sandbox, environment: dict[str, str], missing: str
) -> None:
    step.main(datahub, report_outcome="true")
    requests = len(datahub.requests)

    code, said = nested(step, **environment)

    assert (code, len(datahub.requests)) == (0, requests)
    (warning,) = said
    assert warning.startswith("warning: The job's outcome could not be reported to DataHub.")
    assert missing in warning
    assert "set DATAHUB_GMS_TOKEN in the job's `env`" in warning


def test_step_that_reports_no_outcome_ends_at_once_whatever_its_inputs_are_then(step: Step, datahub: Sandbox) -> None:
    step.main(datahub)

    saved = {f"STATE_{name}": value for name, value in step.ended(0, "").state.items()}
    assert not reports_outcome({**saved, "INPUT_REPORT-OUTCOME": "true"})


def test_branch_of_the_main_stage_decides(step: Step, datahub: Sandbox) -> None:
    step.environment |= {"GITHUB_EVENT_NAME": "push", "GITHUB_REF": "refs/heads/topic", "GITHUB_REF_NAME": "topic"}
    step.main(datahub, report_outcome="true", report_branches="topic")
    token = {"INPUT_DATAHUB-TOKEN": datahub.token, "INPUT_JOB-STATUS": "failure"}

    nested(step, **token, **{"GITHUB_REF": "refs/heads/other", "INPUT_REPORT-BRANCHES": "other"})

    assert active(datahub) == 1


@pytest.mark.parametrize(
    ("state", "value", "missing"),
    [
        ("saved", "", "saved"),
        ("saved", "run input-incident-key nonsense", "incident-key, nonsense"),
        ("run", "", "run"),
        ("run", "{", "run"),
        ("run", "[]", "run"),
        ("start", "nan", "start"),
        ("input-dry-run", "", "dry-run"),
        ("token", "", "token"),
    ],
)
def test_state_that_is_not_complete_is_a_warning_and_nothing_is_written(
    step: Step, datahub: Sandbox, state: str, value: str, missing: str
) -> None:
    step.main(datahub, report_outcome="true", dry_run="true")
    requests = len(datahub.requests)
    environment = {"INPUT_DATAHUB-TOKEN": datahub.token, "INPUT_JOB-STATUS": "failure", "DATAHUB_GMS_URL": datahub.url}

    code, (warning,) = nested(step, **environment, **{f"STATE_{state}": value})

    assert (code, len(datahub.requests)) == (0, requests)
    assert warning.startswith("warning: The job's outcome could not be reported to DataHub.")
    assert warning.endswith(f"is not complete: {missing}.")


@pytest.mark.parametrize("name", ["outputs", "variables"])
def test_input_that_is_too_long_to_be_saved_leaves_nothing_to_report(step: Step, datahub: Sandbox, name: str) -> None:
    line = ORDERS if name == "outputs" else f"A{{}}={'x' * 80}"
    lines = "\n".join(line.replace("orders", f"t{n}").replace("{}", str(n)) for n in range(1_000))
    ended = step.main(datahub, report_outcome="true", dry_run="true", incident_key="eu", **{name: lines})
    assert ended.code == 0
    start = f"Longer than 65,536 bytes, so it cannot be saved: {name}. So the end of the job will not"
    assert ended.said("warning")[-1].startswith(start)

    code, (warning,) = nested(step, **{"INPUT_JOB-STATUS": "failure", "INPUT_DATAHUB-TOKEN": datahub.token})

    assert (code, active(datahub)) == (0, 0)
    assert warning.endswith(f"is not complete: {name}.")


def test_state_that_cannot_be_written_is_a_warning_and_nothing_is_reported(step: Step, datahub: Sandbox) -> None:
    step.environment["GITHUB_STATE"] = str(step.workspace)
    (warning,) = step.main(datahub, report_outcome="true", dry_run="true").said("warning")
    assert warning.endswith(": Is a directory. So the end of the job will not report the outcome.")

    ended = step.post(datahub, status="failure", report_outcome="true")

    assert active(datahub) == 0
    assert "its log warns that it could not write the runner's file (GITHUB_STATE)" in ended.said("warning")[0]


def test_long_list_of_inputs_is_left_out(step: Step, datahub: Sandbox) -> None:
    urns = [ORDERS.replace("orders", f"t{number}") for number in range(1_000)]
    datahub.store.add_assets(urns)
    step.main(datahub, report_outcome="true", inputs="\n".join(urns), incident_key="eu")

    environment = {"INPUT_JOB-STATUS": "failure", "INPUT_DATAHUB-TOKEN": datahub.token, "INPUT_INPUTS": "nonsense"}
    assert nested(step, **environment)[0] == 0

    assert active(datahub) == 1


def test_secrets_are_not_saved(step: Step, datahub: Sandbox) -> None:
    secrets = {
        "headers": "X-Api-Key: abcdefgh1",
        "slack_webhook": "https://127.0.0.1/abc",
        "webhook_secret": WEBHOOK_SECRET,
    }
    step.main(datahub, report_outcome="true", **secrets)

    saved = "".join(step.ended(0, "").state.values())
    for secret in (datahub.token, "abcdefgh1", "127.0.0.1/abc", WEBHOOK_SECRET):
        assert secret not in saved
