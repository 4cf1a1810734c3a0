"""Annotations: what GitHub shows on the manifest's lines and above the log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from functools import partial
from typing import NamedTuple

# Not `actions_toolkit.core`: that one imports `requests`, at 80 ms of every run.
from incident_gate.errors import GateError
from incident_gate.gate.policy import Conclusion, Decision, MissingOutput
from incident_gate.incident import Assertion
from incident_gate.manifest.model import NOWHERE, ManifestError, Mistake, Position
from incident_gate.outcome.result import Change, OutputResult
from incident_gate.report.amounts import count
from incident_gate.report.model import Report
from incident_gate.report.rows import IncidentRow, rows_of, worst_first
from incident_gate.report.view import (
    blocking_words,
    outcome_line,
    override_lines,
    unanswered,
    unanswered_line,
    waited_line,
)
from incident_gate.text import plain, plain_prose, sentences

_KEPT = 9  # the runner keeps ten of a level in a step and drops the rest silently; the tenth counts them
_MESSAGE_LIMIT = 4_000  # the runner cuts at 4,096
_TITLE_LIMIT = 160
_LINES = 5  # incidents in one annotation


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
    path = report.manifest_path
    return _kept(
        [
            *((Level.WARNING, partial(_remark, text)) for text in override_lines(report)),
            *_of_failure(report),
            *((_LEVELS[d.conclusion], partial(_of_decision, report, d)) for d in _noteworthy(report)),
            *((Level.WARNING, partial(_of_missing, report, missing)) for missing in report.missing_outputs),
            *_of_outcome(report),
            *((Level.WARNING, partial(_on_line, path, warning, "")) for warning in report.warnings),
            *((Level.NOTICE, partial(_remark, notice)) for notice in (waited_line(report), *report.notices) if notice),
        ],
    )


def annotate_mistakes(error: ManifestError) -> tuple[Annotation, ...]:
    """A manifest's errors, each on its line."""
    return _kept([(Level.ERROR, partial(_on_line, error.path, mistake, error.hint)) for mistake in error.mistakes])


def annotate_error(error: GateError, consequence: str = "", level: Level = Level.ERROR) -> Annotation:
    """Annotate an error that ended a run early, what to do next, and the consequence."""
    message = "\n".join(
        sentences(line) for text in (error.message, error.hint, consequence) for line in text.splitlines() if line
    )
    return Annotation(level=level, title="DataHub Incident Gate", message=message)


def _noteworthy(report: Report) -> list[Decision]:
    alike = {id(decision) for decision in unanswered(report)}
    return worst_first(
        d
        for d in report.decisions
        if (d.blocking_count or d.problems or d.excused or d.conclusion is not Conclusion.PASS) and id(d) not in alike
    )


def _of_failure(report: Report) -> Iterator[_Pending]:
    error, left = report.failure, unanswered_line(report)
    if error and left:
        yield Level.ERROR, partial(annotate_error, error, left)


def _of_decision(report: Report, decision: Decision, level: Level) -> Annotation:
    name = plain(decision.entry.label, 100)
    found = rows_of(decision)
    lines = []
    for row in found[:_LINES]:
        sibling = f"on its sibling {plain(row.sibling)}" if row.sibling else ""
        facts = ", ".join(filter(None, (*row.facts(report.now_ms), sibling)))
        lines.append(f"{plain(row.title)}{f' ({facts})' if facts else ''}")
    if len(found) > _LINES:
        lines.append(f"and {len(found) - _LINES:,} more")
    lines += [sentences(problem.message, problem.hint) for problem in decision.problems[:_LINES]]
    for excuse in decision.excused[:_LINES]:
        lines.append(f"Excused: {plain(IncidentRow.of(decision, excuse.item).title)}: {plain(excuse.reason)}")
    if len(decision.excused) > _LINES:
        lines.append(f"and {len(decision.excused) - _LINES:,} more excused")
    if decision.blocking_count:
        title = f"{name}: {blocking_words(decision)}"
    elif decision.problems:
        title = f"{name}: health unknown"
    else:
        assertions = all(isinstance(excuse.item, Assertion) for excuse in decision.excused)
        noun = "failing assertion" if assertions else "incident"
        title = f"{name}: {count(len(decision.excused), noun)} excused"
    if decision.entry.selected_by:
        lines.append(f"Selected by {plain(decision.entry.selected_by)}.")
    owners = report.owners.get(decision.entry.urn.text, ())
    if owners:
        lines.append(f"Owned by {plain(', '.join(owner.name for owner in owners[:5]))}.")
    return _at(level, report.manifest_path, decision.entry.position, title, "\n".join(lines))


def _of_missing(report: Report, missing: MissingOutput, level: Level) -> Annotation:
    title = f"{plain(missing.entry.label, 100)}: this output does not exist"
    message = sentences(missing.problem.message, missing.problem.hint)
    return _at(level, report.manifest_path, missing.entry.position, title, message)


def _of_outcome(report: Report) -> Iterator[_Pending]:
    if report.outcome is None:
        return
    for result in report.outcome.results:
        # A hint on an output with nothing to resolve: it does not exist.
        if result.change is Change.FAILED or (result.change is Change.CLEAR and result.hint):
            yield Level.WARNING, partial(_of_output, report, result)
    yield from ((Level.WARNING, partial(_remark, warning)) for warning in report.outcome.warnings)
    yield Level.NOTICE, partial(_remark, outcome_line(report.outcome))


def _of_output(report: Report, result: OutputResult, level: Level) -> Annotation:
    message = sentences(result.message, result.hint, limit=1500)
    what = "the outcome could not be written" if result.change is Change.FAILED else "this output does not exist"
    title = f"{plain(result.entry.label, 100)}: {what}"
    return _at(level, report.manifest_path, result.entry.position, title, message)


def _remark(text: str, level: Level) -> Annotation:
    return Annotation(level=level, message=plain_prose(text))


def _on_line(path: str, mistake: Mistake, hint: str, level: Level) -> Annotation:
    message = "\n".join(plain(line, 1500) for line in (str(mistake), *hint.splitlines()))
    return _at(level, path, mistake.position, "Incident gate manifest", message)


def _at(level: Level, path: str, position: Position, title: str, message: str) -> Annotation:
    return Annotation(
        level=level,
        title=plain(title, _TITLE_LIMIT),
        # An empty message is no annotation.
        message=_cut(message) or plain(title, _TITLE_LIMIT),
        file="" if position == NOWHERE else plain(path, 1000),
        line=position.line,
        col=position.column,
    )


def _cut(message: str) -> str:
    return message if len(message) <= _MESSAGE_LIMIT else message[: _MESSAGE_LIMIT - 1] + "…"


def _kept(pending: list[_Pending]) -> tuple[Annotation, ...]:
    kept: list[Annotation] = []
    for level in Level:
        of_level = [make for pending_level, make in pending if pending_level is level]
        kept += (make(level) for make in of_level[:_KEPT])
        if len(of_level) > _KEPT:
            rest = f"and {len(of_level) - _KEPT:,} more of this kind: see the job summary"
            kept.append(Annotation(level=level, title="DataHub Incident Gate", message=rest))
    return tuple(kept)
