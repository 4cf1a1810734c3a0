"""The job summary: the run as GitHub Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from incident_gate.gate.policy import Conclusion, Decision, Excused, MissingOutput
from incident_gate.incident import Priority
from incident_gate.manifest.model import NOWHERE, InputEntry, Mistake, OutputEntry
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.report.amounts import count
from incident_gate.report.links import incidents_page
from incident_gate.report.model import Report
from incident_gate.report.rows import IncidentRow, page_of, rows_with
from incident_gate.report.view import (
    CHANGE_WORDS,
    decided_line,
    excused,
    headline,
    healthy,
    outcome_line,
    override_lines,
    unanswered,
    unanswered_line,
    unknown,
    unrelated_line,
    waited_line,
)
from incident_gate.text import code, link, markdown, prose

# GitHub drops a step's summary whole above 1,048,576 bytes; the rest of the step may have written some already.
LIMIT = 1_000_000
_ROWS = 1_000  # nobody reads further, and what comes below must stay within reach

_CONCLUSION_SIGNS = {Conclusion.BLOCK: "🔴", Conclusion.WARN: "🟡", Conclusion.PASS: "🟢"}
# Yellow and green are the colours of conclusions.
_PRIORITY_SIGNS = {Priority.CRITICAL: "🔴", Priority.HIGH: "🟠", Priority.MEDIUM: "🟣", Priority.LOW: "🔵"}
_HEADINGS = {
    Conclusion.BLOCK: "Blocking incidents",
    Conclusion.WARN: "Incidents that only warn",
    Conclusion.PASS: "Incidents that are ignored",
}
_CHANGE_SIGNS = {
    Change.RAISED: "🔴",
    Change.KEPT: "🔴",
    Change.RESOLVED: "✅",
    Change.CLEAR: "✅",
    Change.LEFT: "🔴",
    Change.UNTOUCHED: "⚪",
    Change.FAILED: "⚠️",
    Change.WOULD_RAISE: "⚪",
    Change.WOULD_KEEP: "⚪",
    Change.WOULD_RESOLVE: "⚪",
}


class _Section(NamedTuple):
    """A part of the page that may be cut after any row: `rows` are rendered only as far as there is room."""

    head: str
    rows: Iterator[str]
    total: int
    tail: str = ""
    missing: Callable[[int], str] = lambda number: f"\n…and {number:,} more.\n"


def summary(report: Report, limit: int = LIMIT) -> str:
    """The page, at most `limit` bytes of UTF-8, cut between rows with a count of what is missing."""
    return _fitted(_title(report), _sections(report), limit)


def _title(report: Report) -> str:
    sign = _CONCLUSION_SIGNS[report.conclusion] if report.gated else "📣"
    lines = [f"## {sign} {markdown(headline(report), 300)}\n"]
    lines += [f"**{markdown(text, 1000)}**\n" for text in override_lines(report)]
    lines += [f"{markdown(waited_line(report), 1000)}\n"] if report.waited else []
    if report.gated and report.conclusion is Conclusion.BLOCK:
        lines += [f"{paragraph}\n" for paragraph in (_failure(report), _advice(report)) if paragraph]
    return "\n".join([*lines, ""])


def _failure(report: Report) -> str:
    error, left = report.failure, unanswered_line(report)
    if not (error and left):
        return ""
    return f"**{prose(error.message, 1000)}** {prose(error.hint, 1000)}\n\n{markdown(left)}"


def _advice(report: Report) -> str:
    """What to do about what blocks for a reason of its own."""
    alike = {id(decision) for decision in unanswered(report)}
    blocking = [d for d in report.decisions if d.conclusion is Conclusion.BLOCK and id(d) not in alike]
    manifest = code(report.manifest_path)
    if any(decision.failing for decision in blocking):
        return (
            "Fix what the failing assertions show, resolve the blocking incidents and run this job again, or ignore "
            f"one until a date: `ignore` in {manifest}."
        )
    if any(decision.blocking_count for decision in blocking):
        return (
            "Resolve the blocking incidents in DataHub and run this job again, or ignore one until a date: "
            f"`ignore` in {manifest}."
        )
    if blocking:
        return (
            f"Inputs whose health is unknown block. Fix the cause shown below, or set `on-unknown: warn` in {manifest}."
        )
    return ""


def _sections(report: Report) -> Iterator[_Section]:
    for conclusion in reversed(Conclusion):
        found = rows_with(report, conclusion)
        rows = (_incident_row(report, row) for row in found)
        yield _table(_HEADINGS[conclusion], ("Incident", "Asset"), rows, len(found))
    unsure = unknown(report)
    yield _list("Inputs of unknown health", (_unknown_item(report, decision) for decision in unsure), len(unsure))
    missing = report.missing_outputs
    yield _list("Outputs that do not exist", (_missing_item(report, one) for one in missing), len(missing))
    if report.outcome:
        # In a step of its own the page's title is the outcome.
        head = f"### {markdown(outcome_line(report.outcome), 300)}\n\n" if report.gated else ""
        yield _Section(head=head, rows=iter(()), total=1)
        results = report.outcome.results
        remarks = [*report.outcome.warnings, *filter(None, (unrelated_line(report.outcome),))]
        yield _table("", ("Output", "What was done"), (_output_row(report, r) for r in results), len(results))
        yield _list("Results", (prose(remark) for remark in remarks), len(remarks))
    passed = list(excused(report))
    rows = (_excused_row(report, row, excuse) for row, excuse in passed)
    yield _table("Excused", ("Incident", "Why it does not count"), rows, len(passed))
    yield _list("Notices", (prose(notice) for notice in report.notices), len(report.notices))
    rows = (_warning_item(report.manifest_path, warning) for warning in report.warnings)
    yield _list("Warnings about the manifest", rows, len(report.warnings))
    urns = list(dict.fromkeys(_urns(report)))
    yield _folded("URNs of these incidents and assertions", map(code, urns), len(urns))
    fine = healthy(report)
    yield _folded(count(len(fine), "healthy input"), (code(d.entry.label) for d in fine), len(fine))


def _urns(report: Report) -> Iterator[str]:
    """The URNs of what the tables show: people copy them into `ignore`, and a table with them is wider than a phone."""
    for conclusion in reversed(Conclusion):
        items = (row.incident or row.assertion for row in rows_with(report, conclusion))
        yield from (item.urn for item in items if item)
    yield from (urn for result in (report.outcome.results if report.outcome else ()) for urn in result.incidents)


def _table(heading: str, columns: tuple[str, str], rows: Iterator[str], total: int) -> _Section:
    """A table of two columns, which fits on a phone."""
    head = f"### {heading}\n\n" if heading else ""
    return _Section(head=f"{head}| {' | '.join(columns)} |\n| --- | --- |\n", rows=rows, total=total, tail="\n")


def _list(heading: str, items: Iterator[str], total: int) -> _Section:
    return _Section(head=f"### {heading}\n\n", rows=(f"- {item}\n" for item in items), total=total, tail="\n")


def _folded(title: str, items: Iterator[str], total: int) -> _Section:
    return _Section(
        head=f"<details>\n<summary>{prose(title)}</summary>\n\n",
        rows=(f"- {item}\n" for item in items),
        total=total,
        tail="\n</details>\n\n",
    )


def _row(first: tuple[str, ...], second: tuple[str, ...]) -> str:
    """A row of two cells."""
    return f"| {_lines(*first) or '-'} | {_lines(*second) or '-'} |\n"


def _lines(*texts: str) -> str:
    """One thing on a line."""
    return "<br>".join(filter(None, texts))


def _incident_row(report: Report, row: IncidentRow) -> str:
    priority = row.incident.priority if row.incident else None
    sign = f"{_PRIORITY_SIGNS[priority]} " if priority is not None else ""
    facts = sign + markdown(", ".join(row.facts(report.now_ms)), 400)
    sibling = f"on its sibling {_asset(report, row.sibling, row.asset)}" if row.sibling else ""
    owners = report.owners.get(row.asset) or report.owners.get(row.decision.entry.urn.text) or ()
    owned = f"owned by {markdown(', '.join(owner.name for owner in owners[:5]), 200)}" if owners else ""
    return _row((_incident(report, row), facts), (*_entry(report, row.decision.entry), sibling, owned))


def _excused_row(report: Report, row: IncidentRow, excuse: Excused) -> str:
    asset = _asset(report, row.sibling or row.asset_name, row.asset)
    return _row((_incident(report, row), f"on {asset}"), (markdown(excuse.reason, 300),))


def _unknown_item(report: Report, decision: Decision) -> str:
    name, *more = _entry(report, decision.entry)
    why = (text for problem in decision.problems for text in (prose(problem.message), prose(problem.hint)))
    urn = code(decision.entry.urn.text, 4_000)
    return _lines(f"{_CONCLUSION_SIGNS[decision.conclusion]} {name}", urn, *more, *why)


def _missing_item(report: Report, missing: MissingOutput) -> str:
    asset = f"🟡 {_output(report, missing.entry)}"
    urn = code(missing.entry.urn.text, 4_000)
    return _lines(asset, urn, prose(missing.problem.message), prose(missing.problem.hint))


def _output_row(report: Report, result: OutputResult) -> str:
    page = incidents_page(report.ui_url, result.entry.urn.text)
    title = (link(result.title or "Open the incident", page),) if result.incidents and page else ()
    done = f"{_CHANGE_SIGNS[result.change]} {CHANGE_WORDS[result.change]}"
    reason = decided_line(result)
    why = (markdown(reason, 500), prose(result.message), prose(result.hint))
    return _row((_output(report, result.entry),), (done, *title, *why))


def _warning_item(path: str, warning: Mistake) -> str:
    place = "" if warning.position == NOWHERE else f"{code(path)}, line {warning.position.line}: "
    return f"{place}{markdown(str(warning), 500)}"


def _incident(report: Report, row: IncidentRow) -> str:
    return link(row.title, page_of(report.ui_url, row))


def _entry(report: Report, entry: InputEntry) -> tuple[str, ...]:
    """An input's name, with the selector that selected it."""
    selected = f"selected by {link(entry.selected_by, None)}" if entry.selected_by else ""
    return _asset(report, entry.label, entry.urn.text), selected


def _output(report: Report, entry: OutputEntry) -> str:
    return _asset(report, entry.label, entry.urn.text)


def _asset(report: Report, label: str, urn: str) -> str:
    return link(label, incidents_page(report.ui_url, urn))


def _fitted(title: str, sections: Iterator[_Section], limit: int) -> str:
    """Join as much as there is room for: whole sections' frames first, so that nothing is left open."""
    page = [title]
    room = limit - _size(title)
    if room < 0:
        return ""
    present = [section for section in sections if section.total]
    frames = [_size(section.head) + _size(section.tail) + _size(section.missing(section.total)) for section in present]
    while present and sum(frames) > room:
        present.pop()
        frames.pop()
    room -= sum(frames)
    for section in present:
        page.append(section.head)
        for written, row in enumerate(section.rows):
            if written == _ROWS or _size(row) > room:
                page.append(section.missing(section.total - written))
                break
            page.append(row)
            room -= _size(row)
        page.append(section.tail)
    return "".join(page)


def _size(text: str) -> int:
    return len(text.encode())
