"""Reports an outcome for each output, as files with results show it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.decide import report
from incident_gate.outcome.model import Context, Outcome, OutputOutcome
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.outcome.results.evaluate import Decision, Effect, Evaluation
from incident_gate.outcome.results.model import failed_lines, failed_names
from incident_gate.outcome.wording import Failure

_OTHER = {Outcome.FAILURE: Effect.RESOLVE, Outcome.SUCCESS: Effect.RAISE}


def report_results(
    context: Context,
    outputs: Sequence[OutputEntry],
    evaluation: Evaluation,
    outcome: Outcome,
    *,
    only: Outcome | None = None,
) -> OutcomeReport:
    """Raise or resolve on each output by the decision about it.

    Args:
        context: Of this job.
        outputs: Those that were evaluated.
        evaluation: The decisions.
        outcome: How the job ended.
        only: The one outcome that this step reports; None for both.
    """
    decided = [
        (entry, _narrowed(decision, only)) for entry, decision in zip(outputs, evaluation.decisions, strict=True)
    ]
    outcomes = [_outcome_of(entry, decision) for entry, decision in decided if decision.effect is not Effect.NOTHING]
    reported = iter(report(context, outcomes) if outcomes else ())
    results = [
        OutputResult(entry=entry, change=Change.UNTOUCHED) if decision.effect is Effect.NOTHING else next(reported)
        for entry, decision in decided
    ]
    return OutcomeReport(
        outcome=outcome,
        results=tuple(
            result._replace(
                by_results=decision.by_results, reason=decision.reason, failed=failed_names(decision.failed)
            )
            for result, (_, decision) in zip(results, decided, strict=True)
        ),
        warnings=evaluation.warnings,
        unrelated_checks=evaluation.unrelated,
        unrelated_failures=evaluation.unrelated_failed,
    )


def _narrowed(decision: Decision, only: Outcome | None) -> Decision:
    if only is None or decision.effect is not _OTHER[only]:
        return decision
    does = "raises" if only is Outcome.FAILURE else "resolves"
    return replace(decision, effect=Effect.NOTHING, reason=f"{decision.reason}, but this step only {does}")


def _outcome_of(entry: OutputEntry, decision: Decision) -> OutputOutcome:
    # What the job's status decided is reported as for any job.
    reason = decision.reason if decision.by_results else ""
    if decision.effect is Effect.RESOLVE:
        return OutputOutcome(entry, Outcome.SUCCESS, answers=decision.answers, reason=reason)
    failure = Failure(
        decision.cause, decision.headline, failed_lines(decision.failed), decision.type if decision.by_results else ""
    )
    return OutputOutcome(entry, Outcome.FAILURE, failure)
