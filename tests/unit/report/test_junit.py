"""JUnit XML: one case for each input, and what a CI system counts."""

from __future__ import annotations

from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from junitparser import JUnitXml, TestSuite

from incident_gate.gate.policy import Conclusion, Excused
from incident_gate.incident import Priority
from incident_gate.manifest.model import OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.junit import chunks
from incident_gate.report.model import Override, Report
from tests.helpers.report_samples import decision, entry, incident, missing, report, unhealthy


def parsed(sample: Report) -> TestSuite:
    [suite] = JUnitXml.fromstring("".join(chunks(sample)).encode())
    return suite


def cases(sample: Report) -> list[tuple[str, list[str]]]:
    return [(case.name, [type(result).__name__ for result in case.result]) for case in parsed(sample)]


def kind_of(sample: Report) -> str:
    [(_, kinds)] = cases(sample)
    return kinds[0] if kinds else "passed"


def test_each_input_is_a_case() -> None:
    sample = report(decision(entry("fine")), unhealthy("late"), unhealthy("empty"), missing("gone"))

    assert [kinds for _, kinds in cases(sample)] == [[], ["Failure"], ["Failure"], ["Error"]]
    assert cases(sample)[0][0] == "fine (urn:li:dataset:(urn:li:dataPlatform:snowflake,fine,PROD))"
    suite = parsed(sample)
    assert (suite.tests, suite.failures, suite.errors, suite.skipped) == (4, 2, 1, 0)
    assert suite.name == "DataHub Incident Gate"


def test_what_is_excused_or_only_warns_is_skipped() -> None:
    of = entry("orders")
    late = incident(1, of.urn, title="Late")

    assert kind_of(report(decision(of, excused=(Excused(late, "waived until 2099"),)))) == "Skipped"
    assert kind_of(report(decision(of, Conclusion.WARN, blocking=(late,)))) == "Skipped"
    assert kind_of(report(missing("gone", conclusion=Conclusion.WARN))) == "Error"


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


def test_output_that_could_not_be_written_is_an_error() -> None:
    output = OutputEntry(urn=entry("daily").urn, position=Position(1, 1))
    results = tuple(
        OutputResult(entry=output, change=change, message="forbidden") for change in (Change.RAISED, Change.FAILED)
    )

    sample = report(outcome=OutcomeReport(outcome="failure", results=results), gated=False)

    assert [kinds for _, kinds in cases(sample)] == [[], ["Error"]]


def test_two_inputs_of_one_name_are_two_cases() -> None:
    sample = report(decision(entry("a", label="Orders")), decision(entry("b", label="Orders")))

    assert len({name for name, _ in cases(sample)}) == 2


@given(title=st.text(max_size=80), reason=st.text(max_size=40))
def test_any_text_gives_valid_xml(title: str, reason: str) -> None:
    of = entry("orders")
    fields: dict[str, Any] = {
        "blocking": (incident(1, of.urn, title=title, type=reason),),
        "excused": (Excused(incident(2, of.urn, title=reason), title),),
    }

    assert kind_of(report(decision(of, Conclusion.BLOCK, **fields))) == "Failure"
