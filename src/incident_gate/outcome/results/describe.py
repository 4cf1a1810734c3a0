"""What failed, as text for an incident: untrusted names and messages in forms that nothing interprets."""

from __future__ import annotations

from collections.abc import Sequence

from incident_gate.outcome.results.model import Build, Check, Verdict
from incident_gate.text import plain

LISTED = 20
_LONGEST = 400


def failed_lines(failed: Sequence[Build | Check], listed: int = LISTED) -> tuple[str, ...]:
    """A line for each failure, the first ones; then how many more there are."""
    lines = [_line(one) for one in failed[:listed]]
    if len(failed) > listed:
        lines.append(f"- and {len(failed) - listed:,} more")
    return tuple(lines)


def _line(one: Build | Check) -> str:
    name = one.node if isinstance(one, Build) else one.name
    shown = f"- {_code(name)}"
    if isinstance(one, Check) and one.verdict is Verdict.ERROR:
        shown += " could not be run"
    return f"{shown}: {_code(one.message)}" if one.message else shown


def _code(text: str) -> str:
    # DataHub shows a description as Markdown since 1.0 and as plain text before: a code span reads well as either.
    return f"`{plain(text, _LONGEST).replace('`', chr(39)) or '?'}`"
