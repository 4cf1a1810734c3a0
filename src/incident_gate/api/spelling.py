"""Names of settings in what is reported, as the user of this run sets them."""

from __future__ import annotations

from collections.abc import Callable
from copy import copy
from typing import TypeVar

from incident_gate.errors import GateError
from incident_gate.incident import Problem
from incident_gate.outcome.result import OutputResult
from incident_gate.report.model import Report

Resolve = Callable[[str], str]
ErrorT = TypeVar("ErrorT", bound=GateError)


def resolved_report(report: Report, resolve: Resolve) -> Report:
    """The report with settings as their user knows them."""
    outcome = report.outcome
    return report._replace(
        decisions=tuple(
            decision._replace(problems=tuple(resolved(problem, resolve) for problem in decision.problems))
            if decision.problems
            else decision
            for decision in report.decisions
        ),
        missing_outputs=tuple(
            missing._replace(problem=resolved(missing.problem, resolve)) for missing in report.missing_outputs
        ),
        failure=report.failure and _failure(report.failure, resolve),
        outcome=outcome
        and outcome._replace(
            nothing=resolve(outcome.nothing), results=tuple(resolved(result, resolve) for result in outcome.results)
        ),
    )


Worded = TypeVar("Worded", Problem, OutputResult)


def resolved(worded: Worded, resolve: Resolve) -> Worded:
    """The problem or result with settings as their user knows them."""
    return worded._replace(message=resolve(worded.message), hint=resolve(worded.hint))


def _failure(error: ErrorT, resolve: Resolve) -> ErrorT:
    found = copy(error)
    found.hint = resolve(error.hint)
    return found
