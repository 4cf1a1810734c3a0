"""Reads large JSON files as a stream of entries: dbt writes files of 200 MB, and little of them is needed.

What is read is untrusted. `Limits` bounds what is kept of several files together, and how long reading takes.
"""

from __future__ import annotations

import codecs
import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from sys import getsizeof
from typing import Any, BinaryIO, NamedTuple

import ijson

from incident_gate.files import FileError, size

MAX_FILE = 200 << 20
MAX_TOKEN = 16 << 20  # the longest single value: the parser holds it whole
MAX_ENTRY = 4 << 20  # memory of the wanted part of one entry, about
MAX_DEPTH = 200
MAX_NAME = 4_000  # characters of a name; other texts are cut there

NAME = "name"  # one that is too long makes the file unusable, because half a name may be another's
TEXT = "text"  # any other value, or a list of them: a long text is cut
ANY = "*"  # every key of a mapping, every item of a list

_CHUNK = 64 << 10
_COST = 64  # bytes of a value besides its characters, about
_SKIP = object()
_OPENING = frozenset({"start_map", "start_array"})
_CLOSING = frozenset({"end_map", "end_array"})
_NO_NUMBERS = re.compile(rb"(-?Infinity|NaN)")
_CUT_WORD = re.compile(rb"(NaN|-?Infinity|-|-?I(n(f(i(n(it?)?)?)?)?)?|Na?)\Z")


@dataclass(slots=True, kw_only=True)
class Limits:
    """What may still be read, of all files of one kind together. `what` is what they have many of, for messages."""

    what: str
    entries: int
    kept: int = 128 << 20  # memory of all of them, in bytes
    seconds: float = 60
    clock: Callable[[], float] = time.monotonic
    _entries: int = 0
    _kept: int = 0
    _start: float = -1

    def keep(self, *texts: str, entries: int = 1) -> None:
        """Count an entry and its texts; a FileError where they are beyond a limit."""
        if any(len(text) > MAX_NAME for text in texts):
            raise _too_long()
        self._entries += entries
        self._kept += 6 * _COST + sum(map(getsizeof, texts))
        if self._entries > self.entries:
            raise FileError(f"is beyond the limit of {self.entries:,} {self.what} in all files together")
        if self._kept > self.kept:
            raise FileError(f"has more names and messages than fit into {size(self.kept)}, all files together")

    def sharing_time_of(self, other: Limits) -> Limits:
        """The same limits with the time that is left of others."""
        return replace(self, seconds=other.seconds, clock=other.clock, _start=other._start)

    def check_time(self) -> None:
        """Start the clock, or look at it; a FileError where the time is up."""
        now = self.clock()
        self._start = now if self._start < 0 else self._start
        if now - self._start > self.seconds:
            raise FileError(f"was not read: reading all files may take {self.seconds:g} seconds")


class _Entry(NamedTuple):
    """The keys that are wanted of an entry."""

    keys: Mapping[str, Any]


def entries(file: BinaryIO, wanted: Mapping[str, Any], limits: Limits) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Read a JSON file: yields the keys that lead to each entry, and what is wanted of it.

    `wanted` has for these keys, with a point between them, the wanted keys of an entry, each with `NAME`, `TEXT` or
    keys again. Before its entries, the mapping or list that has them comes as an empty one. Where another type is
    expected, an empty mapping or list comes, or the value. The caller counts with `limits` what it keeps of an entry.
    """
    reader = _Reader(wanted)
    for events in _events(file, limits):
        reader.feed(events)
        yield from reader.found
        reader.found.clear()


def encoding_of(file: BinaryIO) -> str:
    """The encoding of JSON, by its first bytes: PowerShell writes UTF-16. The file is left at its beginning."""
    head = file.read(2)
    file.seek(0)
    if head in {b"\xff\xfe", b"\xfe\xff"}:
        return "utf-16"
    if b"\0" in head:
        return "utf-16-be" if head.startswith(b"\0") else "utf-16-le"
    return "utf-8-sig"


class _Reader:
    """Finds entries in a parser's events, and skips the rest."""

    def __init__(self, wanted: Mapping[str, Any]) -> None:
        self.found: list[tuple[tuple[str, ...], Any]] = []
        self._open: list[tuple[Any, Any, str]] = []  # what is open around the innermost mapping or list, as this is:
        self._container: Any = None  # a part of an entry; None outside of entries
        self._keys: Any = {"": _tree(wanted)}  # what is wanted in it
        self._key = ""  # of the value that comes next
        self._skipped = 0  # how deep inside a value that is not wanted
        self._kept = 0  # bytes of the entry that is open

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
                self._key = value
            elif event in _CLOSING:
                self._close()
            else:
                wanted = self._keys.get(self._key, self._keys.get(ANY, _SKIP))
                is_open = wanted is not _SKIP and self._take(event, value, wanted)
                skipped = event in _OPENING and not is_open
        self._skipped = skipped

    def _take(self, event: str, value: Any, wanted: Any) -> bool:
        """Take in a value; whether it is a mapping or list of which more is wanted."""
        new: Any = {} if event == "start_map" else [] if event == "start_array" else value
        if self._container is not None:
            inner = self._keep(new, wanted)
        elif event == "start_map" and isinstance(wanted, _Entry):
            inner, self._kept = wanted.keys, 0
        else:
            self.found.append((self._path(), new))
            inner, new = None if isinstance(wanted, _Entry) else wanted, None
        if event not in _OPENING or inner is None:
            return False
        self._open.append((self._container, self._keys, self._key))
        self._container, self._keys, self._key = new, inner, ANY
        return True

    def _keep(self, new: Any, wanted: Any) -> Any:
        """Keep a value in the entry that is open; what is wanted in it, None where it is nothing."""
        if isinstance(new, str) and len(new) > MAX_NAME:
            if wanted == NAME:
                raise _too_long()
            new = new[:MAX_NAME]
        self._kept += _COST + getsizeof(self._key) + getsizeof(new)
        if self._kept > MAX_ENTRY:
            raise FileError(f"has an entry of which more than {size(MAX_ENTRY)} would be kept")
        in_list = isinstance(self._container, list)
        if in_list:
            self._container.append(new)
        else:
            self._container[self._key] = new
        if isinstance(new, list) and isinstance(wanted, str) and not in_list:
            return {ANY: wanted}
        return wanted if isinstance(new, dict) and not isinstance(wanted, str) else None

    def _close(self) -> None:
        closed = self._container
        self._container, self._keys, self._key = self._open.pop()
        if closed is not None and self._container is None:
            self.found.append((self._path(), closed))

    def _path(self) -> tuple[str, ...]:
        if len(self._key) > MAX_NAME:
            raise _too_long()
        return (*(key for _, _, key in self._open[1:]), self._key) if self._open else ()


def _tree(wanted: Mapping[str, Any]) -> dict[str, Any]:
    """The wanted entries by the first of their keys, the second, and so on."""
    root: dict[str, Any] = {}
    for path, keys in wanted.items():
        *parts, last = path.split(".")
        node = root
        for part in parts:
            node = node.setdefault(part, {})
        node[last] = _Entry(keys)
    return root


def _too_long() -> FileError:
    return FileError(f"has a name of more than {MAX_NAME:,} characters")


def _events(file: BinaryIO, limits: Limits) -> Iterator[list[tuple[str, Any]]]:
    """What a parser finds in each chunk."""
    events: list[tuple[str, Any]] = ijson.sendable_list()
    parser = ijson.basic_parse_coro(events, use_float=True)
    silent = 0
    try:
        for chunk in _chunks(file):
            limits.check_time()
            parser.send(chunk)
            silent = 0 if events else silent + len(chunk)
            if silent > MAX_TOKEN:
                raise FileError(f"has a value of more than {size(MAX_TOKEN)}")
            yield events
            events.clear()
        parser.close()
        yield events
    # What the parsers raise differs: errors of their own, bytes that are not UTF-8, numbers beyond any type.
    except (ijson.JSONError, ValueError, ArithmeticError):
        raise FileError("is not complete JSON: the program that writes it may have been stopped") from None


def _chunks(file: BinaryIO) -> Iterator[bytes]:
    """The file in UTF-8, without `NaN` and `Infinity`: Python writes them, and JSON does not have them."""
    in_string = False
    rest = b""
    reader = codecs.getreader(encoding_of(file))(file)
    while text := reader.read(_CHUNK):
        # Neither such a word nor an escaped quotation mark is cut in two.
        chunk = rest + text.encode()
        backslashes = len(chunk) - len(chunk.rstrip(b"\\"))
        cut = _CUT_WORD.search(chunk)
        end = len(chunk) - backslashes % 2 if not cut else cut.start()
        chunk, rest = chunk[:end], chunk[end:]
        parts = _NO_NUMBERS.split(chunk) if b"NaN" in chunk or b"Infinity" in chunk else [chunk]
        for number, part in enumerate(parts):
            if number % 2:
                parts[number] = part if in_string else b"null"
            elif part.replace(b"\\\\", b"").replace(b'\\"', b"").count(b'"') % 2:
                in_string = not in_string
        if chunk:
            yield chunk if len(parts) == 1 else b"".join(parts)
    if rest:
        yield rest
