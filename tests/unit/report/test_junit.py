"""JUnit XML: one case for each input, and what a CI system counts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml, TestSuite

from incident_gate.gate.policy import Conclusion, Excused
from incident_gate.incident import Priority, Problem, Reason
from incident_gate.manifest.model import OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.junit import chunks
from incident_gate.report.model import Override, Report
from tests.helpers.report_samples import decision, entry, incident, missing, report, unhealthy


def parsed(sample: Report) -> TestSuite:
    [suite] = JUnitXml.fromstring("".join(chunks(sample)).encode())
    return suite


def kinds(sample: Report) -> list[list[str]]:
    return [[type(result).__name__ for result in case.result] for case in parsed(sample)]


def test_each_input_and_output_is_a_case() -> None:
    orders, daily = entry("orders"), OutputEntry(urn=entry("daily").urn, position=Position(1, 1))
    late = incident(1, orders.urn, title="Late")
    results = tuple(OutputResult(daily, change, message="forbidden") for change in (Change.RAISED, Change.FAILED))
    sample = report(
        decision(entry("fine")),
        unhealthy("late"),
        missing("gone"),
        missing("gone", conclusion=Conclusion.WARN),
        decision(orders, excused=(Excused(late, "waived until 2099"),)),
        decision(orders, Conclusion.WARN, blocking=(late,)),
        outcome=OutcomeReport(outcome="failure", results=results),
    )
    assert kinds(sample) == [[], ["Failure"], ["Error"], ["Error"], ["Skipped"], ["Skipped"], [], ["Error"]]
    suite = parsed(sample)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (8, 1, 3, 2)
    assert suite.name == "DataHub Incident Gate"


def test_overridden_input_is_skipped_with_the_reason() -> None:
    judged = decision(
        entry("orders"), Conclusion.WARN, blocking=(incident(1, entry("orders").urn),), rules=("override: known",)
    )

    [case] = parsed(report(judged, override=Override("known", "ana")))

    assert [(type(r).__name__, r.message) for r in case.result] == [("Skipped", "Overridden by ana: known")]


def test_failure_names_each_incident_with_its_page() -> None:
    [case] = parsed(report(unhealthy("orders", "Rows are missing", type="VOLUME", priority=Priority.HIGH)))

    [failure] = case.result
    assert failure.message == "1 open incident"
    assert failure.text.startswith(
        "HIGH · Rows are missing · volume · urn:li:incident:00000001 · https://datahub.example.com/dataset/"
    )


def test_many_incidents_are_cut_with_a_count() -> None:
    of = entry("orders")
    judged = decision(of, Conclusion.BLOCK, blocking=tuple(incident(n, of.urn, title=f"t{n}") for n in range(60)))

    [case] = parsed(report(judged))

    assert case.result[0].text.splitlines()[-1].startswith("10 more: open the asset in DataHub · https://")


def test_two_inputs_of_one_name_are_two_cases() -> None:
    sample = report(decision(entry("a", label="Orders")), decision(entry("b", label="Orders")))

    assert [case.name for case in parsed(sample)] == [f"Orders ({d.entry.urn.text})" for d in sample.decisions]


@given(title=st.text(max_size=80), reason=st.text(max_size=40))
def test_any_text_gives_valid_xml(title: str, reason: str) -> None:
    of = entry("orders")
    fields: dict[str, Any] = {
        "blocking": (incident(1, of.urn, title=title, type=reason),),
        "excused": (Excused(incident(2, of.urn, title=reason), title),),
    }

    unknown = decision(of, Conclusion.BLOCK, problems=(Problem(Reason.ERROR, title, reason),))
    sample = report(decision(of, Conclusion.BLOCK, **fields), unknown)
    assert kinds(sample) == [["Failure"], ["Error"]]
    [failure] = next(iter(parsed(sample))).result
    assert "\ndoes not count (" in failure.text
