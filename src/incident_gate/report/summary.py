"""The job summary: the run as GitHub Markdown, for people."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from incident_gate.gate.policy import Conclusion, Decision, Excused
from incident_gate.incident import Priority
from incident_gate.manifest.model import Mistake
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.report.links import incidents_page
from incident_gate.report.model import Report
from incident_gate.report.view import (
    Finding,
    count,
    excused,
    findings,
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
from incident_gate.text import code, link, markdown

# GitHub drops a step's summary whole above 1,048,576 bytes; the rest of the step may have written some already.
LIMIT = 1_000_000
_ROWS = 1_000  # nobody reads further, and what comes below must stay within reach

_CONCLUSION_SIGNS = {Conclusion.BLOCK: "🔴", Conclusion.WARN: "🟡", Conclusion.PASS: "🟢"}
_PRIORITY_SIGNS = {Priority.CRITICAL: "🔴", Priority.HIGH: "🟠", Priority.MEDIUM: "🟡", Priority.LOW: "🔵"}
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


@dataclass(frozen=True, slots=True, kw_only=True)
class _Section:
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
    return f"**{markdown(error.message, 1000)}** {markdown(error.hint, 1000)}\n\n{markdown(left)}"


def _advice(report: Report) -> str:
    told = {id(decision) for decision in unanswered(report)}
    blocking = [d for d in report.decisions if d.conclusion is Conclusion.BLOCK and id(d) not in told]
    if not blocking:
        return ""
    manifest = code(report.manifest_path)
    if any(decision.blocking_count for decision in blocking):
        return f"Resolve them in DataHub and run this job again, or let one pass until a date: `ignore` in {manifest}."
    return f"What cannot be established blocks. Mend it as told below, or set `on-unknown: warn` in {manifest}."


def _sections(report: Report) -> Iterator[_Section]:
    for conclusion in reversed(Conclusion):
        found = findings(report, conclusion)
        rows = (_incident_row(report, finding) for finding in found)
        columns = ("Priority", "Age", "Incident", "Asset", "Type")
        yield _table(_HEADINGS[conclusion], columns, rows, len(found))
    unsure = unknown(report)
    rows = (_unknown_row(report, decision) for decision in unsure)
    yield _table("Unknown", ("Asset", "What happened", "What to do"), rows, len(unsure))
    if report.outcome:
        # In a step of its own the page's title says it.
        head = f"### {markdown(outcome_line(report.outcome), 300)}\n\n" if report.gated else ""
        yield _Section(head=head, rows=iter(()), total=1)
        results = report.outcome.results
        remarks = [*report.outcome.warnings, *filter(None, (unrelated_line(report.outcome),))]
        yield _table(
            "", ("Output", "What was done", "Incident"), (_output_row(report, r) for r in results), len(results)
        )
        yield _list("Results", (markdown(remark, 500) for remark in remarks), len(remarks))
    passed = list(excused(report))
    rows = (_excused_row(report, finding, excuse) for finding, excuse in passed)
    yield _table("Excused", ("Incident", "Asset", "Why it does not count"), rows, len(passed))
    yield _list("Remarks", (markdown(notice, 500) for notice in report.notices), len(report.notices))
    rows = (_warning_item(report.manifest_path, warning) for warning in report.warnings)
    yield _list("Warnings about the manifest", rows, len(report.warnings))
    fine = healthy(report)
    yield _Section(
        head=f"<details>\n<summary>{count(len(fine), 'healthy input')}</summary>\n\n",
        rows=(f"- {code(d.entry.label)}\n" for d in fine),
        total=len(fine),
        tail="\n</details>\n",
    )


def _table(heading: str, columns: Sequence[str], rows: Iterator[str], total: int) -> _Section:
    head = f"### {heading}\n\n" if heading else ""
    return _Section(
        head=f"{head}| {' | '.join(columns)} |\n|{' --- |' * len(columns)}\n", rows=rows, total=total, tail="\n"
    )


def _list(heading: str, items: Iterator[str], total: int) -> _Section:
    return _Section(head=f"### {heading}\n\n", rows=(f"- {item}\n" for item in items), total=total, tail="\n")


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell or '-' for cell in cells)} |\n"


def _incident_row(report: Report, finding: Finding) -> str:
    priority = finding.incident.priority if finding.incident else None
    return _row(
        f"{_PRIORITY_SIGNS[priority]}&nbsp;{priority.name}" if priority is not None else "",
        finding.age(report.now_ms).replace(" ", "&nbsp;"),
        _incident(report, finding),
        _asset_of(finding),
        markdown(finding.type, 60),
    )


def _excused_row(report: Report, finding: Finding, excuse: Excused) -> str:
    return _row(_incident(report, finding), _asset_of(finding), markdown(excuse.reason, 300))


def _unknown_row(report: Report, decision: Decision) -> str:
    happened = "<br>".join(markdown(problem.message, 500) for problem in decision.problems)
    to_do = "<br>".join(markdown(problem.hint, 500) for problem in decision.problems if problem.hint)
    asset = _asset(report, decision.entry.label, decision.entry.urn.text)
    return _row(f"{_CONCLUSION_SIGNS[decision.conclusion]} {asset}", happened, to_do)


def _output_row(report: Report, result: OutputResult) -> str:
    reason = f"by its results: {result.reason}" if result.by_results else ""
    said = "<br>".join(markdown(text, 500) for text in (reason, result.message, result.hint) if text)
    done = f"{_CHANGE_SIGNS[result.change]} {result.change}{f': {said}' if said else ''}"
    incidents = "<br>".join(code(urn) for urn in result.incidents)
    return _row(_asset(report, result.entry.label, result.entry.urn.text), done, incidents)


def _warning_item(path: str, warning: Mistake) -> str:
    return f"{code(path)}, line {warning.position.line}: {markdown(str(warning), 500)}"


def _incident(report: Report, finding: Finding) -> str:
    title = link(finding.title, incidents_page(report.ui_url, finding.asset))
    # The URN is what a waiver in the manifest names.
    return f"{title}<br>{code(finding.incident.urn)}" if finding.incident else title


def _asset_of(finding: Finding) -> str:
    sibling = f"<br>on its sibling {code(finding.sibling)}" if finding.sibling else ""
    return code(finding.asset_name) + sibling


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
