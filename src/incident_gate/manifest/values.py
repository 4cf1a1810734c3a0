"""Single values of the manifest: each shape reads a node into a value, or adds what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from incident_gate.manifest.errors import Mistakes
from incident_gate.manifest.nodes import Kind, MappingNode, Node, ScalarNode, unclosed
from incident_gate.text import control_character, quote
from incident_gate.urn import Urn, UrnError, nearest, parse_urn

_TEXT = frozenset({Kind.TEXT})
_NUMBER = frozenset({Kind.NUMBER})
_KIND_OF: Mapping[type, Kind] = {str: Kind.TEXT, int: Kind.NUMBER, bool: Kind.BOOLEAN}


class Shape(Protocol):
    """One form of value."""

    @property
    def expected(self) -> str:
        """What to write, in words."""

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read a node; None when an error was added. `what` names the place in a sentence."""


class Text(NamedTuple):
    """A text with a rule.

    `kind` is what YAML may take it for: a date also as text, a number as nothing else. `convert` makes the value and
    raises ValueError if it cannot.
    """

    expected: str = "a text on one line"
    max_length: int = 500
    multiline: bool = False
    pattern: str = r"\S"
    kind: Kind = Kind.TEXT
    convert: Callable[[str], Any] = str

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Check the text and convert it."""
        text = _text_of(
            node, what, self.expected, mistakes, _NUMBER if self.kind is Kind.NUMBER else _TEXT | {self.kind}
        )
        if text is None or not isinstance(node, ScalarNode):
            return None
        if len(text) > self.max_length:
            limit = f"at most {self.max_length:,}"
            mistakes.add(node.position, f"{what} has {len(text):,} characters", limit)
        elif (offset := control_character(text, "\t\n" if self.multiline else "")) is not None:
            character = f"U+{ord(text[offset]):04X}"
            mistakes.add(node.at(offset), f"{what} contains the control character {character}", self.expected)
        elif not re.search(self.pattern, text):
            mistakes.add(node.position, f"{what} is {node}", self.expected)
        else:
            try:
                return self.convert(text)
            except ValueError as error:
                mistakes.add(node.position, f"{what} is {quote(text)}: {error}", self.expected)
        return None


class Choice(NamedTuple):
    """One of a few words, numbers or flags; `options` are their values, by what JSON calls them."""

    options: Mapping[Any, Any]

    @property
    def words(self) -> tuple[str, ...]:
        """The options as YAML has them."""
        return tuple(str(word).lower() if isinstance(word, bool) else str(word) for word in self.options)

    @property
    def expected(self) -> str:
        """All the words."""
        return one_of(self.words)

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Find the value of the word."""
        note = near = ""
        if isinstance(node, ScalarNode):
            if node.undefined:
                return None
            text = node.text.lower() if bool in map(type, self.options) else node.text
            for word, (option, value) in zip(self.words, self.options.items(), strict=True):
                if word == text and (node.filled or node.kind is _KIND_OF[type(option)]):
                    return value
            note = " in some versions only" if node.kind is Kind.BOOLEAN and True in self.options else ""
            near = nearest(node.text, tuple(word for word in self.options if isinstance(word, str)))
        mistakes.add(node.position, f"{what} is {node}{note}", near or self.expected)
        return None


class AssetUrn(NamedTuple):
    """An asset's URN."""

    expected: str = "an asset's URN"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Urn | None:
        """Parse the URN, with the position of what is wrong in it."""
        if is_cut_at_a_colon(node, what, mistakes):
            return None
        text = _text_of(node, what, self.expected, mistakes)
        if text is None or not isinstance(node, ScalarNode):
            return None
        try:
            return parse_urn(text)
        except UrnError as error:
            if node.cut:
                mistakes.add(node.position, f'{what} is cut at " #", which begins a comment', "the URN in quotes")
            elif node.flow and node.plain and unclosed(text) > 0:
                message = f"{what} is cut at a comma: between [ ] or {{ }} a comma ends a value"
                mistakes.add(node.position, message, "the URN in quotes, or on a line of its own")
            else:
                mistakes.add(node.at(error.offset), error.message, error.expected)
            return None


def one_of(words: Iterable[str]) -> str:
    """Name all the words of a closed set."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def is_cut_at_a_colon(node: Node, what: str, mistakes: Mistakes) -> bool:
    """Explain a URN that holds a colon and a space, which makes a key of its first part."""
    pairs = node.pairs if isinstance(node, MappingNode) else ()
    key = next((key for key, _ in pairs if key.text.startswith("urn:li:") and unclosed(key.text) > 0), None)
    if key:
        mistakes.add(key.position, f'{what} is cut at ": ", which ends a key', "the URN in quotes")
    return key is not None


def _text_of(node: Node, what: str, expected: str, mistakes: Mistakes, kinds: frozenset[Kind] = _TEXT) -> str | None:
    """Take a text, or explain why YAML does not read one here."""
    if isinstance(node, ScalarNode):
        if node.undefined:
            return None
        if node.filled or node.kind in kinds:
            return node.text
        if node.kind is not Kind.NULL and Kind.TEXT in kinds:
            expected += f"; to use the word itself, put it in quotes: {quote(node.text)}"
    mistakes.add(node.position, f"{what} is {node}", expected)
    return None
