"""Untrusted text stays text, wherever it is put."""

from __future__ import annotations

import html
import re
import unicodedata
from urllib.parse import unquote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.text import Redactor, code, link, markdown, plain, prose, quote, sentences
from tests.helpers.github_markdown import Page
from tests.helpers.runner_grammar import commands_in

COMMANDS = "::error::x ::add-mask::a ##[group] ## [ ::stop-commands::t \x1b[31m \x9b2J \u202e \u200b"
MENTIONS = f"@octocat @a/b #12 o/r#3 GH-4 {'deadbeef' * 5} https://e.com www.e.com a@b.de :tada: $x$"
MARKUP = r"<script> <!-- --> <b> </td> </details> ![a](b) [a](b) [^1] | \| \ ` `` $` &#64;octocat &lt;b&gt;"
SNIPPETS = [
    *f"{COMMANDS} {MENTIONS} {MARKUP}".split(" "),
    *("\n", "\r\n", "\u2028", "\x85", "\x0b", "\ud800", "*a*", "_a_", "~~a~~", "- ", "1. ", "> "),
]
hostile = st.lists(st.sampled_from(SNIPPETS) | st.text(max_size=6) | st.sampled_from(" ab")).map("".join)


@given(hostile, st.integers(1, 60))
def test_plain_text_is_one_visible_line_within_the_limit(text: str, limit: int) -> None:
    shown = plain(text, limit)
    assert len(shown) <= limit
    assert shown.isprintable()
    assert len(shown.splitlines()) <= 1
    assert not {unicodedata.category(character) for character in shown} & {"Cc", "Cf", "Cs", "Zl", "Zp"}
    shown.encode()


@given(hostile)
def test_plain_text_stays_as_it_is_the_second_time(text: str) -> None:
    assert plain(plain(text)) == plain(text)


@given(hostile, st.integers(1, 60))
def test_plain_text_starts_no_command_even_if_broken_into_lines_between_words(text: str, limit: int) -> None:
    assert commands_in(plain(text, limit).replace(" ", "\n    ")) == []
    assert commands_in(plain(text, limit)) == []


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("two\r\nlines\tand\u2028more\x0bor\x85less", "two lines and more or less"),
        ("\x1b[31;1mred\x1b[0m \x1b]8;;https://e.com\x07link\x1b]8;;\x07", "red link"),
        ("abc\u202egnp.exe", "abcgnp.exe"),
        ("in\u200bvi\ufeffsi\u2060b\u115fle\u3164", "invisible"),
        ("a" + "\u0301" * 20, "a\u0301\u0301"),
        ("\ud800", "\N{REPLACEMENT CHARACTER}"),
        ("a\x07b\x9bc\x00d", "abcd"),
        ("##[error]no", "## [error]no"),
        ("::error::no", ": :error::no"),
        ("urn:li:incident:1", "urn:li:incident:1"),
        ("データ品質 ✅ naïve", "データ品質 ✅ naïve"),
        ("x" * 300, "x" * 199 + "…"),
        ("x" * 10 + "\u200b" * 10_000 + "y", "x" * 10 + "…"),
    ],
)
def test_plain_text_examples(text: str, shown: str) -> None:
    assert plain(text) == shown


@given(hostile)
def test_markdown_shows_the_text_and_nothing_else(text: str) -> None:
    page = Page(
        f"| a | b |\n| --- | --- |\n| {markdown(text)} | end |\n\n- {markdown(text)}\n\nSo: **x** {markdown(text)} y\n"
    )
    assert set(page.elements) <= {"table", "thead", "tbody", "tr", "th", "td", "ul", "li", "p", "strong", "span", "wbr"}
    assert not page.links
    assert not page.attributes
    assert len(page.rows) == 2
    assert page.rows[1][0] == plain(text)
    assert page.rows[1][1] == "end"
    assert page.live() == {}


@given(hostile)
def test_code_shows_the_exact_text_and_nothing_else(text: str) -> None:
    page = Page(f"| a | b |\n| --- | --- |\n| {code(text)} | end |\n\n- {code(text)}\n")
    assert set(page.elements) <= {"table", "thead", "tbody", "tr", "th", "td", "ul", "li", "code", "span", "wbr"}
    assert not page.links
    assert page.rows[1][0] == plain(text, 400)
    assert page.rows[1][1] == "end"
    assert page.live() == {}


@given(hostile, hostile)
def test_a_link_leads_only_where_it_was_meant_to(label: str, path: str) -> None:
    address = "https://datahub.example.com/" + path.encode(errors="replace").decode()
    page = Page(f"| a | b |\n| --- | --- |\n| {link(label, address)} | end |\n")
    assert len(page.links) == 1
    assert unquote(page.links[0]) == unquote(address)
    assert set(page.elements) <= {"table", "thead", "tbody", "tr", "th", "td", "a", "span", "wbr"}
    assert page.attributes == {"href"}
    assert page.rows[1][1] == "end"
    assert page.live() == {}


@pytest.mark.parametrize(
    "url", [None, "", "javascript:alert(1)", "data:text/html,x", "//evil.example.com", "/relative"]
)
def test_an_address_that_is_not_http_is_no_link(url: str | None) -> None:
    assert link("label", url) == "label"


@pytest.mark.parametrize(
    "text",
    [
        *("@octocat", "(@octocat)", "&#64;octocat", "a@b.de", "mailto:a@b.de", "xmpp:a@b.de", ":tada:", "$a$ and $b$"),
        *("#1", "a/b#1", "GH-1", "https://e.com", "HTTPS://E.com", "www.e.com"),
    ],
)
def test_what_github_would_make_live_reads_the_same_and_stays_dead(text: str) -> None:
    assert Page(f"see {text} there").live() or Page(f"see {text} there").links, "the test's own check is blind to this"
    page = Page(f"see {markdown(text)} there")
    assert page.live() == {}
    assert page.links == []
    assert page.text.strip() == f"see {text} there"


@pytest.mark.parametrize(
    "text", ["succeeded", "events_20240131", "a@b", "#a", "2026-12-01 02:00", "deadbeefdeadbeef", "C# 8", "orders@v2"]
)
def test_names_words_and_hashes_hold_nothing_invisible(text: str) -> None:
    assert Page(markdown(text)).text.strip() == text
    assert Page(link(text, "https://e.com")).text.strip() == text


def test_ordinary_text_stays_readable_in_the_source() -> None:
    assert markdown("Table orders, row-level check: 2/6 failed") == "Table orders, row-level check&#58; 2/6 failed"
    assert code(URN) == f"`{URN}`"


URN = "urn:li:dataset:(urn:li:dataPlatform:snowflake,analytics_of_everything.public.orders_daily_by_region,PROD)"


@pytest.mark.parametrize("text", [URN, "x" * 100, "金額" * 30, "a|b" * 20, "`" * 40, "...:::" * 20])
def test_a_long_word_of_a_link_can_be_broken_for_a_phone(text: str) -> None:
    page = Page(link(text, "https://e.com"))
    assert page.text.strip() == text
    assert max(len(html.unescape(word)) for word in re.split("<[^>]*>", page.html)) <= 30


@given(hostile)
def test_prose_has_code_between_backticks_and_nothing_else(text: str) -> None:
    page = Page(f"| a | b |\n| --- | --- |\n| {prose(f'Set `on-unknown: warn` {text}')} | end |\n")
    assert set(page.elements) <= {"table", "thead", "tbody", "tr", "th", "td", "code", "span", "wbr"}
    assert page.rows[1][1] == "end"
    assert page.live() == {}


@pytest.mark.parametrize(
    ("text", "markdown_text"),
    [
        ("Set `on-unknown: warn` here.", "Set `on-unknown: warn` here."),
        ("`a` or `b`", "`a` or `b`"),
        ("a ` b", "a &#96; b"),
        ("`a` and ` b", "`a` and &#96; b"),
        ("", ""),
    ],
)
def test_prose_examples(text: str, markdown_text: str) -> None:
    assert prose(text) == markdown_text


@pytest.mark.parametrize(
    ("texts", "line"),
    [
        (("It does not exist", "Check the URN."), "It does not exist. Check the URN."),
        (("Why?", "", "Set `a`"), "Why? Set a."),
        (("", "\u200b"), ""),
        (("a\nb",), "a b."),
    ],
)
def test_sentences_are_separated(texts: tuple[str, ...], line: str) -> None:
    assert sentences(*texts) == line


def test_a_link_is_never_without_a_text() -> None:
    assert link("\u200b", "https://e.com/?a=1&b=2") == "[…](https://e.com/?a=1&amp;b=2)"


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("orders", '"orders"'),
        ("a\nb\x1b[31m", r'"a\nb\x1b[31m"'),
        ("\u202egnp", r'"\u202egnp"'),
        ("\ud800", r'"\ud800"'),
        ("x" * 80, f'"{"x" * 80}"'),
        ("x" * 81, f'"{"x" * 79}…"'),
    ],
)
def test_what_cannot_be_seen_is_written_out(text: str, quoted: str) -> None:
    assert quote(text) == quoted


@given(st.text(st.characters()))
def test_a_quotation_is_printable_whatever_it_quotes(text: str) -> None:
    assert quote(text).isprintable()


def test_a_secret_within_another_leaves_nothing_of_the_longer_one() -> None:
    assert Redactor(("abc", "abcdef"))("abcdef abc") == "*** ***"


@pytest.mark.parametrize(
    ("secret", "host", "found"),
    [
        ("abc", "abc.example.com", True),
        ("AbC.dEf", "abc-def.example.com", True),
        ("a-b", "ab.example.com", False),
        ("abcdef", "abc.example.com", False),
    ],
)
def test_a_host_may_hold_a_secret_in_another_spelling(secret: str, host: str, *, found: bool) -> None:
    assert Redactor((secret,)).is_in_host(host) is found
