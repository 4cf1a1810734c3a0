"""The terminal: the run as an aligned table, coloured if the terminal can."""

from __future__ import annotations

from collections.abc import Iterator

from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.incident import Incident
from incident_gate.manifest.model import NOWHERE, InputEntry, Mistake, OutputEntry
from incident_gate.outcome.result import Change
from incident_gate.report.amounts import count
from incident_gate.report.links import incidents_page
from incident_gate.report.model import Report
from incident_gate.report.rows import IncidentRow, page_of, rows_of, worst_first
from incident_gate.report.screen import GAP, Cell, Screen, fitted
from incident_gate.report.view import (
    CHANGE_WORDS,
    decided_line,
    excused,
    headline,
    healthy,
    outcome_line,
    override_lines,
    unanswered_line,
    unknown,
    unrelated_line,
    waited_line,
)
from incident_gate.text import plain, plain_prose, sentences

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _MAGENTA, _CYAN = "1", "2", "31", "32", "33", "35", "36"
_CONCLUSION_COLOURS = {Conclusion.BLOCK: _RED, Conclusion.WARN: _YELLOW, Conclusion.PASS: _GREEN}
_PRIORITY_COLOURS = {"CRITICAL": f"{_BOLD};{_RED}", "HIGH": _RED, "MEDIUM": _MAGENTA, "LOW": _CYAN}
_CHANGE_COLOURS = {Change.RAISED: _RED, Change.KEPT: _RED, Change.FAILED: _YELLOW}
_HEADINGS = {Conclusion.BLOCK: "Blocking", Conclusion.WARN: "Only a warning", Conclusion.PASS: "Ignored"}
_ROWS = 50  # of one section; `--format json` has them all
_INCIDENTS = 10  # of one input
_NARROWEST = 60  # the first columns at their widest, and a title that can be recognised
_TYPE = 24


def terminal(report: Report, *, colour: bool = False, width: int = 100, explain: bool = False) -> str:
    """The run as text that ends with a newline; every line fits into `width` cells."""
    return "".join(f"{line}\n" for line in _lines(report, Screen(colour, max(width, _NARROWEST)), explain=explain))


def _lines(report: Report, screen: Screen, *, explain: bool) -> Iterator[str]:
    colour = _CONCLUSION_COLOURS[report.conclusion] if report.gated else ""
    for line in screen.wrapped(headline(report), GAP, ""):
        yield screen.paint(line, f"{_BOLD};{colour}" if colour else _BOLD)
    for text in (*override_lines(report), waited_line(report)):
        yield from screen.wrapped(plain(text, 1000), GAP) if text else ()
    yield from _failure_lines(report, screen)
    for conclusion in reversed(Conclusion):
        yield from _incident_lines(report, screen, conclusion)
    yield from _unknown_lines(report, screen)
    yield from _missing_lines(report, screen)
    yield from _excused_lines(report, screen)
    yield from _outcome_lines(report, screen)
    if report.notices or report.warnings:
        yield from _heading(screen, "Notices")
        notices = [*report.notices, *(_placed(report.manifest_path, warning) for warning in report.warnings)]
        for notice in notices[:_ROWS]:
            yield from screen.wrapped(plain_prose(notice), GAP * 2, GAP)
        yield from _more(len(notices), "notice")
    if explain:
        yield from _explanation(report, screen)
    fine = len(healthy(report))
    if fine and len(report.decisions) > fine:
        yield ""
        yield screen.paint(f"{count(fine, 'input')} healthy", _GREEN)


def _placed(path: str, warning: Mistake) -> str:
    position = warning.position
    return str(warning) if position == NOWHERE else f"{path}:{position.line}:{position.column}: {warning}"


def _heading(screen: Screen, text: str) -> Iterator[str]:
    yield ""
    yield screen.paint(text, _BOLD)


def _failure_lines(report: Report, screen: Screen) -> Iterator[str]:
    error, left = report.failure, unanswered_line(report)
    if not (error and left):
        return
    yield from _heading(screen, "No answer")
    yield from _problem(screen, error.message, error.hint, GAP)
    yield from screen.wrapped(left, GAP)


def _problem(screen: Screen, message: str, hint: str, indent: str) -> Iterator[str]:
    """What is wrong and what to do, each a sentence."""
    if message:
        yield from screen.wrapped(sentences(message), indent)
    if hint:
        yield from screen.wrapped(sentences(hint), indent + GAP, f"{indent}→ ")


def _incident_lines(report: Report, screen: Screen, conclusion: Conclusion) -> Iterator[str]:
    decisions = worst_first(d for d in report.decisions if d.conclusion is conclusion and d.blocking_count)
    if not decisions:
        return
    yield from _heading(screen, _HEADINGS[conclusion])
    shown = [(decision, rows_of(decision)[:_INCIDENTS]) for decision in decisions[:_ROWS]]
    rows = [[_incident_row(report, row) for row in found] for _, found in shown]
    widths = screen.columns([row for of_asset in rows for row in of_asset])
    for (decision, found), of_asset in zip(shown, rows, strict=True):
        yield GAP + screen.paint(fitted(plain(decision.entry.label), screen.width - len(GAP)), _BOLD)
        yield from (screen.row(row, widths) for row in of_asset)
        left = decision.blocking_count - sum(row.unread or 1 for row in found)
        if left:
            yield f"{GAP * 2}and {left:,} more"
        # A sibling's incident is on the sibling's page. Never cut: half an address is none.
        pages = dict.fromkeys(page_of(report.ui_url, row) for row in found)
        yield from (GAP * 2 + screen.paint(page, _DIM) for page in pages if page)
    yield from _more(len(decisions), "input")


def _incident_row(report: Report, row: IncidentRow) -> list[Cell]:
    notes = (
        f"on its sibling {plain(row.sibling)}" if row.sibling else "",
        row.stage,
        f"assigned to {plain(row.assignees)}" if row.assignees else "",
    )
    more = ", ".join(filter(None, notes))
    return [
        Cell(row.priority or "-", _PRIORITY_COLOURS.get(row.priority, "")),
        Cell(row.age(report.now_ms) or "-"),
        Cell(fitted(plain(row.type), _TYPE) or "-"),
        Cell(plain(row.title) + (f" ({more})" if more else "")),
    ]


def _more(total: int, noun: str) -> Iterator[str]:
    if total > _ROWS:
        yield f"{GAP}and {count(total - _ROWS, 'more ' + noun)}"


def _unknown_lines(report: Report, screen: Screen) -> Iterator[str]:
    unsure = unknown(report)
    if not unsure:
        return
    yield from _heading(screen, "Unknown")
    for decision in unsure[:_ROWS]:
        yield from _asset(screen, decision.entry, _CONCLUSION_COLOURS[decision.conclusion])
        for problem in decision.problems:
            yield from _problem(screen, problem.message, problem.hint, GAP * 2)
    yield from _more(len(unsure), "input")


def _missing_lines(report: Report, screen: Screen) -> Iterator[str]:
    if not report.missing_outputs:
        return
    yield from _heading(screen, "Outputs that do not exist")
    for missing in report.missing_outputs[:_ROWS]:
        yield from _asset(screen, missing.entry, _YELLOW)
        yield from _problem(screen, missing.problem.message, missing.problem.hint, GAP * 2)
    yield from _more(len(report.missing_outputs), "output")


def _asset(screen: Screen, entry: InputEntry | OutputEntry, colour: str) -> Iterator[str]:
    """An asset's name and its whole URN, which people compare and copy: it is never cut."""
    selected = f" (selected by {plain(entry.selected_by)})" if entry.selected_by else ""
    yield GAP + screen.paint(fitted(plain(entry.label) + selected, screen.width - 2), colour)
    yield GAP * 2 + screen.paint(plain(entry.urn.text, 4_000), _DIM)


def _excused_lines(report: Report, screen: Screen) -> Iterator[str]:
    passed = list(excused(report))
    if not passed:
        return
    yield from _heading(screen, "Excused")
    for row, excuse in passed[:_ROWS]:
        text = f"{plain(row.asset_name, 120)}: {plain(row.title)}"
        yield from screen.wrapped(text, GAP * 2, GAP)
        yield from screen.wrapped(plain(excuse.reason, 300), GAP * 2)
    yield from _more(len(passed), "incident")


def _outcome_lines(report: Report, screen: Screen) -> Iterator[str]:
    if report.outcome is None:
        return
    if report.gated:
        yield from _heading(screen, fitted(outcome_line(report.outcome), screen.width))
    results = report.outcome.results
    for result in results[:_ROWS]:
        words = screen.paint(CHANGE_WORDS[result.change], _CHANGE_COLOURS.get(result.change, _GREEN))
        yield f"{GAP}{fitted(plain(result.entry.label), screen.width - 40)}: {words}"
        for text in filter(None, (decided_line(result), *result.incidents)):
            yield from screen.wrapped(plain(text, 1000), GAP * 2)
        page = incidents_page(report.ui_url, result.entry.urn.text) if result.incidents else None
        if page:
            yield GAP * 2 + screen.paint(page, _DIM)
        yield from _problem(screen, result.message, result.hint, GAP * 2)
    yield from _more(len(results), "output")
    remarks = [*report.outcome.warnings, *filter(None, (unrelated_line(report.outcome),))]
    if remarks:
        yield from _heading(screen, "Results")
        for remark in remarks[:_ROWS]:
            yield from screen.wrapped(plain(remark, 1000), GAP * 2, GAP)
        yield from _more(len(remarks), "remark")


def _explanation(report: Report, screen: Screen) -> Iterator[str]:
    """The rules that decided on each asset that does not simply pass, and where each is set."""
    yield from _heading(screen, "Rules that decided")
    simple = 0
    for decision in report.decisions:
        if decision.verdict is Verdict.HEALTHY and not decision.excused:
            simple += 1
            continue
        verdict = screen.paint(f"{decision.verdict}, {decision.conclusion}", _CONCLUSION_COLOURS[decision.conclusion])
        yield f"{GAP}{plain(decision.entry.urn.text, 4_000)}: {verdict}"
        for rule in _deciding(report, decision):
            yield from screen.wrapped(plain(rule, 1000), GAP * 3, f"{GAP * 2}- ")
    if simple:
        yield f"{GAP}{count(simple, 'input')} without an active incident: no rule had to decide"


def _deciding(report: Report, decision: Decision) -> Iterator[str]:
    places = {
        "(entry)": f"(entry in {report.manifest_path}, line {decision.entry.position.line})",
        "(defaults)": f"(defaults in {report.manifest_path})",
        "(input)": "(option or action input)",
    }
    has_incidents = bool(decision.incident_count or any(isinstance(e.item, Incident) for e in decision.excused))
    for rule in decision.rules:
        name = rule.partition(":")[0]
        if (name == "on-incident" and not has_incidents) or (name == "on-unknown" and not decision.problems):
            continue
        place = next((place for place in places if rule.endswith(place)), "")
        yield rule.removesuffix(place) + places.get(place, "")
    for excuse in decision.excused:
        yield f"{excuse.item.urn} is excused: {excuse.reason}"
