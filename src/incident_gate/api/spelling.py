"""Names of options in what is reported, as the user of this run sets them."""

from __future__ import annotations

import re
from collections.abc import Callable
from copy import copy

from incident_gate.datahub.connection import Connection, Spelling
from incident_gate.errors import GateError
from incident_gate.manifest.model import Rules
from incident_gate.outcome.result import OutcomeReport
from incident_gate.report.model import Report
from incident_gate.settings import OPTIONS

Spell = Callable[[str], str]
_RULES = {name.replace("_", "-") for name in Rules._fields}


def speller(connection: Connection) -> Spell | None:
    """A function that replaces the names of the action's inputs by what the user sets; None where they are the same."""
    on_command_line = connection.spelling is Spelling.OPTION
    names = {name: option.flag if on_command_line else connection.spelling.of(name) for name, option in OPTIONS.items()}
    names["datahub-url"] = connection.address.setting
    if connection.token_setting:
        names["datahub-token"] = connection.token_setting
    changed = {name: spelled for name, spelled in names.items() if name != spelled}
    if not changed:
        return None
    pattern = re.compile("|".join(map(_pattern, changed)))
    return lambda text: pattern.sub(lambda match: changed[match[0]], text)


def _pattern(name: str) -> str:
    if "-" not in name:
        return rf"(?<=`){name}(?=`)"  # elsewhere it is an ordinary word
    if name in _RULES:
        return rf"(?<![\w-]){name}(?![\w:-])"  # before a colon it is a key of the manifest
    return rf"(?<![\w-]){name}(?![\w-])"


def spelled_report(report: Report, spell: Spell | None) -> Report:
    """The report with its hints as the user knows the options."""
    if spell is None:
        return report
    decisions = tuple(
        decision._replace(problems=tuple(problem._replace(hint=spell(problem.hint)) for problem in decision.problems))
        if decision.problems
        else decision
        for decision in report.decisions
    )
    return report._replace(
        decisions=decisions,
        failure=None if report.failure is None else spelled_error(report.failure, spell),
        outcome=None if report.outcome is None else _outcome(report.outcome, spell),
    )


def spelled_error(error: GateError, spell: Spell | None) -> GateError:
    """The error with its hint as the user knows the options."""
    if spell is None:
        return error
    spelled = copy(error)
    spelled.hint = spell(error.hint)
    return spelled


def _outcome(outcome: OutcomeReport, spell: Spell) -> OutcomeReport:
    results = tuple(result._replace(hint=spell(result.hint)) if result.hint else result for result in outcome.results)
    return outcome._replace(nothing=spell(outcome.nothing), results=results)
