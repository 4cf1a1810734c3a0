"""The terminal: the run as text, wrapped and coloured as the terminal can, and what is awaited until it is known."""

from __future__ import annotations

from bisect import bisect
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple, Self, TextIO

from incident_gate.datahub.client import AWAITED, RequestLog
from incident_gate.gate.policy import Conclusion, Verdict
from incident_gate.process import write
from incident_gate.report.headline import (
    conclusion_word,
    duration,
    grounds,
    headline,
    override_lines,
    pending_words,
    steps,
    unchecked_line,
    waited_line,
)
from incident_gate.report.model import Report
from incident_gate.report.view import ABSENT, CHANGES, DRY_RUN, Row, Section, SectionKind, deciding_rules, sections
from incident_gate.text import cells, count, plain, plain_prose, sentences

if TYPE_CHECKING:
    from incident_gate.gate.wait import WaitState

_DEFAULT_WIDTH = 80
_NARROWEST = 40
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
_HELP = "help: "
_INDENT = 10  # the widest tag and a space

_SILENT_SECONDS = 2.0  # most runs are over by then
_DRAW_SECONDS = 0.2
_FIRST_REMARK = 10.0
_LINE_SECONDS = 300.0


class _Screen(NamedTuple):
    """What the terminal can do; `most` rows of one section are shown."""

    colour: bool
    width: int
    most: int

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

    def labelled(self, label: str, text: str, colour: str = "", indent: int = _INDENT) -> Iterator[str]:
        """A text beside a label in bold."""
        first, *rest = self.wrapped(text, indent, label.ljust(indent))
        yield self.paint(label, f"{_BOLD};{colour}" if colour else _BOLD) + first[len(label) :]
        yield from rest

    def exact(self, text: str) -> str:
        """A URN, an address or a place on a line of its own, never broken."""
        return " " * _INDENT + self.paint(text, _DIM)


def terminal(report: Report, *, colour: bool = False, width: int | None = None, explain: bool = False) -> str:
    """The run as text that ends with a newline; without a width there is no screen that it has to fit on."""
    screen = _Screen(colour, max(width or _DEFAULT_WIDTH, _NARROWEST), _ROWS if width else 1_000)
    return "".join(f"{line}\n" for line in _lines(report, screen, explain=explain))


def _lines(report: Report, screen: _Screen, *, explain: bool) -> Iterator[str]:
    if report.gated:
        sign, colour = _SIGNS[report.conclusion]
        word = f"{sign} {conclusion_word(report)}"
        # The word stands out, and the reason begins beside it.
        yield from screen.labelled(word, plain(grounds(report), 1000), colour, cells(word) + 2)
    else:
        yield from screen.wrapped(plain(headline(report), 1000), 0, colour=_BOLD)
    for text in filter(None, (*override_lines(report), waited_line(report))):
        yield from screen.wrapped(plain(text, 1000), 2)
    yield from _failure(report, screen)
    noted = False
    for section in sections(report):
        title = _TITLES.get(section.kind, "")
        if section.kind is SectionKind.PASSED:
            yield from _passed(section, screen)
            continue
        if not (noted and title == "Notes"):
            yield ""
            yield from (screen.paint(title, _BOLD),) if title else ()
        noted = title == "Notes"
        for row in section.rows[: screen.most]:
            yield from _note(report, row, screen) if noted else _row(report, row, screen)
        yield from _more(section, screen)
    if explain:
        yield from _explanation(report, screen)
    helps = [step.help for step in steps(report)]
    yield from [""] if helps else ()
    if any(d.blocking or d.failing for d in report.decisions if d.conclusion is Conclusion.BLOCK):
        path = report.manifest_path
        create = "" if report.manifest_text else f"create {path} and "
        helps.append(f"To let one pass until a date, {create}add its URN to `ignore` in {'it' if create else path}")
    for text in helps:
        yield from screen.labelled(_HELP.rstrip(), plain(text[0].lower() + text[1:], 1000), indent=len(_HELP))


def _failure(report: Report, screen: _Screen) -> Iterator[str]:
    """Why requests ended, once for all inputs that it leaves unchecked, and their names."""
    error, alike = report.failure, report.unchecked
    blocks = report.conclusion is Conclusion.BLOCK
    # How to go on comes last.
    if not (error and alike) or (blocks and report.nothing_checked):
        return
    yield ""
    # Where nothing was checked, the headline says so.
    cause = () if report.nothing_checked else (error.message, unchecked_line(report))
    yield from screen.wrapped(sentences(*cause, "" if blocks else error.hint), 2)
    for decision in alike[: screen.most]:
        yield from screen.labelled("UNCHECKED", plain(decision.entry.label), _TAG_COLOURS["UNCHECKED"])
        yield screen.exact(plain(decision.entry.urn.text, 4_000))
    if len(alike) > screen.most:
        yield f"and {count(len(alike) - screen.most, 'more input')}"


def _row(report: Report, row: Row, screen: _Screen) -> Iterator[str]:
    """What it is, what is known of it, its URN and where to look, each on lines of its own."""
    is_output = row.result is not None
    yield from screen.labelled(row.tag, plain(row.asset if is_output else row.title), _TAG_COLOURS.get(row.tag, ""))
    owned = f"owned by {', '.join(row.owners)}" if row.owners else ""
    facts = [plain(fact, 300) for fact in ("" if is_output else row.asset, *row.facts, owned) if fact]
    lines = [" · ".join(facts), plain(row.title) if is_output else ""]
    lines += [plain(f"{name}: {message}" if message else name, 600) for name, message in row.details]
    notes = list(map(plain_prose, row.notes))
    if is_output:
        notes[0] = notes[0].removeprefix(_SAID.get(row.tag, "")).removeprefix(": ")
    for text in filter(None, (*lines, *(notes if is_output else ()))):
        yield from screen.wrapped(text)
    yield from (screen.exact(plain(urn, 4_000)) for urn in row.urns)
    for text in filter(None, () if is_output else notes):
        yield from screen.wrapped(text)
    if row.page and not row.is_asset:
        yield screen.exact(row.page)
    where = report.place(row.position)
    if where and row.points_to_manifest:
        yield screen.exact(plain(where, 1000))


def _note(report: Report, row: Row, screen: _Screen) -> Iterator[str]:
    where = report.place(row.position)
    for note in row.notes:
        yield from screen.wrapped(plain_prose(f"{where}: {note}" if where else note), 2, "- ")


def _passed(section: Section, screen: _Screen) -> Iterator[str]:
    yield ""
    noun = "failing assertion" if all(row.tag == "ASSERTION" for row in section.rows) else "incident"
    heading = f"{count(section.total, noun)} {'does' if section.total == 1 else 'do'} not count"
    if section.total == 1:
        [row] = section.rows
        yield from screen.wrapped(f"{heading}: {plain(row.title)} on {plain(row.asset)}", _INDENT, "")
        yield from screen.wrapped(f"({plain(row.notes[0], 300)})")
        return
    yield heading
    for row in section.rows[: screen.most]:
        yield from screen.wrapped(f"{plain(row.title)} on {plain(row.asset)} ({plain(row.notes[0], 300)})")
    yield from _more(section, screen)


def _more(section: Section, screen: _Screen) -> Iterator[str]:
    if left := section.total - min(len(section.rows), screen.most):
        yield f"and {left:,} more"


def _explanation(report: Report, screen: _Screen) -> Iterator[str]:
    """The rules that decided on each asset that does not simply pass, and where each is set."""
    yield ""
    yield screen.paint("Rules that decided", _BOLD)
    for decision in report.decisions:
        if decision.verdict is Verdict.HEALTHY and not decision.excused:
            continue
        words = screen.paint(f"{decision.verdict}, {decision.conclusion}", _SIGNS[decision.conclusion][1])
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
    if fine := len(report.clear):
        yield f"  {count(fine, 'input')} without an open incident: no rule had to decide"


# What is awaited


class Progress:
    """Shows what a run waits for: one line of a terminal, drawn over itself; in a log, long silences and changes."""

    def __init__(
        self,
        stream: TextIO,
        server: str,
        *,
        clock: Callable[[], float],
        width: int | None = None,
        on_request: Callable[[RequestLog], None] | None = None,
    ) -> None:
        self._stream = stream
        self._server = server
        self._clock = clock
        self._width = width
        self._on_request = on_request
        self._is_drawn = False
        self._started = self._last_answer = clock()
        self._next_draw = self._started + _SILENT_SECONDS
        self._pause = _FIRST_REMARK
        self._answered = 0
        self._failure = ""
        self._pending = ""
        self._next_remark = 0.0

    def __enter__(self) -> Self:
        """Begin."""
        return self

    def __exit__(self, *_: object) -> None:
        """Clear the line, so that the report starts on a clean one."""
        if self._is_drawn:
            write(self._stream, "\r\x1b[K")
            self._is_drawn = False

    def note_request(self, log: RequestLog) -> None:
        """Note that a request ended, or that one is awaited; call it with each request of the client."""
        now = self._clock()
        if log is not AWAITED:
            if log.status is None:
                self._failure = log.result
            else:
                self._last_answer, self._pause, self._failure = now, _FIRST_REMARK, ""
                self._answered += log.assets if log.result == "ok" else 0
            if self._on_request:
                self._on_request(log)
        silent = now - self._last_answer
        if self._width is not None:
            if now >= self._next_draw:
                self._next_draw = now + _DRAW_SECONDS
                answered = f", {count(self._answered, 'asset')} answered" if self._answered else ""
                self._draw(f"Waiting for {self._server}, {duration(now - self._started)}{answered}", self._width)
        elif silent >= self._pause:
            self._pause *= 2
            reason = f": {plain(self._failure, 300)}" if self._failure else ""
            write(self._stream, f"{self._server} has not answered for {silent:.0f} s{reason}\n")

    def note_wait(self, state: WaitState) -> None:
        """Note for which inputs the gate waits; call it about once a second."""
        pending = pending_words(state.pending)
        how_long = f"Waited {duration(state.seconds)} of" if state.seconds >= 1 else "Waiting up to"
        text = f"{how_long} {duration(state.longest)} for {pending}"
        if self._width is not None:
            self._draw(text, self._width)
        elif pending != self._pending or state.seconds >= self._next_remark:
            self._pending, self._next_remark = pending, state.seconds + _LINE_SECONDS
            write(self._stream, f"{text}\n")

    def _draw(self, text: str, width: int) -> None:
        text, size = plain(text, 500), max(width - 1, 1)  # a full line would wrap
        ends = list(accumulate(map(cells, text)))
        fitted = text if ends[-1] <= size else f"{text[: bisect(ends, size - 1)].rstrip()}…"
        write(self._stream, f"\r{fitted}\x1b[K")
        self._is_drawn = True


def trace(log: RequestLog) -> str:
    """One request as a line of the debug log: no header and no value."""
    assets = f" about {count(log.assets, 'asset')}" if log.assets else ""
    again = f", attempt {log.attempt}" if log.attempt > 1 else ""
    status = f"HTTP {log.status}" if log.status is not None else "no answer"
    milliseconds = round(log.seconds * 1000)
    return f"{log.operation}{assets}{again}: {status} in {milliseconds:,} ms, {plain(log.result, 800)}"
