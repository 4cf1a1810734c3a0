"""Great Expectations: validation results and checkpoint results, of 0.18 and 1.x, and `describe()`."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from incident_gate.dbt.stream import ANY, TEXT
from incident_gate.dbt.stream import NAME as NAMED
from incident_gate.json_values import at, mapping, text, whole
from incident_gate.outcome.results.model import (
    CheckStatus,
    FileResults,
    Reading,
    ReportedResult,
    incident_type,
    moment,
)

NAME = "Great Expectations"
_EXCEPTION: Mapping[str, Any] = {"raised_exception": TEXT, "exception_message": TEXT}
_CONFIG: Mapping[str, Any] = {
    "type": NAMED,
    "expectation_type": NAMED,
    "kwargs": {"column": NAMED, "batch_id": NAMED},
}
# Of `result` only numbers: the lists hold values of rows.
EXPECTATION: Mapping[str, Any] = {
    "success": TEXT,
    **_CONFIG,
    "expectation_config": _CONFIG,
    "result": {"element_count": TEXT, "unexpected_count": TEXT, "observed_value": TEXT},
    "exception_info": {**_EXCEPTION, ANY: _EXCEPTION},
}
_VALIDATION: Mapping[str, Any] = {
    "success": {},
    "results.*": EXPECTATION,
    "statistics": {"unsuccessful_expectations": TEXT},
    "meta": {
        "active_batch_definition": {
            "datasource_name": NAMED,
            "data_asset_name": NAMED,
            "batch_identifiers": {ANY: NAMED},
        },
        "run_id": {"run_time": TEXT},
        "validation_time": TEXT,
    },
}
WANTED: Mapping[str, Any] = {
    **_VALIDATION,
    "run_id": {"run_time": TEXT},
    **{f"run_results.*.{path}": keys for path, keys in _VALIDATION.items()},
    # Before 1.0 there is a level more.
    **{f"run_results.*.validation_result.{path}": keys for path, keys in _VALIDATION.items()},
    "validation_results.*.success": {},
    "validation_results.*.expectations.*": EXPECTATION,
}
_CHECKPOINTS = ("run_results", "validation_results")


class _Row(NamedTuple):
    """An expectation; which asset it is about is known at the end of its validation only."""

    kind: str
    column: str
    batch: str
    status: CheckStatus
    message: str


@dataclass(slots=True)
class _Validation:
    success: Any = None
    meta: Mapping[str, Any] = field(default_factory=dict)
    declared: int = 0
    rows: list[_Row] = field(default_factory=list)


class Reader:
    """Takes in the entries of a file."""

    def __init__(self, reading: Reading) -> None:
        self._reading = reading
        self._root = _Validation()
        self._nested: list[_Validation] = []
        self._values: dict[str, Any] = {}  # of the root

    def take(self, path: tuple[str, ...], value: Any) -> None:
        """Take in an entry."""
        validation = self._nested[-1] if self._nested and path[0] in _CHECKPOINTS else self._root
        if len(path) == 1:
            self._values[path[0]] = value
        match path:
            case ("run_results" | "validation_results", _):
                self._reading.limits.keep()
                self._nested.append(_Validation())
            case (*_, "success"):
                validation.success = value
            case (*_, "meta"):
                validation.meta = mapping(value)
            case (*_, "statistics"):
                validation.declared = whole(value, "unsuccessful_expectations") or 0
            case (*_, "results" | "expectations", _) if not (isinstance(value, dict) and "unique_id" in value):
                validation.rows.append(self._row(value))

    @property
    def accepts(self) -> bool:
        """Whether this is a file of Great Expectations."""
        if isinstance(self._values.get("results"), list) and "success" in self._values:
            return True
        return self._is_checkpoint

    def results(self) -> FileResults:
        """What the file reports."""
        validations = self._nested if self._is_checkpoint else [self._root]
        found = [_results(validation) for validation in validations]
        times = (
            moment(at(validation.meta, "run_id", "run_time")) or moment(at(validation.meta, "validation_time"))
            for validation in validations
        )
        stray = next((stray for _, stray in found if stray), "")
        every = tuple(result for results, _ in found for result in results)
        if self._root.success is False and not stray and not any(result.status.is_bad for result in every):
            stray = _NO_FAILURE
        written = min(filter(None, times), default=None) or moment(at(self._values.get("run_id"), "run_time"))
        return FileResults(written=written, results=every, stray=stray)

    @property
    def _is_checkpoint(self) -> bool:
        runs, described = (self._values.get(key) for key in _CHECKPOINTS)
        return isinstance(runs, dict) or isinstance(described, list)

    def _row(self, expectation: object) -> _Row:
        config = mapping(expectation, "expectation_config") or mapping(expectation)
        kind = text(config, "type") or text(config, "expectation_type")
        column, batch = text(config, "kwargs", "column"), text(config, "kwargs", "batch_id")
        exception = _exception(at(expectation, "exception_info"))
        success = at(expectation, "success")
        if exception is not None:
            status, message = CheckStatus.ERROR, self._reading.shown(exception) or "raised an exception"
        elif success is True:
            status, message = CheckStatus.PASSED, ""
        else:
            status = CheckStatus.FAILED if success is False else CheckStatus.UNKNOWN
            message = _measured(kind, at(expectation, "result"))
        self._reading.limits.keep(kind, column, batch, message)
        return _Row(kind, column, batch, status, message)


_NO_FAILURE = "reports a failure without the expectation that failed"


def _results(validation: _Validation) -> tuple[list[ReportedResult], str]:
    batch = mapping(validation.meta, "active_batch_definition")
    source, asset = text(batch, "datasource_name"), text(batch, "data_asset_name")
    identifiers = json.dumps(mapping(batch, "batch_identifiers"), sort_keys=True)
    results = [
        ReportedResult(
            ".".join(name for name in (asset or row.batch, row.kind, row.column) if name),
            row.status,
            row.message,
            identity=(source, asset, row.batch, identifiers, row.column),
            type=incident_type(row.kind, column=bool(row.column)),
        )
        for row in validation.rows
    ]
    bad = sum(result.status.is_bad for result in results)
    if (validation.success is not True and not bad) or validation.declared > bad:
        return results, _NO_FAILURE
    return results, ""


def _exception(info: object) -> str | None:
    """The message of the exception that an expectation raised, None if it raised none."""
    # The second shape: an exception for each metric.
    for inner in _mappings(info):
        if inner.get("raised_exception") is True:
            return text(inner, "exception_message")
    return None


def _mappings(info: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(info, dict):
        yield info
        yield from (inner for inner in info.values() if isinstance(inner, dict))


def _measured(kind: str, result: object) -> str:
    count, total = at(result, "unexpected_count"), at(result, "element_count")
    if isinstance(count, int | float) and count:
        of = f" of {total:,.0f}" if isinstance(total, int | float) else ""
        return f"{count:,.0f}{of} values are unexpected"
    observed = at(result, "observed_value")
    # What is observed in a column may be a value of a row.
    if "row_count" in kind and isinstance(observed, int | float):
        return f"observed {observed:,.0f}"
    return ""
