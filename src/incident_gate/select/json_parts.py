"""Keeps the wanted parts of a large JSON file, and never the whole: dbt writes files of 200 MB."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, BinaryIO

import ijson

from incident_gate.files import FileError, size

MAX_KEPT = 128 << 20
"""How much memory the kept values may take, about."""
MAX_VALUE = 16 << 20
"""The longest single value: the parser holds it whole."""
MAX_DEPTH = 200
"""How deeply values may be nested."""

KEEP = None
"""Keeps a scalar, or the scalars of a list."""
ANY_KEY = "*"
"""Every key of a mapping that is not named."""

_CHUNK = 64 << 10
_COST = 64  # bytes of a kept value besides its characters, about
_SKIP = object()
_OTHER = object()  # what stands for a mapping or list where none is wanted
_OPENING = frozenset({"start_map", "start_array"})
_CLOSING = frozenset({"end_map", "end_array"})
_ENTRY_DEPTH = 2  # the file and a section are open around an entry


def read_parts(
    file: BinaryIO,
    wanted: Mapping[str, Any],
    *,
    sections: frozenset[str] = frozenset(),
    add: Callable[[str, Mapping[str, Any]], None] = lambda _key, _entry: None,
) -> Mapping[str, Any]:
    """Read a JSON file whose root is a mapping.

    Args:
        file: Where it is read from, chunk by chunk.
        wanted: The keys to keep; each value is `KEEP`, the keys to keep of a mapping, or a list of one such mapping
            for a list of mappings.
        sections: The keys of mappings whose entries are passed on one by one, and kept no longer.
        add: Called with each such entry and its key.

    Returns:
        Everything else that is wanted. What is left in a section is not a mapping.

    Raises:
        FileError: It is not JSON, or beyond a limit.
    """
    builder = _Builder(wanted, sections, add)
    events: list[tuple[str, Any]] = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, use_float=True)
    silent = 0
    try:
        while chunk := file.read(_CHUNK):
            parser.send(chunk)
            silent = 0 if events else silent + len(chunk)
            if silent > MAX_VALUE:
                raise FileError(f"has a value of more than {size(MAX_VALUE)}")
            builder.feed(events)
            events.clear()
        parser.close()
        builder.feed(events)
    # What the parsers raise differs: errors of their own, bytes that are not UTF-8, numbers beyond any type.
    except (ijson.JSONError, ValueError, ArithmeticError):
        raise FileError("is not complete JSON") from None
    return builder.root


@dataclass(slots=True)
class _Frame:
    """A mapping or list that is open, what is wanted in it, and the last key read."""

    container: Any
    wanted: Any
    key: str = ""


class _Builder:
    """Builds the wanted entries from a parser's events, passes each on when it is complete, and skips the rest."""

    def __init__(
        self, wanted: Mapping[str, Any], sections: frozenset[str], add: Callable[[str, Mapping[str, Any]], None]
    ) -> None:
        self._file = wanted
        self._sections = sections
        self._add = add
        self._root: Any = None
        self._open: list[_Frame] = []
        self._skipped = 0  # how deep inside a value that is not wanted
        self._kept = 0

    @property
    def root(self) -> Mapping[str, Any]:
        """The file's mapping, once the file is read to its end."""
        return self._root if isinstance(self._root, dict) else {}

    def feed(self, events: Iterable[tuple[str, Any]]) -> None:
        """Take in the next events."""
        skipped = self._skipped
        for event, value in events:
            if skipped:
                if event in _OPENING:
                    skipped += 1
                    if skipped > MAX_DEPTH:
                        raise FileError(f"is nested more than {MAX_DEPTH} levels deep")
                elif event in _CLOSING:
                    skipped -= 1
            elif event == "map_key":
                self._open[-1].key = value
            elif event in _OPENING:
                skipped = not self._begin({} if event == "start_map" else [])
            elif event in _CLOSING:
                self._end()
            else:
                self._put(value)
        self._skipped = skipped

    def _wanted(self) -> Any:
        """What is wanted of the value that comes next: the keys of a mapping, `KEEP` or `_SKIP`."""
        if not self._open:
            return self._file
        frame = self._open[-1]
        if isinstance(frame.container, list):
            return frame.wanted[0] if isinstance(frame.wanted, list) else KEEP
        return frame.wanted.get(frame.key, frame.wanted.get(ANY_KEY, _SKIP))

    def _begin(self, container: dict[str, Any] | list[Any]) -> bool:
        """Open a mapping or list; False if nothing in it is wanted."""
        wanted = self._wanted()
        if isinstance(container, dict):
            fits = isinstance(wanted, Mapping)
        else:
            inside_list = bool(self._open) and isinstance(self._open[-1].container, list)
            fits = not inside_list and (wanted is KEEP or isinstance(wanted, list))
        self._put(container if fits else _OTHER)
        if fits:
            self._open.append(_Frame(container, wanted))
        return fits

    def _end(self) -> None:
        frame = self._open.pop()
        if len(self._open) == _ENTRY_DEPTH and self._open[0].key in self._sections:
            section = self._open[-1]
            del section.container[section.key]
            self._add(section.key, frame.container)

    def _put(self, value: Any) -> None:
        """Keep a value in the container that is open, if it is wanted there."""
        wanted = self._wanted()
        if wanted is _SKIP:
            return
        self._kept += _COST + (len(value) if isinstance(value, str) else 0)
        if self._kept > MAX_KEPT:
            raise FileError(f"has more of what is read than fits into {size(MAX_KEPT)}")
        if not self._open:
            self._root = value
        elif isinstance(container := self._open[-1].container, list):
            container.append(value)
        else:
            container[self._open[-1].key] = value
