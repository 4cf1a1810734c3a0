"""Report a job's outcome on a manifest's outputs."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING

from incident_gate.api.connect import OnExchange, Result, connect
from incident_gate.api.owners import with_owners
from incident_gate.api.spelling import spelled_report, speller
from incident_gate.datahub.client import Client
from incident_gate.datahub.health.query import Depth, History
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.incidents import Writer
from incident_gate.entity import EntityType
from incident_gate.errors import ExitCode
from incident_gate.manifest.model import Dbt, Manifest, OutputEntry
from incident_gate.outcome.decide import report_job, skip_reason
from incident_gate.outcome.model import Context, IndexTimeouts, Outcome
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.outcome.wording import Wording
from incident_gate.report.model import Report
from incident_gate.settings import Mode, RunSettings
from incident_gate.text import Redactor
from incident_gate.urn import Urn

if TYPE_CHECKING:
    from incident_gate.outcome.results.evaluate import Evaluation

# Where the job's start is not known: GitHub's own runners end a job after six hours, others later.
_LONGEST_JOB = 24 * 3600


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
        evaluation = _evaluated(settings, manifest, Outcome(status), job_start) if settings.results else None
        with connect(settings, on_exchange) as client:
            outcome = _reported(settings, manifest, Outcome(status), evaluation, client)
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
    return spelled_report(report, speller(settings.connection))


def _selected(settings: RunSettings, manifest: Manifest) -> tuple[Manifest, tuple[OutputResult, ...]]:
    """The manifest with the outputs that its selectors select, and a result for what could not be selected."""
    from incident_gate.api.select import select_outputs  # noqa: PLC0415 - most manifests have no selectors

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


def _evaluated(settings: RunSettings, manifest: Manifest, status: Outcome, job_start: float | None) -> Evaluation:
    # Only where there are results: the readers and their parsers take a tenth of a second to import.
    from incident_gate.outcome.results.assess import DbtManifests, assess  # noqa: PLC0415
    from incident_gate.outcome.results.load import ResultFiles  # noqa: PLC0415
    from incident_gate.outcome.results.wording import unix_time  # noqa: PLC0415

    selectors = [selector.what for selector in manifest.output_selectors]
    selectors += [selector.what for selector in manifest.selectors if isinstance(selector.what, Dbt)]
    files = ResultFiles(
        patterns=settings.results,
        folder=settings.workspace or Path(),
        confined=settings.workspace is not None,
        job_start=job_start or unix_time(settings.run.started) or time.time() - _LONGEST_JOB,
        redact=Redactor(settings.secrets),
    )
    manifests = DbtManifests(
        paths=tuple(path for dbt in selectors for path in dbt.manifest),
        platforms=tuple(dbt.target_platform for dbt in selectors if dbt.target_platform),
    )
    return assess(manifest.outputs, files, manifests, job_failed=status is Outcome.FAILURE)


def _reported(
    settings: RunSettings,
    manifest: Manifest,
    status: Outcome,
    evaluation: Evaluation | None,
    client: Client,
) -> OutcomeReport:
    reader = Reader(client, Depth(History.NEWEST))
    context = Context(
        reader=reader,
        looks=reader.variant(Depth(History.NEWEST, summaries=False)),
        archive=reader.variant(Depth(History.WHOLE)),
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
        timeouts=IndexTimeouts(),
        dry_run=settings.dry_run,
    )
    if evaluation is None:
        return report_job(context, manifest.outputs, status)
    from incident_gate.outcome.by_results import report_results  # noqa: PLC0415 - only where there are results

    only = status if settings.mode in {Mode.RAISE, Mode.RESOLVE} else None
    return report_results(context, manifest.outputs, evaluation, status, only=only)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
