"""Report a job's outcome on a manifest's outputs."""

from __future__ import annotations

import time

from incident_gate.api.connect import OnExchange, Result, connect, refuse_selectors
from incident_gate.api.spelling import spelled_report, speller
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.incidents import Writer
from incident_gate.errors import ExitCode
from incident_gate.manifest.model import Manifest
from incident_gate.outcome.decide import report_job, skip_reason
from incident_gate.outcome.model import Context, Outcome
from incident_gate.outcome.result import Change, OutcomeReport
from incident_gate.outcome.wording import Wording
from incident_gate.report.model import Report
from incident_gate.settings import Settings


def report_outcome(
    settings: Settings, manifest: Manifest, status: str, *, on_exchange: OnExchange | None = None
) -> Result:
    """Raise or resolve incidents on the outputs, by the job's status.

    Args:
        settings: Of this run.
        manifest: Whose outputs.
        status: `success` or `failure`; anything else changes nothing.
        on_exchange: Called after every request, for the debug log.

    Raises:
        SettingError: The CA bundle or the proxy cannot be used.
    """
    refuse_selectors(manifest)
    nothing = skip_reason(
        status,
        run=settings.run,
        branches=settings.report_branches,
        blocked=settings.is_blocked,
        outputs=manifest.outputs,
    )
    if nothing:
        outcome = OutcomeReport(outcome=status, nothing=nothing)
    else:
        outcome = _reported(settings, manifest, Outcome(status), on_exchange)
    report = Report(
        manifest_path=manifest.path,
        ui_url=settings.connection.address.ui_url,
        now_ms=_now_ms(),
        outcome=outcome,
        warnings=manifest.warnings,
        notices=settings.warnings,
        gated=False,
    )
    failed = any(result.change is Change.FAILED for result in outcome.results)
    report = spelled_report(report, speller(settings.connection))
    return Result(report, ExitCode.DATAHUB if failed else ExitCode.OK)


def _reported(settings: Settings, manifest: Manifest, status: Outcome, on_exchange: OnExchange | None) -> OutcomeReport:
    with connect(settings, on_exchange) as client:
        context = Context(
            reader=Reader(client, history=True),
            writer=Writer(client),
            identity=settings.identity,
            wording=Wording(
                run=settings.run,
                title=settings.title,
                message=settings.message,
                matrix=settings.identity.matrix,
            ),
            deadline=client.deadline,
            clock_ms=_now_ms,
            sleep=time.sleep,
            dry_run=settings.dry_run,
        )
        return report_job(context, manifest.outputs, status)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
