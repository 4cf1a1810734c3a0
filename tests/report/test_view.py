"""What every report computes alike: the headline and the line of the outcome."""

from __future__ import annotations

import pytest

from incident_gate.gate.policy import Conclusion, Decision, Excused, Verdict
from incident_gate.manifest.model import OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.view import CHANGE_WORDS, headline, outcome_line, unknown
from tests.helpers.report_samples import decision, entry, incident, missing, report, unhealthy

FINE = decision(entry("fine"))
WARNED = decision(entry("warned"), Conclusion.WARN, blocking=(incident(1, entry("warned").urn),))
IGNORED = decision(entry("ignored"), blocking=(incident(1, entry("ignored").urn),))
WAIVED = decision(entry("waived"), excused=(Excused(incident(1, entry("waived").urn), "waived"),))


@pytest.mark.parametrize(
    ("decisions", "said"),
    [
        ((), "Passed: the manifest names no inputs, so there is nothing to check"),
        ((FINE,), "Passed: the input is healthy"),
        ((FINE, FINE), "Passed: all 2 inputs are healthy"),
        ((FINE, WAIVED), "Passed: all 2 inputs are healthy, 1 incident excused"),
        ((FINE, IGNORED), "Passed: 1 active incident on 1 of 2 inputs (ignored)"),
        ((FINE, WARNED), "Passed with a warning: 1 active incident on 1 of 2 inputs"),
        ((FINE, missing("m", conclusion=Conclusion.WARN)), "Passed with a warning: 1 of 2 inputs unknown"),
        ((FINE, WARNED, missing("m")), "Blocked: 1 of 3 inputs unknown"),
        ((unhealthy("a"), WARNED, missing("m")), "Blocked: 1 active incident on 1 of 3 inputs, 1 unknown"),
        ((decision(entry("a"), Conclusion.BLOCK, unread=2),), "Blocked: 2 active incidents on 1 of 1 input"),
    ],
)
def test_the_headline_says_what_decided(decisions: tuple[Decision, ...], said: str) -> None:
    assert headline(report(*decisions)) == said


def test_a_step_of_its_own_has_the_outcome_as_its_headline() -> None:
    output = OutputEntry(urn=entry("daily").urn, position=Position(1, 1))
    changes = (Change.RAISED, Change.RAISED, Change.KEPT, Change.FAILED, Change.WOULD_RAISE)
    results = tuple(OutputResult(entry=output, change=change) for change in changes)
    run = report(outcome=OutcomeReport(outcome="failure", results=results), gated=False)
    assert headline(run) == (
        "Job failed: 2 incidents raised, 1 existing incident updated, 1 output not written, 1 incident would be raised"
    )


@pytest.mark.parametrize(
    ("status", "changes", "line"),
    [
        ("success", (Change.CLEAR,), "Job succeeded: nothing to resolve"),
        ("success", (Change.CLEAR, Change.CLEAR), "Job succeeded: nothing to resolve"),
        (
            "success",
            (Change.RESOLVED, Change.CLEAR),
            "Job succeeded: 1 incident resolved, 1 output with nothing to resolve",
        ),
        ("failure", (Change.KEPT,), "Job failed: 1 existing incident updated"),
        ("failure", (), "Job failed: no outputs to report on"),
        ("odd\n", (), "Job ended with odd: no outputs to report on"),
        ("", (), "Job ended with an unknown status: no outputs to report on"),
    ],
)
def test_the_outcome_is_a_sentence(status: str, changes: tuple[Change, ...], line: str) -> None:
    output = OutputEntry(urn=entry("daily").urn, position=Position(1, 1))
    results = tuple(OutputResult(entry=output, change=change) for change in changes)
    assert outcome_line(OutcomeReport(outcome=status, results=results)) == line


def test_every_change_has_words() -> None:
    assert set(CHANGE_WORDS) == set(Change)
    output = OutputEntry(urn=entry("daily").urn, position=Position(1, 1))
    for change in Change:
        assert outcome_line(OutcomeReport(outcome="success", results=(OutputResult(entry=output, change=change),)))


def test_an_unknown_asset_without_a_reason_is_still_listed() -> None:
    odd = decision(entry("odd"), Conclusion.BLOCK, verdict=Verdict.UNKNOWN)
    assert unknown(report(odd)) == [odd]
