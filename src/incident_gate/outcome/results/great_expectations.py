"""Great Expectations: validation results and checkpoint results, of 0.18 and 1.x, and `describe()`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from incident_gate.outcome.results.kinds import incident_type
from incident_gate.outcome.results.model import Check, Content, Verdict
from incident_gate.outcome.results.wording import one_line, unix_time

NAME = "Great Expectations"
_EXCEPTION: Mapping[str, Any] = {"raised_exception": None, "exception_message": None}
# Of `result` only numbers: the lists hold values of rows.
_EXPECTATION: Mapping[str, Any] = {
    "success": None,
    "expectation_type": None,
    "kwargs": {"column": None, "batch_id": None},
    "expectation_config": {
        "type": None,
        "expectation_type": None,
        "kwargs": {"column": None, "batch_id": None},
    },
    "result": {"element_count": None, "unexpected_count": None, "observed_value": None},
    "exception_info": {**_EXCEPTION, "*": _EXCEPTION},
}
_META: Mapping[str, Any] = {
    "active_batch_definition": {"data_asset_name": None},
    "run_id": {"run_time": None},
    "validation_time": None,
}
_VALIDATION: Mapping[str, Any] = {"success": None, "results": [_EXPECTATION], "meta": _META}
WANTED: Mapping[str, Any] = {
    **_VALIDATION,
    "run_id": {"run_time": None},
    "run_results": {"*": {**_VALIDATION, "validation_result": _VALIDATION}},
    "validation_results": [{"success": None, "expectations": [_EXPECTATION]}],
}


def accepts(root: Mapping[str, Any]) -> bool:
    """Whether this is a file of Great Expectations."""
    return (
        isinstance(root.get("run_results"), dict)
        or isinstance(root.get("validation_results"), list)
        or (isinstance(root.get("results"), list) and "success" in root)
    )


def read(root: Mapping[str, Any]) -> Content:
    """Read the results of expectations."""
    checks: list[Check] = []
    times: list[float | None] = []
    problem = ""
    for validation in _validations(root):
        meta = validation.get("meta")
        times.append(unix_time(_at(meta, "run_id", "run_time")) or unix_time(_at(meta, "validation_time")))
        found = [
            _check(expectation, _at(meta, "active_batch_definition", "data_asset_name"))
            for expectation in _list(validation, "results", "expectations")
        ]
        checks += found
        if validation.get("success") is not True and not any(check.verdict.is_bad for check in found):
            problem = "reports a failure without the expectation that failed"
    time = min((t for t in times if t), default=None) or unix_time(_at(root, "run_id", "run_time"))
    return Content(time=time, checks=tuple(checks), problem=problem)


def _validations(root: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    run_results = root.get("run_results")
    if isinstance(run_results, dict):
        for value in run_results.values():
            inner = value.get("validation_result") if isinstance(value, dict) else None
            # Before 1.0 there is a level more.
            yield inner if isinstance(inner, dict) else value if isinstance(value, dict) else {}
    elif isinstance(described := root.get("validation_results"), list):
        yield from (value for value in described if isinstance(value, dict))
    else:
        yield root


def _check(expectation: object, asset: object) -> Check:
    if not isinstance(expectation, dict):
        return Check("", Verdict.UNKNOWN)
    config = expectation.get("expectation_config")
    config = config if isinstance(config, dict) else expectation
    kind = config.get("type") or config.get("expectation_type")
    column, batch = (_at(config, "kwargs", key) for key in ("column", "batch_id"))
    names = (asset if isinstance(asset, str) else batch, kind, column)
    exception = _exception(expectation.get("exception_info"))
    success = expectation.get("success")
    if exception is not None:
        verdict, message = Verdict.ERROR, exception
    elif success is True:
        verdict, message = Verdict.PASSED, ""
    else:
        verdict = Verdict.FAILED if success is False else Verdict.UNKNOWN
        message = _measured(str(kind), expectation.get("result"))
    return Check(
        ".".join(name for name in names if isinstance(name, str) and name),
        verdict,
        message,
        incident_type(str(kind), column=isinstance(column, str)),
    )


def _exception(info: object) -> str | None:
    """The message of the exception that an expectation raised, None if it raised none."""
    if not isinstance(info, dict):
        return None
    # The second shape: an exception for each metric.
    for inner in (info, *info.values()):
        if isinstance(inner, dict) and inner.get("raised_exception") is True:
            return one_line(inner.get("exception_message")) or "raised an exception"
    return None


def _measured(kind: str, result: object) -> str:
    count, total = _at(result, "unexpected_count"), _at(result, "element_count")
    if isinstance(count, int | float) and count:
        of = f" of {total:,.0f}" if isinstance(total, int | float) else ""
        return f"{count:,.0f}{of} values are unexpected"
    observed = _at(result, "observed_value")
    # What is observed in a column may be a value of a row.
    if "row_count" in kind and isinstance(observed, int | float):
        return f"observed {observed:,.0f}"
    return ""


def _list(value: Mapping[str, Any], *keys: str) -> list[Any]:
    return next((inner for key in keys if isinstance(inner := value.get(key), list)), [])


def _at(value: object, *path: str) -> object:
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value
