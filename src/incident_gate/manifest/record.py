"""Mappings of the manifest: made from the model's dataclasses, key by key."""

from __future__ import annotations

import types
from collections.abc import Mapping as Table
from dataclasses import MISSING, fields
from datetime import date
from enum import Enum, StrEnum
from typing import Annotated, Any, Literal, NamedTuple, Union, get_args, get_origin, get_type_hints

from incident_gate.manifest.errors import Mistakes
from incident_gate.manifest.model import Key, Position
from incident_gate.manifest.nodes import Mapping, Node, Scalar
from incident_gate.manifest.shape import (
    ChoiceShape,
    ConstantShape,
    DayShape,
    FlagShape,
    ListShape,
    Schema,
    Shape,
    TextShape,
    UrnShape,
    one_of,
)
from incident_gate.quote import quote
from incident_gate.urn import Urn, nearest


class Member(NamedTuple):
    """A key of a mapping, the field it fills and what may stand there."""

    field: str
    key: Key
    shape: Shape
    required: bool


class RecordShape(NamedTuple):
    """A mapping with known keys, or the one value that may stand for it."""

    type: type[Any]
    members: Table[str, Member]

    @property
    def shorthand(self) -> str | None:
        """The key whose value alone may stand for the whole."""
        return next((name for name, member in self.members.items() if member.key.shorthand), None)

    @property
    def expected(self) -> str:
        """The shorthand, or the keys."""
        if name := self.shorthand:
            return f"{self.members[name].shape.expected}, or a mapping with the key {quote(name)}"
        return f"a mapping with keys {one_of(self.members)}"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read the mapping into its dataclass, with its position where the dataclass has one."""
        name = self.shorthand
        values: dict[str, Any] | None
        if isinstance(node, Mapping):
            values = self.values(node, what, mistakes)
        elif name and isinstance(node, Scalar):
            member = self.members[name]
            value = member.shape.decode(node, what, mistakes)
            values = None if value is None else {member.field: value}
        else:
            mistakes.add(node.position, f"{what} is {node}", self.expected)
            return None
        if values is None:
            return None
        place = {"position": node.position} if "position" in self.type.__dataclass_fields__ else {}
        return self.type(**values, **place)

    def values(self, node: Mapping, what: str, mistakes: Mistakes) -> dict[str, Any] | None:
        """Read the keys into the values of their fields; None when anything is wrong."""
        values: dict[str, Any] = {}
        places: dict[str, Position] = {}
        sound = True
        for key, value_node in node.pairs:
            member = self.members.get(key.text)
            if member is None:
                near = nearest(key.text, tuple(self.members)) or one_of(self.members)
                mistakes.add(key.position, f"there is no key {key}", near)
                sound = False
                continue
            places[key.text] = key.position
            value = member.shape.decode(value_node, quote(key.text), mistakes)
            values[member.field] = value
            sound &= value is not None
        for name, member in self.members.items():
            if member.required and name not in places:
                wanted = f"{name}: {member.shape.expected}"
                mistakes.add(node.position, f"{what} has no key {quote(name)}", wanted)
                sound = False
        self._check_companions(values, places, mistakes)
        return values if sound else None

    def _check_companions(self, values: dict[str, Any], places: dict[str, Position], mistakes: Mistakes) -> None:
        """Check that each key that belongs to a value of another one is there with it and only with it."""
        for name, member in self.members.items():
            if member.key.only_with is None:
                continue
            other, word = member.key.only_with
            if other in places and values[self.members[other].field] is None:
                continue  # a mistake already told
            demanded = values.get(self.members[other].field) == word
            if demanded and name not in places:
                wanted = f"{name}: {member.shape.expected}"
                mistakes.add(places[other], f"{quote(other)} is {word} and there is no key {quote(name)}", wanted)
            elif not demanded and name in places:
                mistakes.add(
                    places[name], f"{quote(name)} goes only with {other}: {word}", f"{other}: {word} beside it"
                )

    def schema(self, definitions: Schema) -> Schema:
        """A reference to the record's own definition, with the shorthand beside it."""
        if self.type.__name__ not in definitions:
            definitions[self.type.__name__] = {}  # keeps the order of first mention
            definitions[self.type.__name__] = self.object_schema(definitions)
        reference = {"$ref": f"#/definitions/{self.type.__name__}"}
        if name := self.shorthand:
            return {"anyOf": [self.members[name].shape.schema(definitions), reference]}
        return reference

    def object_schema(self, definitions: Schema) -> Schema:
        """The mapping itself."""
        schema: Schema = {
            "type": "object",
            "properties": {
                name: _described(member.key.doc, member.shape.schema(definitions))
                for name, member in self.members.items()
            },
            "additionalProperties": False,
        }
        if required := [name for name, member in self.members.items() if member.required]:
            schema["required"] = required
        for name, member in self.members.items():
            if member.key.only_with:
                other, word = member.key.only_with
                schema["if"] = {"properties": {other: {"const": word}}, "required": [other]}
                schema["then"] = {"required": [name]}
                schema["else"] = {"properties": {name: False}}
        return schema


def _described(doc: str, schema: Schema) -> Schema:
    """Add a description; around a reference, because draft 7 ignores what stands beside one."""
    return {"description": doc} | ({"allOf": [schema]} if "$ref" in schema else schema)


def record_shape(record: type[Any]) -> RecordShape:
    """Make a mapping's shape from its dataclass: each field with a `Key` is a key."""
    hints = get_type_hints(record, include_extras=True)
    members: dict[str, Member] = {}
    for field in fields(record):
        hint = hints[field.name]
        if get_origin(hint) is not Annotated:
            continue
        plain, key = get_args(hint)
        required = field.default is MISSING and field.default_factory is MISSING
        members[field.name.replace("_", "-")] = Member(field.name, key, _shape(plain, key), required)
    return RecordShape(record, members)


def _shape(hint: Any, key: Key) -> Shape:
    """Make the shape of a field's type."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin in {Union, types.UnionType}:
        return _shape(next(argument for argument in arguments if argument is not type(None)), key)
    if origin in {tuple, frozenset}:
        return ListShape(_shape(arguments[0], key), origin, key.min_items, key.unique)
    if origin is Literal:
        return ConstantShape(arguments[0])
    return _value_shape(hint, key)


def _value_shape(hint: type[Any], key: Key) -> Shape:
    """Make the shape of a single value."""
    simple: dict[type[Any], Shape] = {bool: FlagShape(), date: DayShape(), Urn: UrnShape(), str: TextShape(key.text)}
    if issubclass(hint, Enum):
        return ChoiceShape(_words(hint, key))
    if hint is str and key.choices:
        return ChoiceShape({word: word for word in key.choices})
    return simple[hint] if hint in simple else record_shape(hint)


def _words(enum: type[Enum], key: Key) -> dict[str, Enum]:
    """An enumeration's words: the values of texts, the names of numbers."""
    words = {str(member.value) if issubclass(enum, StrEnum) else member.name: member for member in enum}
    return {word: member for word, member in words.items() if not key.choices or word in key.choices}
