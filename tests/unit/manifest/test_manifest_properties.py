"""Whatever the bytes are, a manifest comes out, or an error that names lines of the file."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any
from unittest import mock

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st

from incident_gate.incident import INCIDENT_TYPES, Priority
from incident_gate.manifest.load import load_manifest
from incident_gate.manifest.model import ManifestError, OnIncident, OnUnknown

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
types = st.lists(st.sampled_from(INCIDENT_TYPES), min_size=1, unique=True)
waivers = st.fixed_dictionaries(
    {
        "incident": st.uuids().map("urn:li:incident:{}".format),
        "until": st.dates(min_value=TODAY),
        "reason": visible,
    }
)
entries = st.fixed_dictionaries(
    {},
    optional={
        "name": visible,
        "on-incident": st.sampled_from(OnIncident).map(str),
        "on-unknown": st.sampled_from(OnUnknown).map(str),
        "types": types,
        "min-priority": st.sampled_from(Priority).map(lambda priority: priority.name),
        "siblings": st.booleans(),
        "ignore": st.lists(waivers, max_size=2),
    },
)
owners = st.builds("urn:li:{}:{}".format, st.sampled_from(["corpuser", "corpGroup"]), visible)
incidents = st.fixed_dictionaries(
    {},
    optional={
        "title": visible,
        "description": visible,
        "priority": st.sampled_from(Priority).map(lambda priority: priority.name),
        "assignees": st.lists(owners, max_size=2),
    },
)
templates = st.builds(
    lambda incident, type_, custom: incident | {"type": type_} | ({"custom-type": custom} if type_ == "CUSTOM" else {}),
    incidents,
    st.sampled_from(INCIDENT_TYPES),
    visible,
)
manifests = st.fixed_dictionaries(
    {
        "version": st.just(1),
        "inputs": st.dictionaries(urns, entries, min_size=1, max_size=4),
        "outputs": st.dictionaries(urns, templates, max_size=3),
    }
)


@settings(deadline=None)
@given(manifest=manifests, flow=st.booleans(), unicode=st.booleans())
def test_what_is_written_is_what_is_read(manifest: dict[str, Any], *, flow: bool, unicode: bool) -> None:
    content = {
        "version": 1,
        "inputs": [{"urn": urn} | entry if entry else urn for urn, entry in manifest["inputs"].items()],
        "outputs": [{"urn": urn, "incident": template} for urn, template in manifest["outputs"].items()],
    }
    text = yaml.safe_dump(content, default_flow_style=flow, allow_unicode=unicode, width=40).replace("${", "$${")
    loaded = load_manifest("gate.yml", text.encode(), TODAY)

    for entry, (urn, keys) in zip(loaded.inputs, manifest["inputs"].items(), strict=True):
        assert entry.urn.text == urn
        assert entry.label == keys.get("name", entry.urn.name)
        assert entry.rules.on_incident == keys.get("on-incident")
        assert entry.rules.on_unknown == keys.get("on-unknown")
        assert entry.rules.types == (frozenset(keys["types"]) if "types" in keys else None)
        assert entry.rules.min_priority == (Priority[keys["min-priority"]] if "min-priority" in keys else None)
        assert entry.rules.siblings == keys.get("siblings")
        assert [{"incident": w.incident, "until": w.until, "reason": w.reason} for w in entry.ignore] == keys.get(
            "ignore", []
        )
    for output, (urn, keys) in zip(loaded.outputs, manifest["outputs"].items(), strict=True):
        assert output.urn.text == urn
        assert output.incident.type == keys["type"]
        assert output.incident.custom_type == keys.get("custom-type")
        assert output.incident.title == keys.get("title")
        assert output.incident.description == keys.get("description")
        assert list(output.incident.assignees) == keys.get("assignees", [])
