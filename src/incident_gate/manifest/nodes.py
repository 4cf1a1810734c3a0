"""The values of a YAML file with their positions."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from yaml.resolver import Resolver

from incident_gate.manifest.model import Position
from incident_gate.text import quote

_TAG = "tag:yaml.org,2002:"


class Kind(StrEnum):
    """What YAML takes a scalar for; the value is its description in a message."""

    TEXT = "text"
    BOOLEAN = "true or false"
    NUMBER = "a number"
    DATE = "a date"
    NULL = "nothing"


LIST_TAGS = frozenset({f"{_TAG}seq"})
MAPPING_TAGS = frozenset({f"{_TAG}map"})
_KINDS = {
    f"{_TAG}bool": Kind.BOOLEAN,
    f"{_TAG}int": Kind.NUMBER,
    f"{_TAG}float": Kind.NUMBER,
    f"{_TAG}timestamp": Kind.DATE,
    f"{_TAG}null": Kind.NULL,
}
SCALAR_TAGS = frozenset({"!", f"{_TAG}str", *_KINDS})


class ScalarNode(NamedTuple):
    """A single value.

    `tag` is set only where the file writes one, `plain` means without quotes, `flow` within `[]` or `{}`. `inset` is
    the distance from the position to the first character; None where the text differs from the source: by escapes, by
    folding, or because a variable was replaced (`filled`). `cut` means that a comment follows in which a parenthesis of
    the text may be closed. `undefined` means that a variable in it has no value, which has been reported.
    """

    position: Position
    text: str
    tag: str | None
    plain: bool
    flow: bool
    inset: int | None
    cut: bool = False
    filled: bool = False
    undefined: bool = False

    @property
    def kind(self) -> Kind:
        """What YAML 1.1 takes it for, as PyYAML and most other readers do."""
        tag = self.tag or (_implicit_tag(self.text) if self.plain and not self.filled else "")
        return _KINDS.get(tag, Kind.TEXT)

    def at(self, offset: int) -> Position:
        """The position of a character of the text, or the value's start where that is not known."""
        if self.inset is None:
            return self.position
        return Position(self.position.line, self.position.column + self.inset + offset)

    def __str__(self) -> str:
        match self.kind:
            case Kind.TEXT:
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
        return "a mapping"


Node: TypeAlias = ScalarNode | ListNode | MappingNode


def unclosed(text: str) -> int:
    """The number of parentheses that are opened and not closed."""
    return text.count("(") - text.count(")")


def open_parentheses(node: Node) -> int:
    """The parentheses that a value between [ ] or { } leaves open, because a comma cut it."""
    return unclosed(node.text) if isinstance(node, ScalarNode) and node.plain and node.flow else 0


def _implicit_tag(text: str) -> str:
    for tag, pattern in Resolver.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return str(tag)
    return ""
