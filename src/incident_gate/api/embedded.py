"""Runs inside another program: from the options of a call to its report or an exception."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

from incident_gate.api.check import OnWait
from incident_gate.api.check import check as check_manifest
from incident_gate.api.manifest import manifest_of
from incident_gate.api.outcome import report_outcome as report_on
from incident_gate.errors import ExitCode, WriteError
from incident_gate.manifest.model import Manifest
from incident_gate.outcome.result import Change
from incident_gate.report.model import Report
from incident_gate.report.view import headline
from incident_gate.settings import Mode, RunSettings, read_settings

Option = Callable[[str], str]


def check(option: Option, on_wait: OnWait) -> tuple[Report, str]:
    """Check the inputs.

    Args:
        option: An option as text, by the name of the action's input.
        on_wait: Called about once a second while the gate waits.

    Returns:
        The report, and why the inputs block; empty where they do not.

    Raises:
        DataHubError: DataHub could not be queried.
        ManifestError: The manifest has errors.
        SettingError: A setting is wrong.
    """
    settings = read_settings(option, {}, mode=Mode.GATE, library=True)
    result = check_manifest(settings, _manifest(settings, option), on_wait=on_wait)
    if result.exit_code is ExitCode.DATAHUB and result.report.failure:
        raise result.report.failure
    return result.report, "" if result.exit_code is ExitCode.OK else f"{headline(result.report)}."


def report_outcome(option: Option, status: str) -> Report:
    """Raise or resolve incidents on the outputs.

    Args:
        option: An option as text, by the name of the action's input.
        status: The job's.

    Raises:
        WriteError: An output could not be written.
        DataHubError: DataHub could not be queried.
        ManifestError: The manifest has errors.
        SettingError: A setting is wrong.
    """

    def with_status(name: str) -> str:
        return status if name == "job-status" else option(name)

    settings = read_settings(with_status, {}, mode=Mode.REPORT, library=True)
    result = report_on(settings, _manifest(settings, option), settings.status)
    if result.exit_code is not ExitCode.OK and result.report.outcome:
        failed = [output for output in result.report.outcome.results if output.change is Change.FAILED]
        reasons = (f"{output.entry.label}: {output.message} {output.hint}".strip() for output in failed)
        raise WriteError("\n".join(reasons))
    return result.report


def _manifest(settings: RunSettings, option: Option) -> Manifest:
    today = datetime.now(UTC).date()
    return manifest_of(settings, today) if option("manifest") else manifest_of(settings, today, b"[]")
