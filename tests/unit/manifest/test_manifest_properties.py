"""Whatever the bytes are, a manifest comes out, or an error that names lines of the file."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from unittest import mock

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import ManifestError

TODAY = date(2026, 11, 23)
LINE_BREAK = re.compile("\r\n|[\r\n\x85\u2028\u2029]")
PARSERS = pytest.mark.parametrize("parser", ["CSafeLoader", "SafeLoader"])


@contextmanager
def parsing_with(parser: str) -> Iterator[None]:
    with mock.patch.object(yaml, "CSafeLoader", getattr(yaml, parser), create=True):
        yield


def assert_manifest_or_mistakes(data: bytes) -> None:
    error = mistakes_in(data)
    if error is None:
        return
    lines = error.message.split("\n")
    assert len(lines) == len(error.mistakes) > 0
    for line, mistake in zip(lines, error.mistakes, strict=True):
        assert line.isprintable()
        assert line.startswith(f"gate.yml:{mistake.position.line}:{mistake.position.column}: ")
        assert len(line) < 700
        assert 1 <= mistake.position.line <= len(LINE_BREAK.findall(data.decode(errors="replace"))) + 1


def mistakes_in(data: bytes) -> ManifestError | None:
    try:
        manifest = load_manifest("gate.yml", data, TODAY)
    except ManifestError as error:
        return error
    assert manifest.inputs or manifest.outputs or manifest.selectors or manifest.output_selectors
    return None


full = (Path(__file__).parents[3] / "examples" / "manifests" / "full.yml").read_text(encoding="utf-8")
words = st.sampled_from(sorted({*re.findall(r"\S+|\s|\w+:|\W", full)}))
marks = st.sampled_from("\n\t\x85\u2028\ufeff -:?[]{},'\"#&*!|>%<=~é😀")
odd = st.sampled_from(
    ["---\n", "...\n", "%YAML 1.9\n", "&a ", "*a", "!!str ", "<<", "0x1", "1:2", r'"\ud800"', r'"\UFFFFFFFF"']
)
scraps = st.lists(words | marks | odd, max_size=25)


@PARSERS
@settings(max_examples=400)
@given(data=st.binary(max_size=200) | scraps.map(lambda pieces: "".join(pieces).encode()))
def test_any_bytes(parser: str, data: bytes) -> None:
    with parsing_with(parser):
        assert_manifest_or_mistakes(data)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=10) | st.dates(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["version", "inputs", "outputs", "defaults", "urn", "ignore", "types", "incident", "title"])
            | st.text(max_size=5),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(value=json_values)
def test_any_value_in_any_place(value: object) -> None:
    assert_manifest_or_mistakes(yaml.safe_dump(value, allow_unicode=True).encode())


visible = st.text(st.characters(exclude_categories=("C", "Z"), exclude_characters="(),%␟"), min_size=1, max_size=12)
urns = st.builds("urn:li:dataset:(urn:li:dataPlatform:{},{},PROD)".format, visible, visible) | st.builds(
    "urn:li:chart:({},{})".format, visible, visible
)


@given(urn=urns, name=visible, reason=visible, title=visible, style=st.tuples(st.booleans(), st.booleans()))
def test_text_that_is_written_is_what_is_read(
    urn: str, name: str, reason: str, title: str, style: tuple[bool, bool]
) -> None:
    rule = {"incident": "urn:li:incident:1", "until": TODAY, "reason": reason}
    content = {
        "inputs": [{"urn": urn, "name": name, "ignore": [rule]}],
        "outputs": [{"urn": urn, "incident": {"title": title}}],
    }
    flow, unicode = style
    text = yaml.safe_dump(content, default_flow_style=flow, allow_unicode=unicode, width=40).replace("${", "$${")
    manifest = load_manifest("gate.yml", text.encode(), TODAY)

    (entry,), (output,) = manifest.inputs, manifest.outputs
    assert (entry.urn.text, entry.name, [waiver.reason for waiver in entry.ignore]) == (urn, name, [reason])
    assert (output.urn.text, output.incident.title) == (urn, title)
