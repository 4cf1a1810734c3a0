"""One stage of the step: inputs from the environment, the report to GitHub, an exit code."""

from __future__ import annotations

import time
import traceback
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from pathlib import Path
from typing import TextIO

from incident_gate.action import runner
from incident_gate.action.state import LONGEST_STATE, SavedState, digest_of, saved_state, too_long, values_to_save
from incident_gate.api import announce, check, connect, report_outcome
from incident_gate.ci.run import is_blocked, mark_job_blocked
from incident_gate.errors import ExitCode, GateError
from incident_gate.manifest.model import Manifest, ManifestError
from incident_gate.report import json, summary, terminal
from incident_gate.report.annotations import Annotation, Level, annotate, annotate_error, annotate_mistakes
from incident_gate.report.files import write_reports
from incident_gate.report.manifest_text import mistake_text
from incident_gate.report.model import Report
from incident_gate.report.terminal import Progress, trace
from incident_gate.settings.model import RunSettings
from incident_gate.settings.options import Mode
from incident_gate.settings.read import content_of, manifest_of, read_settings, secrets_of
from incident_gate.text import plain

_TITLE = "DataHub Incident Gate"
_NESTED = (
    "Inside nested composite actions the end of the job does not get a step's inputs: "
    "set DATAHUB_GMS_TOKEN in the job's `env`, or use a last step with `mode: report`."
)
_NOT_SAVED = "So the end of the job will not report the outcome."
_NO_RESULT = (
    "The gate saved no result for the end of the job: it did not come to an end, or its log warns that it could not "
    "write the runner's file (GITHUB_STATE). So whether the gate let the job go on is not known."
)
_REPORT_IT = "Run the job again with debug logging, and report what it prints."


class Stage:
    """One stage of the step.

    Args:
        environment: As the runner sets it.
        stdout: The step's log, in which lines that start with `::` are commands to the runner.

    Attributes:
        interrupt_message: What to print when the stage is interrupted now.
    """

    def __init__(self, environment: Mapping[str, str], stdout: TextIO) -> None:
        self.interrupt_message = "Interrupted: nothing was decided and nothing was written."
        self._environment = environment
        self._stdout = stdout
        self._log = runner.StepLog(stdout)
        # The runner sets it where the user asked for debug logging.
        self._debugs = environment.get("RUNNER_DEBUG") == "1"
        self._start = time.time()

    def main(self) -> ExitCode:
        """Run the main stage: gate, or what the mode says."""
        code = self._guarded(self._main)
        if code is not ExitCode.OK:
            self._log.warn(self._mark_job_blocked())
        return code

    def post(self) -> ExitCode:
        """Run the post stage: report the job's outcome, if the gate let the job go on."""
        return self._guarded(self._post)

    def interrupted(self) -> str:
        """End the main stage early, as a gate that came to no verdict; returns what to print."""
        self._write_outputs(json.NO_VERDICT)
        self._log.warn(self._mark_job_blocked())
        return self.interrupt_message

    def _guarded(self, run: Callable[[], ExitCode]) -> ExitCode:
        """Run a stage; whatever ends it early becomes an annotation and an exit code."""
        try:
            # Before anything else that might print: a mask works on what follows it.
            self._log.mask(secrets_of(self._input, self._environment))
            return run()
        except ManifestError as error:
            self._log.annotate(annotate_mistakes(error))
            self._log.text(mistake_text(error))
            self._write_summary(summary.error_summary(error))
            return error.exit_code
        except GateError as error:
            self._log.annotate([annotate_error(error)])
            self._write_summary(summary.error_summary(error))
            self._log_traceback(error)
            return error.exit_code
        except Exception as error:  # noqa: BLE001 - an internal error must not pass as health, nor print a traceback
            message = f"Internal error: {type(error).__name__}. Nothing was decided, so nothing passes.\n{_REPORT_IT}"
            self._log.annotate([Annotation(level=Level.ERROR, title=_TITLE, message=message)])
            self._log_traceback(error)
            return ExitCode.DATAHUB

    def _main(self) -> ExitCode:
        try:
            settings = self._settings()
            content = content_of(settings)
            manifest = manifest_of(settings, _today(), content)
            if settings.mode is Mode.GATE:
                report = self._gate(settings, manifest, content)
            else:
                report = self._outcome(settings, manifest, settings.status)
            # The files of a post stage would replace the gate's, when nothing can upload them any more.
            self._write_reports(settings, report)
        except Exception:
            # Who reads the outputs of a step that failed must not take silence for health.
            self._write_outputs(json.NO_VERDICT)
            raise
        return report.exit_code

    def _post(self) -> ExitCode:
        """Errors are warnings: the job has ended."""
        state = saved_state(self._environment)
        if state.conclusion not in {"pass", "warn"}:
            if not (state.conclusion or is_blocked(self._environment)):
                self._unreported(_NO_RESULT)
                return ExitCode.OK
            why = "the gate blocked this job" if state.conclusion else "the gate did not come to an end"
            self._log.annotate([Annotation(level=Level.NOTICE, message=f"No outcome is reported: {why}.")])
            return ExitCode.OK
        try:
            if state.missing:
                self._unreported(f"What the gate saved for it is not complete: {', '.join(state.missing)}.")
                return ExitCode.OK
            settings = self._settings(state)
            if state.had_token and not settings.connection.token:
                self._unreported(f"The gate had a DataHub token, and the end of the job has none. {_NESTED}")
                return ExitCode.OK
            if not settings.job_status:
                self._unreported(f"The job's status is missing. {_NESTED}")
                return ExitCode.OK
            manifest = self._saved_manifest(settings, state)
            self._outcome(settings, manifest, settings.job_status, job_start=state.start)
        except GateError as error:
            self._unreported(annotate_error(error).message)
            self._log_traceback(error)
        except Exception as error:  # noqa: BLE001 - an internal error must not fail a job that has succeeded
            self._unreported(f"Internal error: {type(error).__name__}. {_REPORT_IT}")
            self._log_traceback(error)
        return ExitCode.OK

    def _settings(self, state: SavedState | None = None) -> RunSettings:
        workspace = Path(self._environment.get("GITHUB_WORKSPACE") or ".")
        return read_settings(
            (lambda name: state.value_of(name, self._input)) if state else self._input,
            self._environment,
            workspace=workspace,
            # Where the manifest is saved, its path no longer matters: the job may have turned it into anything.
            reads_manifest=state is None or state.manifest is None,
            run=state and state.run,
        )

    def _gate(self, settings: RunSettings, manifest: Manifest, content: bytes) -> Report:
        self.interrupt_message = (
            "Interrupted before the gate came to a verdict: nothing was decided and nothing was written."
        )
        with self._progress(settings) as progress, connect(settings, progress.note_request) as client:
            report = check(settings, manifest, client, on_wait=progress.note_wait)
        self._publish(report)
        self._save(settings, report, content)
        self._notify(settings, manifest, report)
        return report

    def _outcome(
        self, settings: RunSettings, manifest: Manifest, status: str, *, job_start: float | None = None
    ) -> Report:
        labels = [entry.label for entry in manifest.outputs] + [entry.label for entry in manifest.output_selectors]
        names = ", ".join(plain(label, 80) for label in labels[:20])
        self.interrupt_message = (
            f"Interrupted while reporting on {names}: some incidents may be raised or resolved already and others not. "
            "The next run of this job finds its own and goes on from there."
        )
        with self._progress(settings) as progress, connect(settings, progress.note_request) as client:
            report = report_outcome(settings, manifest, status, client, job_start=job_start)
        self._publish(report)
        self._notify(settings, manifest, report)
        return report

    def _notify(self, settings: RunSettings, manifest: Manifest, report: Report) -> None:
        """Notify the services that the settings name; by now everything else is written."""
        for remark in announce(settings, manifest.people, report):
            level = Level.WARNING if remark.is_warning else Level.NOTICE
            self._log.annotate([Annotation(level=level, message=plain(remark.text, 1000))])

    def _progress(self, settings: RunSettings) -> Progress:
        on_request = (lambda log: self._log.debug(trace(log))) if self._debugs else None
        return Progress(self._stdout, settings.connection.address.server, clock=time.monotonic, on_request=on_request)

    def _write_reports(self, settings: RunSettings, report: Report) -> None:
        if settings.report_files:
            workspace = settings.workspace
            for warning in write_reports(report, settings.report_files, workspace=workspace, print_text=self._log.text):
                self._log.warn(warning)

    def _publish(self, report: Report) -> None:
        self._log.text(terminal.terminal(report))
        self._log.annotate(annotate(report))
        room = summary.LIMIT - runner.size(self._environment.get("GITHUB_STEP_SUMMARY"))
        self._write_summary(summary.summary(report, room))
        self._write_outputs(json.outputs(report))

    def _write_summary(self, markdown: str) -> None:
        self._log.warn(runner.write_summary(self._environment.get("GITHUB_STEP_SUMMARY"), markdown))

    def _write_outputs(self, outputs: Mapping[str, str]) -> None:
        self._log.warn(runner.write_values(self._environment.get("GITHUB_OUTPUT"), outputs))

    # What the post stage needs

    def _save(self, settings: RunSettings, report: Report, content: bytes) -> None:
        values = {"report": "true" if settings.report_outcome else "false"}
        if settings.report_outcome:
            values |= values_to_save(
                settings, self._input, conclusion=report.conclusion.value, manifest=content, start=self._start
            )
        path, what = self._environment.get("GITHUB_STATE"), "state for the end of the job"
        if warning := runner.write_values(path, values, what):
            self._log.warn(f"{warning} {_NOT_SAVED}" if settings.report_outcome else warning)
        elif names := ", ".join(too_long(values)):
            self._log.warn(
                f"Longer than {LONGEST_STATE:,} bytes, so it cannot be saved: {names}. {_NOT_SAVED} "
                "Name the assets in the manifest, which may be longer."
            )

    def _saved_manifest(self, settings: RunSettings, state: SavedState) -> Manifest:
        """The manifest that the gate read: the job may have changed the checkout since."""
        if state.manifest is not None:
            return manifest_of(settings, _today(), state.manifest.encode())
        content = content_of(settings)
        if digest_of(content) != state.digest:
            raise GateError(
                f"{settings.manifest_shown} changed while the job ran.", hint="Leave it alone until the job's end."
            )
        return manifest_of(settings, _today(), content)

    def _mark_job_blocked(self) -> str:
        """Leave for later steps that the gate stopped this job; steps of other modes do not."""
        if self._input("mode") in {Mode.RAISE, Mode.RESOLVE, Mode.REPORT}:
            return ""
        return mark_job_blocked(self._environment)

    # What the runner reads

    def _input(self, name: str) -> str:
        # As the runner spells it: hyphens stay, and an input that is not set is empty.
        return self._environment.get(f"INPUT_{name.upper()}", "").strip()

    def _log_traceback(self, error: Exception) -> None:
        if self._debugs:
            self._log.debug(*traceback.format_exception(error))

    def _unreported(self, why: str) -> None:
        message = f"The job's outcome could not be reported to DataHub.\n{why}"
        self._log.annotate([Annotation(level=Level.WARNING, title=_TITLE, message=message)])


def _today() -> date:
    return datetime.now(UTC).date()
