"""Single values of a manifest: each reads a node, or adds what is wrong with it, and describes itself for editors."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple, Protocol, TypeAlias

from incident_gate.manifest.model import Mistakes
from incident_gate.manifest.yaml import Kind, MappingNode, Node, ScalarNode, is_piece, unclosed
from incident_gate.text import control_character, one_of, plain, quote
from incident_gate.urn import EntityType, Urn, UrnError, nearest, parse_urn

Schema: TypeAlias = dict[str, Any]

MAX_ITEMS = 20_000
_KIND_OF: Mapping[type, Kind] = {int: Kind.NUMBER, bool: Kind.BOOLEAN}  # of the values of a choice; else a text


class Shape(Protocol):
    """One form of value."""

    @property
    def expected(self) -> str:
        """What to write, in words."""

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read a node; None when an error was added. `what` names the place in a sentence."""

    def schema(self, definitions: Schema) -> Schema:
        """Describe the value by JSON Schema, with `if`, not `anyOf`: so an editor shows the mistake itself.

        A shape with a name of its own adds itself to `definitions`.
        """


class Text(NamedTuple):
    """A text with a rule."""

    expected: str = "a text on one line"
    max_length: int = 500
    multiline: bool = False
    pattern: str = r"\S"
    kind: Kind = Kind.TEXT  # what YAML may take it for: a date also as text, a number as nothing else
    convert: Callable[[str], Any] = str  # makes the value, or raises ValueError

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Check the text and convert it."""
        scalar = self.scalar(node, what, mistakes)
        # What follows a piece is left out, so a piece is a mistake even where any text will do.
        if scalar is None or (is_piece(scalar) and is_cut(scalar, what, mistakes)):
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
            except ValueError:
                message = f"{what} is {quote(text)}, which is not {self.kind}"
        mistakes.add(position, message, expected)
        return None

    def scalar(self, node: Node, what: str, mistakes: Mistakes) -> ScalarNode | None:
        """Take a value of the kind, or explain why YAML reads none here."""
        note, expected = "", self.expected
        if isinstance(node, ScalarNode):
            if node.is_undefined:
                return None
            if node.kind in {self.kind, Kind.ANY} or (node.kind is Kind.TEXT and self.kind is not Kind.NUMBER):
                return node
            is_valid = re.search(self.pattern, node.text)
            if is_valid and node.kind is Kind.TEXT:
                note = " in quotes"
            elif is_valid and node.kind is not Kind.NULL:
                expected += f"; to use the word itself, put it in quotes: {quote(node.text)}"
        mistakes.add(node.position, f"{what} is {node}{note}", expected)
        return None

    def schema(self, _definitions: Schema) -> Schema:
        """A string or a number."""
        if self.kind is Kind.NUMBER:
            return _or_variable({"type": "integer", "minimum": 1, "maximum": MAX_ITEMS})
        schema: Schema = {"type": "string", "maxLength": self.max_length, "pattern": self.pattern}
        return _or_variable(schema | ({"format": "date"} if self.kind is Kind.DATE else {}))


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
            if node.is_undefined:
                return None
            is_flag = "true" in self.options
            value = self.options.get(node.text.lower() if is_flag else node.text)
            if value is not None and node.kind in {_KIND_OF.get(type(value), Kind.TEXT), Kind.ANY}:
                return value
            near = nearest(node.text, tuple(word for word, of in self.options.items() if type(of) not in _KIND_OF))
            if is_flag and node.kind is Kind.BOOLEAN:
                note = " in some versions only"
            elif value is not None and node.kind is Kind.TEXT:
                note = " in quotes"
            elif node.text and len(self.options) == 1:
                message = f"{what} {quote(node.text)} is not supported; use {self.expected}"
                mistakes.add(node.position, message.replace('"', ""))
                return None
        mistakes.add(node.position, f"{what} is {node}{note}", near or self.expected)
        return None

    def schema(self, _definitions: Schema) -> Schema:
        """All the values, as JSON has them."""
        return _or_variable({"enum": [of if type(of) in _KIND_OF else word for word, of in self.options.items()]})


_URN = Text("an asset's URN", pattern="^urn:li:")


class AssetUrn(NamedTuple):
    """An asset's URN."""

    expected: str = _URN.expected

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Urn | None:
        """Parse the URN, with the position of what is wrong in it."""
        if isinstance(node, MappingNode) and is_cut(node, what, mistakes):
            return None
        scalar = _URN.scalar(node, what, mistakes)
        if scalar is None:
            return None
        try:
            return parse_urn(scalar.text)
        except UrnError as error:
            if not is_cut(scalar, what, mistakes):
                mistakes.add(scalar.at(error.offset), error.message, error.expected)
            return None

    def schema(self, definitions: Schema) -> Schema:
        """A URN of any type."""
        pattern = f"^({'|'.join(entity_type.pattern for entity_type in EntityType)})$"
        definitions["AssetUrn"] = _or_variable({"type": "string", "pattern": pattern})
        return {"$ref": "#/definitions/AssetUrn"}


def _or_variable(schema: Schema) -> Schema:
    """Accept a value with a variable, of which an editor knows nothing."""
    return {"if": {"type": "string", "pattern": r"\$\{"}, "else": schema}


def is_cut(node: ScalarNode | MappingNode, what: str, mistakes: Mistakes) -> bool:
    """Explain a URN that YAML cut: at a comma between brackets, at a comment, or at a colon, which ends a key."""
    position, mark = node.position, node.cut if isinstance(node, ScalarNode) else ""
    for key, _ in node.pairs if isinstance(node, MappingNode) else ():
        if not mark and key.text.startswith("urn:li:") and unclosed(key.text) > 0:
            position, mark = key.position, ": "
    if mark:
        mistakes.add(position, f'{what} is cut at "{mark}"; put it in quotes')
    return bool(mark)
