"""Soda Core's scan results (3.x)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from incident_gate.dbt.stream import NAME as NAMED
from incident_gate.dbt.stream import TEXT
from incident_gate.json_values import text
from incident_gate.outcome.results.model import (
    CheckStatus,
    FileResults,
    JsonReader,
    ReportedResult,
    ResultKeeper,
    incident_type,
    moment,
)

NAME = "Soda"
_CHECK_LISTS = ("checks", "automatedMonitoringChecks")
_CHECK: Mapping[str, Any] = {
    **dict.fromkeys(("name", "table", "column", "dataSource"), NAMED),
    **dict.fromkeys(("outcome", "definition", "filter"), TEXT),
}
WANTED: Mapping[str, Any] = {
    **{key: {} for key in ("hasErrors", "hasFailures", "scanStartTimestamp", "scanEndTimestamp", "defaultDataSource")},
    **{f"{key}.*": _CHECK for key in _CHECK_LISTS},
}

_SCAN_KEYS = ("hasErrors", "scanStartTimestamp")
_STATUSES = {"pass": CheckStatus.PASSED, "warn": CheckStatus.PASSED, "fail": CheckStatus.FAILED}


class SodaReader(JsonReader):
    """Soda's reader."""

    def __init__(self, keeper: ResultKeeper) -> None:
        super().__init__(keeper)
        self._checks: list[ReportedResult] = []

    def _take(self, path: tuple[str, ...], value: Any) -> None:
        if path[0] in _CHECK_LISTS and len(path) > 1:
            self._checks.append(self._check(value))

    def results(self) -> FileResults | None:
        """What the file reports; None where it is not of Soda."""
        if not isinstance(self._values.get("checks"), list) or self._values.keys().isdisjoint(_SCAN_KEYS):
            return None
        problem = stray = ""
        if self._values.get("hasErrors") is not False:
            problem = "is of a scan with errors: a check may be missing in it"
        elif self._values.get("hasFailures") not in (False, None) and not any(c.status.is_bad for c in self._checks):
            stray = "reports a failure without the check that failed"
        written = moment(self._values.get("scanEndTimestamp"))
        return FileResults(written=written, results=tuple(self._checks), problem=problem, stray=stray)

    def _check(self, check: object) -> ReportedResult:
        name, table, column = text(check, "name"), text(check, "table"), text(check, "column")
        outcome, definition = text(check, "outcome").lower(), text(check, "definition")
        expression = _expression(definition)
        source = text(check, "dataSource") or text(self._values, "defaultDataSource")
        full_name = ".".join(part for part in (table, name) if part)
        shows = outcome == "fail" and expression != name
        message = self._keeper.keep(expression if shows else "", full_name, definition)
        return ReportedResult(
            full_name,
            _STATUSES.get(outcome, CheckStatus.UNKNOWN),
            message,
            identity=(source, table, column, definition, text(check, "filter")),
            # `type` is always "generic". Only what is measured counts, not the columns in parentheses: a column may be
            # called row_count.
            type=incident_type(re.sub(r"\([^)]*\)", "", expression or name), column=bool(column)),
        )


# The definition is "checks for TABLE:" and the check itself, whose name may be the user's.
_DEFINITION = re.compile(r"[^\n]*:[ \t]*\n[ \t]*(?:- )?[ \t]*([^\n]+)")


def _expression(definition: str) -> str:
    match = _DEFINITION.match(definition[:2000])
    return match[1].strip().removesuffix(":") if match else ""
