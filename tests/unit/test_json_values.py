"""Navigating untrusted JSON."""

from __future__ import annotations

import pytest

from incident_gate.json_values import at, items, mapping, mappings, text, whole

VALUE = {"a": {"b": [1, {"c": "x"}, None, {"c": 2}]}, "n": 3, "t": True, "s": "text"}


def test_path_leads_to_what_is_there() -> None:
    assert at(VALUE, "a", "b") == [1, {"c": "x"}, None, {"c": 2}]
    assert mapping(VALUE, "a") == VALUE["a"]
    assert items(VALUE, "a", "b") == [1, {"c": "x"}, None, {"c": 2}]
    assert list(mappings(VALUE, "a", "b")) == [{"c": "x"}, {"c": 2}]
    assert (text(VALUE, "s"), whole(VALUE, "n")) == ("text", 3)


@pytest.mark.parametrize("value", [None, 1, "s", [], [{"a": 1}], {}, {"a": None}, {"a": 1}, {"a": [1]}, {"a": "s"}])
def test_what_is_missing_or_of_another_type_is_absent(value: object) -> None:
    assert at(value, "a", "b") is None
    assert mapping(value, "a", "b") == {}
    assert items(value, "a", "b") == []
    assert list(mappings(value, "a", "b")) == []
    assert (text(value, "a", "b"), whole(value, "a", "b")) == ("", None)


def test_boolean_is_no_number_and_a_number_no_text() -> None:
    assert whole(VALUE, "t") is None
    assert text(VALUE, "n") == ""
    assert mapping(VALUE, "s") == {}
    assert items(VALUE, "s") == []
