"""JUnit XML: a test case for each input, as CI systems show it."""

from __future__ import annotations

from collections.abc import Iterator

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite
from junitparser.junitparser import FinalResult

from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.report.headline import state_words
from incident_gate.report.model import Report
from incident_gate.report.view import rows_of, title_of
from incident_gate.report.words import timestamp
from incident_gate.text import plain, sentences

_NAME = "DataHub Incident Gate"
_SHOWN = 50  # of one input; the JSON report has them all


def junit(report: Report) -> str:
    """The report as JUnit XML.

    What blocks is a failure, what is unknown an error, and what does not count or only warns is skipped.
    """
    suite = TestSuite(_NAME)
    suite.timestamp = timestamp(report.now_ms) or ""
    inputs = (_case(d.entry.urn.text, d.entry.label, "inputs", _input(report, d)) for d in report.decisions)
    results = report.outcome.results if report.outcome else ()
    outputs = (_case(r.entry.urn.text, r.entry.label, "outputs", _output(r)) for r in results)
    # All at once: after each one the library counts them all.
    suite.add_testcases([*inputs, *outputs])
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
        return _result(Failure, state_words(decision), "incident", details)
    if decision.problems:
        return _result(Error, decision.problems[0].message, decision.problems[0].reason.value, details)
    if decision.conclusion is Conclusion.WARN:
        return _result(Skipped, f"only a warning: {state_words(decision)}", "warning", details)
    if decision.excused:
        return _result(Skipped, f"does not count: {decision.excused[0].reason}", "excused", details)
    return None


def _output(result: OutputResult) -> FinalResult | None:
    if result.change is Change.FAILED:
        return _result(Error, result.message, result.change.value, result.hint)
    return None


def _result(kind: type[FinalResult], message: str, type_: str, details: str) -> FinalResult:
    made = kind(plain(message, 1000), plain(type_, 100))
    made.text = details
    return made


def _details(report: Report, decision: Decision) -> Iterator[str]:
    for row in rows_of(report, decision, _SHOWN):
        if row.is_asset:
            yield plain(sentences(*row.notes), 1500)
            continue
        priority = "" if row.tag in {"INCIDENT", "ASSERTION"} else row.tag
        owned = f"owned by {', '.join(row.owners)}" if row.owners else ""
        words = (priority, row.title, *row.facts, owned, *row.urns, row.page or "")
        yield " · ".join(plain(word, 1000) for word in words if word)
    for excuse in decision.excused[:_SHOWN]:
        yield plain(f"does not count ({excuse.reason}): {title_of(excuse.item)}", 1000)
