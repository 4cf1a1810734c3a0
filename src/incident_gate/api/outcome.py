"""Report a job's outcome on a manifest's outputs."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from incident_gate.api.connect import OnExchange, Result, connect
from incident_gate.api.owners import with_owners
from incident_gate.api.spelling import resolved_report
from incident_gate.datahub.client import Client
from incident_gate.datahub.health.query import Depth, History
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.incidents import Writer
from incident_gate.entity import EntityType
from incident_gate.errors import ExitCode
from incident_gate.manifest.model import Manifest, OutputEntry
from incident_gate.outcome.decide import report_job, skip_reason
from incident_gate.outcome.model import Context, IndexTimeouts, Outcome
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.outcome.wording import Wording
from incident_gate.report.model import Report
from incident_gate.settings import RunSettings
from incident_gate.urn import Urn


def report_outcome(
    settings: RunSettings,
    manifest: Manifest,
    status: str,
    *,
    job_start: float | None = None,
    on_exchange: OnExchange | None = None,
) -> Result:
    """Raise or resolve incidents on the outputs, by the job's status.

    Args:
        settings: Of this run.
        manifest: Whose outputs.
        status: `success` or `failure`; anything else changes nothing.
        job_start: When the job started, Unix time in seconds; None where no earlier stage noted it.
        on_exchange: Called after every request, for the debug log.

    Raises:
        SettingError: The CA bundle or the proxy cannot be used.
        ManifestError: A selector's path leads out of the workspace.
    """
    nothing = skip_reason(
        status,
        run=settings.run,
        branches=settings.report_branches,
        blocked=settings.is_blocked,
        outputs=(*manifest.outputs, *manifest.output_selectors),
    )
    if nothing:
        report = _report(settings, manifest, OutcomeReport(outcome=status, nothing=nothing))
    else:
        unresolved: tuple[OutputResult, ...] = ()
        if manifest.output_selectors:
            manifest, unresolved = _selected(settings, manifest)
        report_end: Callable[[Context], OutcomeReport] = partial(
            report_job, outputs=manifest.outputs, outcome=Outcome(status)
        )
        if settings.test_results:
            from incident_gate.api.results import evaluated  # noqa: PLC0415 - 13 ms, and most jobs name no results

            report_end = evaluated(settings, manifest, Outcome(status), job_start)
        with connect(settings, on_exchange) as client:
            outcome = report_end(_context(settings, client))
            outcome = outcome._replace(results=(*outcome.results, *unresolved))
            report = with_owners(client, settings, _report(settings, manifest, outcome))
    results = report.outcome.results if report.outcome else ()
    failed = any(result.change is Change.FAILED for result in results)
    return Result(report, ExitCode.DATAHUB if failed else ExitCode.OK)


def _report(settings: RunSettings, manifest: Manifest, outcome: OutcomeReport) -> Report:
    report = Report(
        manifest_path=manifest.path,
        ui_url=settings.connection.address.ui_url,
        now_ms=_now_ms(),
        outcome=outcome,
        warnings=manifest.warnings,
        notices=settings.warnings,
        gated=False,
    )
    return resolved_report(report, settings.connection.resolved)


def _selected(settings: RunSettings, manifest: Manifest) -> tuple[Manifest, tuple[OutputResult, ...]]:
    """The manifest with the outputs that its selectors select, and a result for what could not be selected."""
    from incident_gate.api.select import select_outputs  # noqa: PLC0415 - 10 ms, and most manifests have no selectors

    selection = select_outputs(settings, manifest)
    unresolved = tuple(
        OutputResult(
            entry=OutputEntry(Urn(selector.label, EntityType.DATASET, selector.label), selector.position),
            change=Change.FAILED,
            message=f"{problem.message}.",
            hint=problem.hint,
        )
        for selector, problem in selection.output_problems
    )
    return manifest._replace(outputs=selection.outputs), unresolved


def _context(settings: RunSettings, client: Client) -> Context:
    reader = Reader(client, Depth(History.NEWEST))
    return Context(
        reader=reader,
        looks=reader.variant(Depth(History.NEWEST, summaries=False)),
        archive=reader.variant(Depth(History.WHOLE)),
        writer=Writer(client),
        identity=settings.identity,
        wording=Wording(
            run=settings.run,
            title=settings.incident_title,
            message=settings.incident_message,
            matrix=settings.identity.matrix,
        ),
        deadline=client.deadline,
        clock_ms=_now_ms,
        sleep=time.sleep,
        timeouts=IndexTimeouts(),
        dry_run=settings.dry_run,
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
