"""Check a manifest's inputs."""

from __future__ import annotations

import time
from collections.abc import Callable

from incident_gate.api.connect import OnExchange, Result, connect, refuse_selectors
from incident_gate.api.spelling import spelled_report, speller
from incident_gate.datahub.health.reader import Reader
from incident_gate.gate.check import check_inputs
from incident_gate.gate.policy import Conclusion
from incident_gate.gate.waivers import unused_waivers
from incident_gate.manifest.model import Manifest
from incident_gate.report.model import Report
from incident_gate.settings import Settings


def check(
    settings: Settings,
    manifest: Manifest,
    *,
    on_exchange: OnExchange | None = None,
    on_progress: Callable[[int, int], None] = lambda _done, _total: None,
) -> Result:
    """Check the inputs.

    Args:
        settings: Of this run.
        manifest: Whose inputs.
        on_exchange: Called after every request, for the debug log.
        on_progress: Called with the number of assets answered so far, and of all.

    Raises:
        SettingError: The CA bundle or the proxy cannot be used.
    """
    refuse_selectors(manifest)
    notices = [*settings.warnings]
    if not manifest.inputs:
        notices.append("The manifest names no inputs, so there is nothing to check.")
    with connect(settings, on_exchange) as client:
        judgement = check_inputs(
            manifest,
            reader=Reader(client),
            identity=settings.identity,
            overrides=settings.overrides,
            on_progress=on_progress,
        )
        report = Report(
            manifest_path=manifest.path,
            ui_url=settings.connection.address.ui_url,
            now_ms=time.time_ns() // 1_000_000,
            decisions=judgement.decisions,
            warnings=(*manifest.warnings, *unused_waivers(judgement.decisions)),
            notices=tuple(notices),
            failure=judgement.failure,
        )
        report = spelled_report(report, speller(settings.connection))
        if report.conclusion is Conclusion.BLOCK:
            from incident_gate.api.owners import with_owners  # noqa: PLC0415 - nobody is looked up for a healthy run

            report = with_owners(client, settings, report)
    return Result(report, judgement.exit_code)
