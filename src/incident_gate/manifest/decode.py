"""Lists and mappings of a manifest: each reads a node with all that is in it, and describes itself for editors."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from incident_gate.manifest.model import Mistake, Mistakes, Position
from incident_gate.manifest.scalars import MAX_ITEMS, Schema, Shape, Text, is_cut
from incident_gate.manifest.yaml import ListNode, MappingNode, Node, ScalarNode, lacks_space, whole
from incident_gate.text import one_of, quote
from incident_gate.urn import nearest

_ITEM = "an item of "


class ListOf(NamedTuple):
    """Any number of one shape."""

    item: Shape
    collect: Callable[[Iterable[Any]], Any] = tuple  # makes the value from those of the items
    min_items: int = 0
    unique: str = ""  # the key of an item, or its shorthand, that must differ
    single: bool = False  # whether one item may be there without a list
    word: str = ""  # a word that may be there instead, for a list without items

    @property
    def expected(self) -> str:
        """What a list is, and of what."""
        single = f"{self.item.expected}, or " if self.single else ""
        word = f"{self.word}, " if self.word else ""
        return f"{word}{single}a list: each item {self.item.expected}"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read every item, so that each error is found."""
        if self.single and isinstance(node, ScalarNode):
            return self._decode_single(node, what, mistakes)
        if not isinstance(node, ListNode):
            first = node.pairs[0][0] if isinstance(node, MappingNode) and node.pairs else node
            if isinstance(first, ScalarNode) and lacks_space(first.text):
                mistakes.add(first.position, "a space is missing after the dash")
            else:
                mistakes.add(node.position, f"{what} is {node}", self.expected)
        elif len(node.items) > MAX_ITEMS:
            mistakes.add(node.position, f"{what} has {len(node.items):,} items", f"at most {MAX_ITEMS:,}")
        elif len(node.items) < self.min_items:
            mistakes.add(node.position, f"{what} is an empty list", f"at least {self.min_items}, or no key at all")
        else:
            if self.unique:
                _check_unique(node, self.unique, mistakes)
            values = [self.item.decode(item, f"{_ITEM}{what}", mistakes) for (item,) in whole(zip(node.items))]
            return None if None in values else self.collect(values)
        return None

    def _decode_single(self, node: ScalarNode, what: str, mistakes: Mistakes) -> Any | None:
        """Read the word, or one item without a list."""
        if self.word and node.text == self.word:
            return self.collect(())
        if self.word and (near := nearest(node.text, (self.word,))):
            mistakes.add(node.position, f"{what} is {node}", near)
            return None
        value = self.item.decode(node, what, mistakes)
        return None if value is None else self.collect([value])

    def schema(self, definitions: Schema) -> Schema:
        """An array, or what may be there instead."""
        item = self.item.schema(definitions)
        schema: Schema = {"type": "array", "items": item, "maxItems": MAX_ITEMS}
        if self.min_items:
            schema["minItems"] = self.min_items
        if self.single:
            schema = {"if": {"type": "array"}, "then": schema, "else": item}
        return {"if": {"enum": [self.word]}, "else": schema} if self.word else schema


class Table(NamedTuple):
    """A mapping with keys of the user's own."""

    key: Text
    value: Text

    @property
    def expected(self) -> str:
        """One pair."""
        return f"pairs: each key {self.key.expected}, each value {self.value.expected}"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> dict[Any, Any] | None:
        """Read every pair."""
        if not isinstance(node, MappingNode):
            mistakes.add(node.position, f"{what} is {node}", self.expected)
            return None
        keys = [self.key.decode(key, f"a key of {what}", mistakes) for key, _ in node.pairs]
        values = [self.value.decode(value, quote(key.text), mistakes) for key, value in node.pairs]
        return None if None in keys or None in values else dict(zip(keys, values, strict=True))

    def schema(self, definitions: Schema) -> Schema:
        """An object with keys of a pattern."""
        values = self.value.schema(definitions)
        return {"type": "object", "propertyNames": {"pattern": self.key.pattern}, "additionalProperties": values}


class Key(NamedTuple):
    """A key of a mapping."""

    shape: Shape
    doc: str  # what it means, for editors
    required: bool = False
    only_with: tuple[str, str] | None = None  # another key and its value: required with it, and an error without it

    def schema(self, definitions: Schema) -> Schema:
        """The value, with a description; around a reference, because draft 7 ignores what is beside one."""
        schema = self.shape.schema(definitions)
        return {"description": self.doc} | ({"allOf": [schema]} if "$ref" in schema else schema)


class Record(NamedTuple):
    """A mapping with known keys."""

    name: str  # for the JSON Schema
    keys: Mapping[str, Key]  # each fills the field of the same name, with underscores
    make: Callable[..., Any]  # makes the value from its fields
    has_position: bool = False  # whether `make` takes the mapping's `position` as well
    shorthand: str = ""  # the key whose value alone may be there instead of the mapping
    one_of: tuple[str, ...] = ()  # of these keys there must be exactly one
    not_empty: bool = False  # whether at least one key must be there

    @property
    def expected(self) -> str:
        """The shorthand, or the keys."""
        if name := self.shorthand:
            return f"{self.keys[name].shape.expected}, or the key {quote(name)} with it"
        either = [" or ".join(self.one_of)] if self.one_of else []
        return f"the keys {', '.join([*either, *(name for name in self.keys if name not in self.one_of)])}"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read the mapping."""
        short = self.keys[self.shorthand].shape if self.shorthand else None
        values: dict[str, Any] | None = None
        if isinstance(node, MappingNode):
            values = self._values(node, what, mistakes)
        elif short and (isinstance(node, ScalarNode) or isinstance(short, ListOf)):
            value = short.decode(node, what, mistakes)
            values = None if value is None else {field_of(self.shorthand): value}
        else:
            mistakes.add(node.position, f"{what} is {node}", self.expected)
        if values is None:
            return None
        return self.make(position=node.position, **values) if self.has_position else self.make(**values)

    def _values(self, node: MappingNode, what: str, mistakes: Mistakes) -> dict[str, Any] | None:
        """Read the keys into the values of their fields; None when anything is wrong."""
        values: dict[str, Any] = {}
        places: dict[str, Position] = {}
        problems: list[Mistake] = []
        for name, value_node in whole(node.pairs):
            if key := self.keys.get(name.text):
                places[name.text] = name.position
                values[field_of(name.text)] = key.shape.decode(value_node, f'"{name.text}"', mistakes)
            else:
                near = nearest(name.text, tuple(self.keys)) or one_of(self.keys)
                problems.append(Mistake(name.position, f"unknown key {name}", near))
        problems += self._problems(node, what, values, places)
        for problem in problems:
            mistakes.add(*problem)
        return None if problems or None in values.values() else values

    def _problems(
        self, node: MappingNode, what: str, values: Mapping[str, Any], places: Mapping[str, Position]
    ) -> Iterator[Mistake]:
        """Find keys that are missing, or that are there and must not be beside or without another one."""
        subject = f"{what.removeprefix(_ITEM)} entry" if what.startswith(_ITEM) else what
        if missing := [name for name, key in self.keys.items() if key.required and name not in places]:
            message = f"{subject} has no {' and no '.join(map(quote, missing))}"
            yield Mistake(node.position, message, " and ".join(map(self._example, missing)))
        for name, key in self.keys.items():
            other, word = key.only_with or ("", "")
            if not other or (other in places and values[field_of(other)] is None):
                continue  # nothing is demanded, or the other key is reported already
            is_demanded = values.get(field_of(other)) == word
            if is_demanded and name not in places:
                yield Mistake(places[other], f'"{other}: {word}" requires {quote(name)}', self._example(name))
            elif not is_demanded and name in places:
                yield Mistake(places[name], f'{quote(name)} requires "{other}: {word}"', f"{other}: {word} beside it")
        given = [name for name in self.one_of if name in places]
        if self.one_of and not given:
            message = f"{subject} has no {' or '.join(map(quote, self.one_of))}"
            yield Mistake(node.position, message, self._example(self.one_of[0]))
        elif len(given) > 1:
            yield Mistake(places[given[1]], f"{' and '.join(map(quote, given))} in one place", "one of them")
        if self.not_empty and not node.pairs:
            yield Mistake(node.position, f"{what} is empty", f"at least one of the keys {', '.join(self.keys)}")

    def _example(self, name: str) -> str:
        return f"{name}: {self.keys[name].shape.expected}"

    def schema(self, definitions: Schema) -> Schema:
        """A reference to the record's own definition, with the shorthand beside it."""
        definitions[self.name] = self.object_schema(definitions)
        reference = {"$ref": f"#/definitions/{self.name}"}
        if not self.shorthand:
            return reference
        short = self.keys[self.shorthand].shape
        forms = ["string", "array"] if isinstance(short, ListOf) else ["string"]
        return {"if": {"type": forms}, "then": short.schema(definitions), "else": reference}

    def object_schema(self, definitions: Schema) -> Schema:
        """The mapping itself."""
        schema: Schema = {
            "type": "object",
            "properties": {name: key.schema(definitions) for name, key in self.keys.items()},
            "additionalProperties": False,
        }
        if required := [name for name, key in self.keys.items() if key.required]:
            schema["required"] = required
        if self.one_of:
            schema["oneOf"] = [{"required": [name]} for name in self.one_of]
        if self.not_empty:
            schema["minProperties"] = 1
        for name, key in self.keys.items():
            if key.only_with:
                other, word = key.only_with
                schema["if"] = {"properties": {other: {"const": word}}, "required": [other]}
                schema["then"] = {"required": [name]}
                schema["else"] = {"properties": {name: False}}
        return schema


class Variants(NamedTuple):
    """One of several records, each by the key that only it has; the first one is the one with a shorthand."""

    records: Mapping[str, Record]

    @property
    def first(self) -> Record:
        """The record with a shorthand."""
        return next(iter(self.records.values()))

    @property
    def expected(self) -> str:
        """The first record."""
        return self.first.expected

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Choose the record and let it read the node."""
        if not isinstance(node, MappingNode):
            return self.first.decode(node, what, mistakes)
        if is_cut(node, what, mistakes):
            return None
        given = [name for name, _ in node.pairs if name.text in self.records]
        if len(given) == 1:
            return self.records[given[0].text].decode(node, what, mistakes)
        known = dict.fromkeys(name for record in self.records.values() for name in record.keys)
        unknown = next((name for name, _ in node.pairs if name.text not in known), None)
        if given:
            message = f"{' and '.join(quote(name.text) for name in given)} in one entry"
            mistakes.add(given[1].position, message, "an entry for each")
        elif unknown:
            near = nearest(unknown.text, tuple(known)) or one_of(self.first.keys)
            mistakes.add(unknown.position, f"unknown key {unknown}", near)
        else:
            mistakes.add(node.position, f"{what} names no asset", f"one of the keys {one_of(self.records)}")
        return None

    def schema(self, definitions: Schema) -> Schema:
        """The record of the key that is there, else the first."""
        schema = self.first.schema(definitions)
        for tag, record in [*self.records.items()][:0:-1]:
            condition = {"type": "object", "required": [tag]}
            schema = {"if": condition, "then": record.schema(definitions), "else": schema}
        return schema


def field_of(key: str) -> str:
    """The field that a key fills."""
    return key.replace("-", "_")


def _check_unique(node: ListNode, key: str, mistakes: Mistakes) -> None:
    """Refuse an item that has at this key, or as its shorthand, what an earlier one has."""
    lines: dict[str, int] = {}
    for item in node.items:
        pairs = item.pairs if isinstance(item, MappingNode) else ()
        named = next((value for name, value in pairs if name.text == key), item)
        if not isinstance(named, ScalarNode) or not named.text:
            continue
        position = max(item.position, named.position)  # what an alias refers to is above it
        if named.text in lines:
            mistakes.add(position, f"{quote(named.text)} is a duplicate of line {lines[named.text]}", "each asset once")
        lines.setdefault(named.text, position.line)
