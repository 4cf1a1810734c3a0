"""What every report shows alike: rows, headlines, sentences, and how to go on."""

from __future__ import annotations

from datetime import date
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.ci.run import Run
from incident_gate.errors import RefusedError
from incident_gate.gate.policy import Conclusion, Decision, Excused, Verdict
from incident_gate.incident import Assertion, Incident, Priority, Problem, Reason
from incident_gate.manifest.model import NOWHERE, OnUnknown, OutputEntry, Position, Waiver
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.headline import headline, outcome_line, sentence, steps
from incident_gate.report.model import Override
from incident_gate.report.view import CHANGES, SectionKind, age, incidents_page, rows_of, sections, title_of
from tests.helpers.report_samples import (
    DAY,
    HOUR,
    NOW,
    UI,
    dataset,
    decision,
    entry,
    incident,
    missing,
    report,
    unhealthy,
)

FINE = decision(entry("fine"))
WARNED = decision(entry("warned"), Conclusion.WARN, blocking=(incident(1, entry("warned").urn),))
LOW = decision(entry("low"), excused=(Excused(incident(1, entry("low").urn), "LOW, this input blocks from HIGH up"),))
REMOVED = decision(entry("r"), Conclusion.BLOCK, problems=(Problem(Reason.REMOVED, "It was removed"),))
REFUSED = decision(entry("x"), Conclusion.BLOCK, problems=(Problem(Reason.REFUSED, "No privilege"),))
UNREAD = decision(entry("a"), Conclusion.BLOCK, unread=2)
FAILING = Assertion("urn:li:assertion:1", entry("b").urn.text, description="Rows", since_ms=NOW - 3 * HOUR, run_ms=NOW)
ASSERTED = decision(entry("b"), Conclusion.BLOCK, verdict=Verdict.UNHEALTHY, failing=(FAILING,), counts_assertions=True)
OUTPUT = OutputEntry(urn=entry("daily").urn, position=Position(1, 1))


def results(*changes: Change) -> tuple[OutputResult, ...]:
    return tuple(OutputResult(entry=OUTPUT, change=change) for change in changes)


@pytest.mark.parametrize(
    ("decisions", "line", "said"),
    [
        ((), "Passed: the manifest names no inputs, so there is nothing to check", None),
        ((FINE, FINE), "Passed: no open incidents on 2 inputs", None),
        ((FINE, LOW), "Passed: no open incident counts on 2 inputs (1 does not count)", None),
        ((LOW, LOW), "Passed: no open incident counts on 2 inputs (2 do not count)", None),
        (
            (unhealthy("a"), LOW, LOW),
            "Blocked: 1 incident on 1 input, 2 incidents do not count",
            ("1 input has an open incident.", "2 incidents do not count."),
        ),
        (
            (FINE, ASSERTED._replace(conclusion=Conclusion.PASS, verdict=Verdict.HEALTHY, failing=())),
            "Passed: no open incidents or failing assertions on 2 inputs",
            None,
        ),
        (
            (FINE, WARNED),
            "Passed with a warning: 1 incident on 1 input, 1 input clear",
            ("1 input has an open incident.", "The other one is clear."),
        ),
        (
            (missing("m"), FINE),
            "Blocked: 1 of 2 inputs not found in DataHub",
            ("1 input was not found in DataHub.", "The other one is clear."),
        ),
        ((REFUSED, FINE), "Blocked: 1 of 2 inputs could not be checked", ("1 input could not be checked.", None)),
        (
            (unhealthy("a"), unhealthy("b"), missing("m"), FINE, FINE, FINE),
            "Blocked: 2 incidents on 2 inputs, 1 input not found, 3 inputs clear",
            ("2 inputs have an open incident, 1 was not found in DataHub.", "The other 3 are clear."),
        ),
        (
            (UNREAD, REMOVED, missing("m"), WARNED, LOW, FINE),
            (
                "Blocked: 2 incidents on 1 input, 1 input removed, 1 input not found, 1 input clear, 1 only warns, "
                "1 incident does not count"
            ),
            (
                "1 input has 2 open incidents, 1 was removed from DataHub, 1 was not found in DataHub.",
                "Of the others, 1 is clear and 1 only warns. 1 incident does not count.",
            ),
        ),
        (
            (unhealthy("a")._replace(problems=REFUSED.problems), FINE),
            "Blocked: 1 incident on 1 input, 1 input could not be checked in full, 1 input clear",
            ("1 input has an open incident, 1 could not be checked in full.", "The other one is clear."),
        ),
        (
            (unhealthy("a")._replace(problems=REFUSED.problems, on_unknown=OnUnknown.WARN),),
            "Blocked: 1 incident on 1 input",
            ("1 input has an open incident.", ""),
        ),
        ((ASSERTED,), "Blocked: 1 failing assertion on 1 input", ("1 input has a failing assertion.", "")),
    ],
)
def test_headline_and_sentence_count_what_decided(
    decisions: tuple[Decision, ...], line: str, said: tuple[str, str | None] | None
) -> None:
    run = report(*decisions)
    assert headline(run) == line
    if said:
        why, others = sentence(run)
        assert (why, others if said[1] is not None else None) == said


@pytest.mark.parametrize(
    ("status", "changes", "line"),
    [
        ("success", (Change.CLEAR, Change.CLEAR), "Job succeeded: nothing to resolve"),
        (
            "success",
            (Change.CLEAR, Change.RESOLVED),
            "Job succeeded: incident resolved on 1 output, nothing to resolve on 1 output",
        ),
        (
            "failure",
            (Change.KEPT, Change.LEFT, Change.RAISED),
            "Job failed: incident raised on 1 output, incident still open on 2 outputs",
        ),
        (
            "failure",
            (Change.WOULD_RAISE,),
            "Job failed. Dry run, nothing was written: would raise an incident on 1 output",
        ),
        ("failure", (), "Job failed: no outputs to report on"),
        ("odd\n", (), "Job ended with odd: no outputs to report on"),
        ("", (), "Job ended with an unknown status: no outputs to report on"),
    ],
)
def test_the_outcome_is_a_sentence(status: str, changes: tuple[Change, ...], line: str) -> None:
    assert outcome_line(OutcomeReport(outcome=status, results=results(*changes))) == line


def test_what_was_requested_is_not_called_a_failed_job() -> None:
    raised = OutcomeReport(outcome="failure", results=results(Change.RAISED), on_request=True)
    assert outcome_line(raised) == "Incident raised on 1 output"
    resolved = OutcomeReport(outcome="success", results=results(Change.CLEAR), on_request=True)
    assert outcome_line(resolved) == "Nothing to resolve"
    dry = OutcomeReport(outcome="failure", results=results(Change.WOULD_KEEP), on_request=True)
    assert outcome_line(dry) == "Dry run, nothing was written: would update the incident on 1 output"
    assert outcome_line(OutcomeReport("failure", nothing="It is a fork.", on_request=True)) == "It is a fork."
    assert headline(report(outcome=raised, gated=False)) == outcome_line(raised)


def test_every_change_has_words() -> None:
    assert set(CHANGES) == set(Change)
    for change in Change:
        assert outcome_line(OutcomeReport(outcome="success", results=results(change)))


@pytest.mark.parametrize(
    ("title", "description", "said"),
    [("T", "D", "T"), (None, "D", "D"), (" \u200b", "D", "D"), (None, None, "(no title)"), ("", "\n", "(no title)")],
)
def test_an_incident_without_a_title_has_a_name(title: str | None, description: str | None, said: str) -> None:
    assert title_of(Incident(urn="urn:li:incident:1", asset="x", title=title, description=description)) == said


@pytest.mark.parametrize(
    ("fields", "facts"),
    [
        ({"type": "CUSTOM", "custom_type": "Own"}, ("Own",)),
        ({"type": "CUSTOM"}, ("custom",)),
        ({"type": "DATA_SCHEMA", "custom_type": "Own"}, ("data schema",)),
        ({"type": None, "created_ms": NOW}, ()),
        (
            {"created_ms": NOW - 3 * HOUR, "stage": "INVESTIGATION", "assignees": ("Ana", "Bo")},
            ("operational", "open for 3 h", "investigating", "assigned to Ana, Bo"),
        ),
    ],
)
def test_what_is_known_of_an_incident_needs_no_legend(fields: dict[str, Any], facts: tuple[str, ...]) -> None:
    run = report(unhealthy("orders", **fields))
    [row] = rows_of(run, run.decisions[0])
    assert row.facts == facts


def test_a_failing_assertion_has_its_page_and_times() -> None:
    [row] = rows_of(report(ASSERTED), ASSERTED)
    assert row.facts == ("failing assertion", "failing for 3 h", "last run just now")
    assert row.page
    assert row.page.endswith("/Quality/List?assertion_urn=urn%3Ali%3Aassertion%3A1")
    [row] = rows_of(report(), ASSERTED._replace(failing=(FAILING._replace(run_ms=NOW - 2 * HOUR),)))
    assert row.facts[-1] == "last run 2 h ago"


@pytest.mark.parametrize(
    ("urn", "asset"),
    [
        (dataset("a.b").text, "orders (its table snowflake a.b)"),
        (dataset("a,b", "dbt").text, "orders (its model dbt a,b)"),
        ("urn:li:chart:(looker,1)", "orders (its sibling urn:li:chart:(looker,1))"),
    ],
)
def test_a_sibling_is_explained(urn: str, asset: str) -> None:
    of = decision(entry("orders"), Conclusion.BLOCK, blocking=(Incident("urn:li:incident:1", urn),))
    [row] = rows_of(report(of), of)
    assert row.asset == asset


def test_the_worst_comes_first_within_an_asset_and_among_assets() -> None:
    low, high = (unhealthy(name, name, priority=Priority[name]) for name in ("LOW", "HIGH"))
    both = decision(
        entry("both"), Conclusion.BLOCK, blocking=(*high.blocking, *low.blocking), unread=1, failing=(FAILING,)
    )
    run = report(missing("m"), UNREAD, ASSERTED, low, both)
    [section] = sections(run)
    tags = ["HIGH", "LOW", "ASSERTION", "INCIDENT", "LOW", "ASSERTION", "INCIDENT", "NOT FOUND"]
    assert [row.tag for row in section.rows] == tags


def test_many_incidents_of_one_asset_hide_no_other_asset() -> None:
    of = entry("orders")
    many = decision(of, Conclusion.BLOCK, blocking=tuple(incident(n, of.urn) for n in range(5_000)))
    [section] = sections(report(many, *(missing(f"m{n}") for n in range(2_000))))
    assert section.rows[50].title == "4,950 more: open the asset in DataHub"

    assert (section.rows[51].tag, len(section.rows), section.total) == ("NOT FOUND", 1_000, 2_051)


@pytest.mark.parametrize(("listed", "more"), [(1, 2), (60, 12)])
def test_incidents_that_were_not_kept_are_not_called_hidden(listed: int, more: int) -> None:
    blocking = tuple(incident(n, entry("a").urn) for n in range(listed))
    [section] = sections(report(UNREAD._replace(unread=3, left_out=2, blocking=blocking)))
    assert [row.title for row in section.rows][min(listed, 50) :] == [
        f"{more} more: open the asset in DataHub",
        "1 open incident that DataHub counts but does not show",
    ]
    assert section.total == len(section.rows)


def test_an_unknown_asset_without_a_reason_is_still_listed() -> None:
    [section] = sections(report(decision(entry("odd"), Conclusion.BLOCK, verdict=Verdict.UNKNOWN)))
    assert [(row.tag, row.title) for row in section.rows] == [("UNCHECKED", "odd")]


def test_the_label_is_repeated_only_where_the_asset_has_two_urns() -> None:
    gone = missing("m")
    [row] = rows_of(report(), gone)
    assert row.notes == (gone.problems[0].hint,)
    [row] = rows_of(report(), gone._replace(entry=gone.entry._replace(alternate_urns=(dataset("other"),))))
    assert row.notes == (gone.problems[0].message, gone.problems[0].hint)


@pytest.mark.parametrize(("decision_", "has_page"), [(missing("m"), False), (REMOVED, False), (REFUSED, True)])
def test_what_has_no_page_has_no_link(decision_: Decision, has_page: bool) -> None:  # noqa: FBT001
    [row] = rows_of(report(decision_), decision_)
    assert bool(row.page) is has_page


def test_a_rule_that_has_expired_is_beside_its_incident() -> None:
    late = unhealthy("a")._replace(failing=(FAILING,))
    rules = tuple(
        Waiver(date(2026, 11, day), "known", Position(day, 9), incident=incident, assertion=assertion)
        for day, incident, assertion in ((4, late.blocking[0].urn, ""), (5, "", FAILING.urn))
    )
    rows = rows_of(report(late), late._replace(entry=late.entry._replace(expired=rules)))
    assert [[fact for fact in row.facts if "ended" in fact] for row in rows] == [
        ["its ignore rule ended on 2026-11-04 (line 4): extend it"],
        ["its ignore rule ended on 2026-11-05 (line 5): extend it"],
    ]


def test_steps_are_only_those_that_apply() -> None:
    def shown(*decisions: Decision, **fields: object) -> list[str]:
        return [step.prose for step in steps(report(*decisions, **fields))]

    override = "Only this run: set `override` to a reason."
    assert shown(FINE) == shown(WARNED) == []
    assert shown(unhealthy("a")) == ["Have the incident resolved in DataHub, then {}.", override]
    assert shown(missing("a")) == [
        "An input that cannot be checked blocks. Fix it, or set `on-unknown: warn` on its entry.",
        override,
    ]
    refused = RefusedError("DataHub rejected the token", hint="Check it.")
    assert shown(REFUSED, failure=refused) == ["An input that cannot be checked blocks. Fix it."]
    named = missing("a")._replace(entry=entry("a")._replace(position=NOWHERE))
    fix = "An input that cannot be checked blocks. Fix it, or "
    assert shown(named)[0] == f"{fix}set `on-unknown` to warn."
    assert shown(named, override_option="--override")[0] == f"{fix}add `--on-unknown warn`."
    assert shown(unhealthy("a")._replace(problems=REFUSED.problems))[1].startswith(fix)
    assert shown(ASSERTED, override_option="--override") == [
        "Fix what the failing assertions show, then {}.",
        "Only this run: add `--override REASON`.",
    ]


def test_owners_matter_where_something_blocks_warns_or_changed() -> None:
    changed = OutcomeReport(
        "failure",
        (
            OutputResult(OUTPUT, Change.RAISED, raised=("urn:li:incident:1",)),
            OutputResult(OUTPUT._replace(urn=dataset("kept")), Change.KEPT, incidents=("urn:li:incident:2",)),
            OutputResult(OUTPUT._replace(urn=dataset("over")), Change.RESOLVED, resolved=("urn:li:incident:3",)),
        ),
    )
    run = report(FINE, LOW, WARNED, unhealthy("a"), missing("m"), outcome=changed)
    assert run.affected_assets == tuple(dataset(name).text for name in ("a", "m", "warned", "daily", "over"))
    assert run.events == ("raised", "resolved", "blocked")


def test_an_overridden_run_is_announced_as_blocked_and_a_warning_is_not() -> None:
    assert report(WARNED).events == ()
    assert report(WARNED, override=Override("known", "ana")).events == ("blocked",)
    assert report(WARNED, override=Override("known", "ana", effective=False)).events == ()
    resolved = OutcomeReport("success", (OutputResult(OUTPUT, Change.FAILED, resolved=("urn:li:incident:1",)),))
    assert report(outcome=resolved, gated=False).events == ("resolved",)


@pytest.mark.parametrize(
    ("run", "path", "url"),
    [
        (
            Run(url="https://g/o/r/actions/runs/1/attempts/2", commit="abc"),
            "a/b.yml",
            "https://g/o/r/blob/abc/a/b.yml#L7",
        ),
        (Run(url="https://l/o/r/-/jobs/1", commit="abc"), "b.yml", "https://l/o/r/-/blob/abc/b.yml#L7"),
        (Run(url="https://jenkins/job/1", commit="abc"), "b.yml", None),
        (Run(url="https://g/o/r/actions/runs/1", commit="abc"), "../b.yml", None),
        (Run(), "b.yml", None),
    ],
)
def test_a_line_of_the_manifest_has_a_page_where_that_is_known(run: Run, path: str, url: str | None) -> None:
    assert report(run=run, manifest_path=path).place_url(Position(7, 5)) == url
    assert report(run=run, manifest_path=path).place_url(NOWHERE) is None


def test_failed_checks_that_belong_to_no_output_are_named() -> None:
    outcome = OutcomeReport("success", unrelated_checks=9, unrelated_failures=("tests.misc.test_other",))
    [section] = sections(report(outcome=outcome, gated=False))
    assert section.kind is SectionKind.WARNINGS
    assert section.rows[0].notes[0].startswith("1 failed check belongs to no output: `tests.misc.test_other`. To")


@pytest.mark.parametrize(
    ("passed", "words"),
    [
        *((59_999, "just now"), (60_000, "1 min"), (HOUR - 1, "59 min"), (HOUR, "1 h"), (DAY - 1, "23 h")),
        *((DAY, "1 d"), (400 * DAY, "400 d"), (-HOUR, "just now"), (NOW, ""), (NOW + 1, "")),
    ],
)
def test_age_is_in_its_largest_unit(passed: int, words: str) -> None:
    assert age(NOW - passed, NOW) == words


@pytest.mark.parametrize(
    ("ui_url", "urn", "page"),
    [
        (UI, "urn:li:dataset:(urn:li:dataPlatform:hive,a b,PROD)", "dataset/URN/Incidents"),
        (UI + "/sub/", "urn:li:chart:(looker,1)", "sub/chart/URN/Incidents"),
        (UI, "urn:li:dashboard:(looker,1)", "dashboard/URN/Incidents"),
        (UI, "urn:li:dataJob:(urn:li:dataFlow:(airflow,dag,prod),task)", "tasks/URN/Incidents"),
        (UI, "urn:li:dataFlow:(airflow,dag,prod)", "pipelines/URN/Incidents"),
        (UI, "urn:li:container:1", "container/URN"),
        (UI, "urn:li:tag:x", None),
        ("", "urn:li:chart:x", None),
        (None, "urn:li:chart:x", None),
    ],
)
def test_each_kind_of_asset_has_its_page(ui_url: str | None, urn: str, page: str | None) -> None:
    address = incidents_page(ui_url, urn)
    assert (address and unquote(address)) == (page and f"{UI}/{page.replace('URN', urn)}")
    assert ":li:" not in (address or "")


@given(st.text() | st.just("\ud800"))
def test_no_urn_leaves_its_place_in_the_path(rest: str) -> None:
    address = incidents_page(UI, "urn:li:dataset:" + rest)
    assert address is not None
    parts = urlsplit(address)
    assert (parts.netloc, parts.query, parts.fragment) == ("datahub.example.com", "", "")
    assert len(parts.path.split("/")) == 4
    assert address.isascii()
    assert address.isprintable()
