"""JUnit XML: a test case for each input, as CI systems show it."""

from __future__ import annotations

from collections.abc import Iterator

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.report.amounts import timestamp
from incident_gate.report.model import Report
from incident_gate.report.rows import IncidentRow, page_of, rows_of
from incident_gate.report.view import blocking_words
from incident_gate.text import plain

_NAME = "DataHub Incident Gate"
_SHOWN = 50  # of one input; the JSON report has them all


def junit(report: Report) -> str:
    """The report as JUnit XML.

    What blocks is a failure, what is unknown an error, and what was excused or only warns is skipped.
    """
    suite = TestSuite(_NAME)
    suite.timestamp = timestamp(report.now_ms) or ""
    for decision in report.decisions:
        suite.add_testcase(_case(decision.entry.urn.text, decision.entry.label, "inputs", _input(report, decision)))
    for result in report.outcome.results if report.outcome else ():
        suite.add_testcase(_case(result.entry.urn.text, result.entry.label, "outputs", _output(result)))
    xml = JUnitXml(_NAME)
    xml.add_testsuite(suite)
    text: bytes = xml.tostring()  # type: ignore[no-untyped-call]
    return text.decode()


def _case(urn: str, label: str, kind: str, result: FinalResult | None) -> TestCase:
    # Two inputs with one name would become one test case.
    name = plain(label, 200)
    case = TestCase(plain(urn, 1000) if name == plain(urn, 200) else f"{name} ({plain(urn, 1000)})", kind)
    case.result = [result] if result is not None else []
    return case


def _input(report: Report, decision: Decision) -> FinalResult | None:
    details = "\n".join(_details(report, decision))
    if report.override and decision.is_overridden:
        return _result(Skipped, str(report.override), "override", details)
    if decision.conclusion is Conclusion.BLOCK and decision.verdict is Verdict.UNHEALTHY:
        return _result(Failure, _what(decision), "incident", details)
    if decision.problems:
        return _result(Error, decision.problems[0].message, decision.problems[0].reason.value, details)
    if decision.conclusion is Conclusion.WARN:
        return _result(Skipped, f"only a warning: {_what(decision)}", "warning", details)
    if decision.excused:
        return _result(Skipped, f"excused: {decision.excused[0].reason}", "excused", details)
    return None


def _output(result: OutputResult) -> FinalResult | None:
    if result.change is Change.FAILED:
        return _result(Error, result.message, result.change.value, result.hint)
    return None


def _result(kind: type[FinalResult], message: str, type_: str, details: str) -> FinalResult:
    made = kind(plain(message, 1000), plain(type_, 100))
    made.text = details
    return made


def _what(decision: Decision) -> str:
    return blocking_words(decision) or decision.verdict.value


def _details(report: Report, decision: Decision) -> Iterator[str]:
    found = rows_of(decision)
    yield from (_incident(report, finding) for finding in found[:_SHOWN])
    if len(found) > _SHOWN:
        yield f"and {len(found) - _SHOWN:,} more"
    for problem in decision.problems:
        yield plain(f"{problem.message}. {problem.hint}", 1500)
    for excuse in decision.excused[:_SHOWN]:
        yield plain(f"excused ({excuse.reason}): {IncidentRow.of(decision, excuse.item).title}", 1000)


def _incident(report: Report, finding: IncidentRow) -> str:
    words = (finding.priority, finding.type, finding.title, page_of(report.ui_url, finding) or "")
    return " · ".join(plain(word, 1000) for word in words if word)
