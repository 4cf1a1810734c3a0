"""The manifest's own lines: where a mistake is, and a block to paste that lets incidents pass until a date."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, date, datetime, timedelta
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
    """What is to be ignored; the title is untrusted."""

    key: str
    urn: str
    title: str


def block(report: Report) -> str:
    """YAML that lets what blocks pass for two weeks, each part under a comment that says where it goes.

    The parts begin with the last line of the manifest, so that those above keep their numbers. Empty where nothing can
    be let pass this way.
    """
    until = datetime.fromtimestamp(report.now_ms / 1000, UTC).date() + timedelta(days=_DAYS)
    lines = _BREAK.split(report.manifest_text)
    parts: list[str] = []
    heading, left = "", _MOST
    decisions = [d for d in report.decisions if d.conclusion is Conclusion.BLOCK]
    for decision in sorted(decisions, key=_order):
        if items := _items(decision)[:left]:
            left -= len(items)
            first, *rest = _part(decision, items, lines, until, has_file=bool(report.manifest_text))
            # One heading for all new entries.
            parts += rest if first == heading and _is_new(decision) else [first, *rest]
            heading = first
    if more := sum(len(_items(decision)) for decision in decisions) - (_MOST - left):
        parts.append(f"# and {more:,} more")
    return "\n".join(parts)


def _order(decision: Decision) -> tuple[bool, int]:
    return not _is_new(decision), -decision.entry.position.line


def _is_new(decision: Decision) -> bool:
    """Whether the manifest has no entry of its own for the asset."""
    return decision.entry.position == NOWHERE or bool(decision.entry.selected_by)


def _items(decision: Decision) -> list[_Item]:
    found = [_Item("incident", incident.urn, title_of(incident)) for incident in decision.blocking]
    found += [_Item("assertion", assertion.urn, title_of(assertion)) for assertion in decision.failing]
    return [item for item in found if re.fullmatch(rf"urn:li:{item.key}:[!-~]+", item.urn)]


def _part(
    decision: Decision, items: Sequence[_Item], lines: Sequence[str], until: date, *, has_file: bool
) -> Iterator[str]:
    entry = decision.entry
    line = lines[entry.position.line - 1] if 0 < entry.position.line <= len(lines) else ""
    before, after = line[: entry.position.column - 1], line[entry.position.column - 1 :]
    is_item = re.fullmatch(r" *- +", before)
    dash = before.index("-") if is_item else 2
    if _is_new(decision):
        yield "# a new entry at the end of `inputs`" if has_file else "inputs:"
        yield from _entry(_scalar(entry.urn.text), dash, items, until, decision)
    elif after[:1] in {"{", "&", "*", "!", "|", ">"} or not (is_item or _KEY.match(after)):
        what = "add to the entry" if after.startswith("{") else "replaces the URN"
        flow = f"ignore: [{', '.join(_flow(item, until) for item in items)}]"
        yield f"# {what} on line {entry.position.line}"
        yield flow if after.startswith("{") else f"{{urn: {_quoted(entry.urn.text)}, {flow}}}"
    elif not _KEY.match(after):
        yield f"# replaces line {entry.position.line}"
        yield from _entry(_verbatim(after, entry.urn.text), dash, items, until)
    else:
        yield from _added(lines, entry.position, items, until)


def _entry(urn: str, dash: int, items: Sequence[_Item], until: date, selected: Decision | None = None) -> Iterator[str]:
    """A whole entry. Of a selected asset it has the selector's rules, because it comes before the selector."""
    start = " " * dash
    yield f"{start}- urn: {urn}"
    rules = selected.entry.rules if selected else Rules()
    for name, value in rules._asdict().items():
        if value is not None:
            yield f"{start}  {name.replace('_', '-')}: {_rule(value)}"
    yield f"{start}  ignore:"
    yield from _listed(items, dash + 4, until)
    passed = {excuse.item.urn for excuse in selected.excused} if selected else set()
    for waiver in selected.entry.ignore if selected else ():
        if waiver.urn in passed:
            yield f"{start}    - {'incident' if waiver.incident else 'assertion'}: {_scalar(waiver.urn)}"
            yield f"{start}      until: {waiver.until.isoformat()}"
            yield f"{start}      reason: {_quoted(waiver.reason)}"


def _added(lines: Sequence[str], position: Position, items: Sequence[_Item], until: date) -> Iterator[str]:
    """What is added to an entry that has keys: its list `ignore`, or items of the list that it has."""
    column = position.column - 1
    found = _ignore_of(lines, position)
    if found is None:
        yield f"# add to the entry on line {position.line}"
        yield f"{' ' * column}ignore:"
        yield from _listed(items, column + 2, until)
        return
    number, rest = found
    below = [line for line in lines[number:] if line.strip() and not line.lstrip().startswith("#")]
    known = "\n".join(below)
    yield f"# add to `ignore` on line {number}"
    if rest:
        yield ", ".join(_flow(item, until) for item in items)
        return
    first = below[0] if below else ""
    indent = len(first) - len(first.lstrip()) if first.lstrip().startswith("-") else column + 2
    new = [item for item in items if item.urn not in known]
    yield from _listed(new, indent, until)
    # It was ignored, and the rule has expired.
    yield from (f"# extend `until` of {item.urn}" for item in items if item not in new)


def _ignore_of(lines: Sequence[str], position: Position) -> tuple[int, str] | None:
    """The line of an entry's key `ignore`, and what follows it there."""
    column = position.column - 1
    for number, line in enumerate(lines[position.line - 1 :], start=position.line):
        text = " " * column + line[column:] if number == position.line else line
        indent = len(text) - len(text.lstrip(" "))
        if text.strip() and not text.lstrip().startswith("#") and indent < column:
            return None
        if indent == column and (match := _IGNORE.fullmatch(text)):
            return number, match["rest"] or ""
    return None


def _listed(items: Sequence[_Item], indent: int, until: date) -> Iterator[str]:
    start = " " * indent
    for item in items:
        yield f"{start}# {plain(item.title, 100)}"
        yield f"{start}- {item.key}: {_scalar(item.urn)}"
        yield f"{start}  until: {until.isoformat()}"
        yield f"{start}  reason: TODO"


def _flow(item: _Item, until: date) -> str:
    return f"{{{item.key}: {_quoted(item.urn)}, until: {until.isoformat()}, reason: TODO}}"


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
