"""Results files in which anything may be anything: a reader reports what is wrong, and never fails."""

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from incident_gate.outcome.results.dbt import Projects
from incident_gate.outcome.results.evaluate import evaluate
from tests.helpers.results import FIXTURES, output, read_files

SAMPLES = sorted(
    path
    for pattern in ("results/**/*.json", "dbt/shop-1.9/*results.json", "dbt/shop-1.7/*sources.json")
    for path in FIXTURES.glob(pattern)
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=5,
)
ORDERS = output("urn:li:dataset:(urn:li:dataPlatform:duckdb,shop.mart.orders_v2,PROD)", "*")


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, part in inner for found in _places(part, (*place, key)))]


def _replaced(value: Any, place: tuple[Any, ...], new: Any) -> Any:
    if not place:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _replaced(value[place[0]], place[1:], new)
    return copy


def _assess(folder: Path) -> None:
    files = read_files(folder, "file", job_start=0)
    for job_failed in (True, False):
        evaluate([ORDERS], files, Projects(), job_failed=job_failed)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("sample", SAMPLES, ids=lambda path: path.name)
def test_json_in_which_anything_may_be_anything(tmp_path: Path, sample: Path, data: st.DataObject) -> None:
    value = json.loads(sample.read_text(encoding="utf-8"))
    for _ in range(data.draw(st.integers(1, 3))):
        value = _replaced(value, data.draw(st.sampled_from(_places(value))), data.draw(ANYTHING))
    (tmp_path / "file").write_text(json.dumps(value), encoding="utf-8")
    _assess(tmp_path)


@settings(max_examples=25, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(data=st.data())
@pytest.mark.parametrize("sample", [*SAMPLES[:2], *sorted(FIXTURES.glob("results/junit/*.xml"))], ids=lambda p: p.name)
def test_bytes_that_were_changed_cut_or_doubled(tmp_path: Path, sample: Path, data: st.DataObject) -> None:
    content = bytearray(sample.read_bytes())
    for _ in range(data.draw(st.integers(1, 3))):
        start = data.draw(st.integers(0, len(content)))
        end = data.draw(st.integers(start, min(len(content), start + 200)))
        part = bytes(content[start:end])
        content[start:end] = data.draw(st.sampled_from([b"", part * 2])) or data.draw(st.binary(max_size=5))
    (tmp_path / "file").write_bytes(bytes(content))
    _assess(tmp_path)
