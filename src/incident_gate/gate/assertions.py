"""What the assertions of an input mean under its rule. Pure; no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import timedelta
from typing import NamedTuple

from incident_gate.incident import Assertion, AssertionResult, Health, Problem, Reason
from incident_gate.manifest.model import Waiver

_OPEN_HINT = "Open the dataset's Quality tab in DataHub."


class AssertionFindings(NamedTuple):
    """The assertions that fail, those that would not pass but are waived, and what is not known."""

    failing: tuple[Assertion, ...]
    waived: tuple[tuple[Assertion, Waiver], ...]
    problems: tuple[Problem, ...]


def find_failing(health: Health, ignore: Iterable[Waiver], max_age: timedelta | None, now_ms: int) -> AssertionFindings:
    """Sort the assertions of an asset and its siblings.

    FAILURE counts at any age. ERROR, a result older than `max_age` and what cannot be read are unknown; so is a dataset
    of which no assertion has ever run.
    """
    waivers = {waiver.assertion: waiver for waiver in ignore if waiver.assertion}
    failing: list[Assertion] = []
    waived: list[tuple[Assertion, Waiver]] = []
    problems = list(health.assertion_problems)
    by_asset: dict[str, list[Assertion]] = {}
    for assertion in health.assertions:
        if assertion.urn not in waivers:
            by_asset.setdefault(assertion.asset, []).append(assertion)
        elif assertion.result is AssertionResult.FAILURE or _doubt(assertion, max_age, now_ms):
            waived.append((assertion, waivers[assertion.urn]))
    for asset, assertions in by_asset.items():
        failing += (a for a in assertions if a.result is AssertionResult.FAILURE)
        doubts = ((assertion, _doubt(assertion, max_age, now_ms)) for assertion in assertions)
        problems += (_problem(assertion, doubt) for assertion, doubt in doubts if doubt)
        if all(assertion.result is AssertionResult.NEVER for assertion in assertions):
            message = f"None of the {len(assertions):,} assertions of {asset} has a result"
            problems.append(Problem(Reason.ASSERTIONS, message, "Run one of them, or leave them out for this input."))
    return AssertionFindings(tuple(sorted(failing, key=_age)), tuple(waived), tuple(problems))


def counted(problems: Sequence[Problem], most: int = 5) -> tuple[Problem, ...]:
    """At most so many problems, and how many more there are."""
    if len(problems) <= most:
        return tuple(problems)
    more = Problem(Reason.ASSERTIONS, f"{len(problems) - most:,} more problems with its assertions", _OPEN_HINT)
    return (*problems[:most], more)


def _doubt(assertion: Assertion, max_age: timedelta | None, now_ms: int) -> str:
    """Why an assertion's result is not known; empty if it is."""
    if assertion.result is AssertionResult.ERROR:
        return "ended with an error"
    if assertion.result is AssertionResult.UNREADABLE:
        return "has a result that cannot be read"
    if assertion.result is AssertionResult.SUCCESS and max_age is not None:
        if assertion.run_ms is None:
            return "does not tell when it ran"
        if now_ms - assertion.run_ms > max_age.total_seconds() * 1000:
            return f"ran last more than {_hours(max_age)} ago"
    return ""


def _hours(age: timedelta) -> str:
    hours = age.total_seconds() / 3600
    return f"{hours / 24:g} days" if hours >= 48 else f"{hours:g} hours"  # noqa: PLR2004 - two days


def _problem(assertion: Assertion, doubt: str) -> Problem:
    name = assertion.description or assertion.urn
    return Problem(Reason.ASSERTIONS, f"Its assertion {name[:200]} {doubt}", _OPEN_HINT)


def _age(assertion: Assertion) -> int:
    return assertion.since_ms or 0
