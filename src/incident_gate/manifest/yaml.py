"""Reads a YAML file into nodes: values with their positions.

The nodes are made from PyYAML's events, not by its composer: the limits hold while the file is being read, and aliases
cannot multiply what is in memory.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from enum import StrEnum
from sys import intern
from typing import Any, NamedTuple, TypeAlias, TypeVar

import yaml
from yaml import events
from yaml.resolver import Resolver

from incident_gate.manifest.model import Mistakes, Position, UnreadableError
from incident_gate.text import quote, visible

MAX_BYTES = 2 * 1024 * 1024
MAX_DEPTH = 20
MAX_NODES = 500_000
"""Values and keys, an alias counted with all that it refers to, so that no file can multiply itself without end."""

_SHORT = 24
"""Texts below this length are keys and choices: each entry repeats them, memory need not."""

_COMMENT = re.compile(r"[ \t]*#")
_TUPLE = re.compile(r"urn:li:\w+:\(")
_BREAK = "\r\n|[\r\n\x85\u2028\u2029]"
_TAG = "tag:yaml.org,2002:"


class Kind(StrEnum):
    """What YAML takes a scalar for; the value is its description in a message."""

    TEXT = "text"
    BOOLEAN = "true or false"
    NUMBER = "a number"
    DATE = "a date"
    NULL = "nothing"
    ANY = "anything"  # the value of a variable


_KINDS = {
    f"{_TAG}bool": Kind.BOOLEAN,
    f"{_TAG}int": Kind.NUMBER,
    f"{_TAG}float": Kind.NUMBER,
    f"{_TAG}timestamp": Kind.DATE,
    f"{_TAG}null": Kind.NULL,
}
_SCALAR_TAGS = frozenset({"!", f"{_TAG}str", *_KINDS})


class ScalarNode(NamedTuple):
    """A single value.

    `kind` is what YAML 1.1 takes it for, as PyYAML and most other readers do. `inset` is the distance from the position
    to the first character; None where the text differs from the source: by escapes, by folding, or because a variable
    was replaced. `cut` is what stands in the source where the text ends within a parenthesis: the comma before the next
    item or a comment. `is_undefined` means that a variable in it has no value, which has been reported.
    """

    position: Position
    text: str
    kind: Kind
    inset: int | None
    cut: str = ""
    is_undefined: bool = False

    def at(self, offset: int) -> Position:
        """The position of a character of the text, or the value's start where that is not known."""
        if self.inset is None:
            return self.position
        return Position(self.position.line, self.position.column + self.inset + offset)

    def __str__(self) -> str:
        match self.kind:
            case Kind.TEXT | Kind.ANY:
                return quote(self.text)
            case Kind.NULL:
                return "empty"
            case kind:
                return f"{quote(self.text)}, which YAML reads as {kind}"


class ListNode(NamedTuple):
    """A list."""

    position: Position
    items: list[Node]

    def __str__(self) -> str:
        return "a list"


class MappingNode(NamedTuple):
    """Keys and values, each key once."""

    position: Position
    pairs: list[tuple[ScalarNode, Node]]

    def __str__(self) -> str:
        return "a group of keys"


Node: TypeAlias = ScalarNode | ListNode | MappingNode
EntryT = TypeVar("EntryT", bound=tuple[Node, ...])


def unclosed(text: str) -> int:
    """The number of parentheses that are opened and not closed."""
    return text.count("(") - text.count(")")


def whole(entries: Iterable[EntryT]) -> Iterator[EntryT]:
    """Leave out the pieces of a URN that a comma cut: they are items or keys of their own."""
    depth = 0
    for entry in entries:
        first, last = entry[0], entry[-1]
        if depth > 0 and isinstance(first, ScalarNode):
            depth += unclosed(first.text)
            continue
        yield entry
        if isinstance(last, ScalarNode) and is_piece(last):
            depth = unclosed(last.text)


def is_piece(node: ScalarNode) -> bool:
    """Whether this is the beginning of a URN that a comma cut."""
    return node.cut == "," and bool(_TUPLE.match(node.text)) and unclosed(node.text) > 0


def lacks_space(text: str) -> bool:
    """Whether an item of a list begins without the space after its dash."""
    return text[:1] == "-" and text[1:2] not in {"", "-", " "}


def read_nodes(data: bytes, mistakes: Mistakes, variables: Mapping[str, str] | None) -> Node | None:
    """Read a YAML file; None where it holds nothing but comments."""
    if len(data) > MAX_BYTES:
        raise UnreadableError(Position(1, 1), f"the file has {len(data):,} bytes", f"at most {MAX_BYTES:,} (2 MiB)")
    text = _decoded(data)
    loader: Any = None
    try:
        # The parser in C is ten times faster, but PyYAML can be built without it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)(text)
        return _Builder(loader, text, mistakes, variables).document()
    except yaml.YAMLError as error:
        raise _not_yaml(error, text) from None
    except (ValueError, OverflowError):  # the parser in Python, at an escape such as "\UFFFFFFFF"
        position = Position(loader.line + 1, loader.column + 1)
        raise UnreadableError(position, "this is not YAML: a number here is out of range") from None


class _Builder:
    """One pass over the events of a file."""

    def __init__(self, loader: Any, text: str, mistakes: Mistakes, variables: Mapping[str, str] | None) -> None:
        self._next = loader.get_event
        self._text = text
        self._mistakes = mistakes
        self._variables = variables
        self._anchors: dict[str, tuple[Node, int]] = {}
        self._count = 0
        self._filled_bytes = 0

    def document(self) -> Node | None:
        """Read the whole file, which may hold one document."""
        self._next()  # the stream's start
        if isinstance(self._next(), events.StreamEndEvent):
            return None
        root = self._node(self._next(), depth=1, flow=False)
        self._next()  # the document's end
        if not isinstance(event := self._next(), events.StreamEndEvent):
            raise UnreadableError(_at(event.start_mark), "a second YAML document begins", "one document in the file")
        return None if isinstance(root, ScalarNode) and root.kind is Kind.NULL else root

    def _node(self, event: Any, depth: int, *, flow: bool, is_key: bool = False) -> Node:
        position = _at(event.start_mark)
        if depth > MAX_DEPTH:
            raise UnreadableError(position, "this is nested too deeply", f"at most {MAX_DEPTH} levels")
        if isinstance(event, events.AliasEvent):
            return self._alias(str(event.anchor), position)
        before = self._count
        self._grow(1, position)
        node: Node
        if isinstance(event, events.ScalarEvent):
            node = self._scalar(event, position, flow=flow)
            if self._variables is not None and "${" in node.text and not is_key:
                node = self._filled(node, self._variables)
        elif isinstance(event, events.SequenceStartEvent):
            self._check_tag(event.tag, position, {f"{_TAG}seq"})
            node = ListNode(position, self._items(depth + 1, flow=flow or bool(event.flow_style)))
        else:
            self._check_tag(event.tag, position, {f"{_TAG}map"})
            node = MappingNode(position, self._pairs(depth + 1, flow=flow or bool(event.flow_style)))
        if event.anchor:
            self._anchors[event.anchor] = (node, self._count - before)
        return node

    def _alias(self, anchor: str, position: Position) -> Node:
        if anchor not in self._anchors:
            raise UnreadableError(position, f"there is no anchor {quote('&' + anchor)} above", "an anchor's name")
        node, size = self._anchors[anchor]
        self._grow(size, position)
        if isinstance(node, ScalarNode):
            node = node._replace(inset=None)
        return node._replace(position=position)

    def _scalar(self, event: Any, position: Position, *, flow: bool) -> ScalarNode:
        tag = self._check_tag(event.tag, position, _SCALAR_TAGS)
        plain, text = event.implicit[0], event.value
        if plain and not tag:
            patterns = Resolver.yaml_implicit_resolvers.get(text[:1], ())
            tag = next((implicit for implicit, pattern in patterns if pattern.match(text)), "")
        start = 0 if plain else 1  # behind the quotation mark
        inset = start if self._text.startswith(text, event.start_mark.index + start) else None
        cut = ""
        if plain and unclosed(text) > 0:
            cut = "," if flow else " #" if _COMMENT.match(self._text, event.end_mark.index) else ""
        text = intern(text) if len(text) < _SHORT else text
        return ScalarNode(position, text, _KINDS.get(tag or "", Kind.TEXT), inset, cut)

    def _filled(self, node: ScalarNode, variables: Mapping[str, str]) -> ScalarNode:
        """Replace `${NAME}`; `$${` is a literal `${`."""
        undefined = False

        def value(found: re.Match[str]) -> str:
            nonlocal undefined
            name = found["name"]
            if name in variables:
                self._filled_bytes += len(variables[name])
                if self._filled_bytes > MAX_BYTES:
                    message = "the values of variables make the manifest too large"
                    raise UnreadableError(node.position, message, f"at most {MAX_BYTES:,} characters of them")
                return variables[name]
            if found.group() == "$${":
                return "${"
            undefined = True
            message, expected = '"${" without the name of a variable', "${NAME}, or $${ for a literal ${"
            if name:
                message = f"the variable {quote(name)} is not defined"
                expected = f"{name}=<value> among the variables, or $${{ for a literal ${{"
            self._mistakes.add(node.at(found.start()), message, expected)
            return found.group()

        text = re.sub(r"\$\$\{|\$\{(?P<name>[A-Za-z_][A-Za-z0-9_]*)\}|\$\{", value, node.text)
        return node._replace(text=text, kind=Kind.ANY, inset=None, is_undefined=undefined)

    def _items(self, depth: int, *, flow: bool) -> list[Node]:
        items: list[Node] = []
        while not isinstance(event := self._next(), events.SequenceEndEvent):
            items.append(self._node(event, depth, flow=flow))
        return items

    def _pairs(self, depth: int, *, flow: bool) -> list[tuple[ScalarNode, Node]]:
        pairs: list[tuple[ScalarNode, Node]] = []
        lines: dict[str, int] = {}
        while not isinstance(event := self._next(), events.MappingEndEvent):
            key = self._node(event, depth, flow=flow, is_key=True)
            value = self._node(self._next(), depth, flow=flow)
            if not isinstance(key, ScalarNode):
                self._mistakes.add(key.position, f"{key} cannot be a key", "a word, then a colon")
            elif key.text == "<<" and key.inset == 0:  # in quotes it is a key like any other
                expected = 'the keys themselves, or "defaults" for all inputs'
                self._mistakes.add(key.position, "the merge key << is not supported", expected)
            elif line := lines.get(key.text):
                self._mistakes.add(
                    key.position, f"the key {quote(key.text)} is a duplicate of line {line}", "each key once"
                )
            else:
                lines[key.text] = key.position.line
                pairs.append((key, value))
        return pairs

    def _check_tag(self, tag: str | None, position: Position, known: Collection[str]) -> str | None:
        if tag is None or tag in known:
            return tag
        self._mistakes.add(position, f"the tag {quote(tag)} is not supported", "a value without a tag")
        return None

    def _grow(self, size: int, position: Position) -> None:
        self._count += size
        if self._count > MAX_NODES:
            message = "the file holds too many values, those repeated by an alias included"
            raise UnreadableError(position, message, f"at most {MAX_NODES:,}")


def _decoded(data: bytes) -> str:
    try:
        return data.decode("utf-8-sig").lstrip("\ufeff")  # the parser in C takes a second one for a line
    except UnicodeDecodeError as error:
        before = data.removeprefix(b"\xef\xbb\xbf")[: error.start].decode("utf-8")
        message = f"the byte 0x{error.object[error.start]:02X} is not UTF-8"
        raise UnreadableError(_position(before, len(before)), message, "a file saved as UTF-8") from None


def _not_yaml(error: yaml.YAMLError, text: str) -> UnreadableError:
    """PyYAML's message with its position; about a tab and a control character in plain words."""
    if isinstance(error, yaml.reader.ReaderError):
        # The two parsers give a number or a character, and a position in bytes or in characters. The character that
        # stops them is the first of its kind.
        character = error.character if isinstance(error.character, str) else chr(error.character)
        message = f"the control character U+{ord(character):04X}"
        return UnreadableError(_position(text, text.find(character)), message, "only characters that YAML allows")
    if not isinstance(error, yaml.MarkedYAMLError) or error.problem_mark is None:
        return UnreadableError(Position(1, 1), f"this is not YAML: {visible(str(error)[:200])}")
    mark = error.problem_mark
    end = len(text.rstrip())  # the parser in C points behind the last line when something is missing at the end
    position = _position(text, end) if mark.index >= end else _at(mark)
    if text[mark.index : mark.index + 1] == "\t":
        return UnreadableError(position, "tabs are not allowed for indentation; use spaces")
    if found := _explained(error, mark, re.split(_BREAK, text)):
        return found
    context = f" {error.context}" if error.context else ""
    if context and error.context_mark and error.context_mark.line + 1 < position.line:
        context += f" that begins in line {error.context_mark.line + 1}"
    return UnreadableError(position, f"this is not YAML: {visible(f'{error.problem}{context}'[:200])}")


def _explained(error: yaml.MarkedYAMLError, mark: yaml.Mark, lines: list[str]) -> UnreadableError | None:
    """The usual slips in plain words; None for another one."""
    problem, context = str(error.problem), error.context_mark
    if "mapping values are not allowed" in problem:
        return UnreadableError(_at(mark), _misplaced_colon(mark.line, mark.column, lines))
    if context and "unexpected end of stream" in problem and "quoted" in str(error.context):
        return UnreadableError(_at(context), f"this is not YAML: the quote in line {context.line + 1} is never closed")
    if context and "could not find expected ':'" in problem and lacks_space(lines[context.line].lstrip()):
        return UnreadableError(_at(context), "a space is missing after the dash")
    if "did not find expected" in problem and "block" in str(error.context) and mark.line < len(lines):
        own = re.match(r"( *)(-?)", lines[mark.line])
        for above in reversed(lines[: mark.line]):
            found = re.match(r"( *)(- +)?[^\s#]", above)
            if own and found and (found[2] or not own[2]):
                other = len(found[1]) if own[2] else found.end() - 1
                what = "the item" if own[2] else "the key"
                spaces = f"{len(own[1])} space{'' if len(own[1]) == 1 else 's'}"
                message = f"line {mark.line + 1} is indented by {spaces}, {what} above it by {other}"
                return UnreadableError(_at(mark), message) if other != len(own[1]) else None
    return None


def _misplaced_colon(line: int, column: int, lines: list[str]) -> str:
    """A value that has a colon, or a key below a value that can have none."""
    key = lines[line][:column].strip() if line < len(lines) else ""
    above = next((number for number in range(line, 0, -1) if lines[number - 1].strip(" -")), 0)
    if not re.fullmatch(r"[\w-]+", key):
        return 'a value is cut at ": "; put it in quotes'
    if lacks_space(lines[above - 1].lstrip()):
        return f"a space is missing after the dash in line {above}"
    value = lines[above - 1].strip(" -")
    if value.startswith("urn:li:"):
        to_do = f'write "- urn: urn:li:…" in line {above}'
    elif value.startswith("urn:urn:"):
        to_do = f'put a space after the first "urn:" in line {above}'
    else:
        return f"{quote(key)} is indented too far; align it with the keys above"
    return f'{quote(key)} belongs to no entry: {to_do}, and align the key with "urn"'


def _at(mark: Any) -> Position:
    return Position(mark.line + 1, mark.column + 1)


def _position(text: str, offset: int) -> Position:
    breaks = [found.end() for found in re.finditer(_BREAK, text[:offset])]
    return Position(len(breaks) + 1, offset - (breaks[-1] if breaks else 0) + 1)
