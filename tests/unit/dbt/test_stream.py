import io
import itertools
import json
from typing import Any

import pytest

from incident_gate.dbt import stream
from incident_gate.dbt.stream import ANY, NAME, TEXT, Limits, entries
from incident_gate.files import FileError

WANTED = {
    "meta": {"a": TEXT},
    "nodes.*": {"name": NAME, "list": TEXT, "in": {ANY: {"x": TEXT}}},
    "results.*": {"id": NAME},
}
RESULTS: list[Any] = [{"id": "a"}, {"id": {}}, 5, [], None]


def read(data: str | bytes, limits: Limits | None = None) -> list[tuple[tuple[str, ...], Any]]:
    content = data.encode() if isinstance(data, str) else data
    return list(entries(io.BytesIO(content), WANTED, limits or Limits(what="entries", entries=9)))


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('{"meta": {"a": 1, "b": 2}}', [((), {}), (("meta",), {"a": 1})]),
        (
            '{"x": {"nodes": {}}, "nodes": {"n.1": {"name": "N", "other": {"name": 1}, "list": ["a", 1, [2], {}]}}}',
            [((), {}), (("nodes",), {}), (("nodes", "n.1"), {"name": "N", "list": ["a", 1, [], {}]})],
        ),
        (
            '{"nodes": {"n": {"in": {"k": {"x": 1, "y": 2}, "l": 3, "m": [4]}}}}',
            [((), {}), (("nodes",), {}), (("nodes", "n"), {"in": {"k": {"x": 1}, "l": 3, "m": []}})],
        ),
        (
            '{"results": [{"id": "a"}, {"id": {"b": 1}}, 5, [{"id": "c"}], null]}',
            [((), {}), (("results",), [])] + [(("results", ANY), item) for item in RESULTS],
        ),
        (
            '{"nodes": 5, "results": null, "meta": [1]}',
            [((), {}), (("nodes",), 5), (("results",), None), (("meta",), [])],
        ),
        ("[]", [((), [])]),
        ("5", [((), 5)]),
    ],
)
def test_entries_are_read_with_what_is_wanted_of_them(text: str, found: list[Any]) -> None:
    assert read(text) == found


@pytest.mark.parametrize("chunk", [1, 2, 3, 7, 64])
@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("NaN", None),
        ("-Infinity", None),
        ("[Infinity, 1, NaN]", [None, 1, None]),
        (r'"NaN, -Infinity"', "NaN, -Infinity"),
        (r'"a \" NaN"', 'a " NaN'),
        (r'"\\", "b": NaN, "name": "NaN"', "\\"),
        (r'"\\\\\" NaN"', '\\\\" NaN'),
    ],
)
def test_what_python_writes_for_numbers_without_a_value_is_null(
    monkeypatch: pytest.MonkeyPatch, text: str, value: Any, chunk: int
) -> None:
    monkeypatch.setattr(stream, "_CHUNK", chunk)
    assert read(f'{{"meta": {{"x": NaN, "a": {text}}}}}')[1] == (("meta",), {"a": value})


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_encodings(encoding: str) -> None:
    assert read('{"meta": {"a": "\u00e4\U0001f600"}}'.encode(encoding))[1] == (("meta",), {"a": "\u00e4\U0001f600"})


@pytest.mark.parametrize(
    "data", [b"", b"{", b"{}x", b"\xff\xfe\x00", b'{"a": "\xff"}', b"NaN,", b'{"a": 1e999}', b'{"a": Inf}', b"\x00\x01"]
)
def test_what_is_not_json_is_refused(data: bytes) -> None:
    with pytest.raises(FileError, match="is not complete JSON"):
        read(data)


@pytest.mark.parametrize("opening", ["[", '{"a":'])
@pytest.mark.parametrize("place", ['{"x":', '{"nodes":{"n":{"meta":'])
def test_nesting_beyond_the_limit_is_refused(opening: str, place: str) -> None:
    with pytest.raises(FileError, match="nested more than 200 levels deep"):
        read(place + opening * 10_000)


@pytest.mark.parametrize(
    "value", ['"' + "x" * 400_000 + '"', "5" * 400_000, '"' + "\\\\" * 200_000 + '"', " " * 400_000]
)
def test_a_value_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch, value: str) -> None:
    monkeypatch.setattr(stream, "MAX_TOKEN", 200_000)
    with pytest.raises(FileError, match=r"has a value of more than 195\.3 KiB|is not complete JSON"):
        read(f'{{"other": {value}}}')


LARGE: list[dict[str, Any]] = [
    {"list": ["t"] * 3000},
    {"list": [[]] * 3000},
    {"in": {f"k{n}": {"x": n} for n in range(3000)}},
    {"in": {"k" * 300_000: {}}},
]


@pytest.mark.parametrize("entry", LARGE)
def test_an_entry_beyond_the_limit_is_refused(monkeypatch: pytest.MonkeyPatch, entry: dict[str, Any]) -> None:
    monkeypatch.setattr(stream, "MAX_ENTRY", 200_000)
    with pytest.raises(FileError, match=r"has an entry of which more than 195\.3 KiB would be kept"):
        read(json.dumps({"nodes": {"n": entry}}))


def test_a_long_text_is_cut_and_a_long_name_refused() -> None:
    assert read(json.dumps({"meta": {"a": "x" * 9000}}))[1][1] == {"a": "x" * 4000}
    for text in (json.dumps({"nodes": {"n": {"name": "x" * 9000}}}), json.dumps({"nodes": {"x" * 9000: {}}})):
        with pytest.raises(FileError, match="has a name of more than 4,000 characters"):
            read(text)


def test_reading_ends_when_its_time_is_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(stream, "_CHUNK", 8)
    text = json.dumps({"results": [{"id": str(n)} for n in range(100)]})
    clock = itertools.count(100, 10)
    with pytest.raises(FileError, match="reading all files may take 60 seconds"):
        read(text, Limits(what="entries", entries=999, clock=lambda: next(clock)))
    assert next(clock) == 180
