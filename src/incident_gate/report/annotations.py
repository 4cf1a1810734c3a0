"""Annotations: what GitHub shows on the manifest's lines and above the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import NamedTuple

from incident_gate.errors import GateError
from incident_gate.gate.policy import Conclusion, Decision
from incident_gate.manifest.model import NOWHERE, ManifestError, Mistake, Position
from incident_gate.report.headline import headline, is_quiet, override_lines, state_words, unchecked_line, waited_line
from incident_gate.report.model import Report, worst_first
from incident_gate.report.view import Row, SectionKind, rows_of, sections, title_of
from incident_gate.text import plain, plain_prose, sentences

_KEPT = 9  # the runner keeps ten of a level in a step and drops the rest silently; the tenth counts them
_MESSAGE_LIMIT = 4_000  # the runner cuts at 4,096
_TITLE_LIMIT = 160
_LINES = 5  # incidents in one annotation
_NAME = "DataHub Incident Gate"


class Level(StrEnum):
    """How GitHub marks an annotation; the value is the workflow command's name."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


class Annotation(NamedTuple):
    """One annotation, already safe to show; `line` and `col` only mean something with a `file`."""

    level: Level
    message: str
    title: str = ""
    file: str = ""
    line: int | None = None
    col: int | None = None


# Written out only if it is among those kept: a run can have a hundred thousand.
_Pending = tuple[Level, Callable[[Level], Annotation]]

_LEVELS = {Conclusion.BLOCK: Level.ERROR, Conclusion.WARN: Level.WARNING, Conclusion.PASS: Level.NOTICE}


def annotate(report: Report) -> tuple[Annotation, ...]:
    """Annotate what does not pass, worst first, with no more of a level than the runner keeps."""
    return _kept([*_of_gate(report), *_of_outcome(report)])


def annotate_mistakes(error: ManifestError) -> tuple[Annotation, ...]:
    """A manifest's errors, each on its line."""
    return _kept([(Level.ERROR, partial(_on_line, error.path, mistake, error.hint)) for mistake in error.mistakes])


def annotate_error(error: GateError, consequence: str = "", level: Level = Level.ERROR) -> Annotation:
    """Annotate an error that ended a run early, what to do next, and the consequence."""
    texts = (error.message, consequence, error.hint)
    message = "\n".join(sentences(line) for text in texts for line in text.splitlines() if line)
    return Annotation(level=level, title=_NAME, message=message)


def _of_gate(report: Report) -> Iterator[_Pending]:
    yield from ((Level.WARNING, partial(_remark, text)) for text in override_lines(report))
    if report.failure and (alike := report.unchecked):
        blocks = any(decision.conclusion is Conclusion.BLOCK for decision in alike)
        yield Level.ERROR if blocks else Level.WARNING, partial(annotate_error, report.failure, unchecked_line(report))
    for decision in worst_first(report.decisions):
        worth_it = decision.conclusion is not Conclusion.PASS or decision.excused or decision.problems
        if worth_it and not report.is_unchecked(decision):
            yield _LEVELS[decision.conclusion], partial(_of_decision, report, decision)


def _of_outcome(report: Report) -> Iterator[_Pending]:
    """The outputs and the remarks. What is in the job summary's heading is not repeated."""
    for section in sections(report):
        level = Level.NOTICE if section.kind is SectionKind.NOTICES else Level.WARNING
        for row in section.rows:
            if section.kind is SectionKind.MISSING:
                yield level, partial(_of_output, report, row, "not in DataHub")
            elif section.kind in {SectionKind.WARNINGS, SectionKind.NOTICES}:
                yield level, partial(_of_note, report.manifest_path, row)
            # Without a note of its own, it failed for a reason that others share.
            elif row.result and row.points_to_manifest and len(row.notes) > 1:
                yield level, partial(_of_output, report, row, row.notes[0].partition(": ")[0])
    if is_quiet(report):
        yield Level.NOTICE, partial(_remark, headline(report))
    if report.gated and report.conclusion is Conclusion.PASS and report.waited:
        yield Level.NOTICE, partial(_remark, waited_line(report))


def _of_decision(report: Report, decision: Decision, level: Level) -> Annotation:
    number = len(decision.excused)
    title = state_words(decision)
    rows: list[Row] = []
    if decision.blocking_count or decision.problems or not number:
        rows = list(rows_of(report, decision, _LINES))
    else:
        title = f"{number:,} {'does' if number == 1 else 'do'} not count"
    lines = [_line(row) for row in rows]
    excused = decision.excused[:_LINES]
    lines += [f"Does not count: {plain(title_of(excuse.item))} ({plain(excuse.reason)})" for excuse in excused]
    if number > _LINES:
        lines.append(f"and {number - _LINES:,} more that do not count")
    if rows and rows[0].owners:
        lines.append(f"Owned by {plain(', '.join(rows[0].owners))}.")
    title = f"{plain(decision.entry.label, 100)}: {title}"
    return _at(level, report.manifest_path, decision.entry.position, title, "\n".join(lines))


def _line(row: Row) -> str:
    """One thing as a line: an incident with what is known of it, or why an asset was not checked."""
    if row.is_asset:
        return " ".join(filter(None, (*(plain(fact, 200) for fact in row.facts), sentences(*row.notes))))
    name = row.decision.entry.label if row.decision else ""
    facts = [fact for fact in (row.priority, *row.facts, "" if row.asset == name else row.asset) if fact]
    known = plain(" · ".join(facts), 300)
    return f"{plain(row.title)} ({known})" if known else plain(row.title)


def _of_output(report: Report, row: Row, what: str, level: Level) -> Annotation:
    title = f"{plain(row.asset or row.title, 100)}: {what}"
    notes = (note for note in row.notes if note != what)
    return _at(level, report.manifest_path, row.position, title, sentences(*notes, limit=1500))


def _of_note(path: str, row: Row, level: Level) -> Annotation:
    if row.position == NOWHERE:
        return _remark(row.notes[0], level)
    return _on_line(path, Mistake(row.position, row.notes[0]), "", level)


def _remark(text: str, level: Level) -> Annotation:
    return Annotation(level=level, message=plain_prose(text))


def _on_line(path: str, mistake: Mistake, hint: str, level: Level) -> Annotation:
    text = f"{path}: {mistake}" if mistake.position == NOWHERE else str(mistake)
    message = "\n".join(plain(line, 1500) for line in (text, *hint.splitlines()))
    return _at(level, path, mistake.position, "Incident gate manifest", message)


def _at(level: Level, path: str, position: Position, title: str, message: str) -> Annotation:
    title = plain(title, _TITLE_LIMIT)
    return Annotation(
        level=level,
        title=title,
        # An empty message is no annotation.
        message=(message if len(message) <= _MESSAGE_LIMIT else f"{message[: _MESSAGE_LIMIT - 1]}…") or title,
        file="" if position == NOWHERE else plain(path, 1000),
        line=position.line,
        col=position.column,
    )


def _kept(pending: list[_Pending]) -> tuple[Annotation, ...]:
    kept: list[Annotation] = []
    for level in Level:
        of_level = [make for pending_level, make in pending if pending_level is level]
        kept += (make(level) for make in of_level[:_KEPT])
        if len(of_level) > _KEPT:
            rest = f"and {len(of_level) - _KEPT:,} more of this kind: see the job summary"
            kept.append(Annotation(level=level, title=_NAME, message=rest))
    return tuple(kept)
