"""The terminal: the run as text, wrapped at the terminal's width, coloured if the terminal can."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from incident_gate.gate.policy import Conclusion, Verdict
from incident_gate.report.headline import conclusion_word, grounds, headline, override_lines, steps, waited_line
from incident_gate.report.model import Report
from incident_gate.report.view import (
    ABSENT,
    CHANGES,
    DRY_RUN,
    Row,
    Section,
    SectionKind,
    deciding_rules,
    place,
    sections,
    unchecked,
    unchecked_line,
)
from incident_gate.report.words import cells, count
from incident_gate.text import plain, plain_prose, sentences

DEFAULT_WIDTH = 80
_BOLD, _DIM, _RED, _GREEN, _YELLOW = "1", "2", "31", "32", "33"
_SIGNS = {Conclusion.BLOCK: ("✗", _RED), Conclusion.WARN: ("!", _YELLOW), Conclusion.PASS: ("✓", _GREEN)}
_TAG_COLOURS = {
    **dict.fromkeys(("CRITICAL", "HIGH", "RAISED", "OPEN", "NOT FOUND", "REMOVED"), _RED),
    **dict.fromkeys(("RESOLVED", "CLEAR"), _GREEN),
    **dict.fromkeys(("FAILED", "UNCHECKED"), _YELLOW),
}
# What the tag of an output says already.
_SAID = {words.tag: words.phrase for words in (*CHANGES.values(), *ABSENT.values()) if words.tag != DRY_RUN}
_TITLES = {
    SectionKind.WARNS: "Warnings",
    SectionKind.MISSING: "Outputs that are not in DataHub",
    SectionKind.WARNINGS: "Notes",
    SectionKind.NOTICES: "Notes",
}
_ROWS = 50  # of one section in a terminal; `--format json` has them all
_NARROWEST = 40
_HELP = "help: "
_INDENT = 10  # the widest tag and a space


class _Screen(NamedTuple):
    """What the terminal can do."""

    colour: bool
    width: int

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour (the codes of an SGR sequence), or as it is where the terminal has none."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour and colour and text else text

    def wrapped(self, text: str, indent: int = _INDENT, first: str | None = None, colour: str = "") -> Iterator[str]:
        """A text broken between words, each line but the `first` indented. No word is cut: half an address is none."""
        line, empty = "", True
        start = " " * indent if first is None else first
        for word in text.replace(" · ", "\xa0· ").split(" "):
            if not empty and cells(start) + cells(line) + 1 + cells(word) > self.width:
                yield start + self.paint(line.replace("\xa0", " "), colour)
                start, line, empty = " " * indent, "", True
            line += word if empty else f" {word}"
            empty = False
        yield start + self.paint(line.replace("\xa0", " "), colour)


def terminal(report: Report, *, colour: bool = False, width: int | None = None, explain: bool = False) -> str:
    """The run as text that ends with a newline.

    Args:
        report: The run.
        colour: Whether to use colours.
        width: Of the terminal; None where there is none, so that nothing has to fit on a screen.
        explain: Whether to name the rules that decided.
    """
    screen = _Screen(colour, max(width or DEFAULT_WIDTH, _NARROWEST))
    most = _ROWS if width else 1_000
    return "".join(f"{line}\n" for line in _lines(report, screen, most, explain=explain))


def _lines(report: Report, screen: _Screen, most: int, *, explain: bool) -> Iterator[str]:
    yield from _headline(report, screen)
    for text in (*override_lines(report), waited_line(report)):
        yield from screen.wrapped(plain(text, 1000), 2, "  ") if text else ()
    yield from _failure(report, screen, most)
    noted = False
    for section in sections(report):
        title = _TITLES.get(section.kind, "")
        if section.kind is SectionKind.PASSED:
            yield from _passed(section, screen, most)
            continue
        if not (noted and title == "Notes"):
            yield ""
            yield from (screen.paint(title, _BOLD),) if title else ()
        noted = title == "Notes"
        for row in section.rows[:most]:
            yield from _note(report, row, screen) if noted else _row(report, row, screen)
        yield from _more(section, most)
    if explain:
        yield from _explanation(report, screen)
    if found := steps(report):
        yield ""
    helps = [step.help for step in found]
    if any(d.blocking or d.failing for d in report.decisions if d.conclusion is Conclusion.BLOCK):
        path = plain(report.manifest_path, 500)
        create = "" if report.manifest_text else f"create {path} and "
        helps.append(f"To let one pass until a date, {create}add its URN to `ignore` in {'it' if create else path}")
    for text in helps:
        first, *rest = screen.wrapped(plain(text[0].lower() + text[1:], 1000), len(_HELP), _HELP)
        yield from (screen.paint(_HELP.rstrip(), _BOLD) + first[len(_HELP) - 1 :], *rest)


def _headline(report: Report, screen: _Screen) -> Iterator[str]:
    if not report.gated:
        yield from screen.wrapped(plain(headline(report), 1000), 0, colour=_BOLD)
        return
    sign, colour = _SIGNS[report.conclusion]
    word = f"{sign} {conclusion_word(report)}"
    # The word stands out, and the reason begins beside it.
    indent = cells(word) + 2
    lines = list(screen.wrapped(plain(grounds(report), 1000), indent, f"{word}  "))
    yield screen.paint(word, f"{_BOLD};{colour}") + lines[0][len(word) :]
    yield from lines[1:]


def _failure(report: Report, screen: _Screen, most: int) -> Iterator[str]:
    """Why requests ended, once for all inputs that it leaves unchecked, and their names."""
    error, alike = report.failure, unchecked(report)
    blocks = report.conclusion is Conclusion.BLOCK
    # How to go on comes last.
    if not (error and alike) or (blocks and len(alike) == len(report.decisions)):
        return
    yield ""
    # Where nothing was checked, the headline says so.
    cause = () if len(alike) == len(report.decisions) else (error.message, unchecked_line(report))
    said = sentences(*cause, "" if blocks else error.hint)
    yield from screen.wrapped(said, 2, "  ")
    for decision in alike[:most]:
        yield from _tagged(screen, "UNCHECKED", plain(decision.entry.label))
        yield " " * _INDENT + screen.paint(plain(decision.entry.urn.text, 4_000), _DIM)
    if len(alike) > most:
        yield f"and {count(len(alike) - most, 'more input')}"


def _tagged(screen: _Screen, tag: str, text: str) -> Iterator[str]:
    first, *rest = screen.wrapped(text, _INDENT, tag.ljust(_INDENT))
    if tag:
        first = screen.paint(tag, f"{_BOLD};{_TAG_COLOURS[tag]}" if tag in _TAG_COLOURS else _BOLD) + first[len(tag) :]
    yield first
    yield from rest


def _row(report: Report, row: Row, screen: _Screen) -> Iterator[str]:
    """What it is, what is known of it, its URN and where to look, each on lines of its own."""
    is_output = row.result is not None
    yield from _tagged(screen, row.tag, plain(row.asset if is_output else row.title))
    owned = f"owned by {', '.join(row.owners)}" if row.owners else ""
    facts = [plain(fact, 300) for fact in ("" if is_output else row.asset, *row.facts, owned) if fact]
    if facts:
        yield from screen.wrapped(" · ".join(facts))
    if is_output and row.title:
        yield from screen.wrapped(plain(row.title))
    for name, message in row.details:
        yield from screen.wrapped(plain(f"{name}: {message}" if message else name, 600))
    urns = [" " * _INDENT + screen.paint(plain(urn, 4_000), _DIM) for urn in row.urns]
    texts = row.notes
    if is_output:
        texts = (row.notes[0].removeprefix(_SAID.get(row.tag, "")).removeprefix(": "), *row.notes[1:])
    notes = [line for note in texts if note for line in screen.wrapped(plain_prose(note))]
    yield from (*notes, *urns) if is_output else (*urns, *notes)
    if row.page and not row.is_asset:
        yield " " * _INDENT + screen.paint(row.page, _DIM)
    where = place(report, row.position)
    if where and row.points_to_manifest:
        yield " " * _INDENT + screen.paint(plain(where, 1000), _DIM)


def _note(report: Report, row: Row, screen: _Screen) -> Iterator[str]:
    where = place(report, row.position)
    for note in row.notes:
        yield from screen.wrapped(plain_prose(f"{where}: {note}" if where else note), 2, "- ")


def _passed(section: Section, screen: _Screen, most: int) -> Iterator[str]:
    yield ""
    number = section.total
    heading = f"{count(number, 'incident')} {'does' if number == 1 else 'do'} not count"
    if all(row.tag == "ASSERTION" for row in section.rows):
        heading = heading.replace("incident", "failing assertion")
    if number == 1:
        [row] = section.rows
        yield from screen.wrapped(f"{heading}: {plain(row.title)} on {plain(row.asset)}", _INDENT, "")
        yield from screen.wrapped(f"({plain(row.notes[0], 300)})")
        return
    yield heading
    for row in section.rows[:most]:
        yield from screen.wrapped(f"{plain(row.title)} on {plain(row.asset)} ({plain(row.notes[0], 300)})")
    yield from _more(section, most)


def _more(section: Section, most: int) -> Iterator[str]:
    left = section.total - min(len(section.rows), most)
    if left:
        yield f"and {left:,} more"


def _explanation(report: Report, screen: _Screen) -> Iterator[str]:
    """The rules that decided on each asset that does not simply pass, and where each is set."""
    yield ""
    yield screen.paint("Rules that decided", _BOLD)
    simple = 0
    for decision in report.decisions:
        if decision.verdict is Verdict.HEALTHY and not decision.excused:
            simple += 1
            continue
        _, colour = _SIGNS[decision.conclusion]
        words = screen.paint(f"{decision.verdict}, {decision.conclusion}", colour)
        yield f"  {plain(decision.entry.urn.text, 4_000)}: {words}"
        places = {
            "(entry)": f"(entry in {report.manifest_path}, line {decision.entry.position.line})",
            "(defaults)": f"(defaults in {report.manifest_path})",
            "(input)": "(option or action input)",
        }
        rules = []
        for rule in deciding_rules(decision):
            end = next((end for end in places if rule.endswith(end)), "")
            rules.append(rule.removesuffix(end) + places.get(end, ""))
        rules += [f"{excuse.item.urn} does not count: {excuse.reason}" for excuse in decision.excused]
        for rule in rules:
            yield from screen.wrapped(plain(rule, 1000), 6, "    - ")
    if simple:
        yield f"  {count(simple, 'input')} without an open incident: no rule had to decide"
