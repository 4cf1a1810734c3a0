"""Great Expectations: validation results and checkpoint results, of 0.18 and 1.x, and `describe()`."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from sys import intern
from typing import Any

from incident_gate.dbt.stream import ANY, TEXT
from incident_gate.dbt.stream import NAME as NAMED
from incident_gate.json_values import at, mapping, text, whole
from incident_gate.outcome.results.model import (
    CheckStatus,
    FileResults,
    JsonReader,
    Moment,
    ReportedResult,
    ResultKeeper,
    incident_type,
    moment,
)

NAME = "Great Expectations"
# What distinguishes expectations, besides the column. Not thresholds: the next run may compute them anew.
_DOMAIN = ("column_A", "column_B", "column_list", "column_set", "row_condition", "unexpected_rows_query")
_EXCEPTION: Mapping[str, Any] = {"raised_exception": TEXT, "exception_message": TEXT}
_CONFIG: Mapping[str, Any] = {
    "type": NAMED,
    "expectation_type": NAMED,
    "kwargs": {"column": NAMED, "batch_id": NAMED, **dict.fromkeys(_DOMAIN, TEXT)},
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
    "suite_name": {},
    "results.*": EXPECTATION,
    "statistics": {"unsuccessful_expectations": TEXT},
    "meta": {
        "expectation_suite_name": NAMED,
        # What versions before 0.18 have of a batch.
        "batch_kwargs": dict.fromkeys(
            ("datasource", "data_asset_name", "schema", "table", "path", "s3", "query"), TEXT
        ),
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


@dataclass(slots=True)
class _Validation:
    """What its file has about a batch of data. Which asset that is, is known at its end only."""

    success: Any = None
    suite: str = ""
    batch: str = ""
    asset: str = ""
    written: Moment | None = None
    declared: int = 0
    results: list[ReportedResult] = field(default_factory=list)


class ExpectationsReader(JsonReader):
    """Great Expectations' reader."""

    def __init__(self, keeper: ResultKeeper) -> None:
        super().__init__(keeper)
        self._root = _Validation()
        self._nested: list[_Validation] = []

    def _take(self, path: tuple[str, ...], value: Any) -> None:
        validation = self._nested[-1] if self._nested and path[0] in _CHECKPOINTS else self._root
        match path:
            case ("run_results" | "validation_results", _):
                self._keeper.limits.keep()
                self._nested.append(_Validation())
            case (*_, "success"):
                validation.success = isinstance(value, bool) and value
            case (*_, "suite_name"):
                validation.suite = _digest(value)
            case (*_, "meta"):
                definition = mapping(value, "active_batch_definition") or mapping(value, "batch_kwargs")
                validation.batch = _digest(definition, text(value, "expectation_suite_name"))
                validation.asset = text(definition, "data_asset_name") or text(definition, "table")
                validation.written = moment(at(value, "run_id", "run_time")) or moment(at(value, "validation_time"))
            case (*_, "statistics"):
                validation.declared = whole(value, "unsuccessful_expectations") or 0
            case (*_, "results" | "expectations", _) if not (isinstance(value, dict) and "unique_id" in value):
                validation.results.append(self._result(value))

    def results(self) -> FileResults | None:
        """What the file reports; None where it is not of Great Expectations."""
        runs, described = (self._values.get(key) for key in _CHECKPOINTS)
        is_checkpoint = isinstance(runs, dict) or isinstance(described, list)
        if not (is_checkpoint or (isinstance(self._values.get("results"), list) and "success" in self._values)):
            return None
        validations = self._nested if is_checkpoint else [self._root]
        stray = ""
        every: list[ReportedResult] = []
        times: list[Moment | None] = []
        for one in validations:
            bad = sum(result.status.is_bad for result in one.results)
            if (one.success is not True and not bad) or one.declared > bad:
                stray = _NO_FAILURE
            times.append(one.written)
            every += _of_asset(one)
        if self._root.success is False and not any(result.status.is_bad for result in every):
            stray = _NO_FAILURE
        written = min(filter(None, times), default=None) or moment(at(self._values.get("run_id"), "run_time"))
        return FileResults(written=written, results=tuple(every), stray=stray)

    def _result(self, expectation: object) -> ReportedResult:
        """An expectation, with its batch and column as identity."""
        config = mapping(expectation, "expectation_config") or mapping(expectation)
        kind = text(config, "type") or text(config, "expectation_type")
        column, batch = text(config, "kwargs", "column"), text(config, "kwargs", "batch_id")
        exception = _exception(mapping(expectation, "exception_info"))
        success = at(expectation, "success")
        if exception is not None:
            status, message = CheckStatus.ERROR, self._keeper.shown(exception) or "raised an exception"
        elif success is True:
            status, message = CheckStatus.PASSED, ""
        else:
            status = CheckStatus.FAILED if success is False else CheckStatus.UNKNOWN
            message = _measured(kind, at(expectation, "result"))
        domain = _digest(*(at(config, "kwargs", key) for key in _DOMAIN))
        self._keeper.limits.keep(kind, column, batch, message, domain)
        kind_of_incident = incident_type(kind, column=bool(column))
        return ReportedResult(kind, status, message, identity=(batch, column, domain), type=kind_of_incident)


_NO_FAILURE = "reports a failure without the expectation that failed"


def _of_asset(validation: _Validation) -> Iterator[ReportedResult]:
    """The results of a validation, under their full names."""
    for result in validation.results:
        batch, column, _ = result.identity
        name = ".".join(filter(None, (validation.asset or batch, result.name, column)))
        yield result._replace(name=name, identity=(validation.batch, validation.suite, *result.identity))


def _digest(*values: object) -> str:
    return intern(hashlib.sha256(json.dumps(values, sort_keys=True).encode()).hexdigest())


def _exception(info: Mapping[str, Any]) -> str | None:
    """The message of the exception that an expectation raised, None if it raised none."""
    for inner in (info, *info.values()):  # in its second shape, an exception for each metric
        if at(inner, "raised_exception") is True:
            return text(inner, "exception_message")
    return None


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
