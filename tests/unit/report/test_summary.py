"""The job summary: true, inert, whole, and never over the limit."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_gate.ci.run import Run
from incident_gate.datahub.graph.owners import Owner
from incident_gate.errors import SettingError
from incident_gate.gate.policy import Conclusion, Excused
from incident_gate.incident import Priority, Problem, Reason
from incident_gate.manifest.model import ManifestError, Mistake, OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.model import Override, Report
from incident_gate.report.summary import error_summary, summary
from incident_gate.report.view import incidents_page
from tests.helpers.github_markdown import Page
from tests.helpers.report_samples import (
    HOUR,
    NOW,
    UI,
    dataset,
    decision,
    entry,
    everything,
    incident,
    missing,
    report,
    unhealthy,
)

ELEMENTS = "h2 h3 p table thead tbody tr th td ul li a code br span details summary wbr strong pre ol"
OURS = set(ELEMENTS.split())


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
        manifest_text=f"inputs:\n  - {text}",
        run=Run(url=UI + "/actions/runs/1", commit=text),
        ui_url=UI + text.encode(errors="replace").decode(),
        warnings=(Mistake(position=Position(1, 1), message=text),),
        notices=(text,),
        outcome=OutcomeReport(
            outcome=text,
            results=(
                OutputResult(output, Change.FAILED, (text,), message=text, hint=text, failed=((text, text),)),
                OutputResult(output, Change.RAISED, (text,), title=text, reason=text),
            ),
            unrelated_failures=(text,),
        ),
    )


LIVE = r"| < > </details> ![a](//e) @octocat #1 ` `` [^1] \ :a: *** $a$ https://e.com www.e.com GH-1 abcdef0123"
SNIPPETS = [
    *LIVE.split(),
    *("<img src=x>", "(", ")", "]", "[", "&lt;", "a", "\n", "\r", "\n\n", "- ", " "),
]


@given(st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=3)).map("".join))
def test_no_text_from_outside_becomes_live(text: str) -> None:
    page = Page(summary(hostile_report(text)))
    assert set(page.elements) <= OURS
    assert page.elements.count("table") == 2
    assert page.attributes <= {"href", "lang"}
    assert all(link.startswith(UI) for link in page.links)
    assert page.live() == {}


@settings(max_examples=50)
@given(st.integers(0, 60_000))
def test_the_limit_is_kept_and_nothing_is_left_open(limit: int) -> None:
    whole = everything()._replace(decisions=everything().decisions * 12)
    cut = summary(whole, limit)
    assert len(cut.encode()) <= limit
    assert set(Page(cut).elements) <= OURS


def test_what_is_cut_is_counted() -> None:
    bad = [unhealthy(f"table{n:03}", priority=Priority.LOW) for n in range(500)]
    fine = [decision(entry(f"fine{n:03}")) for n in range(500)]
    page = Page(summary(report(*bad, *fine), 60_000))
    assert "490 more" in page.text
    left = [int(number) for number in re.findall(r"…and (\d+) more\.", page.text)]
    # Ten rows are in sight, and both tables have a heading.
    assert len(page.rows) - 2 + left[0] == 500
    assert page.text.count("fine") + left[1] == 500
    assert len(page.rows) > 50
    assert summary(everything(), 10) == ""
    assert summary(everything(), 400).startswith("## 🔴 DataHub Incident Gate: blocked")


def test_a_blocked_run_names_itself_and_says_what_blocks_who_can_clear_it_and_how_to_go_on() -> None:
    orders, customers = entry("orders", 4), entry("shop.customers", 5, "Customers")
    late = incident(
        1,
        orders.urn,
        title="No rows",
        type="FRESHNESS",
        priority=Priority.CRITICAL,
        created_ms=NOW - 3 * HOUR,
        assignees=("Bo",),
    )
    run = report(
        decision(orders, Conclusion.BLOCK, blocking=(late,)),
        decision(customers, Conclusion.BLOCK, blocking=(incident(2, dataset("c"), title="Empty"),)),
        missing("order_itmes", 7),
        decision(entry("products")),
        owners={orders.urn.text: (Owner("urn:li:corpuser:ana", "Ana Lopez"),), customers.urn.text: ()},
        run=Run(url="https://github.com/a/b/actions/runs/1", commit="abc"),
        manifest_text="inputs:\n" + "  - urn:li:x\n" * 9,
    )
    page = Page(summary(run))
    lines = [line for line in page.text.split("\n") if line]
    assert lines[:2] == [
        "🔴 DataHub Incident Gate: blocked",
        "2 inputs have an open incident, 1 was not found in DataHub. The other one is clear.",
    ]
    assert page.rows == [
        ["What blocks", "Who can clear it"],
        ["No rowsorderscritical · freshness · open\xa0for\xa03\xa0h · assigned to Bo", "Ana Lopez"],
        ["EmptyCustomers (its table snowflake c)operational", "no owner in DataHub"],
        [
            (
                f"Not in DataHub: order_itmes{dataset('order_itmes').text}"
                "Check the URN for a typing mistake, or ingest it first."
            ),
            "you: incident-gate.yml, line 7",
        ],
    ]
    # What is not in DataHub has no page there.
    assert page.links == [
        incidents_page(UI, orders.urn.text),
        incidents_page(UI, dataset("c").text),
        "https://github.com/a/b/blob/abc/.github/incident-gate.yml#L7",
        "https://github.com/a/b/actions/runs/1",
    ]
    steps = page.text[page.text.index("Have the") : page.text.index("Let these incidents pass until a date")]
    assert [line for line in steps.split("\n") if line] == [
        "Have the incidents resolved in DataHub, then re-run the failed jobs.",
        "An input that cannot be checked blocks. Fix it, or set on-unknown: warn on its entry.",
        "Only this run: set override to a reason.",
        "Until a date: paste this into the manifest.",
    ]
    assert "1 input is clear" in page.text
    assert "`products`" in summary(run)


def test_the_first_ten_rows_are_in_sight() -> None:
    page = summary(report(*(unhealthy(f"table{n:03}") for n in range(40))))
    in_sight, fold, rest = page.partition("<summary>30 more</summary>")
    assert (in_sight.count("**[Rows are missing]"), rest.count("**[Rows are missing]"), bool(fold)) == (10, 30, True)
    # The block to paste has them all.
    assert page.count("reason: TODO") == 40


@pytest.mark.parametrize(("number", "is_first"), [(3, False), (4, True)])
def test_how_to_go_on_stays_in_sight_on_a_phone(number: int, is_first: bool) -> None:  # noqa: FBT001
    page = summary(report(*(unhealthy(f"table{n}") for n in range(number))))
    assert (page.index("1. Have the") < page.index("| What blocks |")) is is_first


def test_what_a_selector_stands_for_names_the_selector() -> None:
    selected = entry("orders")._replace(selected_by="dbt: target/manifest.json")
    run = report(decision(selected, Conclusion.BLOCK, problems=(Problem(Reason.NOT_FOUND, "There is none", ""),)))
    assert "selected by dbt: target/manifest.json" in Page(summary(run)).text


def test_a_removed_asset_names_its_owners_beside_you() -> None:
    of, owners = entry("orders", 0), {entry("orders").urn.text: (Owner("urn:li:corpuser:ana", "Ana"),)}
    for reason, cell in ((Reason.REMOVED, "youAna"), (Reason.NOT_FOUND, "you")):
        run = report(decision(of, Conclusion.BLOCK, problems=(Problem(reason, "It is gone"),)), owners=owners)
        assert Page(summary(run)).rows[1][1] == cell


def test_no_word_of_a_table_is_wider_than_a_phone() -> None:
    long = "finance.payments_settled_transactions_of_all_regions_and_currencies_daily_2027"
    of = entry(long)
    run = report(
        unhealthy(long, f"{long} is late", assignees=(long,)),
        decision(of, Conclusion.BLOCK, problems=(Problem(Reason.NOT_FOUND, "There is none", "Look"),)),
        missing_outputs=everything().missing_outputs,
        outcome=OutcomeReport(outcome="failure", results=(output(long, Change.RAISED, failed=((long, long),)),)),
        owners={of.urn.text: (Owner("urn:li:corpuser:ana", f"{'x' * 20}@{long}"),)},
    )
    cells = re.findall(r"<td[^>]*>(.*?)</td>", Page(summary(run)).html, re.DOTALL)
    words = [html.unescape(word) for cell in cells for word in re.split(r"<[^>]*>|\s+", cell)]
    assert max(map(len, words)) <= 22
    assert {len(row) for row in Page(summary(run)).rows} == {2}


LOW = Excused(incident(1, entry("low").urn, title="Few rows"), "LOW, this input blocks from HIGH up")


def test_a_pass_is_one_line_and_a_fold_for_what_does_not_count() -> None:
    assert summary(report(decision(entry("orders")), notices=("A notice.",))) == (
        "🟢 **DataHub Incident Gate**: no open incidents on 1 input\n\n"
    )
    page = Page(summary(report(decision(entry("orders")), decision(entry("low", 5), excused=(LOW,)))))
    assert [line for line in page.text.split("\n") if line] == [
        "🟢 DataHub Incident Gate: no open incident counts on 2 inputs (1 does not count)",
        "1 input is clear, 1 incident does not count",
        "low: Few rows: LOW, this input blocks from HIGH up (line 5)",
        "orders",
    ]


def test_an_override_is_named_in_the_heading_with_its_reason() -> None:
    run = report(unhealthy("a")._replace(conclusion=Conclusion.WARN), override=Override("known", "ana"))
    text = Page(summary(run)).text
    assert text.startswith("🟡 DataHub Incident Gate: overridden\nOverridden by ana: known\n")
    assert "Only this run" not in text


@pytest.mark.parametrize("ui_url", [None, ""])
def test_without_an_address_there_are_no_links(ui_url: str | None) -> None:
    assert Page(summary(everything()._replace(ui_url=ui_url))).links == []


def outcome(*outputs: OutputResult, **fields: Any) -> str:
    return summary(report(outcome=OutcomeReport(outcome="failure", results=outputs, **fields), gated=False))


def output(name: str, change: Change, **fields: Any) -> OutputResult:
    return OutputResult(OutputEntry(dataset(name), Position(9, 5)), change, **fields)


RAISED = output(
    "revenue",
    Change.RAISED,
    incidents=("urn:li:incident:1",),
    title="2 of 6 checks failed",
    by_results=True,
    reason="2 of 6 checks failed",
    failed=(("tests.test_amount", "12 orders have a @negative amount"), ("tests.test_dates", "")),
)


def test_what_was_raised_is_named_with_the_checks_that_failed() -> None:
    quiet = output("daily", Change.UNTOUCHED, by_results=True, reason="not in the result files")
    page = Page(outcome(quiet, RAISED, unrelated_failures=("tests.misc",), unrelated_checks=3))
    assert page.text.startswith("🔴 DataHub Incident Gate: incident raised on 1 of 2 outputs\n")
    assert page.rows == [
        ["Output", "Now"],
        [
            "revenue",
            "2 of 6 checks failed (new incident)tests.test_amount: 12 orders have a @negative amounttests.test_dates",
        ],
        ["daily", "no change: not in the result files"],
    ]
    assert "1 failed check belongs to no output: tests.misc." in page.text


@pytest.mark.parametrize(
    ("results", "fields", "line"),
    [
        (
            (RAISED, RAISED, output("c", Change.CLEAR)),
            {},
            "🔴 DataHub Incident Gate: incident raised on 2 of 3 outputs",
        ),
        (
            (RAISED,),
            {"on_request": True},
            "🔴 DataHub Incident Gate: incident raised on 1 of 1 output\nRaised on request: the job has not failed.",
        ),
        ((output("a", Change.KEPT),), {}, "🔴 DataHub Incident Gate: incident still open on 1 of 1 output"),
        ((output("a", Change.FAILED),), {}, "🟡 DataHub Incident Gate: incident not written on 1 of 1 output"),
        (
            (output("a", Change.WOULD_RAISE),),
            {},
            "🟡 DataHub Incident Gate: dry run, nothing was written\nThis run would raise an incident on 1 of 1",
        ),
        ((output("a", Change.RESOLVED),), {}, "🟢 DataHub Incident Gate: incident resolved on a"),
    ],
)
def test_the_heading_says_what_was_done(results: tuple[OutputResult, ...], fields: dict[str, Any], line: str) -> None:
    assert Page(outcome(*results, **fields)).text.startswith(line)


def test_a_resolved_incident_is_one_line_and_nothing_to_do_is_none() -> None:
    assert outcome(output("a", Change.RESOLVED)).count("\n") == 2
    # With a warning there is a heading that counts, so the table names the output.
    assert Page(outcome(output("a", Change.RESOLVED), warnings=("Odd.",))).rows[1:] == [["a", "incident resolved"]]
    assert outcome(output("a", Change.CLEAR), output("b", Change.UNTOUCHED)) == ""
    assert outcome(nothing="This run is for another branch.") == ""


def test_an_output_that_could_not_be_written_says_why_and_what_to_do() -> None:
    page = Page(outcome(output("a", Change.FAILED, message="DataHub refused it.", hint="Give `Edit Incidents`.")))
    assert page.rows[1] == ["aincident-gate.yml, line 9", "incident not writtenDataHub refused it.Give Edit Incidents."]
    absent = output("a", Change.CLEAR, message="Not found in DataHub.", hint="Ingest it.", absent=Reason.NOT_FOUND)
    page = Page(outcome(absent))
    assert page.text.startswith("🟡 DataHub Incident Gate: nothing to resolve on 1 of 1 output\n")
    assert page.rows[1] == ["aincident-gate.yml, line 9", "not found in DataHubIngest it."]
    # Nothing was raised, although a person requested it.
    assert "on request" not in outcome(output("a", Change.FAILED), on_request=True)
    page = Page(outcome(output("a", Change.KEPT, incidents=("urn:li:incident:1",))))
    assert (page.rows[1], page.links) == (["a", "incident still open"], [incidents_page(UI, dataset("a").text)])


def test_that_an_asset_has_no_owner_is_not_said_where_owners_were_not_read() -> None:
    assert "owner not known" in summary(report(unhealthy("orders")))


def test_a_page_of_many_mistakes_is_cut_below_githubs_limit() -> None:
    mistakes = tuple(Mistake(Position(number, 1), "<" * 1_500, "") for number in range(1, 1_001))
    page = error_summary(ManifestError("gate.yml", mistakes, text="\n"))
    assert 900_000 < len(page.encode()) <= 1_000_000
    shown = page.count("gate.yml")
    assert f"…and {1_000 - shown:,} more" in page


def test_a_wrong_manifest_or_setting_is_shown_too() -> None:
    mistake = Mistake(Position(2, 5), 'unknown key "urm"', '"urn"')
    page = Page(error_summary(ManifestError("gate.yml", (mistake,), text="inputs:\n  - urm: ``` <b>\n")))
    assert page.text.startswith("🔴 DataHub Incident Gate: 1 manifest error\n")
    assert 'Line 2: unknown key "urm"; expected "urn"' in page.text
    assert "  2 |   - urm: ``` <b>\n    |     ^\n" in page.text
    assert set(page.elements) == {"h2", "p", "strong", "pre", "code"}
    setting = Page(error_summary(SettingError("timeout is @octocat.", hint="Use `90s`.")))
    assert setting.text.split("\n")[:3] == ["🔴 DataHub Incident Gate: blocked", "timeout is @octocat.", "Use 90s."]
    assert setting.live() == {}
