"""The job summary: true, inert, whole, and never over the limit."""

from __future__ import annotations

import dataclasses
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_gate.gate.policy import Conclusion, Excused
from incident_gate.incident import Priority, Problem, Reason
from incident_gate.manifest.model import Mistake, OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.model import Report
from incident_gate.report.summary import summary
from tests.helpers.github_markdown import Page
from tests.helpers.report_samples import UI, decision, entry, everything, incident, missing, report, unhealthy

OURS = {
    "h2",
    "h3",
    "p",
    "table",
    "thead",
    "tbody",
    "tr",
    "th",
    "td",
    "ul",
    "li",
    "a",
    "code",
    "br",
    "span",
    "details",
    "summary",
}


def hostile_report(text: str) -> Report:
    of = entry("orders", label=text)
    output = OutputEntry(urn=of.urn, position=Position(1, 1), name=text)
    return report(
        decision(
            of,
            Conclusion.BLOCK,
            blocking=(
                incident(1, of.urn, title=text, type=text, urn=text),
                dataclasses.replace(incident(2, of.urn), asset=text),
            ),
            problems=(Problem(Reason.ERROR, text, text),),
            excused=(Excused(incident(3, of.urn, title=text), text),),
        ),
        decision(of),
        manifest_path=text,
        ui_url=UI + text.encode(errors="replace").decode(),
        warnings=(Mistake(position=Position(1, 1), message=text),),
        notices=(text,),
        outcome=OutcomeReport(
            outcome=text,
            results=(OutputResult(entry=output, change=Change.FAILED, incidents=(text,), message=text, hint=text),),
        ),
    )


SNIPPETS = [
    *(
        "|",
        "\n",
        "\r",
        "<",
        ">",
        "</details>",
        "<img src=x>",
        "![a](//e)",
        "@octocat",
        "#1",
        "`",
        "``",
        "[^1]",
        "\\",
        ":a:",
    ),
    *(
        "\n\n",
        "***",
        "- ",
        "$a$",
        "https://e.com",
        "www.e.com",
        "GH-1",
        "abcdef0123",
        "(",
        ")",
        "]",
        "[",
        "&lt;",
        "a",
        " ",
    ),
]


@given(st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=3)).map("".join))
def test_no_text_from_outside_becomes_live(text: str) -> None:
    page = Page(summary(hostile_report(text)))
    assert set(page.elements) <= OURS
    assert page.elements.count("table") == 4
    assert page.attributes <= {"href"}
    assert all(link.startswith(UI) for link in page.links)
    assert page.live() == {}


@settings(max_examples=50)
@given(st.integers(0, 40_000))
def test_the_limit_is_kept_and_nothing_is_left_open(limit: int) -> None:
    whole = dataclasses.replace(everything(), decisions=everything().decisions * 12)
    cut = summary(whole, limit)
    assert len(cut.encode()) <= limit
    assert set(Page(cut).elements) <= OURS
    if len(summary(whole).encode()) > limit > 3_000:
        assert "more." in cut


def test_what_is_cut_is_counted() -> None:
    bad = [unhealthy(f"table{n:03}", priority=Priority.LOW) for n in range(500)]
    fine = [decision(entry(f"fine{n:03}")) for n in range(500)]
    page = Page(summary(report(*bad, *fine), 30_000))
    missing_rows, missing_healthy = (int(number) for number in re.findall(r"…and (\d+) more\.", page.text))
    assert len(page.rows) - 1 + missing_rows == 500
    assert page.elements.count("li") + missing_healthy == 500
    assert len(page.rows) > 50


def test_even_a_tiny_limit_is_kept() -> None:
    assert summary(everything(), 10) == ""
    assert summary(everything(), 300).startswith("## 🔴 Blocked")


def test_ten_thousand_assets_are_quick() -> None:
    fine = [decision(entry(f"fine{n}")) for n in range(5_000)]
    bad = [unhealthy(f"bad{n}", "x|" * 500) for n in range(5_000)]
    run = report(*fine, *bad)
    started = time.process_time()
    page = summary(run)
    # A twentieth of a second; anything that is not linear takes many.
    assert time.process_time() - started < 2
    assert len(page.encode()) < 1_048_576
    assert "and 4,000 more." in page


def test_a_blocked_run_says_so_and_what_to_do_in_its_first_two_lines() -> None:
    page = Page(summary(everything()))
    first, second = page.text.splitlines()[:2]
    assert first == "🔴 Blocked: 4 active incidents on 2 of 14 inputs, 1 unknown, 1 incident excused"
    assert second.startswith("Resolve them in DataHub and run this job again, or let one pass until a date: ignore in")


def test_a_blocking_incident_has_its_row() -> None:
    page = Page(summary(everything()))
    assert page.rows[:2] == [
        ["Priority", "Age", "Incident", "Asset", "Type"],
        [
            "🔴\xa0CRITICAL",
            "3\xa0h",
            "Freshness: no rows since yesterday 02:\u206000 UTCurn:li:incident:5c3e91aa",
            "analytics.public.orders",
            "FRESHNESS",
        ],
    ]
    assert page.links[0] == (
        "https://datahub.example.com/dataset/urn%3Ali%3Adataset%3A%28urn%3Ali%3AdataPlatform%3Asnowflake%2C"
        "analytics.public.orders%2CPROD%29/Incidents"
    )


def test_a_siblings_incident_leads_to_the_sibling() -> None:
    page = Page(summary(everything()))
    row = next(row for row in page.rows if "on its sibling" in row[3])
    assert row[3] == "Customers (dbt)on its sibling snowflake analytics.public.customers"
    assert any("analytics.public.customers" in link for link in page.links)


def test_excused_unknown_and_healthy_inputs_have_their_sections() -> None:
    text = Page(summary(everything())).text
    for said in (
        "waived until 2027-01-31 by the manifest: backfill DATA-123",
        "Check the URN for a typing mistake, or ingest it first.",
        "9 healthy inputs",
        "core.dimensions.table_08",
        "line 12: this waiver ended on 2026-01-31, so its incident counts again",
        "DataHub is asked over plain http",
    ):
        assert said in text


def test_the_outcome_is_told_with_its_reason() -> None:
    page = Page(summary(everything()))
    assert ["analytics.public.orders_daily", "🔴 raised", "urn:li:incident:9f3b7c0011"] in page.rows
    failed = next(row for row in page.rows if row[0] == "analytics.public.orders_weekly")
    assert failed[1].startswith("⚠️ failed: DataHub refused to raise the incident: unauthorized (403).Give the token's")


def test_a_healthy_run_is_one_line_and_a_fold() -> None:
    page = Page(summary(report(decision(entry("orders")))))
    assert page.text.split("\n")[0] == "🟢 Passed: the input is healthy"
    assert page.elements == ["h2", "details", "summary", "ul", "li", "code"]


def test_a_run_blocked_by_the_unknown_says_how_to_let_it_pass() -> None:
    text = Page(summary(report(missing("orders"), decision(entry("fine"))))).text
    assert text.startswith("🔴 Blocked: 1 of 2 inputs unknown\nWhat cannot be established blocks.")
    assert "on-unknown: warn" in text


@pytest.mark.parametrize("ui_url", [None, ""])
def test_without_an_address_there_are_no_links(ui_url: str | None) -> None:
    assert Page(summary(dataclasses.replace(everything(), ui_url=ui_url))).links == []


def test_a_step_of_its_own_tells_only_the_outcome() -> None:
    run = report(
        outcome=OutcomeReport(outcome="cancelled", nothing="a cancelled job says nothing of its outputs"), gated=False
    )
    assert Page(summary(run)).text.strip() == "📣 Outcome cancelled: a cancelled job says nothing of its outputs"
