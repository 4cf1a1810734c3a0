"""The job summary: true, inert, whole, and never over the limit."""

from __future__ import annotations

import html
import re
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_gate.datahub.graph.owners import Owner
from incident_gate.gate.policy import Conclusion, Excused
from incident_gate.incident import Priority, Problem, Reason
from incident_gate.manifest.model import Mistake, OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.links import incidents_page
from incident_gate.report.model import Report
from incident_gate.report.summary import summary
from tests.helpers.github_markdown import Page
from tests.helpers.report_samples import UI, dataset, decision, entry, everything, incident, missing, report, unhealthy

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
    "wbr",
    "strong",
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
                incident(2, of.urn)._replace(asset=text),
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
    assert page.elements.count("table") == 3
    assert page.attributes <= {"href"}
    assert all(link.startswith(UI) for link in page.links)
    assert page.live() == {}


@settings(max_examples=50)
@given(st.integers(0, 40_000))
def test_the_limit_is_kept_and_nothing_is_left_open(limit: int) -> None:
    whole = everything()._replace(decisions=everything().decisions * 12)
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
    # All of them have the same incident, whose URN is listed once.
    assert page.elements.count("li") + missing_healthy == 501
    assert len(page.rows) > 50


def test_even_a_tiny_limit_is_kept() -> None:
    assert summary(everything(), 10) == ""
    assert summary(everything(), 300).startswith("## 🔴 Blocked")


def test_ten_thousand_assets_are_quick() -> None:
    fine = [decision(entry(f"fine{n}")) for n in range(5_000)]
    bad = [unhealthy(f"bad{n}", "x|" * 50) for n in range(5_000)]
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
    assert second.startswith("Resolve the blocking incidents in DataHub and run this job again, or ignore one until a")


def test_a_blocking_incident_has_its_row() -> None:
    page = Page(summary(everything()))
    assert page.rows[:2] == [
        ["Incident", "Asset"],
        [
            (
                "Freshness: no rows since yesterday 02:\u206000 UTC"
                "🔴 CRITICAL, FRESHNESS, 3 h, work in progress, assigned to Ana Lima, data-platform"
            ),
            "analytics.public.orders",
        ],
    ]
    assert "- `urn:li:incident:5c3e91aa`" in summary(everything())
    # The incident and the asset both lead to the page that lists the asset's incidents.
    assert page.links[0] == page.links[1]
    assert page.links[0] == (
        "https://datahub.example.com/dataset/urn%3Ali%3Adataset%3A%28urn%3Ali%3AdataPlatform%3Asnowflake%2C"
        "analytics.public.orders%2CPROD%29/Incidents"
    )


def test_a_siblings_incident_leads_to_the_sibling() -> None:
    page = Page(summary(everything()))
    row = next(row for row in page.rows if "on its sibling" in row[1])
    assert row[1] == "Customers (dbt)on its sibling snowflake analytics.public.customers"
    assert any("analytics.public.customers" in link for link in page.links)


def test_the_owners_of_a_blocking_asset_are_named() -> None:
    owners = {dataset("analytics.public.orders").text: (Owner("urn:li:corpuser:ana", "Ana Lima"),)}
    page = Page(summary(everything()._replace(owners=owners)))
    assert page.rows[1][1] == "analytics.public.ordersowned by Ana Lima"


def test_what_a_selector_stands_for_names_the_selector() -> None:
    selected = entry("orders")._replace(selected_by="dbt: target/manifest.json")
    run = report(decision(selected, Conclusion.BLOCK, problems=(Problem(Reason.NOT_FOUND, "There is none", ""),)))
    assert "selected by dbt: target/manifest.json" in Page(summary(run)).text.replace("\u2060", "")


def test_an_unknown_input_shows_its_whole_urn_and_what_to_do() -> None:
    page = summary(everything())
    assert "`urn:li:dataset:(urn:li:dataPlatform:snowflake,web.clickstream.events,PROD)`" in page
    assert "Check the URN for a typing mistake, or ingest it first." in Page(page).text


def test_an_output_that_does_not_exist_shows_its_whole_urn_and_code_without_backticks() -> None:
    page = summary(everything())
    assert f"`{dataset('analytics.public.orders_monthly').text}`" in page
    assert "<code>on-unknown: warn</code>" in Page(page).html


def test_the_colour_of_a_warning_marks_no_priority() -> None:
    medium = Page(summary(report(unhealthy("orders", priority=Priority.MEDIUM)))).rows[1][0]
    assert "MEDIUM" in medium
    assert "🟡" not in medium


def test_no_word_of_a_table_is_wider_than_a_phone() -> None:
    long = "finance.payments_settled_transactions_of_all_regions_and_currencies_daily_2027"
    of = entry(long)
    run = report(
        unhealthy(long, f"{long} is late"),
        decision(of, Conclusion.BLOCK, problems=(Problem(Reason.NOT_FOUND, "There is none", "Look"),)),
        missing_outputs=everything().missing_outputs,
        outcome=everything().outcome,
    )
    cells = re.findall(r"<td[^>]*>(.*?)</td>", Page(summary(run)).html, re.DOTALL)
    words = [html.unescape(word) for cell in cells for word in re.split(r"<[^>]*>|\s+", cell)]
    assert max(map(len, words)) <= 20
    assert {len(row) for row in Page(summary(run)).rows} == {2}


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


def test_the_outcome_is_shown_with_its_reason() -> None:
    page = Page(summary(everything()))
    raised = next(row for row in page.rows if row[0] == "analytics.public.orders_daily")
    assert raised[1] == "🔴 incident raisedorders_daily was not built"
    assert "- `urn:li:incident:9f3b7c0011`" in summary(everything())
    assert incidents_page(UI, dataset("analytics.public.orders_daily").text) in page.links
    failed = next(row for row in page.rows if row[0] == "analytics.public.orders_weekly")
    assert failed[1].startswith("⚠️ could not be writtenDataHub refused to raise the incident: unauthorized (403).Give")


def test_a_healthy_run_is_one_line_and_a_fold() -> None:
    page = Page(summary(report(decision(entry("orders")))))
    assert page.text.split("\n")[0] == "🟢 Passed: the input is healthy"
    assert page.elements == ["h2", "details", "summary", "ul", "li", "code"]


def test_a_run_blocked_by_the_unknown_says_how_to_let_it_pass() -> None:
    text = Page(summary(report(missing("orders"), decision(entry("fine"))))).text
    assert text.startswith("🔴 Blocked: 1 of 2 inputs unknown\nInputs whose health is unknown block.")
    assert "Resolve" not in text
    assert "on-unknown: warn" in text


@pytest.mark.parametrize("ui_url", [None, ""])
def test_without_an_address_there_are_no_links(ui_url: str | None) -> None:
    assert Page(summary(everything()._replace(ui_url=ui_url))).links == []


def test_a_step_of_its_own_shows_only_the_outcome() -> None:
    run = report(
        outcome=OutcomeReport(outcome="cancelled", nothing="a cancelled job says nothing of its outputs"), gated=False
    )
    assert Page(summary(run)).text.strip() == "📣 Job was cancelled: a cancelled job says nothing of its outputs"
