"""Reports to render: small builders, and one run that has a bit of everything."""

from __future__ import annotations

from typing import Any

from incident_gate.gate.policy import Conclusion, Decision, Excused, MissingOutput, Verdict
from incident_gate.incident import Incident, Priority, Problem, Reason
from incident_gate.manifest.model import InputEntry, Mistake, OnUnknown, OutputEntry, Position
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.model import Report
from incident_gate.urn import EntityType, Urn

NOW = 1_780_000_000_000
HOUR = 3_600_000
DAY = 24 * HOUR
UI = "https://datahub.example.com"


def dataset(name: str, platform: str = "snowflake") -> Urn:
    return Urn(f"urn:li:dataset:(urn:li:dataPlatform:{platform},{name},PROD)", EntityType.DATASET, name)


def entry(name: str, line: int = 1, label: str | None = None) -> InputEntry:
    return InputEntry(urn=dataset(name), position=Position(line, 5), name=label)


def incident(number: int, asset: Urn, **fields: Any) -> Incident:
    settings: dict[str, Any] = {"urn": f"urn:li:incident:{number:08x}", "asset": asset.text, "type": "OPERATIONAL"}
    return Incident(**settings | fields)


def decision(of: InputEntry, conclusion: Conclusion = Conclusion.PASS, **fields: Any) -> Decision:
    verdict = Verdict.HEALTHY
    if fields.get("problems"):
        verdict = Verdict.UNKNOWN
    if fields.get("blocking") or fields.get("unread"):
        verdict = Verdict.UNHEALTHY
    settings: dict[str, Any] = {"on_unknown": OnUnknown.BLOCK, "verdict": verdict}
    return Decision(**{"entry": of, "conclusion": conclusion, **settings, **fields})


def report(*decisions: Decision, **fields: Any) -> Report:
    settings: dict[str, Any] = {"manifest_path": ".github/incident-gate.yml", "ui_url": UI, "now_ms": NOW}
    return Report(**settings | {"decisions": decisions} | fields)


def unhealthy(name: str, title: str | None = "Rows are missing", line: int = 1, **fields: Any) -> Decision:
    """An input that one incident blocks; `fields` are the incident's."""
    of = entry(name, line)
    return decision(of, Conclusion.BLOCK, blocking=(incident(line, of.urn, title=title, **fields),))


def missing(name: str, line: int = 1, conclusion: Conclusion = Conclusion.BLOCK) -> Decision:
    message = f"DataHub does not know {name}."
    problem = Problem(Reason.NOT_FOUND, message, "Check the URN for a typing mistake, or ingest it first.")
    return decision(entry(name, line), conclusion, problems=(problem,))


def everything() -> Report:
    orders = entry("analytics.public.orders", 4)
    customers = entry("analytics.customers", 9, "Customers (dbt)")
    payments = entry("finance.payments.settled_transactions_daily", 15)
    sibling = dataset("analytics.public.customers")
    blocked = decision(
        orders,
        Conclusion.BLOCK,
        blocking=(
            incident(
                0x5C3E91AA,
                orders.urn,
                title="Freshness: no rows since yesterday 02:00 UTC",
                type="FRESHNESS",
                priority=Priority.CRITICAL,
                created_ms=NOW - 3 * HOUR,
                stage="WORK_IN_PROGRESS",
                assignees=("Ana Lima", "data-platform"),
            ),
            incident(
                0x77B10C42,
                orders.urn,
                title="Dataset failed 2/6 quality checks",
                priority=Priority.HIGH,
                created_ms=NOW - 2 * DAY,
            ),
        ),
        unread=1,
        rules=("on-incident: block (defaults)", "on-unknown: block (built in)", "siblings: false (input)"),
    )
    also = decision(
        payments,
        Conclusion.BLOCK,
        blocking=(
            incident(
                0x0D9F1B7C,
                payments.urn,
                title="金額が二重に計上されています @data-platform/oncall #4711",
                type="CUSTOM",
                custom_type="Double booking",
                created_ms=NOW - 25 * 60_000,
            ),
        ),
        rules=("on-incident: block (entry)",),
    )
    warned = decision(
        customers,
        Conclusion.WARN,
        blocking=(
            incident(
                0x61F00001,
                sibling,
                title="Column `email` is 40 % null | see https://wiki.example.com/x",
                type="FIELD",
                priority=Priority.MEDIUM,
                created_ms=NOW - 9 * DAY,
            ),
        ),
        excused=(
            Excused(
                incident(0x61F00002, customers.urn, title="Backfill running", created_ms=NOW - DAY),
                "ignored until 2027-01-31: backfill DATA-123",
            ),
        ),
        siblings=(sibling.text,),
        rules=("on-incident: warn (entry)",),
    )
    outputs = (
        OutputResult(
            entry=OutputEntry(urn=dataset("analytics.public.orders_daily"), position=Position(40, 5)),
            change=Change.RAISED,
            incidents=("urn:li:incident:9f3b7c0011",),
            raised=("urn:li:incident:9f3b7c0011",),
            title="orders_daily was not built",
        ),
        OutputResult(
            entry=OutputEntry(urn=dataset("analytics.public.orders_weekly"), position=Position(41, 5)),
            change=Change.FAILED,
            message="DataHub refused to raise the incident: unauthorized (403).",
            hint="Give the token's owner the privilege `Edit Incidents` on this dataset.",
        ),
    )
    fine = tuple(decision(entry(f"core.dimensions.table_{n:02}", 50 + n)) for n in range(9))
    return report(
        *(blocked, also, warned, missing("web.clickstream.events", 21), missing("finance.ledger", 24, Conclusion.WARN)),
        *fine,
        outcome=OutcomeReport(outcome="failure", results=outputs),
        missing_outputs=(
            MissingOutput(
                OutputEntry(urn=dataset("analytics.public.orders_monthly"), position=Position(42, 5)),
                Problem(Reason.NOT_FOUND, "DataHub has no such asset", "Ingest it first, or set `on-unknown: warn`."),
            ),
        ),
        warnings=(Mistake(position=Position(12, 9), message="the `ignore` rule for X expired on 2026-01-31"),),
        notices=("DataHub is asked over plain http: the token can be read on its way.",),
    )
