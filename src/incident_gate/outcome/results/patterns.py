"""Patterns of check names: `*` stands for any text, `?` for one character, and nothing else is special."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable


class Names:
    """Names in which patterns are looked up: sorted, so that only those with a pattern's beginning are compared.

    Args:
        names: Each once.
    """

    def __init__(self, names: Iterable[str]) -> None:
        self._sorted = sorted(names)

    def matching(self, pattern: str) -> list[str]:
        """The names that a pattern matches as a whole, letter case included."""
        literals = re.split(r"[*?]", pattern)
        beginning, longest = literals[0], max(literals, key=len)
        compiled = _compiled(pattern)
        start = bisect_left(self._sorted, beginning)
        end = bisect_left(self._sorted, 1, start, key=lambda name: int(not name.startswith(beginning)))
        return [name for name in self._sorted[start:end] if longest in name and compiled.fullmatch(name)]


def _compiled(pattern: str) -> re.Pattern[str]:
    """A pattern as a regular expression: names of parametrized tests contain brackets, so those are literal.

    Each part between stars is matched where it first occurs, and nowhere else: a long name must not take long.
    """
    first, *others = (re.escape(part).replace(r"\?", ".") for part in re.split(r"\*+", pattern))
    if not others:
        return re.compile(first, re.DOTALL)
    middle = "".join(f"(?>.*?{part})" for part in others[:-1])
    return re.compile(f"{first}{middle}.*{others[-1]}", re.DOTALL)
