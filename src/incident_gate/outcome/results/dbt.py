"""dbt's `run_results.json` and `sources.json`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from incident_gate.outcome.results.model import Build, Check, Content, Verdict
from incident_gate.outcome.results.wording import one_line, unix_time
from incident_gate.text import quote

NAME = "dbt"
# Neither `compiled_code` nor `relation_name`: the one is the query, the other is no reliable name.
WANTED: Mapping[str, Any] = {
    "metadata": {"dbt_schema_version": None, "generated_at": None},
    "args": {"which": None, "empty": None, "sample": None},
    "results": [{"unique_id": None, "status": None, "message": None, "error": None}],
}

# `compile`, `docs generate` and `clone` report every model, and the first two every test, as a success.
_COMMANDS = frozenset({"run", "build", "test", "seed", "snapshot"})
_BUILDS = frozenset({"model", "seed", "snapshot"})
_TESTS = frozenset({"test", "unit_test"})
_BUILD_VERDICTS = {
    "success": Verdict.PASSED,
    "error": Verdict.FAILED,
    "fail": Verdict.FAILED,
    "runtime error": Verdict.FAILED,
    "partial success": Verdict.FAILED,
    "skipped": Verdict.SKIPPED,
}
_CHECK_VERDICTS = {
    "pass": Verdict.PASSED,
    "warn": Verdict.PASSED,
    "fail": Verdict.FAILED,
    "error": Verdict.ERROR,
    "runtime error": Verdict.ERROR,
    "skipped": Verdict.SKIPPED,
}
# In `sources.json`, `error` means that the data is too old; what could not be queried is a `runtime error`.
_FRESHNESS_VERDICTS = _CHECK_VERDICTS | {"error": Verdict.FAILED}


def accepts(root: Mapping[str, Any]) -> bool:
    """Whether this is a file of dbt's results."""
    schema = _schema(root)
    if schema:
        return "/run-results/" in schema or "/sources/" in schema
    results = root.get("results")
    return isinstance(results, list) and any(isinstance(r, dict) and "unique_id" in r for r in results)


def read(root: Mapping[str, Any]) -> Content:
    """Read dbt's results."""
    metadata = root.get("metadata")
    time = unix_time(metadata.get("generated_at")) if isinstance(metadata, dict) else None
    results = root.get("results")
    if not isinstance(results, list):
        return Content(time=time, problem="has no results of dbt")
    freshness = "/sources/" in _schema(root)
    checks, builds = _read_all(results, freshness=freshness)
    if freshness:
        return Content(time=time, checks=checks)
    args = root.get("args")
    args = args if isinstance(args, dict) else {}
    which = args.get("which")
    if not isinstance(which, str):
        return _failures(time, checks, builds, "does not name the command that wrote it")
    if which not in _COMMANDS:
        command = "docs generate" if which == "generate" else which
        return Content(time=time, note=f"was written by {quote(f'dbt {command}')}, which neither builds nor tests")
    for option in ("empty", "sample"):
        if not (args.get(option) is None or args.get(option) is False):
            return _failures(
                time, checks, builds, f"was written with --{option}, so a success proves nothing about the data"
            )
    return Content(time=time, checks=checks, builds=builds)


def _read_all(results: list[Any], *, freshness: bool) -> tuple[tuple[Check, ...], tuple[Build, ...]]:
    checks: list[Check] = []
    builds: list[Build] = []
    for result in results:
        unique_id = result.get("unique_id") if isinstance(result, dict) else None
        if not isinstance(unique_id, str):
            continue
        kind = unique_id.partition(".")[0]
        status = str(result.get("status")).lower()
        message = one_line(result.get("message") or result.get("error"))
        if kind in _BUILDS:
            builds.append(Build(unique_id, _BUILD_VERDICTS.get(status, Verdict.UNKNOWN), message))
        elif kind in _TESTS:
            checks.append(Check(unique_id, _CHECK_VERDICTS.get(status, Verdict.UNKNOWN), message))
        elif kind == "source" and freshness:
            verdict = _FRESHNESS_VERDICTS.get(status, Verdict.UNKNOWN)
            message = message or ("the data is older than the source's freshness allows" if verdict.is_bad else "")
            checks.append(Check(unique_id, verdict, message, "FRESHNESS"))
    return tuple(checks), tuple(builds)


def _failures(time: float | None, checks: tuple[Check, ...], builds: tuple[Build, ...], note: str) -> Content:
    return Content(
        time=time,
        checks=tuple(check for check in checks if check.verdict.is_bad),
        builds=tuple(build for build in builds if build.verdict.is_bad),
        note=note,
    )


def _schema(root: Mapping[str, Any]) -> str:
    metadata = root.get("metadata")
    schema = metadata.get("dbt_schema_version") if isinstance(metadata, dict) else None
    return schema if isinstance(schema, str) else ""
