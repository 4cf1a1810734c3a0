"""The terminal: the run as an aligned table, coloured if the terminal can."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from incident_gate.gate.policy import Conclusion, Decision, Verdict
from incident_gate.incident import Incident
from incident_gate.manifest.model import NOWHERE, InputEntry, Mistake, OutputEntry
from incident_gate.outcome.result import Change
from incident_gate.report.links import incidents_page
from incident_gate.report.model import Report
from incident_gate.report.view import (
    CHANGE_WORDS,
    IncidentRow,
    count,
    decided_line,
    excused,
    headline,
    healthy,
    outcome_line,
    override_lines,
    page_of,
    rows_of,
    unanswered_line,
    unknown,
    unrelated_line,
    waited_line,
    worst_first,
)
from incident_gate.text import plain, plain_prose, sentences

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _MAGENTA, _CYAN = "1", "2", "31", "32", "33", "35", "36"
_CONCLUSION_COLOURS = {Conclusion.BLOCK: _RED, Conclusion.WARN: _YELLOW, Conclusion.PASS: _GREEN}
_PRIORITY_COLOURS = {"CRITICAL": f"{_BOLD};{_RED}", "HIGH": _RED, "MEDIUM": _MAGENTA, "LOW": _CYAN}
_CHANGE_COLOURS = {Change.RAISED: _RED, Change.KEPT: _RED, Change.FAILED: _YELLOW}
_HEADINGS = {Conclusion.BLOCK: "Blocking", Conclusion.WARN: "Only a warning", Conclusion.PASS: "Ignored"}
_GAP = "  "
_ROWS = 50  # of one section; `--format json` has them all
_INCIDENTS = 10  # of one input
_NARROWEST = 60  # the first columns at their widest, and a title that can be recognised
_TYPE = 24


class _Cell(NamedTuple):
    text: str
    colour: str = ""


def terminal(report: Report, *, colour: bool = False, width: int = 100, explain: bool = False) -> str:
    """The run as text that ends with a newline; every line fits into `width` cells."""
    return "".join(f"{line}\n" for line in _lines(report, _Screen(colour, max(width, _NARROWEST)), explain=explain))


class _Screen(NamedTuple):
    """What the terminal can do."""

    colour: bool
    width: int

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour and colour and text else text

    def columns(self, rows: Sequence[Sequence[_Cell]]) -> list[int]:
        """How wide each column is: as wide as its widest cell, the last one as what is left of the line."""
        widths = [max(cells(cell.text) for cell in column) for column in zip(*rows, strict=True)]
        used = len(_GAP) * (len(widths) + 1) + sum(widths[:-1])
        return [*widths[:-1], max(self.width - used, 8)]

    def row(self, row: Sequence[_Cell], widths: Sequence[int]) -> str:
        """One line of a table."""
        painted = [
            self.paint(padded(cell.text, size), cell.colour) for cell, size in zip(row[:-1], widths[:-1], strict=True)
        ]
        return _GAP * 2 + _GAP.join([*painted, fitted(row[-1].text, widths[-1])])

    def wrapped(self, text: str, indent: str, first: str | None = None) -> Iterator[str]:
        """A sentence broken between words, each line indented; what is too long for a line is cut."""
        line = indent if first is None else first
        empty = True
        for word in text.split(" "):
            if not empty and cells(line) + 1 + cells(word) > self.width:
                yield line
                line, empty = indent, True
            line += fitted(word, self.width - cells(line)) if empty else f" {word}"
            empty = False
        yield line


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(_cell_width(character) for character in text)


def fitted(text: str, size: int) -> str:
    """The text cut to at most `size` columns, with an ellipsis if something was cut."""
    if cells(text) <= size:
        return text
    used = 0
    for index, character in enumerate(text):
        used += _cell_width(character)
        if used > size - 1:
            return text[:index].rstrip() + "…"
    return text


def _cell_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def padded(text: str, size: int) -> str:
    """The text cut or filled with spaces to exactly `size` columns."""
    text = fitted(text, size)
    return text + " " * (size - cells(text))


def _lines(report: Report, screen: _Screen, *, explain: bool) -> Iterator[str]:
    colour = _CONCLUSION_COLOURS[report.conclusion] if report.gated else ""
    for line in screen.wrapped(headline(report), _GAP, ""):
        yield screen.paint(line, f"{_BOLD};{colour}" if colour else _BOLD)
    for text in (*override_lines(report), waited_line(report)):
        yield from screen.wrapped(plain(text, 1000), _GAP) if text else ()
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
            yield from screen.wrapped(plain_prose(notice), _GAP * 2, _GAP)
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


def _heading(screen: _Screen, text: str) -> Iterator[str]:
    yield ""
    yield screen.paint(text, _BOLD)


def _failure_lines(report: Report, screen: _Screen) -> Iterator[str]:
    error, left = report.failure, unanswered_line(report)
    if not (error and left):
        return
    yield from _heading(screen, "No answer")
    yield from _problem(screen, error.message, error.hint, _GAP)
    yield from screen.wrapped(left, _GAP)


def _problem(screen: _Screen, message: str, hint: str, indent: str) -> Iterator[str]:
    """What is wrong and what to do, each a sentence."""
    if message:
        yield from screen.wrapped(sentences(message), indent)
    if hint:
        yield from screen.wrapped(sentences(hint), indent + _GAP, f"{indent}→ ")


def _incident_lines(report: Report, screen: _Screen, conclusion: Conclusion) -> Iterator[str]:
    decisions = [d for d in worst_first(report.decisions) if d.conclusion is conclusion and d.blocking_count]
    if not decisions:
        return
    yield from _heading(screen, _HEADINGS[conclusion])
    shown = [(decision, rows_of(decision)[:_INCIDENTS]) for decision in decisions[:_ROWS]]
    rows = [[_incident_row(report, row) for row in found] for _, found in shown]
    widths = screen.columns([row for of_asset in rows for row in of_asset])
    for (decision, found), of_asset in zip(shown, rows, strict=True):
        yield _GAP + screen.paint(fitted(plain(decision.entry.label), screen.width - len(_GAP)), _BOLD)
        yield from (screen.row(row, widths) for row in of_asset)
        left = decision.blocking_count - sum(row.unread or 1 for row in found)
        if left:
            yield f"{_GAP * 2}and {left:,} more"
        # A sibling's incident is on the sibling's page. Never cut: half an address is none.
        pages = dict.fromkeys(page_of(report.ui_url, row) for row in found)
        yield from (_GAP * 2 + screen.paint(page, _DIM) for page in pages if page)
    yield from _more(len(decisions), "input")


def _incident_row(report: Report, row: IncidentRow) -> list[_Cell]:
    notes = (
        f"on its sibling {plain(row.sibling)}" if row.sibling else "",
        row.stage,
        f"assigned to {plain(row.assignees)}" if row.assignees else "",
    )
    more = ", ".join(filter(None, notes))
    return [
        _Cell(row.priority or "-", _PRIORITY_COLOURS.get(row.priority, "")),
        _Cell(row.age(report.now_ms) or "-"),
        _Cell(fitted(plain(row.type), _TYPE) or "-"),
        _Cell(plain(row.title) + (f" ({more})" if more else "")),
    ]


def _more(total: int, noun: str) -> Iterator[str]:
    if total > _ROWS:
        yield f"{_GAP}and {count(total - _ROWS, 'more ' + noun)}"


def _unknown_lines(report: Report, screen: _Screen) -> Iterator[str]:
    unsure = unknown(report)
    if not unsure:
        return
    yield from _heading(screen, "Unknown")
    for decision in unsure[:_ROWS]:
        yield from _asset(screen, decision.entry, _CONCLUSION_COLOURS[decision.conclusion])
        for problem in decision.problems:
            yield from _problem(screen, problem.message, problem.hint, _GAP * 2)
    yield from _more(len(unsure), "input")


def _missing_lines(report: Report, screen: _Screen) -> Iterator[str]:
    if not report.missing_outputs:
        return
    yield from _heading(screen, "Outputs that do not exist")
    for missing in report.missing_outputs[:_ROWS]:
        yield from _asset(screen, missing.entry, _YELLOW)
        yield from _problem(screen, missing.problem.message, missing.problem.hint, _GAP * 2)
    yield from _more(len(report.missing_outputs), "output")


def _asset(screen: _Screen, entry: InputEntry | OutputEntry, colour: str) -> Iterator[str]:
    """An asset's name and its whole URN, which people compare and copy: it is never cut."""
    selected = f" (selected by {plain(entry.selected_by)})" if entry.selected_by else ""
    yield _GAP + screen.paint(fitted(plain(entry.label) + selected, screen.width - 2), colour)
    yield _GAP * 2 + screen.paint(plain(entry.urn.text, 4_000), _DIM)


def _excused_lines(report: Report, screen: _Screen) -> Iterator[str]:
    passed = list(excused(report))
    if not passed:
        return
    yield from _heading(screen, "Excused")
    for row, excuse in passed[:_ROWS]:
        text = f"{plain(row.asset_name, 120)}: {plain(row.title)}"
        yield from screen.wrapped(text, _GAP * 2, _GAP)
        yield from screen.wrapped(plain(excuse.reason, 300), _GAP * 2)
    yield from _more(len(passed), "incident")


def _outcome_lines(report: Report, screen: _Screen) -> Iterator[str]:
    if report.outcome is None:
        return
    if report.gated:
        yield from _heading(screen, fitted(outcome_line(report.outcome), screen.width))
    results = report.outcome.results
    for result in results[:_ROWS]:
        words = screen.paint(CHANGE_WORDS[result.change], _CHANGE_COLOURS.get(result.change, _GREEN))
        yield f"{_GAP}{fitted(plain(result.entry.label), screen.width - 40)}: {words}"
        for text in filter(None, (decided_line(result), *result.incidents)):
            yield from screen.wrapped(plain(text, 1000), _GAP * 2)
        page = incidents_page(report.ui_url, result.entry.urn.text) if result.incidents else None
        if page:
            yield _GAP * 2 + screen.paint(page, _DIM)
        yield from _problem(screen, result.message, result.hint, _GAP * 2)
    yield from _more(len(results), "output")
    remarks = [*report.outcome.warnings, *filter(None, (unrelated_line(report.outcome),))]
    if remarks:
        yield from _heading(screen, "Results")
        for remark in remarks[:_ROWS]:
            yield from screen.wrapped(plain(remark, 1000), _GAP * 2, _GAP)
        yield from _more(len(remarks), "remark")


def _explanation(report: Report, screen: _Screen) -> Iterator[str]:
    """The rules that decided on each asset that does not simply pass, and where each is set."""
    yield from _heading(screen, "Rules that decided")
    simple = 0
    for decision in report.decisions:
        if decision.verdict is Verdict.HEALTHY and not decision.excused:
            simple += 1
            continue
        verdict = screen.paint(f"{decision.verdict}, {decision.conclusion}", _CONCLUSION_COLOURS[decision.conclusion])
        yield f"{_GAP}{plain(decision.entry.urn.text, 4_000)}: {verdict}"
        for rule in _deciding(report, decision):
            yield from screen.wrapped(plain(rule, 1000), _GAP * 3, f"{_GAP * 2}- ")
    if simple:
        yield f"{_GAP}{count(simple, 'input')} without an active incident: no rule had to decide"


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
