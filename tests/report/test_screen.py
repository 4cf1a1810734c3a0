"""How wide text is on a terminal, and text that fits."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from incident_gate.report.screen import cells, fitted, padded


@given(st.text(st.sampled_from("a漢e\u0301é✅")), st.integers(1, 30))
def test_text_is_cut_and_filled_to_the_column(text: str, size: int) -> None:
    assert cells(fitted(text, size)) <= size
    assert cells(padded(text, size)) == size
    if cells(text) <= size:
        assert padded(text, size) == text + " " * (size - cells(text))


def test_columns_are_counted_as_the_terminal_draws_them() -> None:
    assert [cells(text) for text in ("a", "e\u0301", "漢", "✅", "")] == [1, 1, 2, 2, 0]
