"""The job summary and the pull request comment: the run as GitHub Markdown."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from incident_gate.errors import GateError
from incident_gate.gate.policy import Conclusion
from incident_gate.manifest.model import ManifestError, Position
from incident_gate.outcome.result import Change
from incident_gate.report.headline import (
    QUIET,
    change_numbers,
    grounds,
    is_dry,
    is_quiet,
    override_lines,
    passed_words,
    sentence,
    steps,
    waited_line,
)
from incident_gate.report.manifest_text import block, mistakes_of
from incident_gate.report.model import Report
from incident_gate.report.view import CHANGES, NOT_READ, Row, Section, SectionKind, sections
from incident_gate.text import code, count, link, markdown, prose, visible

# GitHub drops a step's summary whole above 1,048,576 bytes; the rest of the step may have written some already.
LIMIT = 1_000_000
_IN_SIGHT = 10
_FEW = 3  # rows that leave what comes below them in sight on a phone
_EXCERPT = 36  # characters of a line of code that a phone shows
_NAME = "DataHub Incident Gate"
_SIGNS = {Conclusion.BLOCK: "🔴", Conclusion.WARN: "🟡", Conclusion.PASS: "🟢"}
_WORDS = {Conclusion.BLOCK: "blocked", Conclusion.WARN: "warned"}
_BAD = frozenset({Change.RAISED, Change.KEPT, Change.LEFT})
_COLUMNS = {
    SectionKind.BLOCKS: ("What blocks", "Who can clear it"),
    SectionKind.WARNS: ("Warnings", "Who can clear it"),
    SectionKind.MISSING: ("Outputs that are not in DataHub", "Who can clear it"),
    SectionKind.OUTPUTS: ("Output", "Now"),
}


class _Part(NamedTuple):
    """A part of the page that may be cut after any row: `rows` are rendered only as far as there is room."""

    head: str
    rows: Iterator[str] = iter(())
    total: int = 0
    tail: str = ""
    missing: Callable[[int], str] = lambda number: f"\n…and {number:,} more.\n"


def summary(report: Report, limit: int = LIMIT) -> str:
    """The page, at most `limit` bytes of UTF-8, cut between rows with a count of what is missing.

    Empty where a step had nothing to do: a line in the log says so.
    """
    return "" if is_quiet(report) else _fitted(_title(report), _parts(report), limit)


def chunks(report: Report) -> Iterator[str]:
    """The page as a file."""
    yield summary(report)


def error_summary(error: GateError) -> str:
    """The page of a run that an error ended before anything was decided."""
    if isinstance(error, ManifestError):
        what = count(len(error.mistakes), "manifest error") if error.text else "blocked"
        hint = _fenced("\n".join(map(visible, error.hint.splitlines())), "text") if error.hint else ""
        part = _Part("", _mistakes(error), len(error.mistakes), hint)
        return _fitted(f"## 🔴 {_NAME}: {what}\n\n", iter([part]), LIMIT)
    paragraphs = [prose(line, 1000) for text in (error.message, error.hint) for line in text.splitlines() if line]
    return f"## 🔴 {_NAME}: blocked\n\n" + "\n\n".join(paragraphs) + "\n"


def _mistakes(error: ManifestError) -> Iterator[str]:
    for mistake, excerpt in mistakes_of(error, _EXCERPT):
        # A path that is wrong as a whole is named in the message.
        where = f"**Line {mistake.position.line}**" if excerpt else markdown(error.path)
        shown = f"\n{_fenced(excerpt, 'text')}" if excerpt else ""
        yield f"{where}: {prose(str(mistake), 2000, breaks=True)}\n{shown}\n"


def _title(report: Report) -> str:
    if not report.gated:
        return _outcome_title(report)
    conclusion = report.conclusion
    if conclusion is Conclusion.PASS:
        waited = f" ({markdown(waited_line(report).rstrip('.'), 600)})" if report.waited else ""
        lines = [f"🟢 **{_NAME}**: {markdown(grounds(report), 400)}{waited}\n"]
        return "\n".join([*lines, *(f"{markdown(text, 1000)}\n" for text in override_lines(report)), ""])
    words = "overridden" if report.is_overridden else _WORDS[conclusion]
    lines = [f"## {_SIGNS[conclusion]} {_NAME}: {words}\n"]
    lines += [f"**{markdown(text, 1000)}**\n" for text in override_lines(report)]
    why, others = sentence(report)
    failure = report.failure if report.unchecked else None
    if failure:
        why = " ".join(filter(None, (f"{failure.message.rstrip('.')}.", why)))
    lines.append(" ".join(filter(None, (f"**{prose(why, 1000)}**", others))) + "\n")
    lines += [f"{prose(failure.hint, 1000)}\n"] if failure and failure.hint and not steps(report) else []
    lines += [f"{markdown(waited_line(report), 1000)}\n"] if report.waited else []
    return "\n".join([*lines, ""])


def _outcome_title(report: Report) -> str:
    outcome = report.outcome
    if outcome is None:
        return ""
    results = outcome.results
    numbers = change_numbers(outcome)
    phrase, number = next(iter(numbers.items()), ("no outputs to report on", 0))
    changes = {result.change for result in results}
    dry = is_dry(outcome)
    only = [r for r in results if CHANGES[r.change].phrase == phrase]
    on = f" on {number:,} of {count(len(results), 'output')}" if number else ""
    if changes <= {Change.RESOLVED, *QUIET} and not outcome.warnings and not any(r.absent for r in results):
        if len(only) == 1:
            on = f" on {markdown(only[0].entry.label)}"
        return f"🟢 **{_NAME}**: {phrase}{on}\n\n"
    sign = "🔴" if changes & _BAD else "🟡"
    if dry:
        return f"## {sign} {_NAME}: dry run, nothing was written\n\n**This run {phrase}{on}.**\n\n"
    request = (
        "Raised on request: the job has not failed.\n\n" if outcome.on_request and outcome.outcome == "failure" else ""
    )
    return f"## {sign} {_NAME}: {phrase}{on}\n\n{request}"


def _parts(report: Report) -> Iterator[_Part]:
    found = {section.kind: section for section in sections(report)}
    resolved_only = (
        not report.gated and report.outcome and {r.change for r in report.outcome.results} == {Change.RESOLVED}
    )
    tables = [found[kind] for kind in _COLUMNS if kind in found]
    # Whoever is blocked by many things need not scroll past all of them.
    is_long = sum(min(len(section.rows), _IN_SIGHT) for section in tables) > _FEW
    if is_long:
        yield from _how_to_go_on(report)
    for section in tables:
        if not (resolved_only and len(section.rows) == 1):
            yield from _table(report, section)
    if not is_long:
        yield from _how_to_go_on(report)
    alike = report.unchecked
    if alike:
        title = f"{count(len(alike), 'input')} {'is' if len(alike) == 1 else 'are'} unchecked"
        yield _folded(title, (code(d.entry.urn.text, 4_000) for d in alike), len(alike))
    passed = found.get(SectionKind.PASSED)
    if report.gated and (passed or report.conclusion is not Conclusion.PASS):
        fine = report.clear
        items = chain(
            (_passed_item(row) for row in (passed.rows if passed else ())), (code(d.entry.label) for d in fine)
        )
        total = len(fine) + (passed.total if passed else 0)
        yield _folded(passed_words(report), items, total)
    notes = [row for kind in (SectionKind.WARNINGS, SectionKind.NOTICES) if kind in found for row in found[kind].rows]
    # Where all is well, annotations have them, and the page is one line.
    if notes and not (report.gated and report.conclusion is Conclusion.PASS):
        listed = (_note(report, row) for row in notes)
        if report.gated:
            yield _folded(count(len(notes), "note"), listed, len(notes))
        else:
            yield _Part("", (f"- {item}\n" for item in listed), len(notes), "\n")


def _table(report: Report, section: Section) -> Iterator[_Part]:
    """The first rows in sight, the others under a fold; two columns fit on a phone."""
    columns = _COLUMNS[section.kind]
    if section.kind is SectionKind.WARNS and report.is_overridden:
        columns = ("Would have blocked", columns[1])
    head = f"| {' | '.join(columns)} |\n| --- | --- |\n"
    make = _output_row if section.kind is SectionKind.OUTPUTS else _asset_row
    rows, left = section.rows[:_IN_SIGHT], section.rows[_IN_SIGHT:]
    cut = section.total - len(section.rows)
    yield _Part(head, (make(report, row) for row in rows), len(rows), "\n")
    if left:
        fold = f"<details>\n<summary>{len(left) + cut:,} more</summary>\n\n{head}"
        rest = (make(report, row) for row in left)
        yield _Part(fold, rest, len(left) + cut, "\n</details>\n\n")


def _how_to_go_on(report: Report) -> Iterator[_Part]:
    made = steps(report)
    if not made:
        return
    paste = block(report)
    items = []
    for step in made:
        before, has_link, after = step.prose.partition(" {}")
        items.append(prose(before) + (f" {link(step.link, step.url)}" if has_link else "") + prose(after))
    if paste:
        items.append("Until a date: paste this into the manifest.")
    # Within the frames, for which there is room before that for any row.
    listed = "".join(f"{number}. {item}\n" for number, item in enumerate(items, start=1))
    yield _Part(f"{listed}\n", iter([""]), 1)
    if paste:
        one = sum(d.blocking_count for d in report.decisions if d.conclusion is Conclusion.BLOCK) == 1
        title = f"Let {'this incident' if one else 'these incidents'} pass until a date"
        fold = f"<details>\n<summary>{title}</summary>\n\n{_fenced(paste, 'yaml')}\n</details>\n\n"
        yield _Part(fold, iter([""]), 1)


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}\n"


def _folded(title: str, items: Iterator[str], total: int) -> _Part:
    head = f"<details>\n<summary>{markdown(title)}</summary>\n\n"
    return _Part(head, (f"- {item}\n" for item in items), total, "\n</details>\n\n")


def _cells(first: Iterable[str], second: Iterable[str]) -> str:
    return f"| {_lines(first) or '-'} | {_lines(second) or '-'} |\n"


def _lines(texts: Iterable[str]) -> str:
    """One thing on a line."""
    return "<br>".join(filter(None, texts))


def _asset_row(report: Report, row: Row) -> str:
    """An incident, a failing assertion or an asset that was not checked, and who can clear it."""
    if row.is_asset:
        title = f"**{NOT_READ[row.tag]}: {link(row.title, row.page)}**"
        notes = (prose(note, 600, breaks=True) for note in row.notes)
        selected = (markdown(fact, 200) for fact in row.facts)
        first = [title, *(code(urn, 4_000, breaks=True) for urn in row.urns), *selected, *notes]
        you = _place(report, row.position)
        owners = [f"**{link(owner, None, 80)}**" for owner in row.owners] if row.tag == "REMOVED" else []
        return _cells(first, [f"**you**{f': {you}' if you else ''}", *owners])
    facts = (link(fact, None) for fact in (row.priority, *row.facts) if fact)
    # An age is not broken.
    facts_line = " · ".join(f.replace(" ", "&nbsp;") if f.startswith(("open for", "failing for")) else f for f in facts)
    first = [f"**{link(row.title, row.page)}**", link(row.asset, None), facts_line]
    is_known = row.decision and row.decision.entry.urn.text in report.owners
    nobody = "no owner in DataHub" if is_known else "owner not known"
    return _cells(first, [f"**{link(owner, None, 80)}**" for owner in row.owners] or [nobody])


def _output_row(report: Report, row: Row) -> str:
    phrase, *notes = (prose(note, 600, breaks=True) for note in row.notes)
    done = [phrase]
    if row.page and row.title:
        done = [f"**{link(row.title, row.page)}** ({'new incident' if row.tag == 'RAISED' else phrase})"]
    elif row.page:
        done = [link(row.notes[0], row.page)]
    details = (
        f"{code(name, 200, breaks=True)}{f': {link(message, None, 300)}' if message else ''}"
        for name, message in row.details
    )
    you = _place(report, row.position) if row.points_to_manifest else ""
    owned = f"owned by {link(', '.join(row.owners), None)}" if row.owners else ""
    return _cells([link(row.asset, None), owned, you], [*done, *details, *notes])


def _passed_item(row: Row) -> str:
    line = f" (line {row.position.line})" if row.position.line else ""
    return f"{link(row.asset, None)}: {link(row.title, row.page)}: {markdown(row.notes[0], 300)}{line}"


def _note(report: Report, row: Row) -> str:
    where = _place(report, row.position)
    return _lines(f"{f'{where}: ' if where else ''}{prose(note, 1000)}" for note in row.notes)


def _place(report: Report, position: Position) -> str:
    """The manifest's line, as a link where its page is known; empty for what the settings name."""
    if not position.line:
        return ""
    name = report.manifest_path.rpartition("/")[2]
    return link(f"{name}, line {position.line}", report.place_url(position))


def _fitted(title: str, parts: Iterator[_Part], limit: int) -> str:
    """Join as much as there is room for: whole parts' frames first, so that nothing is left open."""
    page = [title]
    room = limit - _size(title)
    if room < 0:
        return ""
    present = [part for part in parts if part.total]
    frames = [_size(part.head) + _size(part.tail) + _size(part.missing(part.total)) for part in present]
    while present and sum(frames) > room:
        present.pop()
        frames.pop()
    room -= sum(frames)
    for part in present:
        page.append(part.head)
        written = 0
        for row in part.rows:
            if _size(row) > room:
                break
            page.append(row)
            written += 1
            room -= _size(row)
        if written < part.total:
            page.append(part.missing(part.total - written))
        page.append(part.tail)
    return "".join(page)


def _size(text: str) -> int:
    return len(text.encode())
