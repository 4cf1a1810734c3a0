"""A YAML file's values with their places in it."""

from __future__ import annotations

from enum import StrEnum
from typing import NamedTuple, TypeAlias

from incident_gate.manifest.model import Position
from incident_gate.quote import quote


class Kind(StrEnum):
    """What YAML takes a word for; the value is how to say so to a person."""

    TEXT = "text"
    BOOLEAN = "true or false"
    NUMBER = "a number"
    DATE = "a date"
    NULL = "nothing"


class Scalar(NamedTuple):
    """A single value.

    `tag` is given only where the file writes one, `plain` means without quotes, `flow` within `[]` or `{}`. `inset` is
    the distance from the position to the first character, None where escapes or folding make the source another text.
    """

    position: Position
    text: str
    tag: str | None
    plain: bool
    flow: bool
    inset: int | None

    @property
    def kind(self) -> Kind:
        """What YAML 1.1 takes it for, as PyYAML and most other readers do."""
        tag = self.tag or (_implicit_tag(self.text) if self.plain else "")
        return _KINDS.get(tag, Kind.TEXT)

    def at(self, offset: int) -> Position:
        """Where a character of the text stands in the file, or the value's start where that cannot be said."""
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


class Sequence(NamedTuple):
    """A list."""

    position: Position
    items: list[Node]

    def __str__(self) -> str:
        return "a list"


class Mapping(NamedTuple):
    """Keys and values, each key once."""

    position: Position
    pairs: list[tuple[Scalar, Node]]

    def __str__(self) -> str:
        return "a mapping"


Node: TypeAlias = Scalar | Sequence | Mapping

_TAG = "tag:yaml.org,2002:"
SCALAR_TAGS = frozenset({"!", *(_TAG + name for name in ("str", "bool", "int", "float", "timestamp", "null"))})
SEQUENCE_TAGS = frozenset({f"{_TAG}seq"})
MAPPING_TAGS = frozenset({f"{_TAG}map"})
"""The tags that the file may write; any other asks for an object of some program."""

_KINDS = {
    f"{_TAG}bool": Kind.BOOLEAN,
    f"{_TAG}int": Kind.NUMBER,
    f"{_TAG}float": Kind.NUMBER,
    f"{_TAG}timestamp": Kind.DATE,
    f"{_TAG}null": Kind.NULL,
}


def _implicit_tag(text: str) -> str:
    from yaml.resolver import Resolver  # noqa: PLC0415 - only a manifest needs it

    for tag, pattern in Resolver.yaml_implicit_resolvers.get(text[:1], ()):
        if pattern.match(text):
            return str(tag)
    return ""
