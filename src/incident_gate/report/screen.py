"""A terminal's screen: how wide text is on it, and lines and tables that fit."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from typing import NamedTuple

GAP = "  "


class Cell(NamedTuple):
    """One field of a table."""

    text: str
    colour: str = ""


class Screen(NamedTuple):
    """What the terminal can do."""

    colour: bool
    width: int

    def paint(self, text: str, colour: str) -> str:
        """The text in a colour (the codes of an SGR sequence), or as it is where the terminal has none."""
        return f"\x1b[{colour}m{text}\x1b[0m" if self.colour and colour and text else text

    def columns(self, rows: Sequence[Sequence[Cell]]) -> list[int]:
        """How wide each column is: as wide as its widest cell, the last one as what is left of the line."""
        widths = [max(cells(cell.text) for cell in column) for column in zip(*rows, strict=True)]
        used = len(GAP) * (len(widths) + 1) + sum(widths[:-1])
        return [*widths[:-1], max(self.width - used, 8)]

    def row(self, row: Sequence[Cell], widths: Sequence[int]) -> str:
        """One line of a table."""
        painted = [
            self.paint(padded(cell.text, size), cell.colour) for cell, size in zip(row[:-1], widths[:-1], strict=True)
        ]
        return GAP * 2 + GAP.join([*painted, fitted(row[-1].text, widths[-1])])

    def wrapped(self, text: str, indent: str, first: str | None = None) -> Iterator[str]:
        """A sentence broken between words, each line indented; what is too long for a line is cut."""
        line = indent if first is None else first
        empty = True
        for word in text.split(" "):
            if not empty and cells(line) + 1 + cells(word) > self.width:
                yield line
                line, empty = indent, True
            line += fitted(word, self.width - cells(line)) if empty else f" {word}"
            empty = False
        yield line


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    return sum(_cell_width(character) for character in text)


def fitted(text: str, size: int) -> str:
    """The text cut to at most `size` columns, with an ellipsis if something was cut."""
    if cells(text) <= size:
        return text
    used = 0
    for index, character in enumerate(text):
        used += _cell_width(character)
        if used > size - 1:
            return text[:index].rstrip() + "…"
    return text


def _cell_width(character: str) -> int:
    if unicodedata.category(character) in ("Mn", "Me"):
        return 0
    return 2 if unicodedata.east_asian_width(character) in ("W", "F") else 1


def padded(text: str, size: int) -> str:
    """The text cut or filled with spaces to exactly `size` columns."""
    text = fitted(text, size)
    return text + " " * (size - cells(text))
