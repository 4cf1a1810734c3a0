"""Gate and outcome in one step: main stage, job, post stage, each a process of its own as the runner starts it."""

import json
from pathlib import Path

import pytest

from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.action_job import ActionJob
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS

MANIFEST = f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n"


@pytest.fixture
def job(sandbox: Sandbox, tmp_path: Path) -> ActionJob:
    sandbox.store.add_assets([ORDERS, CUSTOMERS])
    return ActionJob(server=sandbox, folder=tmp_path, manifest=MANIFEST, inputs={"report-outcome": "true"})


def active(job: ActionJob, urn: str = CUSTOMERS) -> list[str]:
    return [incident.urn for incident in job.server.store.incidents(urn, "ACTIVE")]


def test_failed_job_raises_and_the_next_success_resolves(job: ActionJob) -> None:
    assert job.main().code == 0
    failed = job.post("failure")
    assert failed.code == 0
    (urn,) = active(job)
    assert json.loads(failed.outputs["raised"]) == [urn]
    assert "raised" in failed.summary
    assert job.main().code == 0
    mended = job.post("success")
    assert json.loads(mended.outputs["resolved"]) == [urn]
    assert active(job) == []


@pytest.mark.parametrize("status", ["cancelled", "skipped", "", "odd"])
def test_other_endings_send_nothing(job: ActionJob, status: str) -> None:
    job.main()
    job.server.requests.clear()
    ran = job.post(status)
    assert ran.code == 0
    assert len(job.server.requests) == 0
    assert "::notice" in ran.log


def test_without_report_outcome_the_post_stage_is_silent(job: ActionJob) -> None:
    job.inputs["report-outcome"] = "false"
    job.main()
    job.server.requests.clear()
    ran = job.post("failure")
    assert (ran.code, ran.log, ran.summary) == (0, "", "")
    assert len(job.server.requests) == 0


@pytest.mark.parametrize("event", ["pull_request", "pull_request_target", "merge_group"])
def test_pull_request_sends_nothing_and_says_so(job: ActionJob, event: str) -> None:
    job.environment["GITHUB_EVENT_NAME"] = event
    job.main()
    job.server.requests.clear()
    ran = job.post("failure")
    assert ran.code == 0
    assert len(job.server.requests) == 0
    assert "::notice" in ran.log
    assert "pull request" in ran.log


def test_manifest_without_outputs_sends_nothing_and_says_so(job: ActionJob) -> None:
    job.path.write_text(f"- {ORDERS}\n", encoding="utf-8")
    job.main()
    job.server.requests.clear()
    ran = job.post("failure")
    assert ran.code == 0
    assert len(job.server.requests) == 0
    assert "names no outputs" in ran.log


def test_job_that_the_gate_stopped_raises_nothing(job: ActionJob) -> None:
    job.server.store.raise_incident(ORDERS, title="late")
    assert job.main().code == 1
    job.server.requests.clear()
    ran = job.post("failure")
    assert ran.code == 0
    assert len(job.server.requests) == 0
    assert "::notice" in ran.log
    assert "the gate blocked this job" in ran.log


def test_gate_that_could_not_ask_raises_nothing(job: ActionJob) -> None:
    job.server.faults = Faults(rules=(Fault(kind=FaultKind.HTML),))
    assert job.main().code == 3
    job.server.faults = Faults()
    assert job.post("failure").code == 0
    assert active(job) == []


def test_gate_that_warned_lets_the_outcome_be_reported(job: ActionJob) -> None:
    job.inputs["on-incident"] = "warn"
    job.server.store.raise_incident(ORDERS, title="late")
    assert job.main().code == 0
    job.post("failure")
    assert len(active(job)) == 1


def test_matrix_legs_have_incidents_of_their_own(job: ActionJob) -> None:
    for leg in ("eu", "us"):
        job.matrix = json.dumps({"region": leg}, indent=2)
        job.main()
        job.post("failure")
    assert len(active(job)) == 2
    # The same leg, printed otherwise.
    job.matrix = '{"region":"eu"}'
    job.main()
    assert len(json.loads(job.post("success").outputs["resolved"])) == 1
    assert len(active(job)) == 1


def test_incident_key_tells_environments_apart(job: ActionJob) -> None:
    raised = {}
    for environment in ("staging", "production"):
        job.inputs["incident-key"] = environment
        job.main()
        (raised[environment],) = json.loads(job.post("failure").outputs["raised"])
    assert json.loads(job.post("success").outputs["resolved"]) == [raised["production"]]
    assert active(job) == [raised["staging"]]


@pytest.mark.parametrize("change", ["deleted", "emptied", "replaced"])
def test_job_may_change_the_manifest_in_its_checkout(job: ActionJob, change: str) -> None:
    job.main()
    if change == "deleted":
        job.path.unlink()
    else:
        job.path.write_text("" if change == "emptied" else f"outputs: [{MODEL}]\n", encoding="utf-8")
    assert job.post("failure").code == 0
    assert len(active(job)) == 1


def test_manifest_that_the_job_made_a_link_out_of_the_workspace_no_longer_matters(job: ActionJob) -> None:
    outside = job.folder / "outside.yml"
    outside.write_text(f"outputs: [{MODEL}]\n", encoding="utf-8")
    job.main()
    job.path.unlink()
    job.path.symlink_to(outside)
    ran = job.post("failure")
    assert ran.code == 0
    assert json.loads(ran.outputs["raised"]) == active(job)
    assert len(active(job)) == 1


def huge() -> str:
    text = MANIFEST + "# a long comment\n" * 5_000
    assert len(text) > 64 * 1024
    return text


def test_huge_manifest_is_read_again_at_the_end(job: ActionJob) -> None:
    job.path.write_text(huge(), encoding="utf-8")
    job.main()
    assert "STATE_manifest" not in job.state
    job.post("failure")
    assert len(active(job)) == 1


@pytest.mark.parametrize("change", ["deleted", "changed"])
def test_huge_manifest_that_changed_meanwhile_is_a_warning(job: ActionJob, change: str) -> None:
    job.path.write_text(huge(), encoding="utf-8")
    job.main()
    job.server.requests.clear()
    if change == "deleted":
        job.path.unlink()
    else:
        job.path.write_text(huge() + "# one line more\n", encoding="utf-8")
    ran = job.post("failure")
    assert ran.code == 0
    assert "::warning" in ran.log
    assert "incident-gate.yml" in ran.log
    assert len(job.server.requests) == 0


def test_what_cannot_be_written_is_a_warning_in_the_post_stage(job: ActionJob) -> None:
    job.path.write_text(MANIFEST + f"  - {MODEL}\n", encoding="utf-8")  # never ingested
    job.main()
    ran = job.post("failure")
    assert ran.code == 0
    assert ran.log.count("::warning") == 1
    assert "file=.github/incident-gate.yml" in ran.log
    assert json.loads(ran.outputs["raised"]) == active(job)
    assert len(active(job)) == 1
    assert "orders" in ran.summary


def test_unreachable_server_is_a_warning_in_the_post_stage(job: ActionJob) -> None:
    job.main()
    job.server.faults = Faults(rules=(Fault(kind=FaultKind.HTML),))
    ran = job.post("failure")
    assert ran.code == 0
    assert "::warning" in ran.log
    assert active(job) == []


def test_dry_run_of_the_post_stage_writes_nothing(job: ActionJob) -> None:
    job.inputs["dry-run"] = "true"
    job.main()
    ran = job.post("failure")
    assert "would raise" in ran.log
    assert "would raise" in ran.summary
    assert active(job) == []


# A step of its own


@pytest.mark.parametrize(
    ("mode", "status", "left"),
    [("raise", "success", 1), ("report", "failure", 1), ("report", "success", 0), ("resolve", "failure", 0)],
)
def test_step_of_its_own_reports_in_its_main_stage(job: ActionJob, mode: str, status: str, left: int) -> None:
    job.inputs |= {"mode": mode, "job-status": status, "report-outcome": "true"}
    ran = job.main()
    assert ran.code == 0
    assert len(active(job)) == left
    job.server.requests.clear()
    # It has no second say at the end.
    assert job.post("failure").code == 0
    assert len(job.server.requests) == 0


@pytest.mark.parametrize("mode", ["raise", "report", "resolve"])
def test_step_of_its_own_fails_when_any_output_could_not_be_written(job: ActionJob, mode: str) -> None:
    job.inputs |= {"mode": mode, "job-status": "failure"}
    job.server.faults = Faults(rules=(Fault(kind=FaultKind.NULL_INCIDENTS, urn=MODEL),))
    job.server.store.add_asset(MODEL)
    job.path.write_text(MANIFEST + f"  - {MODEL}\n", encoding="utf-8")
    ran = job.main()
    assert ran.code == 3
    assert len(active(job)) == (0 if mode == "resolve" else 1)


def test_step_of_its_own_fails_without_sending_on_a_mistaken_manifest(job: ActionJob) -> None:
    job.inputs["mode"] = "raise"
    job.path.write_text("outputs: [nonsense]\n", encoding="utf-8")
    assert job.main().code == 2
    assert len(job.server.requests) == 0


# No deadlock


def test_own_incident_on_an_input_does_not_block_and_is_listed(job: ActionJob) -> None:
    job.path.write_text(f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {ORDERS}\n", encoding="utf-8")
    job.main()
    job.post("failure")
    assert len(active(job, ORDERS)) == 1
    ran = job.main()
    assert (ran.code, ran.outputs["conclusion"]) == (0, "pass")
    assert "raised by this workflow" in ran.log
    assert "raised by this workflow" in ran.summary
    job.post("success")
    assert active(job, ORDERS) == []


@pytest.mark.parametrize(
    "difference",
    [
        {"GITHUB_REPOSITORY": "acme/other"},
        {"GITHUB_WORKFLOW_REF": "acme/pipelines/.github/workflows/other.yml@refs/heads/main"},
        {"INPUT_INCIDENT-KEY": "staging"},
    ],
)
def test_incident_of_another_workflow_blocks(job: ActionJob, difference: dict[str, str]) -> None:
    job.path.write_text(f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {ORDERS}\n", encoding="utf-8")
    job.main()
    job.post("failure")
    job.environment |= difference
    assert job.main().code == 1


@pytest.mark.parametrize("difference", [{"GITHUB_JOB": "load"}, {"INPUT_MATRIX": '{"region": "eu"}'}])
def test_jobs_and_legs_of_one_workflow_that_write_one_table_do_not_block_each_other(
    job: ActionJob, difference: dict[str, str]
) -> None:
    job.path.write_text(f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {ORDERS}\n", encoding="utf-8")
    same, other = dict(job.environment), job.environment | difference
    for environment in (same, other):
        job.environment = environment
        assert job.main().code == 0
        job.post("failure")
    assert len(active(job, ORDERS)) == 2
    for left, environment in ((1, same), (0, other)):
        job.environment = environment
        assert job.main().code == 0
        job.post("success")
        assert len(active(job, ORDERS)) == left


@pytest.mark.parametrize("schema", ["g3", "g4"])
def test_own_incident_stays_ours_when_a_person_writes_below_the_key(schema: str, tmp_path: Path) -> None:
    with Sandbox.start(schema=schema) as server:
        server.store.add_asset(ORDERS)
        manifest = f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {ORDERS}\n"
        job = ActionJob(server=server, folder=tmp_path, manifest=manifest, inputs={"report-outcome": "true"})
        job.main()
        job.post("failure")
        (incident,) = server.store.incidents(ORDERS)
        noted = f"{incident.description}\n\nNote by Ana: looking into it."
        server.store.update_incident(incident.urn, {"description": noted})
        # Excused,
        assert job.main().outputs["conclusion"] == "pass"
        # kept,
        assert json.loads(job.post("failure").outputs["raised"]) == []
        assert active(job, ORDERS) == [incident.urn]
        # and resolved.
        job.main()
        assert json.loads(job.post("success").outputs["resolved"]) == [incident.urn]
        assert active(job, ORDERS) == []


def test_same_job_on_another_branch_and_commit_is_the_same_job(job: ActionJob) -> None:
    job.path.write_text(f"version: 1\ninputs:\n  - {ORDERS}\noutputs:\n  - {ORDERS}\n", encoding="utf-8")
    job.main()
    job.post("failure")
    job.environment |= {
        "GITHUB_WORKFLOW_REF": "acme/pipelines/.github/workflows/nightly.yml@refs/heads/fix",
        "GITHUB_SHA": "f" * 40,
        "GITHUB_REF_NAME": "fix",
        "GITHUB_RUN_ID": "2002",
        "GITHUB_REPOSITORY": "Acme/Pipelines",
    }
    # GitHub's names ignore case; the workflow file is told from its reference by the name as given.
    job.environment["GITHUB_WORKFLOW_REF"] = "Acme/Pipelines/.github/workflows/nightly.yml@refs/heads/fix"
    assert job.main().code == 0


def test_own_incident_on_a_sibling_does_not_block(job: ActionJob) -> None:
    job.server.store.add_asset(MODEL, siblings=(ORDERS,))
    job.path.write_text(f"version: 1\ninputs:\n  - {MODEL}\noutputs:\n  - {ORDERS}\n", encoding="utf-8")
    job.main()
    job.post("failure")
    assert len(active(job, ORDERS)) == 1
    ran = job.main()
    assert ran.code == 0
    assert "raised by this workflow" in ran.log
    job.server.store.raise_incident(ORDERS, title="somebody else's")
    assert job.main().code == 1
