"""Soda Core's scan results (3.x)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from incident_gate.outcome.results.kinds import incident_type
from incident_gate.outcome.results.model import Check, Content, Verdict
from incident_gate.outcome.results.wording import one_line, unix_time

NAME = "Soda"
WANTED: Mapping[str, Any] = {
    **dict.fromkeys(("hasErrors", "hasFailures", "scanStartTimestamp", "scanEndTimestamp")),
    "checks": [dict.fromkeys(("name", "table", "column", "outcome", "definition"))],
}

_VERDICTS = {"pass": Verdict.PASSED, "warn": Verdict.PASSED, "fail": Verdict.FAILED}


def accepts(root: Mapping[str, Any]) -> bool:
    """Whether this is a file of Soda."""
    return isinstance(root.get("checks"), list) and ("hasErrors" in root or "scanStartTimestamp" in root)


def read(root: Mapping[str, Any]) -> Content:
    """Read the results of a scan."""
    checks = tuple(_check(check) for check in root["checks"] if isinstance(check, dict))
    problem = ""
    if root.get("hasErrors") is not False:
        problem = "is of a scan with errors: a check may be missing in it"
        # What passed may have been evaluated on half of the data.
        checks = tuple(c if c.verdict.is_bad else c._replace(verdict=Verdict.UNKNOWN) for c in checks)
    elif root.get("hasFailures") is True and not any(check.verdict.is_bad for check in checks):
        problem = "reports a failure without the check that failed"
    return Content(time=unix_time(root.get("scanEndTimestamp")), checks=checks, problem=problem)


def _check(check: Mapping[str, Any]) -> Check:
    name, table, column = (check.get(key) for key in ("name", "table", "column"))
    outcome, expression = check.get("outcome"), one_line(_expression(check.get("definition")))
    return Check(
        ".".join(part for part in (table, name) if isinstance(part, str) and part),
        _VERDICTS.get(outcome, Verdict.UNKNOWN) if isinstance(outcome, str) else Verdict.UNKNOWN,
        type=incident_type(_kind(check.get("definition"), name), column=isinstance(column, str)),
        message=expression if outcome == "fail" and expression != name else "",
    )


# `type` is always "generic". The definition is "checks for TABLE:" and the check itself, whose name may be the user's.
_CHECK = re.compile(r"[^\n]*:[ \t]*\n[ \t]*(?:- )?[ \t]*([^\n]+)")


def _expression(definition: object) -> str:
    match = _CHECK.match(definition[:2000]) if isinstance(definition, str) else None
    return match[1].strip().removesuffix(":") if match else ""


def _kind(definition: object, name: object) -> str:
    # Only what is measured, not the columns in parentheses: a column may be called row_count.
    return re.sub(r"\([^)]*\)", "", _expression(definition) or str(name))
