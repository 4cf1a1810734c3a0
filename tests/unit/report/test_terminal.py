"""The terminal: aligned, safe, and plain where colour is not wanted; and one line or few for what is awaited."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.datahub.client import AWAITED, RequestLog
from incident_gate.datahub.graph.owners import Owner
from incident_gate.gate.policy import Conclusion, Excused, Verdict
from incident_gate.gate.wait import WaitState
from incident_gate.incident import Assertion, Priority, Problem, Reason
from incident_gate.manifest.model import Mistake, OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.terminal import Progress, terminal, trace
from incident_gate.text import cells, plain
from tests.helpers.report_samples import HOUR, NOW, decision, entry, everything, incident, missing, report, unhealthy
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
    # Lines wrap between words, and no word is cut.
    wide = [line for line in lines if cells(line) > max(width or 80, 40)]
    wide = [line for line in wide if not line.endswith((of.urn.text, ":1:5", ":1:1", plain(text)))]
    assert all(len(line.split()) <= 3 for line in wide)


def test_a_blocked_run() -> None:
    orders = entry("shop.orders", 4)
    late = incident(1, orders.urn, title="No rows since yesterday, 22:00", type="FRESHNESS", priority=Priority.CRITICAL)
    low = Excused(
        incident(3, entry("shop.payments").urn, title="Row count 2% below normal"),
        "LOW, this input blocks from HIGH up",
    )
    run = report(
        decision(orders, Conclusion.BLOCK, blocking=(late._replace(created_ms=NOW - 3 * HOUR),)),
        missing("shop.order_itmes", 7),
        decision(entry("shop.payments"), excused=(low,)),
        decision(entry("shop.products")),
        owners={orders.urn.text: (Owner("urn:li:corpuser:ana", "Ana Lopez"),)},
        override_option="--override",
        manifest_text="inputs:",
        notices=("DataHub is asked over plain http: the token can be read on its way, so use https.",),
    )
    assert terminal(run) == WHOLE
    create = "create .github/incident-gate.yml and add its URN to `ignore` in it"
    assert create in " ".join(terminal(run._replace(manifest_text="")).split())
    coloured = terminal(run, colour=True)
    assert coloured.startswith("\x1b[1;31m✗ Blocked\x1b[0m  1 incident")
    assert "\x1b[1;31mCRITICAL\x1b[0m  No rows" in coloured
    assert COLOUR.sub("", coloured) == WHOLE


WHOLE = """\
✗ Blocked  1 incident on 1 input, 1 input not found, 1 input clear, 1 incident
           does not count

CRITICAL  No rows since yesterday, 22:00
          shop.orders · freshness · open for 3 h · owned by Ana Lopez
          urn:li:incident:00000001
          https://datahub.example.com/dataset/urn%3Ali%3Adataset%3A%28urn%3Ali%3AdataPlatform%3Asnowflake%2Cshop.orders%2CPROD%29/Incidents
NOT FOUND shop.order_itmes
          urn:li:dataset:(urn:li:dataPlatform:snowflake,shop.order_itmes,PROD)
          Check the URN for a typing mistake, or ingest it first.
          .github/incident-gate.yml:7:5

1 incident does not count: Row count 2% below normal on shop.payments
          (LOW, this input blocks from HIGH up)

Notes
- DataHub is asked over plain http: the token can be read on its way, so use
  https.

help: have the incident resolved in DataHub, then run this again
help: an input that cannot be checked blocks. Fix it, or set `on-unknown: warn`
      on its entry
help: to let this run pass, add --override REASON
help: to let one pass until a date, add its URN to `ignore` in
      .github/incident-gate.yml
"""


def test_an_assertion_can_be_let_pass_until_a_date_too() -> None:
    failing = Assertion("urn:li:assertion:1", entry("a").urn.text)
    shown = terminal(report(decision(entry("a"), Conclusion.BLOCK, failing=(failing,), verdict=Verdict.UNHEALTHY)))
    assert "help: to let one pass until a date" in shown


def test_a_pass_is_one_line() -> None:
    assert terminal(report(decision(entry("a")), decision(entry("b")))) == "✓ Passed  no open incidents on 2 inputs\n"


def test_what_was_done_on_an_output() -> None:
    output = OutputEntry(urn=entry("daily").urn, position=Position(4, 5))
    results = (
        OutputResult(output, Change.FAILED, message="DataHub refused it.", hint="Give `Edit Incidents`."),
        OutputResult(
            output,
            Change.RAISED,
            incidents=("urn:li:incident:1",),
            title="2 of 6 checks failed",
            failed=(("tests.amount", "12 orders"), ("tests.dates", "")),
        ),
    )
    run = report(outcome=OutcomeReport("failure", results, on_request=True), gated=False, ui_url=None)
    assert terminal(run) == (
        "Incident raised on 1 output, incident not written on 1 output\n"
        "\n"
        "RAISED    daily\n          2 of 6 checks failed\n          tests.amount: 12 orders\n"
        "          tests.dates\n"
        "          urn:li:incident:1\n"
        "FAILED    daily\n          DataHub refused it.\n"
        "          Give Edit Incidents.\n          .github/incident-gate.yml:4:5\n"
    )


@pytest.mark.parametrize(
    ("fields", "lines"),
    [
        ({"change": Change.CLEAR}, "CLEAR     daily\n"),
        ({"change": Change.KEPT, "by_results": True, "reason": "1 failed"}, "OPEN      daily\n          1 failed\n"),
        ({"change": Change.WOULD_RAISE}, "DRY RUN   daily\n          would raise an incident\n"),
        (
            {
                "change": Change.CLEAR,
                "message": "Not found in DataHub.",
                "hint": "Ingest it.",
                "absent": Reason.NOT_FOUND,
            },
            "NOT FOUND daily\n          Ingest it.\n          .github/incident-gate.yml:4:5\n",
        ),
    ],
)
def test_what_the_label_of_an_output_says_is_not_said_again(fields: dict[str, Any], lines: str) -> None:
    result = OutputResult(OutputEntry(urn=entry("daily").urn, position=Position(4, 5)), **fields)
    shown = terminal(report(outcome=OutcomeReport("success", (result,)), gated=False))
    assert shown.partition("\n\n")[2] == lines


def test_warnings_and_notices_are_notes_alike() -> None:
    run = report(decision(entry("a")), warnings=(Mistake(Position(1, 1), "odd"),), notices=("A notice.",))
    assert terminal(run).partition("\n\n")[2] == "Notes\n- .github/incident-gate.yml:1:1: odd\n- A notice.\n"


def test_long_lists_are_cut_with_a_count_in_a_terminal_only() -> None:
    run = report(*(missing(f"t{n}") for n in range(51)))
    assert "and 1 more\n" in terminal(run, width=80)
    assert "more\n" not in terminal(run)


def test_the_rules_are_shown_only_on_request() -> None:
    assert "Rules that decided" not in terminal(everything())
    explained = terminal(everything(), explain=True).partition("Rules that decided\n")[2]
    # The rules about siblings and unknown inputs made no difference.
    assert explained.startswith("""\
  urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics.public.orders,PROD): unhealthy, block
    - on-incident: block (defaults in .github/incident-gate.yml)
  urn:li:dataset:(urn:li:dataPlatform:snowflake,finance.payments.settled_transactions_daily,PROD): unhealthy, block
    - on-incident: block (entry in .github/incident-gate.yml, line 15)
""")
    assert "urn:li:incident:61f00002 does not count: ignored until 2027-01-31" in explained
    assert "9 inputs without an open incident: no rule had to decide\n" in explained
    assert "core.dimensions" not in explained
    low = Excused(incident(1, entry("a").urn), "LOW, this input blocks from HIGH up", "min-priority")
    of = decision(entry("a"), excused=(low,), rules=("on-incident: block (entry)", "min-priority: HIGH (defaults)"))
    assert "    - min-priority: HIGH (defaults in" in terminal(report(of), explain=True)
    assert "on-incident" not in terminal(report(of), explain=True)


def test_a_narrow_terminal_wraps_and_cuts_nothing() -> None:
    shown = terminal(report(notices=("x" * 500 + " y",)), width=1)
    assert "- " + "x" * 500 + "\n  y\n" in shown
    assert terminal(everything(), width=0).split() == terminal(everything(), width=200).split()


# What is awaited


class Shown:
    """What progress printed, by a clock that the test turns."""

    def __init__(self, width: int | None = None) -> None:
        self.now = 100.0
        self.stream = io.StringIO()
        self.seen: list[RequestLog] = []
        self.progress = Progress(
            self.stream, "datahub:8080", clock=lambda: self.now, width=width, on_request=self.seen.append
        )

    def after(self, seconds: float, event: RequestLog = AWAITED) -> str:
        """Let time pass and something happen; returns what that printed."""
        self.now += seconds
        before = len(self.stream.getvalue())
        self.progress.note_request(event)
        return self.stream.getvalue()[before:]


def request(status: int | None = 200, result: str = "ok", assets: int = 250) -> RequestLog:
    return RequestLog(operation="o", assets=assets, attempt=1, seconds=1, status=status, result=result)


def test_a_log_gets_nothing_but_long_silences_ever_more_seldom() -> None:
    log = Shown()
    assert log.after(9.9) == ""
    assert log.after(0.1) == "datahub:8080 has not answered for 10 s\n"
    assert log.after(0.1, request(None, "Cannot connect:\n::error::x")) == ""
    assert log.after(9.9) == "datahub:8080 has not answered for 20 s: Cannot connect: : :error::x\n"
    assert log.after(19.9) == ""
    assert log.after(0.1, request(503, "HTTP 503")) == ""  # an answer
    assert log.after(9.9) == ""
    assert log.after(0.2) == "datahub:8080 has not answered for 10 s\n"
    assert [request.status for request in log.seen] == [None, 503]


def test_a_terminal_gets_one_line_that_counts_only_what_was_answered() -> None:
    shown = Shown(width=80)
    assert shown.after(1.9) == ""
    assert shown.after(0.1) == "\rWaiting for datahub:8080, 2 s\x1b[K"
    assert shown.after(0.1, request(503, "HTTP 503")) == ""  # too soon to be drawn
    assert shown.after(1, request()) == "\rWaiting for datahub:8080, 3 s, 250 assets answered\x1b[K"
    assert shown.after(30, request(None, "refused")).endswith("250 assets answered\x1b[K")
    for _ in range(2):
        with shown.progress:
            pass
    assert shown.stream.getvalue().endswith("answered\x1b[K\r\x1b[K")


def test_a_live_line_never_exceeds_the_width() -> None:
    for width in (1, 20, 44):
        shown = Shown(width)
        shown.progress.note_wait(WaitState(5, 60, (unhealthy("金額" * 30),)))
        drawn = shown.after(5) + shown.stream.getvalue()
        lines = [part.removesuffix("\x1b[K") for part in drawn.split("\r") if part]
        assert all(cells(line) < max(width, 2) for line in lines)


def test_a_log_names_what_is_waited_for_when_that_changes_and_every_five_minutes() -> None:
    log = Shown()
    for seconds, name in ((0, "a"), (1, "a"), (2, "b"), (300, "b"), (301.9, "b"), (302, "b")):
        log.progress.note_wait(WaitState(seconds, 3600, (unhealthy(name),)))
    assert log.stream.getvalue().splitlines() == [
        "Waiting up to 1 h for a: 1 open incident",
        "Waited 2 s of 1 h for b: 1 open incident",
        "Waited 5 min of 1 h for b: 1 open incident",
    ]


def test_a_request_is_a_line_of_the_debug_log() -> None:
    assert trace(request(200)) == "o about 250 assets: HTTP 200 in 1,000 ms, ok"
    assert trace(request(None, "refused", 0)._replace(attempt=2)) == "o, attempt 2: no answer in 1,000 ms, refused"


def test_a_closed_stream_does_not_stop_the_work() -> None:
    shown = Shown(width=80)
    shown.stream.close()
    shown.now += 5
    with shown.progress:
        shown.progress.note_request(AWAITED)
