"""What ended the conversation with DataHub is reported once in each report."""

from __future__ import annotations

import json

from incident_gate.errors import UnreachableError
from incident_gate.gate.policy import Conclusion, Decision
from incident_gate.incident import Problem, Reason
from incident_gate.report.annotations import Level, annotate
from incident_gate.report.json import document
from incident_gate.report.model import Report
from incident_gate.report.summary import summary
from incident_gate.report.terminal import terminal
from incident_gate.report.view import headline
from tests.helpers.github_markdown import Page
from tests.helpers.report_samples import decision, entry, report, unhealthy

FAILURE = UnreachableError("No connection to datahub:8080; gave up after 3 tries.", hint="Check that it is up.")


def silent(name: str, conclusion: Conclusion = Conclusion.BLOCK) -> Decision:
    problem = Problem(Reason.NO_ANSWER, FAILURE.message.rstrip("."), FAILURE.hint)
    return decision(entry(name), conclusion, problems=(problem,))


def failed(*decisions: Decision) -> Report:
    return report(*decisions, failure=FAILURE)


def test_nothing_answered_is_one_annotation() -> None:
    annotations = annotate(failed(*(silent(f"t{n}") for n in range(30))))

    assert [a.level for a in annotations] == [Level.ERROR]
    assert annotations[0].message == (
        "No connection to datahub:8080; gave up after 3 tries.\nCheck that it is up.\n"
        "30 inputs of 30 without an answer because of it."
    )


def test_nothing_answered_is_one_paragraph_for_people() -> None:
    run = failed(silent("orders"), silent("customers"))

    assert headline(run) == "Blocked: DataHub could not be queried about any of the 2 inputs"
    assert terminal(run) == (
        "Blocked: DataHub could not be queried about any of the 2 inputs\n"
        "\n"
        "No answer\n"
        "  No connection to datahub:8080; gave up after 3 tries.\n"
        "  → Check that it is up.\n"
        "  2 inputs of 2 without an answer because of it.\n"
    )
    page = Page(summary(run)).text.replace("\u2060", "")
    assert page.count("No connection to datahub:8080") == 1
    assert "Check that it is up." in page
    assert "orders" not in page
    assert "on-unknown" not in page


def test_one_input_is_not_called_several() -> None:
    assert headline(failed(silent("orders"))) == "Blocked: DataHub could not be queried about the input"


def test_what_was_answered_is_shown_beside_the_failure() -> None:
    run = failed(unhealthy("orders"), silent("customers"), silent("payments"))

    assert headline(run) == "Blocked: 1 active incident on 1 of 3 inputs, 2 unknown"
    assert [a.title for a in annotate(run)] == ["DataHub Incident Gate", "orders: 1 active incident"]
    shown = terminal(run)
    assert shown.count("No connection") == 1
    assert "2 inputs of 3 without an answer because of it." in shown
    assert "Rows are missing" in shown
    page = Page(summary(run)).text.replace("\u2060", "")
    assert page.count("No connection") == 1
    assert "Resolve the blocking incidents in DataHub" in page


def test_what_passes_unchecked_is_named_each() -> None:
    run = failed(silent("orders", Conclusion.WARN), silent("customers", Conclusion.WARN))

    assert [(a.level, a.title) for a in annotate(run)] == [
        (Level.WARNING, "orders: health unknown"),
        (Level.WARNING, "customers: health unknown"),
    ]
    for shown in (terminal(run), Page(summary(run)).text.replace("\u2060", "")):
        assert shown.count("No connection to datahub:8080") == 2
        assert "orders" in shown
        assert "customers" in shown


def test_the_document_names_the_failure_and_still_every_input() -> None:
    found = json.loads(document(failed(silent("orders"), silent("customers"))))

    assert found["failure"] == {"message": FAILURE.message, "hint": FAILURE.hint}
    assert [i["problems"][0]["reason"] for i in found["inputs"]] == ["no-answer", "no-answer"]
    assert json.loads(document(report(unhealthy("orders"))))["failure"] is None
