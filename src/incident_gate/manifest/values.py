"""Single values of the manifest: each shape reads a node into a value, or adds what is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any, NamedTuple, Protocol

from incident_gate.manifest.errors import Mistakes
from incident_gate.manifest.nodes import Kind, MappingNode, Node, ScalarNode, open_parentheses, unclosed
from incident_gate.text import control_character, plain, quote
from incident_gate.urn import Urn, UrnError, nearest, parse_urn

_KIND_OF: Mapping[type, Kind] = {int: Kind.NUMBER, bool: Kind.BOOLEAN}  # of the values of a choice; else a text


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
        scalar = _scalar_of(node, what, self.expected, mistakes, self.kind)
        if scalar is None:
            return None
        text, position, expected = scalar.text, scalar.position, self.expected
        if len(text) > self.max_length:
            message, expected = f"{what} has {len(text):,} characters", f"at most {self.max_length:,}"
        elif (offset := control_character(text, "\t\n" if self.multiline else "")) is not None:
            position = scalar.at(offset)
            message = f"{what} contains the control character U+{ord(text[offset]):04X}"
        elif not re.search(self.pattern, text):
            message = f"{what} is {node}"
        elif not plain(text):
            message = f"{what} has no visible character"
        else:
            try:
                return self.convert(text)
            except ValueError as error:
                message = f"{what} is {quote(text)}: {error}"
        mistakes.add(position, message, expected)
        return None


class Choice(NamedTuple):
    """One of a few words, numbers or flags: their values, by what YAML has."""

    options: Mapping[str, Any]

    @property
    def expected(self) -> str:
        """All the words."""
        return one_of(self.options)

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Find the value of the word."""
        note = near = ""
        if isinstance(node, ScalarNode):
            if node.undefined:
                return None
            is_flag = "true" in self.options
            value = self.options.get(node.text.lower() if is_flag else node.text)
            if value is not None and (node.filled or node.kind is _KIND_OF.get(type(value), Kind.TEXT)):
                return value
            note = " in some versions only" if is_flag and node.kind is Kind.BOOLEAN else ""
            near = nearest(node.text, tuple(word for word, of in self.options.items() if type(of) not in _KIND_OF))
        mistakes.add(node.position, f"{what} is {node}{note}", near or self.expected)
        return None


class AssetUrn(NamedTuple):
    """An asset's URN."""

    expected: str = "an asset's URN"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Urn | None:
        """Parse the URN, with the position of what is wrong in it."""
        if isinstance(node, MappingNode) and is_cut_at_a_colon(node, what, mistakes):
            return None
        scalar = _scalar_of(node, what, self.expected, mistakes)
        if scalar is None:
            return None
        try:
            return parse_urn(scalar.text)
        except UrnError as error:
            if scalar.cut:
                mistakes.add(node.position, f'{what} is cut at " #", which begins a comment', "the URN in quotes")
            elif open_parentheses(scalar) > 0:
                message = f"{what} is cut at a comma: between [ ] or {{ }} a comma ends a value"
                mistakes.add(node.position, message, "the URN in quotes, or on a line of its own")
            else:
                mistakes.add(scalar.at(error.offset), error.message, error.expected)
            return None


def one_of(words: Iterable[str]) -> str:
    """Name all the words of a closed set."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def is_cut_at_a_colon(node: MappingNode, what: str, mistakes: Mistakes) -> bool:
    """Explain a URN that holds a colon and a space, which makes a key of its first part."""
    for key, _ in node.pairs:
        if key.text.startswith("urn:li:") and unclosed(key.text) > 0:
            mistakes.add(key.position, f'{what} is cut at ": ", which ends a key', "the URN in quotes")
            return True
    return False


def _scalar_of(node: Node, what: str, expected: str, mistakes: Mistakes, kind: Kind = Kind.TEXT) -> ScalarNode | None:
    """Take a value of a kind, or explain why YAML reads none here; a date may be a text as well."""
    if isinstance(node, ScalarNode):
        if node.undefined:
            return None
        if node.filled or node.kind is kind or (node.kind is Kind.TEXT and kind is not Kind.NUMBER):
            return node
        if node.kind is not Kind.NULL and kind is not Kind.NUMBER:
            expected += f"; to use the word itself, put it in quotes: {quote(node.text)}"
    mistakes.add(node.position, f"{what} is {node}", expected)
    return None
