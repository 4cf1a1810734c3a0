"""Report a job's outcome by what its results files have about each output."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

from incident_gate.manifest.model import Dbt, Manifest
from incident_gate.outcome.by_results import report_results
from incident_gate.outcome.model import Context, Outcome
from incident_gate.outcome.result import OutcomeReport
from incident_gate.outcome.results.assess import DbtManifests, assess
from incident_gate.outcome.results.load import ResultFiles
from incident_gate.outcome.results.wording import unix_time
from incident_gate.settings import Mode, RunSettings
from incident_gate.text import Redactor

# Where the job's start is not known: GitHub's own runners end a job after six hours, others later.
_LONGEST_JOB = 24 * 3600


def evaluated(
    settings: RunSettings, manifest: Manifest, status: Outcome, job_start: float | None
) -> Callable[[Context], OutcomeReport]:
    """Read the results files and decide about each output.

    Args:
        settings: The files, and the workspace that they are in.
        manifest: Whose outputs.
        status: The job's.
        job_start: When the job started, Unix time in seconds; None where no earlier stage noted it.

    Returns:
        A function that reports what was decided.
    """
    selectors = [selector.what for selector in manifest.output_selectors]
    selectors += [selector.what for selector in manifest.selectors if isinstance(selector.what, Dbt)]
    files = ResultFiles(
        patterns=settings.test_results,
        folder=settings.workspace or Path(),
        confined=settings.workspace is not None,
        job_start=job_start or unix_time(settings.run.started) or time.time() - _LONGEST_JOB,
        redact=Redactor(settings.secrets),
    )
    manifests = DbtManifests(
        paths=tuple(path for dbt in selectors for path in dbt.manifest),
        platforms=tuple(dbt.target_platform for dbt in selectors if dbt.target_platform),
    )
    return partial(
        report_results,
        outputs=manifest.outputs,
        evaluation=assess(manifest.outputs, files, manifests, job_failed=status is Outcome.FAILURE),
        outcome=status,
        only=status if settings.mode in {Mode.RAISE, Mode.RESOLVE} else None,
    )
