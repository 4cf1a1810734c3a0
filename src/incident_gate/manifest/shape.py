"""What may stand at a place of the manifest: each shape can read a node and can describe itself as JSON Schema."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date
from typing import Any, NamedTuple, Protocol

from incident_gate.manifest.errors import Mistakes
from incident_gate.manifest.model import Text
from incident_gate.manifest.nodes import Kind, Mapping, Node, Scalar, Sequence
from incident_gate.quote import quote
from incident_gate.urn import FABRICS, MAX_LENGTH, Urn, UrnError, nearest, parse_urn

Schema = dict[str, Any]


class Shape(Protocol):
    """One kind of value."""

    @property
    def expected(self) -> str:
        """What to write, in words."""

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read a node; None when a mistake was noted. `what` names the place in a sentence."""

    def schema(self, definitions: Schema) -> Schema:
        """The same as JSON Schema; records put themselves into `definitions`."""


class TextShape(NamedTuple):
    """A text under a rule."""

    rule: Text

    @property
    def expected(self) -> str:
        """What the rule says."""
        return self.rule.expected

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> str | None:
        """Take the text as it is."""
        text = text_of(node, what, self.expected, mistakes)
        if text is None or not isinstance(node, Scalar):
            return None
        if len(text) > self.rule.max_length:
            limit = f"at most {self.rule.max_length:,}"
            mistakes.add(node.position, f"{what} has {len(text):,} characters", limit)
        elif harm := re.search(_HARMFUL_IN_LINES if self.rule.multiline else _HARMFUL, text):
            character = f"U+{ord(harm.group()):04X}"
            mistakes.add(node.at(harm.start()), f"{what} contains the invisible character {character}", self.expected)
        elif not re.search(self.rule.pattern, text):
            mistakes.add(node.position, f"{what} is {quote(text)}", self.expected)
        else:
            return text
        return None

    def schema(self, _: Schema) -> Schema:
        """A string."""
        return {"type": "string", "maxLength": self.rule.max_length, "pattern": self.rule.pattern}


class ChoiceShape(NamedTuple):
    """One of a few words."""

    values: dict[str, Any]

    @property
    def expected(self) -> str:
        """All the words."""
        return one_of(self.values)

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Find what the word stands for."""
        if isinstance(node, Scalar) and node.text in self.values:
            return self.values[node.text]
        near = nearest(node.text, tuple(self.values)) if isinstance(node, Scalar) else ""
        mistakes.add(node.position, f"{what} is {node}", near or self.expected)
        return None

    def schema(self, _: Schema) -> Schema:
        """An enumeration."""
        return {"enum": list(self.values)}


class ConstantShape(NamedTuple):
    """One number."""

    value: int

    @property
    def expected(self) -> str:
        """The number."""
        return str(self.value)

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> int | None:
        """Take the number and no other."""
        if isinstance(node, Scalar) and node.kind is Kind.NUMBER and node.text == str(self.value):
            return self.value
        mistakes.add(node.position, f"{what} is {node}", self.expected)
        return None

    def schema(self, _: Schema) -> Schema:
        """A constant."""
        return {"const": self.value}


class FlagShape(NamedTuple):
    """True or false, in the words that every version of YAML understands so."""

    expected: str = "true or false"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> bool | None:
        """Take true and false; not the words that only YAML 1.1 takes for them."""
        if isinstance(node, Scalar) and node.kind is Kind.BOOLEAN and node.text.lower() in {"true", "false"}:
            return node.text.lower() == "true"
        note = " only in some versions" if isinstance(node, Scalar) and node.kind is Kind.BOOLEAN else ""
        mistakes.add(node.position, f"{what} is {node}{note}", self.expected)
        return None

    def schema(self, _: Schema) -> Schema:
        """A boolean."""
        return {"type": "boolean"}


class DayShape(NamedTuple):
    """A day of the calendar, with or without quotes."""

    expected: str = "a day such as 2027-01-31"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> date | None:
        """Read year, month and day."""
        if isinstance(node, Scalar) and re.fullmatch(_DAY, node.text):
            try:
                return date.fromisoformat(node.text)
            except ValueError:
                mistakes.add(node.position, f"{what} is {quote(node.text)}, a day that does not exist", self.expected)
                return None
        mistakes.add(node.position, f"{what} is {node}", self.expected)
        return None

    def schema(self, _: Schema) -> Schema:
        """A string, which is what a date is in JSON."""
        return {"type": "string", "format": "date", "pattern": f"^{_DAY}$"}


class UrnShape(NamedTuple):
    """An asset's URN."""

    expected: str = "an asset's URN"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Urn | None:
        """Parse the URN, pointing into it where it is wrong."""
        text = text_of(node, what, self.expected, mistakes)
        if text is None or not isinstance(node, Scalar):
            return None
        try:
            return parse_urn(text)
        except UrnError as error:
            if node.flow and node.plain and text.count("(") > text.count(")"):
                message = f"{what} is cut at a comma: between [ ] or {{ }} a comma ends a value"
                mistakes.add(node.position, message, "the URN in quotes, or on a line of its own")
            else:
                mistakes.add(node.at(error.offset), error.message, error.expected)
            return None

    def schema(self, definitions: Schema) -> Schema:
        """A string, each type with a pattern that comes close: of parentheses within parentheses it knows one level."""
        part = r"([^(),]|\([^()]*\))+"
        flow = rf"urn:li:dataFlow:\({part},{part},{part}\)"
        patterns = (
            rf"^urn:li:dataset:\(urn:li:dataPlatform:[^(),]+,{part},({'|'.join(FABRICS)})\)$",
            rf"^urn:li:dataJob:\({flow},{part}\)$",
            rf"^{flow}$",
            rf"^urn:li:(dashboard|chart):\({part},{part}\)$",
        )
        definitions["AssetUrn"] = {
            "type": "string",
            "maxLength": MAX_LENGTH,
            "anyOf": [{"pattern": pattern} for pattern in patterns],
        }
        return {"$ref": "#/definitions/AssetUrn"}


class ListShape(NamedTuple):
    """Any number of one kind of value."""

    item: Shape
    collect: Callable[[Iterable[Any]], Any]
    min_items: int = 0
    unique: str | None = None
    max_items: int = 200_000

    @property
    def expected(self) -> str:
        """What a list is, and of what."""
        return f"a list: each item {self.item.expected}"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read every item, so that each mistake is found."""
        if not isinstance(node, Sequence):
            mistakes.add(node.position, f"{what} is {node}", self.expected)
            return None
        if len(node.items) > self.max_items:
            mistakes.add(node.position, f"{what} has {len(node.items):,} items", f"at most {self.max_items:,}")
            return None
        if len(node.items) < self.min_items:
            mistakes.add(node.position, f"{what} is an empty list", f"at least {self.min_items}, or no key at all")
            return None
        if self.unique:
            _check_unique(node, self.unique, mistakes)
        item_name = f"an item of {what}"
        values = [self.item.decode(item, item_name, mistakes) for item in node.items]
        return None if any(value is None for value in values) else self.collect(values)

    def schema(self, definitions: Schema) -> Schema:
        """An array."""
        schema = {"type": "array", "items": self.item.schema(definitions), "maxItems": self.max_items}
        return schema | {"minItems": self.min_items} if self.min_items else schema


def _check_unique(node: Sequence, key: str, mistakes: Mistakes) -> None:
    """Refuse an item that says at this key, or as its shorthand, what an earlier one said."""
    lines: dict[str, int] = {}
    for item in node.items:
        pairs = item.pairs if isinstance(item, Mapping) else ()
        named = next((value for name, value in pairs if name.text == key), item)
        if not isinstance(named, Scalar) or not named.text:
            continue
        if named.text in lines:
            message = f"{quote(named.text)} stands here a second time"
            mistakes.add(named.position, message, f"it once: see line {lines[named.text]}")
        lines.setdefault(named.text, named.position.line)


def text_of(node: Node, what: str, expected: str, mistakes: Mistakes) -> str | None:
    """Take a text, or explain why YAML does not read one here."""
    if isinstance(node, Scalar) and node.kind is Kind.TEXT:
        return node.text
    if isinstance(node, Scalar) and node.kind is not Kind.NULL:
        expected += f"; if the word is meant, in quotes: {quote(node.text)}"
    mistakes.add(node.position, f"{what} is {node}", expected)
    return None


def one_of(words: Iterable[str]) -> str:
    """Name all the words of a closed set."""
    return f"one of {', '.join(words)}"


# Delete and its kin, line separators, overrides of the writing direction, lone surrogates. Joiners and hard spaces are
# not among them: some scripts need them.
_UNSEEN = "\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff"
# Compiled where they are needed: most manifests hold no free text.
_HARMFUL = f"[\x00-\x1f{_UNSEEN}]"
_HARMFUL_IN_LINES = f"[\x00-\x08\x0b-\x1f{_UNSEEN}]"
_DAY = "[0-9]{4}-[0-9]{2}-[0-9]{2}"
