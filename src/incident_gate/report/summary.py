"""The job summary and the pull request comment: the run as GitHub Markdown."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from incident_gate.errors import GateError
from incident_gate.gate.policy import Conclusion
from incident_gate.manifest.model import ManifestError, Position
from incident_gate.outcome.result import Change, OutcomeReport
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
    rows: Iterable[str] = ()
    total: int = 0
    tail: str = ""


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
        return _fitted(f"## 🔴 {_NAME}: {what}\n\n", [part], LIMIT)
    paragraphs = [prose(line, 1000) for text in (error.message, error.hint) for line in text.splitlines() if line]
    return f"## 🔴 {_NAME}: blocked\n\n" + "\n\n".join(paragraphs) + "\n"


def _mistakes(error: ManifestError) -> Iterator[str]:
    for mistake, excerpt in mistakes_of(error, _EXCERPT):
        # A path that is wrong as a whole is named in the message.
        where = f"**Line {mistake.position.line}**" if excerpt else markdown(error.path)
        shown = f"\n{_fenced(excerpt, 'text')}" if excerpt else ""
        yield f"{where}: {prose(str(mistake), 2000, breaks=True)}\n{shown}\n"


def _title(report: Report) -> str:
    if report.outcome and not report.gated:
        return _outcome_title(report.outcome)
    if report.conclusion is Conclusion.PASS:
        waited = f" ({markdown(waited_line(report).rstrip('.'), 600)})" if report.waited else ""
        lines = [f"🟢 **{_NAME}**: {markdown(grounds(report), 400)}{waited}"]
        return _paragraphs(*lines, *(markdown(text, 1000) for text in override_lines(report)))
    words = "overridden" if report.is_overridden else _WORDS[report.conclusion]
    why, others = sentence(report)
    failure = report.failure if report.unchecked else None
    if failure:
        why = " ".join(filter(None, (f"{failure.message.rstrip('.')}.", why)))
    return _paragraphs(
        f"## {_SIGNS[report.conclusion]} {_NAME}: {words}",
        *(f"**{markdown(text, 1000)}**" for text in override_lines(report)),
        " ".join(filter(None, (f"**{prose(why, 1000)}**", others))),
        prose(failure.hint, 1000) if failure and not steps(report) else "",
        markdown(waited_line(report), 1000),
    )


def _outcome_title(outcome: OutcomeReport) -> str:
    results = outcome.results
    phrase, number = next(iter(change_numbers(outcome).items()), ("no outputs to report on", 0))
    changes = {result.change for result in results}
    on = f" on {number:,} of {count(len(results), 'output')}" if number else ""
    if changes <= {Change.RESOLVED, *QUIET} and not outcome.warnings and not any(r.absent for r in results):
        if number == 1:
            only = next(r for r in results if CHANGES[r.change].phrase == phrase)
            on = f" on {markdown(only.entry.label)}"
        return _paragraphs(f"🟢 **{_NAME}**: {phrase}{on}")
    heading = f"## {'🔴' if changes & _BAD else '🟡'} {_NAME}"
    if is_dry(outcome):
        return _paragraphs(f"{heading}: dry run, nothing was written", f"**This run {phrase}{on}.**")
    is_requested = outcome.on_request and Change.RAISED in changes
    return _paragraphs(f"{heading}: {phrase}{on}", "Raised on request: the job has not failed." if is_requested else "")


def _paragraphs(*texts: str) -> str:
    return "".join(f"{text}\n\n" for text in texts if text)


def _parts(report: Report) -> Iterator[_Part]:
    found = {section.kind: section for section in sections(report)}
    # The title says it, but for warnings.
    is_resolved = not report.gated and [result.change for result in report.results] == [Change.RESOLVED]
    is_told = is_resolved and SectionKind.WARNINGS not in found
    tables = [found[kind] for kind in _COLUMNS if kind in found and not is_told]
    helps, tabled = _how_to_go_on(report), (part for section in tables for part in _table(report, section))
    # A person who is blocked by many things need not scroll past all of them.
    is_long = sum(min(len(section.rows), _IN_SIGHT) for section in tables) > _FEW
    yield from chain(helps, tabled) if is_long else chain(tabled, helps)
    if alike := report.unchecked:
        title = f"{count(len(alike), 'input')} {'is' if len(alike) == 1 else 'are'} unchecked"
        yield _folded(title, (code(d.entry.urn.text, 4_000) for d in alike), len(alike))
    passed = found.get(SectionKind.PASSED, Section(SectionKind.PASSED, (), 0))
    fine = report.clear
    if report.gated and (passed.total or (fine and report.conclusion is not Conclusion.PASS)):
        items = chain(map(_passed_item, passed.rows), (code(d.entry.label) for d in fine))
        yield _folded(passed_words(report), items, len(fine) + passed.total)
    notes = [row for kind in (SectionKind.WARNINGS, SectionKind.NOTICES) if kind in found for row in found[kind].rows]
    listed = (_note(report, row) for row in notes)
    if notes and not report.gated:
        yield _Part("", (f"- {item}\n" for item in listed), len(notes), "\n")
    # Where all is well, annotations have them, and the page is one line.
    elif notes and report.conclusion is not Conclusion.PASS:
        yield _folded(count(len(notes), "note"), listed, len(notes))


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
    items = []
    for step in steps(report):
        before, has_link, after = step.prose.partition(" {}")
        items.append(prose(before) + (f" {link(step.link, step.url)}" if has_link else "") + prose(after))
    paste = block(report) if items else ""
    if paste:
        items.append("Until a date: paste this into the manifest.")
    if items:
        yield _Part("".join(f"{number}. {item}\n" for number, item in enumerate(items, start=1)) + "\n")
    if paste:
        one = sum(d.blocking_count for d in report.deciding) == 1
        title = f"Let {'this incident' if one else 'these incidents'} pass until a date"
        yield _Part(f"<details>\n<summary>{title}</summary>\n\n{_fenced(paste, 'yaml')}\n</details>\n\n")


def _fenced(text: str, language: str) -> str:
    fence = "```"
    while fence in text:
        fence += "`"
    return f"{fence}{language}\n{text}\n{fence}\n"


def _folded(title: str, items: Iterator[str], total: int) -> _Part:
    head = f"<details>\n<summary>{markdown(title)}</summary>\n\n"
    return _Part(head, (f"- {item}\n" for item in items), total, "\n</details>\n\n")


def _cells(first: Iterable[str], second: Iterable[str]) -> str:
    """Two cells of a table, one thing on a line."""
    return "".join(f"| {'<br>'.join(filter(None, cell)) or '-'} " for cell in (first, second)) + "|\n"


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
    return "<br>".join(f"{f'{where}: ' if where else ''}{prose(note, 1000)}" for note in row.notes)


def _place(report: Report, position: Position) -> str:
    """The manifest's line, as a link where its page is known; empty for what the settings name."""
    if not position.line:
        return ""
    name = report.manifest_path.rpartition("/")[2]
    return link(f"{name}, line {position.line}", report.place_url(position))


def _fitted(title: str, parts: Iterable[_Part], limit: int) -> str:
    """Join as much as there is room for: whole parts' frames first, so that nothing is left open."""
    page = [title]
    room = limit - _size(title)
    if room < 0:
        return ""
    present = list(parts)
    frames = [_size(part.head) + _size(part.tail) + _size(_more(part.total)) for part in present]
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
            page.append(_more(part.total - written))
        page.append(part.tail)
    return "".join(page)


def _more(number: int) -> str:
    return f"\n…and {number:,} more.\n"


def _size(text: str) -> int:
    return len(text.encode())
