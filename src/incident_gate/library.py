"""The library: the gate as functions, for orchestrators that run Python.

Nothing here prints, reads the environment or ends the process. To import it takes 3 ms: what a function needs is
imported when it is called.
"""

from __future__ import annotations

from incident_gate.errors import ExitCode, GateError, SettingError, WriteError

# As typing has it, without its import.
TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from pathlib import Path

    from incident_gate.gate.wait import WaitState
    from incident_gate.manifest.model import Manifest
    from incident_gate.report.model import Report
    from incident_gate.settings.model import RunSettings


_SECRET = ("datahub_token", "headers")


class BlockedError(GateError):
    """Inputs block; `report` has everything that is known of them, `to_json(report)` as text."""

    exit_code = ExitCode.BLOCKED

    def __init__(self, message: str, *, hint: str = "", report: Report) -> None:
        super().__init__(message, hint=hint)
        self.report = report


class Settings:
    """The settings of a run: the action's inputs with the same names, defaults and meanings.

    A manifest is read only if one is named; `inputs` and `outputs` are URNs besides it. `incident_key` identifies the
    job, for example by DAG and task: without one, nothing can be raised or resolved.

    Raises:
        GateError: A value has the wrong form. Everything else is checked when a function uses it.

    Example:
        >>> Settings(datahub_url="https://datahub.example.com", inputs=["urn:li:dataset:(...)"])
        Settings(datahub_url='https://datahub.example.com', inputs='urn:li:dataset:(...)')
    """

    __slots__ = ("_options",)

    def __init__(  # noqa: PLR0913 - every option is named
        self,
        *,
        datahub_url: str,
        datahub_token: str = "",
        manifest: str | Path = "",
        inputs: Iterable[str] = (),
        outputs: Iterable[str] = (),
        variables: Mapping[str, str] | None = None,
        on_incident: str = "",
        on_unknown: str = "",
        on_failing_assertion: str = "",
        types: Iterable[str] = (),
        min_priority: str = "",
        override: str = "",
        incident_key: str = "",
        incident_title: str = "",
        incident_message: str = "",
        datahub_ui_url: str = "",
        headers: Mapping[str, str] | None = None,
        ca_bundle: str | Path = "",
        timeout: float = 120,
        dry_run: bool = False,
        test_results: Iterable[str] = (),
        wait: float | str = 0,
        wait_interval: float | str = 60,
        wait_stable: float | str = 0,
    ) -> None:
        given = {name: value for name, value in locals().items() if name != "self"}
        self._options = {name.replace("_", "-"): _text(name, value) for name, value in given.items()}

    def __repr__(self) -> str:
        shown = []
        for argument, default in {"datahub_url": "", **(Settings.__init__.__kwdefaults__ or {})}.items():
            text = self.option(argument.replace("_", "-"))
            if text != _text(argument, default):
                shown.append(f"{argument}={'***' if argument in _SECRET else text!r}")
        return f"Settings({', '.join(shown)})"

    def option(self, name: str) -> str:
        """An option as text, by the name of the action's input; empty where it is not set."""
        return self._options.get(name, "")


def check(settings: Settings, *, on_wait: Callable[[WaitState], None] = lambda _state: None) -> Report:
    """Check the inputs, and wait for those that block if the settings say so.

    Args:
        settings: Of this run.
        on_wait: Called about once a second while the gate waits.

    Returns:
        The report of a check that passes, perhaps with warnings: `decisions` has one for each input (`entry.urn`,
        `verdict`, `conclusion`, the incidents that are `blocking`, `problems`), `owners` those of what only warns.

    Raises:
        BlockedError: Inputs block.
        DataHubError: DataHub could not be queried.
        ManifestError: The manifest has errors.
        SettingError: A setting is wrong.

    Example:
        >>> report = check(Settings(datahub_url=url, datahub_token=token, inputs=[orders]))
        >>> report.conclusion, report.verdict
        (<Conclusion.PASS: 'pass'>, <Verdict.HEALTHY: 'healthy'>)
    """
    from incident_gate import api
    from incident_gate.report.headline import headline
    from incident_gate.settings.options import Mode
    from incident_gate.settings.read import read_settings

    run = read_settings(settings.option, {}, mode=Mode.GATE, library=True)
    manifest = _manifest(settings, run)
    with api.connect(run) as client:
        report = api.check(run, manifest, client, on_wait=on_wait)
    if report.exit_code is ExitCode.DATAHUB and report.failure:
        raise report.failure
    if report.exit_code is not ExitCode.OK:
        has_incidents = any(decision.incident_count for decision in report.decisions)
        hint = "Fix the input; `report` has what is unknown and why."
        if has_incidents:
            hint = "Resolve the incidents in DataHub; `report` has them, and what else blocks."
        raise BlockedError(f"{headline(report)}.", hint=hint, report=report)
    return report


def report_outcome(settings: Settings, status: str) -> Report:
    """Raise an incident on each output, or resolve those of earlier failures.

    Args:
        settings: Of this run; `incident_key` is required.
        status: `failure` raises, `success` resolves, `cancelled` and `skipped` do nothing.

    Returns:
        The report; its `outcome` has what was done on each output.

    Raises:
        WriteError: An output could not be written.
        DataHubError: DataHub could not be queried.
        ManifestError: The manifest has errors.
        SettingError: A setting is wrong.

    Example:
        >>> report = report_outcome(settings, "failure")
        >>> [result.change for result in report.outcome.results]
        [<Change.RAISED: 'raised'>]
    """
    from incident_gate import api
    from incident_gate.outcome.result import Change
    from incident_gate.settings.options import Mode
    from incident_gate.settings.read import read_settings

    if not isinstance(status, str):
        raise SettingError(f"status is {status!r}.", hint="Use success, failure, cancelled or skipped.")
    options = {"job-status": status}
    run = read_settings(lambda name: options.get(name, settings.option(name)), {}, mode=Mode.REPORT, library=True)
    manifest = _manifest(settings, run)
    with api.connect(run) as client:
        report = api.report_outcome(run, manifest, run.status, client)
    if report.exit_code is not ExitCode.OK and report.outcome:
        failed = [output for output in report.outcome.results if output.change is Change.FAILED]
        reasons = (f"{output.entry.label}: {output.message} {output.hint}".strip() for output in failed)
        raise WriteError("\n".join(reasons))
    return report


def _manifest(settings: Settings, run: RunSettings) -> Manifest:
    from datetime import UTC, datetime

    from incident_gate.settings.read import manifest_of

    today = datetime.now(UTC).date()
    if settings.option("manifest"):
        return manifest_of(run, today)
    if not run.inputs and not run.outputs:
        raise SettingError("No assets: nothing to check or to report on.", hint="Set inputs, outputs or manifest.")
    return manifest_of(run._replace(manifest_shown=""), today, b"[]")


def _text(name: str, value: object) -> str:
    """A value as the text of an option: one line for each item of a list."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str) or not hasattr(value, "__iter__"):
        return str(value)
    items = value
    if hasattr(value, "items"):
        separator = ": " if name == "headers" else "="
        items = [f"{key}{separator}{item}" for key, item in value.items()]
    lines = [str(item) for item in items]
    if any(len(line.splitlines()) > 1 for line in lines):
        raise SettingError(f"{name} has a value with a line break.", hint="Remove it.")
    return "\n".join(lines)


def to_json(report: Report) -> str:
    """The whole report as the JSON of `examples/report.schema.json`."""
    from incident_gate.report.json import document

    return document(report)
