"""Check a manifest's inputs."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from incident_gate.api.connect import OnExchange, Result, connect
from incident_gate.api.spelling import resolved_report
from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.health.context import ServerState
from incident_gate.datahub.health.reader import Reader
from incident_gate.gate.check import CheckResult, check_inputs
from incident_gate.gate.override import overridden
from incident_gate.gate.policy import Conclusion, worst
from incident_gate.gate.wait import Waited, WaitState, wait
from incident_gate.gate.waivers import unused_waivers
from incident_gate.manifest.model import Manifest
from incident_gate.report.model import Override, Report
from incident_gate.settings import RunSettings

OnWait = Callable[[WaitState], None]


def check(
    settings: RunSettings,
    manifest: Manifest,
    *,
    on_exchange: OnExchange | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
    on_wait: OnWait = lambda _state: None,
) -> Result:
    """Check the inputs, and wait for those that block if the settings say so.

    Args:
        settings: Of this run.
        manifest: Whose inputs.
        on_exchange: Called after every request, for the debug log.
        on_progress: Called with the number of assets answered so far, and of all.
        on_wait: Called about once a second while the gate waits.

    Raises:
        SettingError: The CA bundle cannot be used.
        ManifestError: A selector's path leads out of the workspace.
    """
    notices = [*settings.warnings]
    if not manifest.inputs and not manifest.selectors:
        notices.append("The manifest names no inputs, so there is nothing to check.")
    with connect(settings, on_exchange) as client:
        selection = None
        if manifest.selectors or manifest.output_selectors:
            from incident_gate.api.select import select  # noqa: PLC0415 - 10 ms, and most manifests have no selectors

            named, selection = manifest, select(settings, manifest, client)
            manifest = selection.applied_to(manifest)
            notices += selection.notices
        reader = Reader(client, server=ServerState(client, selection.schema if selection else None))
        unestablished = selection.problems if selection else ()

        def checked(positions: Sequence[int], *, reports_outcome: bool = False) -> CheckResult:
            inputs = len(manifest.inputs)
            unknown = [unestablished[position - inputs] for position in positions if position >= inputs]
            return check_inputs(
                manifest._replace(inputs=tuple(manifest.inputs[place] for place in positions if place < inputs)),
                reader=reader,
                identity=settings.identity,
                overrides=settings.overrides,
                reports_outcome=reports_outcome,
                unestablished=unknown,
                failure=selection.failure if selection and unknown else None,
                now_ms=time.time_ns() // 1_000_000,
                on_progress=on_progress,
            )

        def new_round() -> None:
            nonlocal client, reader
            # Threads of an earlier round may still be at work with their own.
            deadline = Deadline.after(settings.timeout)
            client, reader = client.until(deadline), reader.until(deadline)

        def rechecked(positions: Sequence[int]) -> CheckResult:
            new_round()
            return checked(positions)

        def renewed() -> CheckResult:
            nonlocal manifest, selection, unestablished
            new_round()
            selection = select(settings, named, client)
            manifest, unestablished = selection.applied_to(named), selection.problems
            return checked(range(len(manifest.inputs) + len(unestablished)))

        everything = range(len(manifest.inputs) + len(unestablished))
        result, waited = checked(everything, reports_outcome=settings.report_outcome), None
        missing_outputs = result.missing_outputs
        blocks = worst(decision.conclusion for decision in result.decisions) is Conclusion.BLOCK
        if blocks and settings.override:
            result = overridden(result, settings.override.reason)
        elif blocks and settings.waiting.longest:
            result, waited = _waited(settings, result, rechecked, on_wait, renewed if selection else None)
        report = Report(
            manifest_path=manifest.path,
            ui_url=settings.connection.address.ui_url,
            now_ms=time.time_ns() // 1_000_000,
            decisions=result.decisions,
            warnings=(*manifest.warnings, *unused_waivers(result.decisions)),
            notices=tuple(notices),
            failure=result.failure,
            missing_outputs=missing_outputs,
            waited=waited,
            override=settings.override and Override(*settings.override, effective=blocks),
        )
        report = resolved_report(report, settings.connection.resolved)
        if blocks and (report.conclusion is Conclusion.BLOCK or settings.override):
            from incident_gate.api.owners import with_owners  # noqa: PLC0415 - 2 ms, where inputs block

            report = with_owners(client, settings, report)
    return Result(report, result.exit_code)


def _waited(
    settings: RunSettings,
    first: CheckResult,
    recheck: Callable[[Sequence[int]], CheckResult],
    on_wait: OnWait,
    renew: Callable[[], CheckResult] | None,
) -> tuple[CheckResult, Waited | None]:
    times = settings.waiting
    return wait(
        first,
        recheck,
        longest=times.longest,
        interval=times.interval,
        stable=times.stable,
        clock=time.monotonic,
        sleep=time.sleep,
        on_wait=on_wait,
        renew=renew,
    )
