"""What ended the conversation with DataHub is reported once in each report."""

from __future__ import annotations

import json

from incident_gate.errors import UnreachableError
from incident_gate.gate.policy import Conclusion, Decision
from incident_gate.incident import Problem, Reason
from incident_gate.manifest.model import OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.annotations import Level, annotate
from incident_gate.report.headline import headline
from incident_gate.report.json import document
from incident_gate.report.model import Report
from incident_gate.report.summary import summary
from incident_gate.report.terminal import terminal
from tests.helpers.github_markdown import Page
from tests.helpers.report_samples import decision, entry, report, unhealthy

FAILURE = UnreachableError(
    "Cannot connect to datahub:8080: connection refused (3 attempts in 9 s).", hint="Check that it is up."
)


def silent(name: str, conclusion: Conclusion = Conclusion.BLOCK) -> Decision:
    problem = Problem(Reason.NO_ANSWER, FAILURE.message.rstrip("."), FAILURE.hint)
    return decision(entry(name), conclusion, problems=(problem,))


def failed(*decisions: Decision) -> Report:
    return report(*decisions, failure=FAILURE)


def test_nothing_answered_is_one_annotation() -> None:
    annotations = annotate(failed(*(silent(f"t{n}") for n in range(30))))

    assert [a.level for a in annotations] == [Level.ERROR]
    assert annotations[0].message == (
        "Cannot connect to datahub:8080: connection refused (3 attempts in 9 s).\nAll 30 inputs are unchecked.\n"
        "Check that it is up."
    )


def test_nothing_answered_is_one_paragraph_for_people() -> None:
    run = failed(silent("orders"), silent("customers"))

    assert headline(run) == (
        "Blocked: Cannot connect to datahub:8080: connection refused (3 attempts in 9 s), so no input was checked"
    )
    assert terminal(run, width=100) == (
        "✗ Blocked  Cannot connect to datahub:8080: connection refused (3 attempts in 9 s), so no input was\n"
        "           checked\n"
        "\n"
        "help: check that it is up\n"
        "help: to let this run pass, set `override` to a reason\n"
    )
    lines = [line for line in Page(summary(run)).text.split("\n") if line]
    assert lines[:3] == [
        "🔴 DataHub Incident Gate: blocked",
        "Cannot connect to datahub:8080: connection refused (3 attempts in 9 s). All 2 inputs are unchecked.",
        "Check that it is up. Then run this job again.",
    ]
    assert "2 inputs are unchecked" in lines
    assert "on-unknown" not in summary(run)


def test_what_was_answered_is_shown_beside_the_failure() -> None:
    run = failed(unhealthy("orders"), silent("customers"), silent("payments"))

    assert headline(run) == "Blocked: 1 incident on 1 input, 2 inputs could not be checked"
    assert [a.title for a in annotate(run)] == ["DataHub Incident Gate", "orders: 1 open incident"]
    shown = terminal(run)
    assert shown.count("Cannot connect") == 1
    assert "2 of 3 inputs are unchecked." in " ".join(shown.split())
    assert "Rows are missing" in shown
    assert "UNCHECKED customers" in shown
    page = Page(summary(run)).text
    assert page.count("Cannot connect") == 1
    assert "Have the incident resolved in DataHub" in page


def test_what_passes_unchecked_is_named_once_for_each_and_the_cause_once() -> None:
    run = failed(silent("orders", Conclusion.WARN), silent("customers", Conclusion.WARN), decision(entry("fine")))

    assert [(a.level, a.message.count("Cannot connect")) for a in annotate(run)] == [(Level.WARNING, 1)]
    for shown in (terminal(run), Page(summary(run)).text):
        assert shown.count("Cannot connect to datahub:8080") == 1
        assert "orders" in shown
        assert "customers" in shown
        assert "heck that it is up" in shown


def test_where_nothing_was_checked_the_headline_alone_has_the_cause() -> None:
    assert terminal(failed(silent("orders", Conclusion.WARN)), width=150).splitlines()[:4] == [
        f"! Passed with a warning  {FAILURE.message.rstrip('.')}, so no input was checked",
        "",
        "  Check that it is up.",
        "UNCHECKED orders",
    ]


def test_the_document_names_the_failure_and_still_every_input() -> None:
    found = json.loads(document(failed(silent("orders"), silent("customers"))))

    assert found["failure"] == {"message": FAILURE.message, "hint": FAILURE.hint}
    assert [i["problems"][0]["reason"] for i in found["inputs"]] == ["no-answer", "no-answer"]
    assert json.loads(document(report(unhealthy("orders"))))["failure"] is None


def test_one_cause_that_leaves_outputs_unwritten_is_one_message() -> None:
    def unwritten(name: str, hint: str = FAILURE.hint) -> OutputResult:
        output = OutputEntry(entry(name).urn, Position(4, 5))
        return OutputResult(output, Change.FAILED, message=FAILURE.message, hint=hint)

    outcome = OutcomeReport("failure", (unwritten("a"), unwritten("b"), unwritten("c", "Wait.")))
    run = report(outcome=outcome, gated=False)
    cause = f"2 outputs could not be written. {FAILURE.message} {FAILURE.hint}"
    assert [note.message for note in annotate(run)] == [f"{FAILURE.message} Wait.", cause]
    for shown in (" ".join(terminal(run).split()), Page(summary(run)).text):
        assert shown.count("Cannot connect") == 2
        assert cause in shown
