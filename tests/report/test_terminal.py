"""The terminal's table: aligned, safe, and plain where colour is not wanted."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from incident_gate.gate.policy import Conclusion, Excused
from incident_gate.incident import Priority, Problem, Reason
from incident_gate.manifest.model import Mistake, OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.screen import cells
from incident_gate.report.terminal import terminal
from tests.helpers.report_samples import DAY, NOW, decision, entry, everything, incident, missing, report, unhealthy
from tests.helpers.runner_grammar import commands_in

COLOUR = re.compile(r"\x1b\[[0-9;]*m")


SNIPPETS = ["\x1b[2J", "\x9b", "\u202e", "\n", "::error::a", "##[error]", "漢", "e\u0301", " "]


@given(
    st.lists(st.sampled_from(SNIPPETS) | st.text()).map("".join),
    st.integers(0, 200),
    st.booleans(),
)
def test_no_text_from_outside_reaches_the_terminal_as_more_than_text(text: str, width: int, colour: bool) -> None:  # noqa: FBT001
    of = entry("orders", label=text)
    output = OutputEntry(urn=of.urn, position=Position(1, 1), name=text)
    result = OutputResult(entry=output, change=Change.FAILED, incidents=(text,), message=text, hint=text)
    run = report(
        decision(
            of,
            Conclusion.BLOCK,
            blocking=(incident(1, of.urn)._replace(title=text, type=text, asset=text),),
            problems=(Problem(Reason.ERROR, text, text),),
            excused=(Excused(incident(3, of.urn, title=text), text),),
            rules=(text,),
        ),
        ui_url=None,
        manifest_path=text,
        warnings=(Mistake(position=Position(1, 1), message=text),),
        notices=(text,),
        outcome=OutcomeReport(outcome=text, results=(result,)),
    )
    shown = terminal(run, colour=colour, width=width, explain=True)
    assert commands_in(shown) == []
    bare = COLOUR.sub("", shown)
    assert colour or bare == shown
    lines = bare.split("\n")
    assert all(line.isprintable() for line in lines)
    # A URN or an address that is cut is of no use.
    assert all(cells(line) <= max(width, 60) for line in lines if of.urn.text not in line)


def test_a_whole_run() -> None:
    assert terminal(everything(), width=90) == WHOLE


WHOLE = """\
Blocked: 4 active incidents on 2 of 14 inputs, 1 unknown, 1 incident excused

Blocking
  analytics.public.orders
    CRITICAL  3 h     FRESHNESS       Freshness: no rows since yesterday 02:00 UTC (work…
    HIGH      2 d     OPERATIONAL     Dataset failed 2/6 quality checks
    -         -       -               1 active incident that DataHub counts but does not…
    {orders}
  finance.payments.settled_transactions_daily
    -         25 min  Double booking  金額が二重に計上されています @data-platform/oncall…
    {payments}

Only a warning
  Customers (dbt)
    MEDIUM  9 d  FIELD  Column `email` is 40 % null | see https://wiki.example.com/x (on…
    {customers}

Unknown
  web.clickstream.events
    urn:li:dataset:(urn:li:dataPlatform:snowflake,web.clickstream.events,PROD)
    DataHub does not know web.clickstream.events.
    → Check the URN for a typing mistake, or ingest it first.
  finance.ledger
    urn:li:dataset:(urn:li:dataPlatform:snowflake,finance.ledger,PROD)
    DataHub does not know finance.ledger.
    → Check the URN for a typing mistake, or ingest it first.

Outputs that do not exist
  analytics.public.orders_monthly
    urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders_monthly,PROD)
    DataHub has no such asset.
    → Ingest it first, or set on-unknown: warn.

Excused
  Customers (dbt): Backfill running
    waived until 2027-01-31 by the manifest: backfill DATA-123

Job failed: 1 incident raised, 1 output not written
  analytics.public.orders_daily: incident raised
    urn:li:incident:9f3b7c0011
    {daily}
  analytics.public.orders_weekly: could not be written
    DataHub refused to raise the incident: unauthorized (403).
    → Give the token's owner the privilege Edit Incidents on this dataset.

Notices
  DataHub is asked over plain http: the token can be read on its way.
  .github/incident-gate.yml:12:9: this waiver ended on 2026-01-31, so its incident counts
    again

9 inputs healthy
""".format(
    **{
        name: f"https://datahub.example.com/dataset/urn%3Ali%3Adataset%3A%28urn%3Ali%3AdataPlatform%3Asnowflake%2C{table}"
        "%2CPROD%29/Incidents"
        for name, table in (
            ("orders", "analytics.public.orders"),
            ("payments", "finance.payments.settled_transactions_daily"),
            ("customers", "analytics.public.customers"),
            ("daily", "analytics.public.orders_daily"),
        )
    },
)


def test_colour_changes_nothing_but_colour() -> None:
    coloured = terminal(everything(), colour=True, width=90)
    assert coloured.startswith("\x1b[1;31mBlocked")
    assert COLOUR.sub("", coloured) == WHOLE


def test_columns_are_aligned_beside_wide_characters() -> None:
    of = entry("orders")
    blocking = tuple(
        incident(n, of.urn, type="CUSTOM", custom_type=name, title="T") for n, name in enumerate(["漢字", "abc", "é"])
    )
    lines = terminal(report(decision(of, Conclusion.BLOCK, blocking=blocking), ui_url=None)).splitlines()[4:]
    assert [cells(line[: line.index("T")]) for line in lines] == [cells(lines[0][: lines[0].index("T")])] * 3


def test_the_worst_asset_comes_first() -> None:
    run = report(
        unhealthy("none"),
        unhealthy("young", priority=Priority.CRITICAL, created_ms=NOW - DAY),
        unhealthy("old", priority=Priority.CRITICAL, created_ms=NOW - 2 * DAY),
        ui_url=None,
    )
    assert re.findall(r"^  (\w+)$", terminal(run), re.MULTILINE) == ["old", "young", "none"]


def test_long_lists_are_cut_with_a_count() -> None:
    of = entry("orders")
    many = decision(of, Conclusion.BLOCK, blocking=tuple(incident(n, of.urn) for n in range(30)), unread=5)
    assert "    and 25 more\n" in terminal(report(many))
    few = decision(of, Conclusion.BLOCK, blocking=(incident(1, of.urn),), unread=5)
    assert "more" not in terminal(report(few))
    assert "  and 10 more inputs\n" in terminal(report(*(unhealthy(f"t{n}") for n in range(60))))
    assert "  and 1 more input\n" in terminal(report(*(missing(f"t{n}") for n in range(51))))


def test_the_rules_are_shown_only_on_request() -> None:
    assert "Rules that decided" not in terminal(everything())
    explained = terminal(everything(), explain=True).partition("Rules that decided\n")[2]
    assert explained.startswith("""\
  urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD): unhealthy, block
    - on-incident: block (defaults in .github/incident-gate.yml)
    - siblings: false (option or action input)
  urn:li:dataset:(urn:li:dataPlatform:snowflake,finance.payments.settled_transactions_daily,PROD): unhealthy, block
    - on-incident: block (entry in .github/incident-gate.yml, line 15)
""")
    assert "urn:li:incident:61f00002 is excused: waived until 2027-01-31" in explained


def test_assets_that_simply_pass_are_explained_by_their_number() -> None:
    explained = terminal(everything(), explain=True)
    assert "9 inputs without an active incident: no rule had to decide\n" in explained
    assert "core.dimensions" not in explained


def test_a_healthy_run_is_one_line() -> None:
    assert terminal(report(decision(entry("a")), decision(entry("b")))) == "Passed: all 2 inputs are healthy\n"


def test_a_word_longer_than_the_line_is_cut() -> None:
    lines = terminal(report(notices=("x" * 500,)), width=70).splitlines()
    assert lines[-1] == "  " + "x" * 67 + "…"


def test_a_terminal_that_is_too_narrow_gets_the_narrowest_table() -> None:
    assert terminal(everything(), width=0) == terminal(everything(), width=60)
    assert terminal(everything(), width=61) != terminal(everything(), width=60)
