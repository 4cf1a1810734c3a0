"""Reading a YAML file into nodes so that no file can do harm.

The nodes are made from PyYAML's events, not by its composer: the limits hold while the file is being read, and a
manifest of 100,000 lines takes less memory.
"""

from __future__ import annotations

import re
from sys import intern
from typing import TYPE_CHECKING, Any, TypeAlias

from incident_gate.manifest.errors import Mistakes
from incident_gate.manifest.model import Mistake, Position
from incident_gate.manifest.nodes import MAPPING_TAGS, SCALAR_TAGS, SEQUENCE_TAGS, Kind, Mapping, Node, Scalar, Sequence
from incident_gate.quote import quote, visible

if TYPE_CHECKING:
    import yaml

    Loader: TypeAlias = yaml.SafeLoader | yaml.CSafeLoader

MAX_BYTES = 16 * 1024 * 1024
MAX_DEPTH = 20
MAX_NODES = 1_000_000
"""Values and keys, an alias counted as all that it stands for: a file that doubles itself line by line ends here."""

SHORT = 24
"""Texts below this length are keys and choices: each entry repeats them, memory need not."""


class UnreadableError(Exception):
    """A mistake after which the rest of the file cannot be read."""

    def __init__(self, position: Position, message: str, expected: str = "") -> None:
        super().__init__(message)
        self.mistake = Mistake(position=position, message=message, expected=expected)


def read_document(data: bytes, mistakes: Mistakes) -> Node | None:
    """Read a YAML file; None where it holds nothing but comments.

    Raises:
        UnreadableError: It is not YAML, not UTF-8 or beyond a limit. What else is wrong is added to `mistakes`.
    """
    import yaml  # noqa: PLC0415 - only a manifest needs it

    check_size(len(data))
    text = _text(data)
    # The parser in C is ten times faster, but PyYAML can be built without it.
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
    try:
        return _Builder(loader, text, mistakes).document()
    except yaml.YAMLError as error:
        raise _not_yaml(error, text) from None
    except (ValueError, OverflowError):  # the parser in Python, at an escape such as "\UFFFFFFFF"
        position = Position(loader.line + 1, loader.column + 1)
        raise UnreadableError(position, "this is not YAML: a number here is out of range") from None


def check_size(size: int) -> None:
    """Refuse a file over the limit, if possible before it is read.

    Raises:
        UnreadableError: It is over the limit.
    """
    if size > MAX_BYTES:
        raise UnreadableError(Position(1, 1), f"the file has {size:,} bytes", f"at most {MAX_BYTES:,}")


# Compiled where they are needed: sets that reach through all of Unicode take 8 ms, and nearly every manifest is ASCII.
_UNPRINTABLE = "[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufefe\uff00-\ufffd\U00010000-\U0010ffff]"
_UNPRINTABLE_ASCII = "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]"
_LINE_BREAK = "\r\n|[\r\n\x85\u2028\u2029]"


def _text(data: bytes) -> str:
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data.removeprefix(b"\xef\xbb\xbf")[: error.start].decode("utf-8")
        message = f"the byte 0x{error.object[error.start]:02X} is not UTF-8"
        raise UnreadableError(_position(before, len(before)), message, "a file saved as UTF-8") from None
    if found := re.search(_UNPRINTABLE_ASCII if text.isascii() else _UNPRINTABLE, text):
        message = f"the invisible character U+{ord(found.group()):04X}"
        raise UnreadableError(_position(text, found.start()), message, "only what YAML allows: visible characters")
    return text


def _position(text: str, offset: int) -> Position:
    breaks = [found.end() for found in re.finditer(_LINE_BREAK, text[:offset])]
    return Position(len(breaks) + 1, offset - (breaks[-1] if breaks else 0) + 1)


def _not_yaml(error: yaml.YAMLError, text: str) -> UnreadableError:
    """Tell PyYAML's complaint with its place; about a tab in plain words."""
    import yaml  # noqa: PLC0415 - only a manifest needs it

    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return UnreadableError(Position(1, 1), f"this is not YAML: {visible(str(error)[:200])}")
    mark = error.problem_mark
    end = len(text.rstrip())  # what is missing at the end is missing here: the parser in C points behind the last line
    position = _position(text, end) if mark.index >= end else Position(mark.line + 1, mark.column + 1)
    if text[mark.index : mark.index + 1] == "\t":
        return UnreadableError(position, "a tab stands here", "spaces: YAML allows no tabs here")
    context = f" {error.context}" if error.context else ""
    if context and error.context_mark and error.context_mark.line + 1 != position.line:
        context += f" that begins in line {error.context_mark.line + 1}"
    return UnreadableError(position, f"this is not YAML: {visible(f'{error.problem}{context}'[:200])}")


class _Builder:
    """One pass over the events of a file."""

    def __init__(self, loader: Loader, text: str, mistakes: Mistakes) -> None:
        from yaml import events  # noqa: PLC0415 - only a manifest needs it

        self._events = events
        self._loader = loader
        self._text = text
        self._mistakes = mistakes
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0

    def document(self) -> Node | None:
        """Read the whole file, which may hold one document."""
        self._next()  # the stream's start
        if self._loader.check_event(self._events.StreamEndEvent):
            return None
        self._next()  # the document's start
        root = self._node(depth=1, flow=False)
        self._next()  # the document's end
        event = self._next()
        if not isinstance(event, self._events.StreamEndEvent):
            raise UnreadableError(_start(event), "a second YAML document begins", "one document in the file")
        return None if isinstance(root, Scalar) and root.kind is Kind.NULL else root

    def _next(self) -> Any:
        """Take the next event; `Any`, because the stubs know only what all events share."""
        return self._loader.get_event()

    def _node(self, depth: int, *, flow: bool) -> Node:
        event = self._next()
        position = _start(event)
        if depth > MAX_DEPTH:
            raise UnreadableError(position, "this is nested too deeply", f"at most {MAX_DEPTH} levels")
        if isinstance(event, self._events.AliasEvent):
            return self._alias(str(event.anchor), position)
        before = self._count
        self._grow(1, position)
        node: Node
        if isinstance(event, self._events.ScalarEvent):
            node = self._scalar(event, position, flow=flow)
        elif isinstance(event, self._events.SequenceStartEvent):
            self._check_tag(event.tag, position, SEQUENCE_TAGS)
            node = Sequence(position, self._items(depth, flow=flow or bool(event.flow_style)))
        else:
            self._check_tag(event.tag, position, MAPPING_TAGS)
            node = Mapping(position, self._pairs(depth, flow=flow or bool(event.flow_style)))
        if event.anchor:
            self._anchors[event.anchor] = (node, self._count - before)
        return node

    def _alias(self, anchor: str, position: Position) -> Node:
        if anchor not in self._anchors:
            raise UnreadableError(position, f"nothing before this is called {quote('&' + anchor)}", "an anchor's name")
        node, size = self._anchors[anchor]
        self._grow(size, position)
        if isinstance(node, Scalar):
            return node._replace(position=position, inset=None)
        return node._replace(position=position)

    def _scalar(self, event: Any, position: Position, *, flow: bool) -> Scalar:
        tag = self._check_tag(event.tag, position, SCALAR_TAGS)
        plain = event.implicit[0]
        inset: int | None = 0 if plain else 1
        if not self._text.startswith(event.value, event.start_mark.index + (inset or 0)):
            inset = None
        text = intern(event.value) if len(event.value) < SHORT else event.value
        return Scalar(position, text, tag, plain, flow, inset)

    def _items(self, depth: int, *, flow: bool) -> list[Node]:
        items: list[Node] = []
        while not self._loader.check_event(self._events.SequenceEndEvent):
            items.append(self._node(depth + 1, flow=flow))
        self._next()
        return items

    def _pairs(self, depth: int, *, flow: bool) -> list[tuple[Scalar, Node]]:
        pairs: list[tuple[Scalar, Node]] = []
        lines: dict[str, int] = {}
        while not self._loader.check_event(self._events.MappingEndEvent):
            key = self._node(depth + 1, flow=flow)
            value = self._node(depth + 1, flow=flow)
            if not isinstance(key, Scalar):
                self._mistakes.add(key.position, f"{key} stands where a key belongs", "a word, then a colon")
            elif key.text == "<<" and key.plain:
                message = "the merge key << is not understood here"
                self._mistakes.add(key.position, message, 'the keys themselves, or "defaults" for all inputs')
            elif key.text in lines:
                message = f"the key {quote(key.text)} stands here a second time"
                self._mistakes.add(key.position, message, f"it once: see line {lines[key.text]}")
            else:
                lines[key.text] = key.position.line
                pairs.append((key, value))
        self._next()
        return pairs

    def _check_tag(self, tag: str | None, position: Position, known: frozenset[str]) -> str | None:
        if tag is None or tag in known:
            return tag
        self._mistakes.add(position, f"the tag {quote(tag)}", "no tag: a manifest holds no objects")
        return None

    def _grow(self, size: int, position: Position) -> None:
        self._count += size
        if self._count > MAX_NODES:
            message = "the file holds too many values, those repeated by an alias included"
            raise UnreadableError(position, message, f"at most {MAX_NODES:,}")


def _start(event: Any) -> Position:
    return Position(event.start_mark.line + 1, event.start_mark.column + 1)
