"""Lists and mappings of the manifest: each shape reads a node into a value, or adds what is wrong with it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from incident_gate.manifest.errors import Mistakes
from incident_gate.manifest.model import Position
from incident_gate.manifest.nodes import ListNode, MappingNode, Node, ScalarNode, unclosed
from incident_gate.manifest.values import Shape, Text, is_cut_at_a_colon, one_of
from incident_gate.text import quote
from incident_gate.urn import nearest

MAX_ITEMS = 20_000


class ListOf(NamedTuple):
    """Any number of one shape. With `single`, one value may be there without a list, or one of the `words`."""

    item: Shape
    collect: Callable[[Iterable[Any]], Any] = tuple
    min_items: int = 0
    unique: str = ""
    single: bool = False
    words: Mapping[str, Any] = {}

    @property
    def expected(self) -> str:
        """What a list is, and of what."""
        single = f"{self.item.expected}, or " if self.single else ""
        words = "".join(f"{word}, " for word in self.words)
        return f"{words}{single}a list: each item {self.item.expected}"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read every item, so that each error is found."""
        if self.single and isinstance(node, ScalarNode):
            return self._decode_single(node, what, mistakes)
        if not isinstance(node, ListNode):
            mistakes.add(node.position, f"{what} is {node}", self.expected)
            return None
        if len(node.items) > MAX_ITEMS:
            mistakes.add(node.position, f"{what} has {len(node.items):,} items", f"at most {MAX_ITEMS:,}")
            return None
        if len(node.items) < self.min_items:
            mistakes.add(node.position, f"{what} is an empty list", f"at least {self.min_items}, or no key at all")
            return None
        if self.unique:
            _check_unique(node, self.unique, mistakes)
        item_name = f"an item of {what}"
        values = []
        depth = 0
        for item in node.items:
            if depth <= 0:
                values.append(self.item.decode(item, item_name, mistakes))
            # After a value that is cut at a comma come the rest of its pieces, which are no errors of their own.
            depth = depth + _unclosed(item) if values[-1] is None else 0
        return None if None in values else self.collect(values)

    def _decode_single(self, node: ScalarNode, what: str, mistakes: Mistakes) -> Any | None:
        """Read one of the words, or one item without a list."""
        if node.text in self.words:
            return self.words[node.text]
        if near := nearest(node.text, tuple(self.words)) if self.words else "":
            mistakes.add(node.position, f"{what} is {node}", near)
            return None
        value = self.item.decode(node, what, mistakes)
        return None if value is None else self.collect([value])


class Table(NamedTuple):
    """A mapping with keys of the user's own."""

    key: Text
    value: Text

    @property
    def expected(self) -> str:
        """One pair."""
        return f"a mapping: each key {self.key.expected}, each value {self.value.expected}"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> dict[Any, Any] | None:
        """Read every pair."""
        if not isinstance(node, MappingNode):
            mistakes.add(node.position, f"{what} is {node}", self.expected)
            return None
        keys = [self.key.decode(key, f"a key of {what}", mistakes) for key, _ in node.pairs]
        values = [self.value.decode(value, quote(key.text), mistakes) for key, value in node.pairs]
        return None if None in keys or None in values else dict(zip(keys, values, strict=True))


class Key(NamedTuple):
    """A key of a mapping.

    Args:
        shape: What may be there.
        doc: What it means, for editors.
        required: Whether it must be there.
        only_with: Another key and its value: this key is required with it, and an error without it.
    """

    shape: Shape
    doc: str
    required: bool = False
    only_with: tuple[str, str] | None = None


class Record(NamedTuple):
    """A mapping with known keys.

    Args:
        name: For the JSON Schema.
        keys: The keys; each fills the field of the same name, with underscores.
        make: Makes the value from its position and its fields.
        shorthand: The key whose value alone may be there instead of the mapping.
        one_of: Of these keys there must be exactly one.
        not_empty: Whether at least one key must be there.
    """

    name: str
    keys: Mapping[str, Key]
    make: Callable[[Position, dict[str, Any]], Any]
    shorthand: str = ""
    one_of: tuple[str, ...] = ()
    not_empty: bool = False

    @property
    def expected(self) -> str:
        """The shorthand, or the keys."""
        if name := self.shorthand:
            return f"{self.keys[name].shape.expected}, or a mapping with the key {quote(name)}"
        return f"a mapping with the keys {', '.join(self.keys)}"

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Read the mapping."""
        values: dict[str, Any] | None = None
        if isinstance(node, MappingNode):
            values = self._values(node, what, mistakes)
        elif self.shorthand and not (isinstance(node, ListNode) and not isinstance(self._short, ListOf)):
            value = self._short.decode(node, what, mistakes)
            values = None if value is None else {_field(self.shorthand): value}
        else:
            mistakes.add(node.position, f"{what} is {node}", self.expected)
        return None if values is None else self.make(node.position, values)

    @property
    def _short(self) -> Shape:
        return self.keys[self.shorthand].shape

    def _values(self, node: MappingNode, what: str, mistakes: Mistakes) -> dict[str, Any] | None:
        """Read the keys into the values of their fields; None when anything is wrong."""
        values: dict[str, Any] = {}
        places: dict[str, Position] = {}
        sound = True
        depth = 0  # of the parentheses in a value that is cut at a comma; the keys after it are its pieces
        for name, value_node in node.pairs:
            key = self.keys.get(name.text)
            if key is None:
                if depth > 0:
                    depth += _unclosed(name)
                    continue
                near = nearest(name.text, tuple(self.keys)) or one_of(self.keys)
                mistakes.add(name.position, f"unknown key {name}", near)
                sound = False
                continue
            places[name.text] = name.position
            value = values[_field(name.text)] = key.shape.decode(value_node, quote(name.text), mistakes)
            if value is None:
                sound = False
                depth = _unclosed(value_node)
        problems = [*self._missing(node, what, places), *self._misplaced(values, places)]
        for position, message, expected in problems:
            mistakes.add(position, message, expected)
        return values if sound and not problems else None

    def _missing(
        self, node: MappingNode, what: str, places: Mapping[str, Position]
    ) -> Iterator[tuple[Position, str, str]]:
        for name, key in self.keys.items():
            if key.required and name not in places:
                yield node.position, f"{what} is missing {quote(name)}", f"{name}: {key.shape.expected}"
        given = [name for name in self.one_of if name in places]
        if self.one_of and not given:
            first = self.one_of[0]
            options = " or ".join(map(quote, self.one_of))
            yield node.position, f"{what} is missing {options}", f"{first}: {self.keys[first].shape.expected}"
        elif len(given) > 1:
            yield places[given[1]], f"{' and '.join(map(quote, given))} in one mapping", "one of them"
        if self.not_empty and not node.pairs:
            yield node.position, f"{what} is empty", f"at least one of the keys {', '.join(self.keys)}"

    def _misplaced(
        self, values: Mapping[str, Any], places: Mapping[str, Position]
    ) -> Iterator[tuple[Position, str, str]]:
        """Find keys that belong to a value of another key and are there without it, and the reverse."""
        for name, key in self.keys.items():
            if key.only_with is None:
                continue
            other, word = key.only_with
            if other in places and values[_field(other)] is None:
                continue  # reported already
            demanded = values.get(_field(other)) == word
            if demanded and name not in places:
                yield places[other], f'"{other}: {word}" requires {quote(name)}', f"{name}: {key.shape.expected}"
            elif not demanded and name in places:
                yield places[name], f'{quote(name)} requires "{other}: {word}"', f"{other}: {word} beside it"


class Variants(NamedTuple):
    """One of several records, each known by its first key; the first record is the one with a shorthand."""

    records: tuple[Record, ...]

    @property
    def expected(self) -> str:
        """The first record."""
        return self.records[0].expected

    @property
    def tags(self) -> Mapping[str, Record]:
        """The records by the key that only they have."""
        return {next(iter(record.keys)): record for record in self.records}

    def decode(self, node: Node, what: str, mistakes: Mistakes) -> Any | None:
        """Choose the record and let it read the node."""
        if not isinstance(node, MappingNode):
            return self.records[0].decode(node, what, mistakes)
        if is_cut_at_a_colon(node, what, mistakes):
            return None
        tags = self.tags
        given = [name for name, _ in node.pairs if name.text in tags]
        if len(given) > 1:
            message = f"{' and '.join(quote(name.text) for name in given)} in one entry"
            mistakes.add(given[1].position, message, "an entry for each")
            return None
        if given:
            return tags[given[0].text].decode(node, what, mistakes)
        if unknown := next((name for name, _ in node.pairs if not self._knows(name.text)), None):
            near = nearest(unknown.text, tuple({name: None for record in self.records for name in record.keys}))
            mistakes.add(unknown.position, f"unknown key {unknown}", near or one_of(self.records[0].keys))
        else:
            mistakes.add(node.position, f"{what} names no asset", f"one of the keys {one_of(tags)}")
        return None

    def _knows(self, name: str) -> bool:
        return any(name in record.keys for record in self.records)


def _field(key: str) -> str:
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


def _unclosed(node: Node) -> int:
    """The parentheses that a value between [ ] or { } leaves open, because a comma cut it."""
    return unclosed(node.text) if isinstance(node, ScalarNode) and node.plain and node.flow else 0
