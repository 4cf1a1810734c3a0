"""The terminal: the run as an aligned table, coloured if the terminal can."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from incident_gate.policy import Conclusion, Decision
from incident_gate.report.digest import Finding, count, excused, findings, headline, healthy, outcome_line, unknown
from incident_gate.report.model import Change, Report
from incident_gate.report.text import plain

_BOLD, _DIM, _RED, _GREEN, _YELLOW, _CYAN = "1", "2", "31", "32", "33", "36"
_CONCLUSION_COLOURS = {Conclusion.BLOCK: _RED, Conclusion.WARN: _YELLOW, Conclusion.PASS: _GREEN}
_PRIORITY_COLOURS = {"CRITICAL": f"{_BOLD};{_RED}", "HIGH": _RED, "MEDIUM": _YELLOW, "LOW": _CYAN}
_CHANGE_COLOURS = {Change.RAISED: _RED, Change.KEPT: _RED, Change.FAILED: _YELLOW}
_HEADINGS = {Conclusion.BLOCK: "Blocking", Conclusion.WARN: "Only a warning", Conclusion.PASS: "Ignored"}
_GAP = "  "
_ROWS = 50  # of one section; `--format json` has them all


@dataclass(frozen=True, slots=True)
class _Cell:
    text: str
    colour: str = ""


def terminal(report: Report, *, colour: bool = False, width: int = 100, explain: bool = False) -> str:
    """The run as text that ends with a newline; every line fits into `width` cells."""
    return "".join(f"{line}\n" for line in _lines(report, _Screen(colour, max(width, 40)), explain=explain))


@dataclass(frozen=True, slots=True)
class _Screen:
    """What the terminal can do."""

    colour: bool
    width: int

    def paint(self, text: str, colour: str) -> str:
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour and colour and text else text

    def table(self, rows: Sequence[Sequence[_Cell]], total: int) -> Iterator[str]:
        """Aligned columns; the last one is cut to what is left of the line, the one before to a third of it."""
        room = self.width - len(_GAP)
        widths = [max(cells(row[column].text) for row in rows) for column in range(len(rows[0]))]
        used = sum(widths[:-2]) + len(_GAP) * (len(widths) - 1)
        widths[-2] = min(widths[-2], max(room // 3, room - used - widths[-1], 8))
        widths[-1] = min(widths[-1], max(room - used - widths[-2], 8))
        for row in rows:
            padded = (_padded(cell.text, size) for cell, size in zip(row, widths, strict=True))
            painted = (self.paint(text, cell.colour) for text, cell in zip(padded, row, strict=True))
            yield f"{_GAP}{_GAP.join(painted)}".rstrip()
        if total > len(rows):
            yield f"{_GAP}and {total - len(rows):,} more"

    def wrapped(self, text: str, indent: str, first: str = "") -> Iterator[str]:
        """A sentence broken between words, each line indented; what is too long for a line is cut."""
        line = first or indent
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
            return text[:index] + "…"
    return text


def _cell_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def _padded(text: str, size: int) -> str:
    text = fitted(text, size)
    return text + " " * (size - cells(text))


def _lines(report: Report, screen: _Screen, *, explain: bool) -> Iterator[str]:
    colour = _CONCLUSION_COLOURS[report.conclusion] if report.gated else ""
    word, separator, rest = headline(report).partition(":")
    for number, line in enumerate(screen.wrapped(word + separator + rest, _GAP, " ")):
        text = line.strip() if number == 0 else line
        yield screen.paint(text, f"{_BOLD};{colour}" if colour else _BOLD)
    for conclusion in reversed(Conclusion):
        found = findings(report, conclusion)
        if found:
            yield from _heading(screen, _HEADINGS[conclusion])
            yield from screen.table([_incident_row(report, finding) for finding in found[:_ROWS]], len(found))
    yield from _unknown_lines(report, screen)
    yield from _excused_lines(report, screen)
    yield from _outcome_lines(report, screen)
    if report.notices or report.warnings:
        yield from _heading(screen, "Remarks")
        for notice in report.notices[:_ROWS]:
            yield from screen.wrapped(plain(notice, 1000), _GAP * 2, _GAP)
        for warning in report.warnings[:_ROWS]:
            place = f"{plain(report.manifest_path)}:{warning.position.line}:{warning.position.column}"
            yield from screen.wrapped(f"{place}: {plain(str(warning), 1000)}", _GAP * 2, _GAP)
        left = max(len(report.notices) - _ROWS, 0) + max(len(report.warnings) - _ROWS, 0)
        if left:
            yield f"{_GAP}and {left:,} more"
    if explain:
        yield from _explanation(report, screen)
    fine = len(healthy(report))
    if fine and len(report.decisions) > fine:
        yield ""
        yield screen.paint(f"{count(fine, 'input')} healthy", _GREEN)


def _heading(screen: _Screen, text: str) -> Iterator[str]:
    yield ""
    yield screen.paint(text, _BOLD)


def _incident_row(report: Report, finding: Finding) -> list[_Cell]:
    return [
        _Cell(finding.priority or "-", _PRIORITY_COLOURS.get(finding.priority, "")),
        _Cell(plain(finding.type, 24) or "-"),
        _Cell(finding.age(report.now_ms) or "-", _DIM),
        _Cell(finding.asset_name),
        _Cell(plain(finding.title)),
    ]


def _unknown_lines(report: Report, screen: _Screen) -> Iterator[str]:
    unsure = unknown(report)
    if not unsure:
        return
    yield from _heading(screen, "Unknown")
    for decision in unsure[:_ROWS]:
        mark = _CONCLUSION_COLOURS[decision.conclusion]
        yield _GAP + screen.paint(fitted(plain(decision.entry.label), screen.width - 2), mark)
        for problem in decision.problems:
            yield from screen.wrapped(plain(problem.message, 1000), _GAP * 2)
            if problem.hint:
                yield from screen.wrapped(plain(problem.hint, 1000), _GAP * 3, f"{_GAP * 2}→ ")
    if len(unsure) > _ROWS:
        yield f"{_GAP}and {len(unsure) - _ROWS:,} more"


def _excused_lines(report: Report, screen: _Screen) -> Iterator[str]:
    passed = list(excused(report))
    if passed:
        yield from _heading(screen, "Excused")
        rows = [
            [_Cell(f.asset_name), _Cell(plain(f.title)), _Cell(plain(excuse.reason, 300), _DIM)]
            for f, excuse in passed[:_ROWS]
        ]
        yield from screen.table(rows, len(passed))


def _outcome_lines(report: Report, screen: _Screen) -> Iterator[str]:
    if report.outcome is None:
        return
    if report.gated:
        yield from _heading(screen, fitted(outcome_line(report.outcome), screen.width))
    results = report.outcome.results
    for result in results[:_ROWS]:
        change = screen.paint(_padded(result.change, 13), _CHANGE_COLOURS.get(result.change, _GREEN))
        yield f"{_GAP}{change} {fitted(plain(result.entry.label), screen.width - 17)}"
        for text in (*result.incidents, result.message, result.hint):
            if text:
                yield from screen.wrapped(plain(text, 1000), _GAP * 2)
    if len(results) > _ROWS:
        yield f"{_GAP}and {len(results) - _ROWS:,} more"


def _explanation(report: Report, screen: _Screen) -> Iterator[str]:
    yield from _heading(screen, "Rules that decided")
    for decision in report.decisions:
        yield from _rules(decision, screen)


def _rules(decision: Decision, screen: _Screen) -> Iterator[str]:
    verdict = screen.paint(f"{decision.verdict}, {decision.conclusion}", _CONCLUSION_COLOURS[decision.conclusion])
    yield f"{_GAP}{fitted(plain(decision.entry.urn.text, 600), screen.width - 24)}: {verdict}"
    for rule in decision.rules:
        yield from screen.wrapped(plain(rule, 1000), _GAP * 3, f"{_GAP * 2}- ")
