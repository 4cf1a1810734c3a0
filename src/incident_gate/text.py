"""Where untrusted text is made safe: one function per kind of place that it is put into."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import NamedTuple
from urllib import parse

# Terminal sequences are dropped whole, so that no "[31m" is left of them.
_ANSI_SEQUENCE = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)?")
# Characters that Unicode calls letters or marks and that nobody can see: they are not in the categories dropped below.
_INVISIBLE = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2065\u2800\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\U00016fe4\U000e0000-\U000e0fff]"
)
_COMMAND = re.compile(r"(?<!\S):{2,}")
_MARKS_IN_A_ROW = 2  # more than any living script needs; stacks of them paint over the lines above

# Whatever Markdown means by one of these characters, it does not mean it by the entity. A full stop or a hyphen means
# something only at the start or after a digit (lists, rules), a comma, a slash and a quote never do.
_PUNCTUATION = re.compile(r"(?<![A-Za-z])[.-]|[!-&(-+:-@\[-`{-~]")
# GitHub looks for mentions, issue references, addresses and emoji in the text that Markdown has produced, where
# entities and backslashes are long gone (github/cmark-gfm#181). It looks at each piece of text between two elements, so
# an element without a text stops a match, and names can still be copied and found. Where one would begin: `@x` and
# `a@b`, `#1` and `a/b#1`, `GH-1`, `:tada:`, `https://` and `www.`.
_TRIGGER = re.compile(r"@(?=\S)|#(?=\d)|:(?=[\w+-]+:|/)|www(?=\.)|\bGH-(?=\d)", re.IGNORECASE)
# Math is found in the finished text as well; GitHub documents the span as the way to write a dollar sign.
_DOLLAR = "<span>&#36;</span>"

_ELLIPSIS = "…"
_UNBROKEN = 16
_BREAK = "\ue000"  # private use: `plain` lets none through
_QUOTED_LENGTH = 80
# A shorter secret would be found in ordinary host names.
_SHORTEST_IN_HOST = 6

# Control characters and line separators, marks and overrides of the writing direction, halves of surrogate pairs. Other
# characters that cannot be seen (joiners, no-break spaces) are part of names in some scripts.
_CONTROL = "\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ud800-\udfff"


def control_character(text: str, allowed: str = "") -> int | None:
    """Return the offset of the first control or bidirectional character, None if there is none."""
    if text.isprintable():
        return None
    found = re.search(f"(?![{allowed}])[{_CONTROL}]" if allowed else f"[{_CONTROL}]", text)
    return found.start() if found else None


def quote(text: str) -> str:
    """Put a text between quotation marks: on one line, shortened, unprintable characters as escapes."""
    shown = text if len(text) <= _QUOTED_LENGTH else text[: _QUOTED_LENGTH - 1] + _ELLIPSIS
    return f'"{visible(shown)}"'


def visible(text: str) -> str:
    """Replace unprintable characters by escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode("ascii") for c in text)


def one_of(words: Iterable[str]) -> str:
    """Name all the words of a closed set."""
    *most, last = words
    return f"{', '.join(most)} or {last}" if most else last


def count(number: int, noun: str) -> str:
    """`1 input`, `2 inputs`, `1,000 inputs`."""
    return f"{number:,} {noun if number == 1 else noun + 's'}"


def cells(text: str) -> int:
    """How many columns of a terminal the text takes: two for a wide character, none for a combining mark."""
    if text.isascii():
        return len(text)
    unmarked = [character for character in text if unicodedata.category(character) not in {"Mn", "Me"}]
    return len(unmarked) + sum(unicodedata.east_asian_width(character) in {"W", "F"} for character in unmarked)


class Redactor(NamedTuple):
    """Replaces secret values in text from a server or an exception; only whole values, never words of them.

    Every such text passes through it before it is shortened or escaped, because a part of a secret cannot be found.
    """

    secrets: tuple[str, ...] = ()

    def __call__(self, text: str) -> str:
        """The text without secrets."""
        # The longest first: one secret may be a part of another.
        for secret in sorted(self.secrets, key=len, reverse=True):
            text = text.replace(secret, "***")
        return text

    def is_in_host(self, host: str) -> bool:
        """Whether a host name holds a secret, in any letter case and with anything in the place of its dots."""
        host = host.lower()
        return any(
            secret.lower() in host
            or (len(_letters(secret)) >= _SHORTEST_IN_HOST and _letters(secret) in _letters(host))
            for secret in self.secrets
        )


NO_SECRETS = Redactor()


def _letters(text: str) -> str:
    return "".join(filter(str.isalnum, text.lower()))


def plain(text: str, limit: int = 200) -> str:
    """One line that shows what it is, for a terminal, a log or an annotation.

    Without control characters, escape sequences, bidirectional overrides and invisible characters; white space folded;
    at most `limit` characters, the last an ellipsis if something was cut. It starts no workflow command: the runner
    takes `::name::` at the start of a line, and the older form `##[name]` anywhere in it.
    """
    # A title of 100 MB costs no more than a long one.
    bound = 8 * limit + 64
    too_long = len(text) > bound
    text = text[:bound]
    if not (text.isascii() and text.isprintable()):
        text = _visible(_ANSI_SEQUENCE.sub("", text))
    text = " ".join(text.split()).replace("##[", "## [")
    # Any word's start: text may be broken into lines between words, and the runner ignores a line's indentation.
    text = _COMMAND.sub(lambda match: " ".join(match[0]), text)
    if too_long or len(text) > limit:
        text = text[: max(limit - 1, 0)].rstrip() + _ELLIPSIS
    return text


def prose(text: str, limit: int = 500, *, breaks: bool = False) -> str:
    """A sentence of the gate's own as Markdown: what is between backticks is a code span, the rest inert text."""
    pieces = plain(text, limit).split("`")
    if len(pieces) % 2 == 0:  # a backtick that closes nothing is a character like any other
        pieces[-2:] = ["`".join(pieces[-2:])]
    inert = _inert_breakable if breaks else _inert
    return "".join(code(piece, limit, breaks=breaks) if odd % 2 else inert(piece) for odd, piece in enumerate(pieces))


def plain_prose(text: str, limit: int = 1000) -> str:
    """A sentence of the gate's own without its backticks."""
    return plain(text, limit).replace("`", "")


def sentences(*texts: str, limit: int = 1000) -> str:
    """Sentences of the gate's own on one line: each ends with a full stop, and backticks are left out."""
    shown = (plain_prose(text, limit) for text in texts)
    return " ".join(text if text[-1] in ".!?:…" else f"{text}." for text in shown if text)


def markdown(text: str, limit: int = 200) -> str:
    """Inert GitHub Markdown that reads as the text: for a table's cell, a list's item or a sentence."""
    return _inert(plain(text, limit))


def code(text: str, limit: int = 400, *, breaks: bool = False) -> str:
    """The text as a Markdown code span: for URNs and names, which people copy and which must stay exact.

    With `breaks` long words may be broken, as in a table, whose columns are never narrower than a word. What is copied
    is still the text.
    """
    text = plain(text, limit)
    if not text:
        return ""
    if breaks:
        return f"<code>{_inert_breakable(text)}</code>"
    # A pipe ends a table's cell even in a code span, and how often a backslash before it counts differs by renderer.
    return f"<code>{_inert(text)}</code>" if "|" in text or "`" in text else f"`{text}`"


def code_span(text: str, limit: int = 400) -> str:
    """A name or message as a code span for DataHub; empty without one.

    DataHub shows a description as Markdown since 1.0 and as plain text before: this reads well as either.
    """
    shown = plain(text, limit).replace("`", "'")
    return f"`{shown}`" if shown else ""


def link(label: str, url: str | None, limit: int = 200) -> str:
    """The text as a link to an address of our own making; only the text where there is no http(s) address.

    Long words may be broken, so that a table fits on a phone.
    """
    shown = _inert_breakable(plain(label, limit)) or _ELLIPSIS
    if url is None or not url.lower().startswith(("http://", "https://")):
        return shown
    # Parentheses, angle brackets, pipes and quotes would end a link's target or a cell; what is encoded already stays.
    target = parse.quote(url, safe="/:?#[]@!&*+,;=%~", errors="replace")
    # Markdown decodes entities in a target as well.
    return f"[{shown}]({target.replace('&', '&amp;')})"


def _inert_breakable(text: str) -> str:
    """Inert text whose long words may be broken."""
    pieces = rf"[^._/:,(@-]{{1,{_UNBROKEN}}}[._/:,(@-]{{0,4}}|[._/:,(@-]{{1,{_UNBROKEN}}}"
    return _inert(re.sub(rf"\S{{{_UNBROKEN + 1},}}", lambda word: _BREAK.join(re.findall(pieces, word[0])), text))


def _visible(text: str) -> str:
    kept: list[str] = []
    marks = 0
    for character in _INVISIBLE.sub("", text):
        category = unicodedata.category(character)
        marks = marks + 1 if category in ("Mn", "Me") else 0
        if marks > _MARKS_IN_A_ROW:
            continue
        if character.isspace():
            kept.append(" ")
        elif category not in ("Cc", "Cf"):
            # What is left unprintable cannot be shown (private use), or not even be encoded (a lone surrogate).
            kept.append(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}")
    return "".join(kept)


def _inert(text: str) -> str:
    text = _TRIGGER.sub(rf"\g<0>{_BREAK}", text)
    text = _PUNCTUATION.sub(lambda found: _DOLLAR if found[0] == "$" else f"&#{ord(found[0])};", text)
    return re.sub(f"{_BREAK}+", "<wbr>", text)
