"""The gate without a face: connect, check, report a job's outcome, announce both. Nothing here prints.

Each function imports what only it needs, because `check` is what most runs wait for.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from copy import copy
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from incident_gate.datahub.client import Client, RequestLog
from incident_gate.datahub.health.reader import PARALLEL, Reader
from incident_gate.datahub.parallel import Deadline
from incident_gate.datahub.transport import open_client
from incident_gate.errors import GateError
from incident_gate.gate.check import Gate, overridden
from incident_gate.gate.policy import Conclusion, unused_waivers, worst
from incident_gate.gate.wait import WaitState, wait
from incident_gate.incident import Problem
from incident_gate.manifest.model import Dbt, Manifest, OutputEntry
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.model import Override, Report
from incident_gate.settings.model import RunSettings
from incident_gate.settings.options import Mode
from incident_gate.text import Redactor
from incident_gate.urn import Urn

if TYPE_CHECKING:
    from incident_gate.notify.announce import Remark
    from incident_gate.outcome.own import Context
    from incident_gate.outcome.result import Evaluation

OnWait = Callable[[WaitState], None]
Resolve = Callable[[str], str]
WordedT = TypeVar("WordedT", Problem, OutputResult)

# Where the job's start is not known: GitHub's own runners end a job after six hours, others later.
_LONGEST_JOB = 24 * 3600


@contextmanager
def connect(settings: RunSettings, on_request: Callable[[RequestLog], None] | None = None) -> Iterator[Client]:
    """Connect to DataHub; at the end of the block, requests that still wait for an answer are given up.

    `on_request` is called with every request, and while one is awaited.

    Raises:
        SettingError: The CA bundle or the proxy cannot be used.
    """
    with closing(open_client(settings.connection, connections=PARALLEL)) as http:
        client = Client(
            http,
            settings.connection.address.graphql_url,
            Deadline.after(settings.timeout),
            on_request=on_request,
            secrets=settings.secrets,
            is_plain=not (settings.connection.address.is_encrypted or settings.connection.proxy.url),
        )
        try:
            yield client
        except GateError as error:
            error.hint = settings.connection.resolved(error.hint)
            raise


# The gate


def check(
    settings: RunSettings, manifest: Manifest, client: Client, *, on_wait: OnWait = lambda _state: None
) -> Report:
    """Check the inputs, and wait for those that block if the settings say so.

    `on_wait` is called about once a second while the gate waits.

    Raises:
        ManifestError: A selector's path leads out of the workspace.
    """
    gate = Gate(
        manifest,
        client,
        identity=settings.identity,
        overrides=settings.overrides,
        root=settings.workspace or Path.cwd(),
        timeout=settings.timeout,
        clock_ms=_now_ms,
    )
    result, waited = gate.check_all(reports_outcome=settings.report_outcome), None
    missing_outputs = result.missing_outputs
    blocks = worst(decision.conclusion for decision in result.decisions) is Conclusion.BLOCK
    if blocks and settings.override:
        result = overridden(result, settings.override.reason)
    elif blocks and settings.waiting.longest:
        result, waited = wait(
            result,
            gate.check_again,
            longest=settings.waiting.longest,
            interval=settings.waiting.interval,
            stable=settings.waiting.stable,
            clock=time.monotonic,
            sleep=time.sleep,
            on_wait=on_wait,
            renew=gate.select_and_check_again if gate.has_selectors else None,
        )
    report = _report(settings, manifest)._replace(
        decisions=result.decisions,
        warnings=(*manifest.warnings, *unused_waivers(result.decisions)),
        notices=(*settings.warnings, *gate.notices, *result.notices),
        failure=result.failure,
        nothing_answered=result.nothing_answered,
        missing_outputs=missing_outputs,
        waited=waited,
        override=settings.override and Override(*settings.override, effective=blocks),
        override_option=settings.named("override"),
    )
    report = _resolved_report(report, settings.connection.resolved)
    if report.conclusion is not Conclusion.PASS:
        from incident_gate.notify.owners import with_owners  # where inputs do not pass

        report = with_owners(gate.client, settings, report)
    return report


# The outcome


def report_outcome(
    settings: RunSettings, manifest: Manifest, status: str, client: Client, *, job_start: float | None = None
) -> Report:
    """Raise or resolve incidents on the outputs, by the job's status.

    Any status but `success` and `failure` changes nothing. `job_start` is Unix time in seconds, None where no earlier
    stage noted it.

    Raises:
        ManifestError: A selector's path leads out of the workspace.
    """
    from incident_gate.notify.owners import with_owners
    from incident_gate.outcome.decide import report, skip_reason
    from incident_gate.outcome.result import Effect, Outcome, evaluate_status

    nothing = skip_reason(
        status,
        run=settings.run,
        branches=settings.report_branches,
        blocked=settings.is_blocked,
        outputs=(*manifest.outputs, *manifest.output_selectors),
    )
    if nothing:
        return _outcome_report(settings, manifest, OutcomeReport(outcome=status, nothing=nothing))
    unresolved: tuple[OutputResult, ...] = ()
    if manifest.output_selectors:
        manifest, unresolved = _with_selected_outputs(settings, manifest)
    if settings.test_results:
        evaluation = _evaluate_results(
            settings, manifest, client.redact, job_start, job_failed=status == Outcome.FAILURE
        )
    else:
        evaluation = evaluate_status(manifest.outputs, Outcome(status))
    # Reading files has a time limit of its own.
    client = client.until(Deadline.after(settings.timeout))
    only = {Mode.RAISE: Effect.RAISE, Mode.RESOLVE: Effect.RESOLVE}.get(settings.mode)
    outcome = report(_context(settings, client), manifest.outputs, evaluation, Outcome(status), only=only)
    outcome = outcome._replace(results=(*outcome.results, *unresolved))
    return with_owners(client, settings, _outcome_report(settings, manifest, outcome))


def _outcome_report(settings: RunSettings, manifest: Manifest, outcome: OutcomeReport) -> Report:
    report = _report(settings, manifest)._replace(
        outcome=outcome._replace(on_request=_is_on_request(settings)),
        warnings=manifest.warnings,
        notices=settings.warnings,
        gated=False,
    )
    return _resolved_report(report, settings.connection.resolved)


def _is_on_request(settings: RunSettings) -> bool:
    """Whether the step's mode decides, and not how the job ended."""
    return settings.mode in {Mode.RAISE, Mode.RESOLVE} and settings.job_status != settings.status


def _with_selected_outputs(settings: RunSettings, manifest: Manifest) -> tuple[Manifest, tuple[OutputResult, ...]]:
    """The manifest with the outputs that its selectors select, and a result for what could not be selected."""
    from incident_gate.select.resolve import resolve_outputs
    from incident_gate.urn import EntityType

    selection = resolve_outputs(manifest, root=settings.workspace or Path.cwd())
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
    from incident_gate.datahub.health.answer import Extent, History
    from incident_gate.datahub.incidents import Writer
    from incident_gate.outcome.own import Context, IndexTimeouts
    from incident_gate.outcome.wording import Wording

    reader = Reader(client, Extent(History.NEWEST))
    return Context(
        reader=reader,
        quick_reader=reader.variant(Extent(History.NEWEST, summaries=False)),
        full_history_reader=reader.variant(Extent(History.WHOLE)),
        writer=Writer(client),
        identity=settings.identity,
        wording=Wording(
            run=settings.run,
            title=settings.incident_title,
            message=settings.incident_message,
            matrix=settings.identity.matrix,
            on_request=_is_on_request(settings),
        ),
        deadline=client.deadline,
        clock_ms=_now_ms,
        sleep=time.sleep,
        timeouts=IndexTimeouts(),
        dry_run=settings.dry_run,
    )


def _evaluate_results(
    settings: RunSettings, manifest: Manifest, redact: Redactor, job_start: float | None, *, job_failed: bool
) -> Evaluation:
    """What the files with results have about each output."""
    from incident_gate.outcome.results.load import ResultFiles, assess
    from incident_gate.outcome.results.model import moment

    started = moment(settings.run.started)
    selectors = [selector.what for selector in manifest.output_selectors]
    selectors += [selector.what for selector in manifest.selectors if isinstance(selector.what, Dbt)]
    files = ResultFiles(
        patterns=settings.test_results,
        folder=settings.workspace or Path(),
        confined=settings.workspace is not None,
        job_start=job_start or (started.seconds if started else time.time() - _LONGEST_JOB),
        manifests=tuple(path for dbt in selectors for path in dbt.manifest),
        platforms=tuple(dbt.target_platform for dbt in selectors if dbt.target_platform),
        redact=redact,
    )
    return assess(manifest.outputs, files, job_failed=job_failed)


# Both


def _report(settings: RunSettings, manifest: Manifest) -> Report:
    return Report(
        manifest_path=manifest.path,
        ui_url=settings.connection.address.ui_url,
        now_ms=_now_ms(),
        run=settings.run,
        manifest_text=manifest.text,
    )


def announce(settings: RunSettings, people: Mapping[str, str], report: Report) -> tuple[Remark, ...]:
    """Notify every service that the settings name; returns a remark for each that did not take its message."""
    if not settings.notify.is_used:
        return ()
    from incident_gate.notify import announce as notify  # most runs notify nobody

    return notify.announce(settings, people, report)


def resolved(worded: WordedT, resolve: Resolve) -> WordedT:
    """A problem or result with settings as their user knows them."""
    return worded._replace(message=resolve(worded.message), hint=resolve(worded.hint))


def _resolved_report(report: Report, resolve: Resolve) -> Report:
    outcome = report.outcome
    failure = copy(report.failure)
    if failure:
        failure.hint = resolve(failure.hint)
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
        failure=failure,
        outcome=outcome
        and outcome._replace(
            nothing=resolve(outcome.nothing),
            results=tuple(resolved(result, resolve) for result in outcome.results),
            warnings=tuple(map(resolve, outcome.warnings)),
        ),
    )


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
