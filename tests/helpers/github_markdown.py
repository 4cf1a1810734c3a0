"""GitHub's rendering: its own Markdown library, then what it looks for in the finished text."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import cmarkgfm  # type: ignore[import-untyped]
from cmarkgfm.cmark import Options  # type: ignore[import-untyped]

_VOID = {"br", "img", "hr", "input", "wbr"}
# What github.com makes live in text outside of code, links aside: by its documentation and html-pipeline's filters.
LIVE = {
    "mention": re.compile(r"(?<![\w`])@[a-z0-9][a-z0-9-]*", re.IGNORECASE),
    "address": re.compile(r"\w@[\w-]+\.\w"),
    "issue": re.compile(r"#\d+"),
    "old issue": re.compile(r"\bgh-\d+", re.IGNORECASE),
    "emoji": re.compile(r":[\w+-]+:", re.ASCII),
    "link": re.compile(r"\b(?:https?|ftp|mailto|xmpp)://?\S|\bwww\.\S", re.IGNORECASE),
    "math": re.compile(r"\$[^$]+\$"),
}


class Page(HTMLParser):
    """A rendered page, taken apart: `elements` in order, `links`, `text`, and `open_text`, where GitHub looks for more.

    Adjacent text is one string, as GitHub's filters see it.
    """

    def __init__(self, markdown: str) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: list[str] = []
        self.links: list[str] = []
        self.attributes: set[str] = set()
        self.text = ""
        self.open_text: list[str] = [""]
        self.rows: list[list[str]] = []
        self._stack: list[str] = []
        options = Options.CMARK_OPT_UNSAFE | Options.CMARK_OPT_FOOTNOTES
        # The library's strings end at a NUL.
        self.html = cmarkgfm.github_flavored_markdown_to_html(markdown.replace("\0", ""), options)
        self.feed(self.html)
        self.close()
        if self._stack:
            raise AssertionError(f"left open: {self._stack}")

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(tag)
        self.attributes |= {name for name, _ in attrs}
        self.links += [value or "" for name, value in attrs if name in ("href", "src")]
        self.open_text.append("")
        if tag == "tr":
            self.rows.append([])
        if tag in ("td", "th"):
            self.rows[-1].append("")
        if tag not in _VOID:
            self._stack.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self._stack.pop() != tag:
            raise AssertionError(f"closed out of order: {tag}")
        self.open_text.append("")

    def handle_comment(self, data: str) -> None:
        raise AssertionError(f"a comment: {data}")

    def handle_data(self, data: str) -> None:
        self.text += data
        if "td" in self._stack or "th" in self._stack:
            self.rows[-1][-1] += data
        if "code" not in self._stack:
            self.open_text[-1] += data

    def live(self) -> dict[str, str]:
        """What GitHub would make of the text by itself."""
        return {kind: text for kind, pattern in LIVE.items() for text in self.open_text if pattern.search(text)}
