"""The job's outcome: the post stage of a gate, and modes of their own."""

from __future__ import annotations

from typing import Any

import pytest

from incident_gate.action.state import LONGEST_STATE
from incident_gate.api import check
from incident_gate.ci.run import BLOCKED
from incident_gate.sandbox import Fault, FaultKind, Faults, Sandbox
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.step import Ended, Step

pytestmark = pytest.mark.writes


def active(server: Sandbox) -> list[str]:
    return [incident.urn for incident in server.store.incidents(CUSTOMERS, "ACTIVE")]


def gated(step: Step, server: Sandbox, **inputs: str) -> Ended:
    ended = step.main(server, report_outcome="true", **inputs)
    assert ended.code == 0
    return ended


def test_one_step_gates_raises_and_resolves(step: Step, each_datahub: Sandbox) -> None:
    gated(step, each_datahub)
    failed = step.post(each_datahub, status="failure", report_outcome="true")
    assert failed.code == 0
    assert len(active(each_datahub)) == 1
    # The job summary's heading says it, and the log names the incident.
    assert failed.said("notice") == []
    assert failed.summary.startswith("## 🔴 DataHub Incident Gate: incident raised on 1 of 1 output\n")
    assert active(each_datahub)[0] in failed.log

    gated(step, each_datahub)
    step.post(each_datahub, status="failure", report_outcome="true")
    assert len(active(each_datahub)) == 1

    gated(step, each_datahub)
    resolved = step.post(each_datahub, status="success", report_outcome="true")
    assert active(each_datahub) == []
    assert resolved.summary == "🟢 **DataHub Incident Gate**: incident resolved on analytics.customers\n\n"


def test_nothing_is_reported_without_report_outcome(step: Step, datahub: Sandbox) -> None:
    assert step.main(datahub).state == {"report": "false"}

    ended = step.post(datahub, status="failure")

    assert (ended.code, ended.said("notice", "warning"), active(datahub)) == (0, [], [])


def test_a_job_that_the_gate_stopped_reports_nothing(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS)
    assert step.main(datahub, report_outcome="true").code == 1

    ended = step.post(datahub, status="failure", report_outcome="true")

    assert ended.said("notice") == ["No outcome is reported: the gate blocked this job."]
    assert active(datahub) == []


def test_a_gate_that_did_not_end_reports_nothing(step: Step, datahub: Sandbox) -> None:
    ended = step.post(datahub, status="failure", report_outcome="true")
    [warning] = ended.said("warning")
    assert "The gate saved no result for the end of the job: it did not come to an end, or its log warns" in warning

    step.environment[BLOCKED] = "true"
    ended = step.post(datahub, status="failure", report_outcome="true")
    assert ended.said("notice", "warning") == ["No outcome is reported: the gate did not come to an end."]
    assert active(datahub) == []


@pytest.mark.parametrize("change", ["deleted", "linked out of the workspace"])
def test_the_manifest_that_was_gated_is_the_one_reported_on(step: Step, datahub: Sandbox, change: str) -> None:
    gated(step, datahub)
    manifest = step.workspace / ".github/incident-gate.yml"
    manifest.unlink()
    if change != "deleted":
        (step.folder / "outside.yml").write_text(f"outputs:\n  - {ORDERS}\n", encoding="utf-8")
        manifest.symlink_to(step.folder / "outside.yml")

    ended = step.post(datahub, status="failure", report_outcome="true")

    assert ended.code == 0
    assert ended.output("raised") == active(datahub)
    assert len(active(datahub)) == 1
    assert datahub.store.incidents(ORDERS) == []


def test_a_gate_that_warned_lets_the_outcome_be_reported(step: Step, datahub: Sandbox) -> None:
    datahub.store.raise_incident(ORDERS, title="late")
    gated(step, datahub, on_incident="warn")

    step.post(datahub, status="failure", report_outcome="true", on_incident="warn")

    assert len(active(datahub)) == 1


def test_what_cannot_be_written_is_a_warning_on_the_outputs_line(step: Step, datahub: Sandbox) -> None:
    step.write_manifest(f"inputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n  - {MODEL}\n")  # never ingested
    step.main(datahub, report_outcome="true")

    ended = step.post(datahub, status="failure", report_outcome="true")

    assert ended.code == 0
    [warning] = [command for command in ended.commands if command.name == "warning"]
    assert (warning.properties["file"], warning.properties["line"]) == (".github/incident-gate.yml", "5")
    assert ended.output("raised") == active(datahub)
    assert len(active(datahub)) == 1


def test_a_dry_run_of_the_post_stage_writes_nothing(step: Step, datahub: Sandbox) -> None:
    gated(step, datahub, dry_run="true")

    ended = step.post(datahub, status="failure", report_outcome="true", dry_run="true")

    assert "would raise" in ended.log
    assert "would raise" in ended.summary
    assert active(datahub) == []


@pytest.mark.parametrize("length", [10, LONGEST_STATE])
def test_manifest_that_changes_while_the_gate_waits_is_saved_as_it_was_read(
    step: Step, datahub: Sandbox, length: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    step.write_manifest(f"inputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n# {'x' * length}\n")

    def changing(*arguments: Any, **named: Any) -> Any:
        step.write_manifest(f"outputs:\n  - {ORDERS}\n")
        return check(*arguments, **named)

    monkeypatch.setattr("incident_gate.action.stage.check", changing)
    gated(step, datahub)
    ended = step.post(datahub, status="failure", report_outcome="true")

    assert datahub.store.incidents(ORDERS) == []
    if length < LONGEST_STATE:
        assert ended.output("raised") == active(datahub) != []
    else:
        assert "changed while the job ran." in ended.said("warning")[0]


@pytest.mark.parametrize("change", ["none", "one line more", "deleted"])
def test_a_long_manifest_is_read_again_if_it_is_the_same(step: Step, datahub: Sandbox, change: str) -> None:
    text = f"inputs:\n  - {ORDERS}\noutputs:\n  - {CUSTOMERS}\n" + f"# {'x' * 100}\n" * (LONGEST_STATE // 100)
    step.write_manifest(text)
    assert "manifest" not in gated(step, datahub).state
    if change == "one line more":
        step.write_manifest(f"{text}# one line more\n")
    elif change == "deleted":
        (step.workspace / ".github/incident-gate.yml").unlink()
    datahub.requests.clear()

    ended = step.post(datahub, status="failure", report_outcome="true")

    assert ended.code == 0
    if change == "none":
        assert (len(active(datahub)), ended.said("warning")) == (1, [])
    else:
        assert ".github/incident-gate.yml" in ended.said("warning")[0]
        assert ("changed while the job ran." in ended.said("warning")[0]) is (change == "one line more")
        assert len(datahub.requests) == 0


def test_a_wrong_setting_in_the_post_stage_is_a_warning(step: Step, datahub: Sandbox) -> None:
    gated(step, datahub)

    ended = step.post(datahub, status="failure", report_outcome="true", headers="never")

    assert (ended.code, ended.said("error")) == (0, [])
    assert "could not be reported to DataHub.\nheaders, line 1: this is not a header." in ended.said("warning")[0]


@pytest.mark.parametrize("debugs", [True, False])
def test_a_defect_in_the_post_stage_is_a_warning(
    step: Step, datahub: Sandbox, monkeypatch: pytest.MonkeyPatch, *, debugs: bool
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise ZeroDivisionError("a defect")

    gated(step, datahub)
    monkeypatch.setattr("incident_gate.action.stage.report_outcome", broken)
    step.environment["RUNNER_DEBUG"] = "1" if debugs else ""

    ended = step.post(datahub, status="success", report_outcome="true")

    assert (ended.code, ended.said("error")) == (0, [])
    assert "Internal error: ZeroDivisionError" in ended.said("warning")[0]
    assert any("in broken" in line for line in ended.said("debug")) is debugs


# Modes of their own


@pytest.mark.parametrize(
    ("mode", "status", "raised"),
    [("raise", "success", 1), ("report", "failure", 1), ("report", "Failure", 1), ("report", "success", 0)],
)
def test_a_mode_of_its_own_raises(step: Step, datahub: Sandbox, mode: str, status: str, raised: int) -> None:
    ended = step.main(datahub, mode=mode, job_status=status, report_outcome="true")

    assert ended.code == 0
    assert (ended.outputs["conclusion"], ended.outputs["verdict"]) == ("", "")
    assert ended.output("raised") == active(datahub)
    assert len(active(datahub)) == raised
    # It does not report a second time when the job ends.
    datahub.requests.clear()
    assert step.post(datahub, status="failure", mode=mode, report_outcome="true").code == 0
    assert len(datahub.requests) == 0


def test_what_cannot_be_written_ends_a_mode_of_its_own_with_3(step: Step, datahub: Sandbox) -> None:
    step.write_manifest(f"outputs:\n  - {CUSTOMERS}\n  - {ORDERS}\n")
    datahub.faults = Faults(
        rules=(Fault(kind=FaultKind.GRAPHQL_ERROR, operation="raiseIncident", urn=ORDERS, code=403),)
    )

    ended = step.main(datahub, mode="raise")

    assert ended.code == 3
    assert len(ended.output("raised")) == 1
    assert "Incident raised on 1 output, incident not written on 1 output" in ended.log
    assert len(ended.said("warning")) == 1


# A job that writes what it reads


@pytest.fixture
def own(step: Step) -> Step:
    """A step whose job's input is its output."""
    step.write_manifest(f"inputs:\n  - {CUSTOMERS}\noutputs:\n  - {CUSTOMERS}\n")
    step.inputs["report-outcome"] = "true"
    return step


def test_own_incident_on_an_input_does_not_block_and_is_listed(own: Step, datahub: Sandbox) -> None:
    own.main(datahub)
    own.post(datahub, status="failure")
    assert len(active(datahub)) == 1
    ended = own.main(datahub)
    assert (ended.code, ended.outputs["conclusion"]) == (0, "pass")
    assert "raised by this workflow" in ended.log
    assert "raised by this workflow" in ended.summary
    own.post(datahub, status="success")
    assert active(datahub) == []


def test_incident_of_another_leg_of_the_matrix_does_not_block(own: Step, datahub: Sandbox) -> None:
    for leg in ('{"region": "eu"}', '{"region": "us"}'):
        assert own.main(datahub, matrix=leg).code == 0
        own.post(datahub, status="failure", matrix=leg)
    assert len(active(datahub)) == 2
    # The same leg, printed otherwise.
    own.main(datahub, matrix='{\n  "region": "eu"\n}')
    own.post(datahub, status="success", matrix='{"region":"eu"}')
    assert len(active(datahub)) == 1
