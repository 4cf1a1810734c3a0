"""Foreign text in sentences: short, on one line, visible."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from incident_gate.text import quote


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
