"""A reason to go on although inputs block."""

from __future__ import annotations

from incident_gate.gate.check import CheckResult
from incident_gate.gate.policy import Conclusion


def overridden(result: CheckResult, reason: str) -> CheckResult:
    """The result in which everything that would block only warns; the reason is among the rules."""
    decisions = tuple(
        decision._replace(conclusion=Conclusion.WARN, rules=(*decision.rules, f"override: {reason}"))
        if decision.conclusion is Conclusion.BLOCK
        else decision
        for decision in result.decisions
    )
    return result._replace(decisions=decisions)
