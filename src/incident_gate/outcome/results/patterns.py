"""Patterns of check names: `*` stands for any text, `?` for one character, and nothing else is special."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Iterator

_WILDCARD = re.compile(r"[*?]")


class Names:
    """Names in which patterns are looked up: sorted, so that only those with a pattern's beginning are compared.

    Args:
        names: Each once.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._sorted = sorted(names)

    def matching(self, pattern: str) -> Iterator[str]:
        """The names that a pattern matches as a whole, letter case included."""
        beginning = _WILDCARD.split(pattern, maxsplit=1)[0]
        compiled = _compiled(pattern)
        for index in range(bisect_left(self._sorted, beginning), len(self._sorted)):
            name = self._sorted[index]
            if not name.startswith(beginning):
                return
            if compiled.fullmatch(name):
                yield name


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression: names of parametrized tests contain brackets, so those are literal."""
    # Runs of stars as one: several in a row would be tried in every combination.
    parts = re.split(r"(\*+|\?)", pattern)
    words = (".*" if part.startswith("*") else "." if part == "?" else re.escape(part) for part in parts)
    return re.compile("".join(words), re.DOTALL)
