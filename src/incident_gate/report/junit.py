"""JUnit XML: a test case for each input, as CI systems show it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from junitparser import Error, Failure, Skipped, TestCase
from junitparser.junitparser import FinalResult

from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.manifest.model import InputEntry, OutputEntry
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.report.headline import state_words
from incident_gate.report.json import timestamp
from incident_gate.report.model import Report
from incident_gate.report.view import rows_of, title_of
from incident_gate.text import plain, sentences

_NAME = "DataHub Incident Gate"
_SHOWN = 50  # of one input; the JSON report has them all


def chunks(report: Report) -> Iterator[str]:
    """The report as JUnit XML, case by case: all at once can be a hundred megabytes.

    What blocks is a failure, what is unknown an error, and what does not count or only warns is skipped.
    """
    inputs = [(decision, _input(report, decision)) for decision in report.decisions]
    outputs = [(result, _output(result)) for result in report.results]
    kinds = Counter(judged.kind for _, judged in (*inputs, *outputs) if judged)
    numbers = f'tests="{len(inputs) + len(outputs)}" failures="{kinds[Failure]}" errors="{kinds[Error]}"'
    numbers += f' skipped="{kinds[Skipped]}"'
    yield f'<?xml version="1.0" encoding="utf-8"?>\n<testsuites name="{_NAME}" {numbers}>\n'
    yield f'<testsuite name="{_NAME}" {numbers} timestamp="{timestamp(report.now_ms) or ""}">\n'
    for decision, judged in inputs:
        yield _case(decision.entry, "inputs", judged, _details(report, decision))
    for result, judged in outputs:
        yield _case(result.entry, "outputs", judged, iter((result.hint,)))
    yield "</testsuite>\n</testsuites>\n"


class _Judged(NamedTuple):
    """The result of a case that does not pass."""

    kind: type[FinalResult]
    type_: str
    message: str


def _case(entry: InputEntry | OutputEntry, kind: str, judged: _Judged | None, details: Iterator[str]) -> str:
    # Two inputs with one name would become one test case.
    name, urn = plain(entry.label, 200), plain(entry.urn.text, 1000)
    case = TestCase(urn if name == urn else f"{name} ({urn})", kind)
    if judged:
        result = judged.kind(plain(judged.message, 1000), plain(judged.type_, 100))
        result.text = "\n".join(details)
        case.result = [result]
    text: bytes = case.tostring()  # type: ignore[no-untyped-call]
    return f"{text.decode()}\n"


def _input(report: Report, decision: Decision) -> _Judged | None:
    if report.override and decision.is_overridden:
        return _Judged(Skipped, "override", str(report.override))
    if decision.conclusion is Conclusion.BLOCK and decision.verdict is Verdict.UNHEALTHY:
        return _Judged(Failure, "incident", state_words(decision))
    if decision.problems:
        return _Judged(Error, decision.problems[0].reason.value, decision.problems[0].message)
    if decision.conclusion is Conclusion.WARN:
        return _Judged(Skipped, "warning", f"only a warning: {state_words(decision)}")
    if decision.excused:
        return _Judged(Skipped, "excused", f"does not count: {decision.excused[0].reason}")
    return None


def _output(result: OutputResult) -> _Judged | None:
    return _Judged(Error, result.change.value, result.message) if result.change is Change.FAILED else None


def _details(report: Report, decision: Decision) -> Iterator[str]:
    for row in rows_of(report, decision, _SHOWN):
        if row.is_asset:
            yield plain(sentences(*row.notes), 1500)
            continue
        owned = f"owned by {', '.join(row.owners)}" if row.owners else ""
        words = (row.priority.upper(), row.title, *row.facts, owned, *row.urns, row.page or "")
        yield " · ".join(plain(word, 1000) for word in words if word)
    for excuse in decision.excused[:_SHOWN]:
        yield plain(f"does not count ({excuse.reason}): {title_of(excuse.item)}", 1000)
