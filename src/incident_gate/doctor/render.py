"""What the doctor found, for people and for programs."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator

from incident_gate.doctor.checks import Diagnosis, Finding, State
from incident_gate.report.amounts import count
from incident_gate.text import plain

VERSION = 1
_COLOURS = {State.OK: "32", State.WARNING: "33", State.UNKNOWN: "36", State.PROBLEM: "1;31"}
_ROWS = 200
_INDENT = " " * 9
_NARROWEST = 40


def table(diagnosis: Diagnosis, *, colour: bool = False, width: int = 100) -> str:
    """One paragraph for each finding, and a summary in the last line."""
    findings = diagnosis.findings
    lines = [line for finding in findings[:_ROWS] for line in _paragraph(finding, colour=colour, width=width)]
    if len(findings) > _ROWS:
        lines.append(f"and {len(findings) - _ROWS:,} more: `--format json` has them all")
    return "".join(f"{line}\n" for line in [*lines, "", _last_line(diagnosis)])


def document(diagnosis: Diagnosis) -> str:
    """The same as ASCII JSON; `version` changes only when a field goes away or changes its meaning."""
    findings = [
        {"subject": f.subject, "state": f.state.value, "detail": f.detail, "hint": f.hint} for f in diagnosis.findings
    ]
    return json.dumps({"version": VERSION, "healthy": not diagnosis.exit_code, "findings": findings}, indent=2) + "\n"


def _paragraph(finding: Finding, *, colour: bool, width: int) -> Iterator[str]:
    state = f"{finding.state:<{len(_INDENT)}}"
    painted = f"\x1b[{_COLOURS[finding.state]}m{state}\x1b[0m" if colour else state
    shown = f"{plain(finding.subject, 120)}: {plain(finding.detail, 1000)}"
    lines = [*_wrapped(shown, width), *_wrapped(plain(finding.hint, 1000), width, first="→ ")]
    yield painted + lines[0].removeprefix(_INDENT)
    yield from lines[1:]


def _wrapped(text: str, width: int, first: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        max(width, _NARROWEST),
        initial_indent=_INDENT + first,
        subsequent_indent=_INDENT + " " * len(first),
        # An address or a URN that is cut in two can no longer be copied.
        break_long_words=False,
        break_on_hyphens=False,
    )


def _last_line(diagnosis: Diagnosis) -> str:
    problems = sum(finding.state is State.PROBLEM for finding in diagnosis.findings)
    return f"{count(problems, 'problem')} found." if problems else "No problems found."
