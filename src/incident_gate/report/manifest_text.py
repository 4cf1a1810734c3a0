"""The manifest's own lines: where a mistake is, and a block to paste that lets incidents pass until a date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

from incident_gate.gate.policy import Conclusion, Decision
from incident_gate.incident import Priority
from incident_gate.manifest.model import NOWHERE, ManifestError, Mistake, Position, Rules
from incident_gate.report.model import Report
from incident_gate.report.view import title_of
from incident_gate.text import cells, count, plain, visible

_DAYS = 14
_MOST = 100  # incidents in one block
_SHOWN = 50  # mistakes with their lines
_WINDOW = 100
_UNITS = ((86_400, "d"), (3_600, "h"), (60, "m"), (1, "s"))
_BREAK = re.compile("\r\n|[\n\r\x85\u2028\u2029]")
_PLAIN = re.compile(r"[A-Za-z0-9_][\w.:(),/@$+%-]*", re.ASCII)
_SCALAR = re.compile(r"""("(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|\S.*?)(?:\s+#.*)?\s*""")
_KEY = re.compile(r"""["']?[\w-]+["']?\s*:(?:\s|$)""")
_IGNORE = re.compile(r"""\s*["']?ignore["']?\s*:\s*(?P<rest>[^#\s].*)?(?:#.*)?""")


# Mistakes


def mistakes_of(error: ManifestError, window: int = _WINDOW) -> Iterator[tuple[Mistake, str]]:
    """Each of a manifest's errors, and its line with a caret under its place: two lines, or none. Untrusted text."""
    lines = _BREAK.split(error.text) if error.text else []
    for number, mistake in enumerate(error.mistakes):
        yield mistake, "\n".join(_excerpt(lines, mistake.position, window)) if number < _SHOWN else ""


def mistake_text(error: ManifestError) -> str:
    """A manifest's errors, each with its line and a caret under its place, and how many there are."""
    excerpts = (excerpt for _, excerpt in mistakes_of(error))
    pairs = zip(error.message.splitlines(), excerpts, strict=False)
    shown = [text for message, excerpt in pairs for text in (plain(message, 2000), excerpt) if text]
    if error.text:
        shown.append(f"Found {count(len(error.mistakes), 'error')}.")
    # A hint may be YAML to copy, so its spaces stay.
    return "\n".join([*shown, *map(visible, error.hint.splitlines())])


def _excerpt(lines: Sequence[str], position: Position, window: int) -> Iterator[str]:
    if not 0 < position.line <= len(lines) or not lines[position.line - 1].strip():
        return
    line, column = lines[position.line - 1], position.column - 1
    start = max(column - window // 2, 0) if len(line) > window else 0
    cut = "…" if start else ""
    # One character for one, so that the caret stays under its place; the runner's old commands begin anywhere.
    text = "".join(c if c.isprintable() else " " for c in line[start : start + window]).replace("##[", "##(")
    more = "…" if start + window < len(line) else ""
    margin = " " * len(str(position.line))
    yield f"  {position.line} | {cut}{text}{more}"
    yield f"  {margin} | {' ' * (len(cut) + cells(text[: column - start]))}^"


# The block to paste


class _Item(NamedTuple):
    """What is to be ignored until a day; the title is untrusted."""

    key: str
    urn: str
    title: str
    until: str

    @property
    def flow(self) -> str:
        """The rule in one line."""
        return f"{{{self.key}: {_quoted(self.urn)}, until: {self.until}, reason: TODO}}"

    def lines(self, indent: int) -> Iterator[str]:
        """The rule as an item of a list."""
        start = " " * indent
        yield f"{start}# {plain(self.title, 100)}"
        yield f"{start}- {self.key}: {_scalar(self.urn)}"
        yield f"{start}  until: {self.until}"
        yield f"{start}  reason: TODO"


def block(report: Report) -> str:
    """YAML that lets what blocks pass for two weeks, each part under a comment that says where it goes.

    The parts begin with the last line of the manifest, so that those above keep their numbers. Empty where nothing can
    be let pass this way.
    """
    until = (datetime.fromtimestamp(report.now_ms / 1000, UTC).date() + timedelta(days=_DAYS)).isoformat()
    lines = _BREAK.split(report.manifest_text)
    parts: list[str] = []
    heading, left, more = "", _MOST, 0
    decisions = [d for d in report.decisions if d.conclusion is Conclusion.BLOCK]
    for decision in sorted(decisions, key=lambda d: (not _is_new(d), -d.entry.position.line)):
        items = _items(decision, until)
        more += len(items[left:])
        if items := items[:left]:
            left -= len(items)
            first, *rest = _part(decision, items, lines, has_file=bool(report.manifest_text))
            # One heading for all new entries.
            parts += rest if first == heading and _is_new(decision) else [first, *rest]
            heading = first
    return "\n".join([*parts, f"# and {more:,} more"] if more else parts)


def _is_new(decision: Decision) -> bool:
    """Whether the manifest has no entry of its own for the asset."""
    return decision.entry.position == NOWHERE or bool(decision.entry.selected_by)


def _items(decision: Decision, until: str) -> list[_Item]:
    found = [
        _Item(key, item.urn, title_of(item), until)
        for key, items in (("incident", decision.blocking), ("assertion", decision.failing))
        for item in items
    ]
    return [item for item in found if re.fullmatch(rf"urn:li:{item.key}:[!-~]+", item.urn)]


def _part(decision: Decision, items: Sequence[_Item], lines: Sequence[str], *, has_file: bool) -> Iterator[str]:
    entry = decision.entry
    line = lines[entry.position.line - 1] if 0 < entry.position.line <= len(lines) else ""
    before, after = line[: entry.position.column - 1], line[entry.position.column - 1 :]
    is_item = re.fullmatch(r" *- +", before)
    dash = before.index("-") if is_item else 2
    if _is_new(decision):
        yield "# a new entry at the end of `inputs`" if has_file else "inputs:"
        yield from _entry(_scalar(entry.urn.text), dash, items, decision)
    elif after[:1] in {"{", "&", "*", "!", "|", ">"} or not (is_item or _KEY.match(after)):
        what = "add to the entry" if after.startswith("{") else "replaces the URN"
        flow = f"ignore: [{', '.join(item.flow for item in items)}]"
        yield f"# {what} on line {entry.position.line}"
        yield flow if after.startswith("{") else f"{{urn: {_quoted(entry.urn.text)}, {flow}}}"
    elif not _KEY.match(after):
        yield f"# replaces line {entry.position.line}"
        yield from _entry(_verbatim(after, entry.urn.text), dash, items)
    else:
        yield from _added(lines, entry.position, items)


def _entry(urn: str, dash: int, items: Sequence[_Item], selected: Decision | None = None) -> Iterator[str]:
    """A whole entry. Of a selected asset it has the selector's rules, because it comes before the selector."""
    start = " " * dash
    yield f"{start}- urn: {urn}"
    rules = selected.entry.rules if selected else Rules()
    for name, value in rules._asdict().items():
        if value is not None:
            yield f"{start}  {name.replace('_', '-')}: {_rule(value)}"
    yield f"{start}  ignore:"
    for item in items:
        yield from item.lines(dash + 4)
    passed = {excuse.item.urn for excuse in selected.excused} if selected else set()
    for waiver in selected.entry.ignore if selected else ():
        if waiver.urn in passed:
            yield f"{start}    - {'incident' if waiver.incident else 'assertion'}: {_scalar(waiver.urn)}"
            yield f"{start}      until: {waiver.until.isoformat()}"
            yield f"{start}      reason: {_quoted(waiver.reason)}"


def _added(lines: Sequence[str], position: Position, items: Sequence[_Item]) -> Iterator[str]:
    """What is added to an entry that has keys: its list `ignore`, or items of the list that it has."""
    column = position.column - 1
    indent, known, (number, flow) = column + 2, "", _ignore_of(lines, position)
    if not number:
        yield f"# add to the entry on line {position.line}"
        yield f"{' ' * column}ignore:"
    else:
        yield f"# add to `ignore` on line {number}"
        if flow:
            yield ", ".join(item.flow for item in items)
            return
        below = [line for line in lines[number:] if line.strip() and not line.lstrip().startswith("#")]
        known = "\n".join(below)
        if (first := next(iter(below), "")).lstrip().startswith("-"):
            indent = len(first) - len(first.lstrip())
    for item in items:
        if item.urn not in known:
            yield from item.lines(indent)
    # It was ignored, and the rule has expired.
    yield from (f"# extend `until` of {item.urn}" for item in items if item.urn in known)


def _ignore_of(lines: Sequence[str], position: Position) -> tuple[int, str]:
    """The line of an entry's key `ignore`, 0 if it has none, and what follows it there."""
    column = position.column - 1
    for number, line in enumerate(lines[position.line - 1 :], start=position.line):
        text = " " * column + line[column:] if number == position.line else line
        indent = len(text) - len(text.lstrip(" "))
        if text.strip() and not text.lstrip().startswith("#") and indent < column:
            break
        if indent == column and (match := _IGNORE.fullmatch(text)):
            return number, match["rest"] or ""
    return 0, ""


def _scalar(text: str) -> str:
    return text if _PLAIN.fullmatch(text) and not text.endswith(":") else _quoted(text)


def _quoted(text: str) -> str:
    """A text as YAML, in which `${` begins no variable."""
    return json.dumps(text.replace("${", "$${"), ensure_ascii=False)


def _verbatim(after: str, urn: str) -> str:
    """A URN as the manifest writes it, with its variables."""
    match = _SCALAR.fullmatch(after)
    return match[1] if match and "${" in match[1] else _scalar(urn)


def _rule(value: object) -> str:
    match value:
        case bool():
            return str(value).lower()
        case Priority():
            return value.name
        case timedelta():
            seconds = round(value.total_seconds())
            size, unit = next((size, unit) for size, unit in _UNITS if seconds % size == 0)
            return f"{seconds // size}{unit}"
        case frozenset():
            return f"[{', '.join(sorted(value))}]"
    return str(value)
