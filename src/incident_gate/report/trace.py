"""One request as a line of the debug log."""

from __future__ import annotations

from incident_gate.datahub.client import Exchange
from incident_gate.report.amounts import count
from incident_gate.text import plain


def trace(exchange: Exchange) -> str:
    """The operation, the number of assets, the time and the result; no header and no value."""
    assets = f" about {count(exchange.assets, 'asset')}" if exchange.assets else ""
    again = f", attempt {exchange.attempt}" if exchange.attempt > 1 else ""
    status = f"HTTP {exchange.status}" if exchange.status is not None else "no answer"
    milliseconds = round(exchange.seconds * 1000)
    return f"{exchange.operation}{assets}{again}: {status} in {milliseconds:,} ms, {plain(exchange.result, 800)}"
