"""Untrusted text, made fit to be quoted inside a sentence."""

from __future__ import annotations

QUOTED_LENGTH = 80
"""Characters of foreign text that a message shows before it is cut."""


def quote(text: str) -> str:
    """Put a text between quotation marks: cut, on one line, with whatever cannot be seen written as an escape."""
    shown = text if len(text) <= QUOTED_LENGTH else text[: QUOTED_LENGTH - 1] + "…"
    return f'"{visible(shown)}"'


def visible(text: str) -> str:
    """Write control characters, direction overrides and lone surrogates as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)
