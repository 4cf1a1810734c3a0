"""A reason to go on although inputs block."""

from __future__ import annotations

from dataclasses import replace

from incident_gate.gate.check import Judgement
from incident_gate.gate.policy import Conclusion


def overridden(result: Judgement, reason: str) -> Judgement:
    """The result in which everything that would block only warns; the reason stands among the rules."""
    decisions = tuple(
        replace(decision, conclusion=Conclusion.WARN, rules=(*decision.rules, f"override: {reason}"))
        if decision.conclusion is Conclusion.BLOCK
        else decision
        for decision in result.decisions
    )
    return result._replace(decisions=decisions)
