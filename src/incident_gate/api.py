"""One stage against one DataHub: the use cases, wired to the wire."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from incident_gate.datahub.client import Client, Exchange
from incident_gate.datahub.connection import open_client
from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.health.reader import PARALLEL, Reader
from incident_gate.errors import ExitCode, GateError
from incident_gate.gate.check import check_inputs
from incident_gate.manifest.model import Manifest
from incident_gate.outcome.result import Change, OutcomeReport
from incident_gate.report.model import Report
from incident_gate.settings import Settings

if TYPE_CHECKING:
    from incident_gate.doctor.checks import Diagnosis


class Result(NamedTuple):
    """What a stage has to say, and what it returns."""

    report: Report
    exit_code: ExitCode


def _refuse_selectors(manifest: Manifest) -> None:
    """Until selectors are wired, a manifest with one must not pass as if it had none."""
    if manifest.selectors or manifest.output_selectors:
        raise GateError("Selectors (upstream-of, search, dbt) are not supported yet.", hint="Name the assets by URN.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """A stage with its edges.

    Args:
        settings: What to do.
        on_exchange: Told of every request, for the debug log.
        on_progress: Told how many of how many assets are answered.
        clock_ms: Unix time in milliseconds.
    """

    settings: Settings
    on_exchange: Callable[[Exchange], None] | None = None
    on_progress: Callable[[int, int], None] = lambda _done, _total: None
    clock_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000

    def gate(self, manifest: Manifest) -> Result:
        """Check the inputs.

        Raises:
            SettingError: The CA bundle cannot be used.
        """
        settings = self.settings
        _refuse_selectors(manifest)
        notices = [*settings.warnings]
        if not manifest.inputs:
            notices.append("The manifest names no inputs: there is nothing to gate.")
        with self._client() as client:
            judgement = check_inputs(
                manifest,
                reader=Reader(client),
                identity=settings.identity,
                overrides=settings.overrides,
                on_progress=self.on_progress,
            )
        report = Report(
            manifest_path=manifest.path,
            ui_url=settings.connection.address.ui_url,
            now_ms=self.clock_ms(),
            decisions=judgement.decisions,
            warnings=manifest.warnings,
            notices=tuple(notices),
            failure=judgement.failure,
        )
        return Result(report, judgement.exit_code)

    def report_outcome(self, manifest: Manifest, status: str) -> Result:
        """Raise or resolve on the outputs, by the job's status.

        Args:
            manifest: Whose outputs.
            status: `success` or `failure`; anything else changes nothing.

        Raises:
            SettingError: The CA bundle cannot be used.
        """
        # Needed by this stage only.
        from incident_gate.datahub.incidents import Writer  # noqa: PLC0415
        from incident_gate.outcome.decide import Outcome, OutcomeReporter, why_nothing  # noqa: PLC0415
        from incident_gate.outcome.wording import Wording  # noqa: PLC0415

        settings = self.settings
        _refuse_selectors(manifest)
        nothing = why_nothing(status, pull_request=bool(settings.run.change), outputs=manifest.outputs)
        if nothing:
            outcome = OutcomeReport(outcome=status, nothing=nothing)
        else:
            with self._client() as client:
                reporter = OutcomeReporter(
                    # Only a failure asks what was before: what it raises follows from there.
                    reader=Reader(client, history=status == Outcome.FAILURE),
                    writer=Writer(client),
                    identity=settings.identity,
                    wording=Wording(
                        run=settings.run,
                        title=settings.title,
                        message=settings.message,
                        matrix=settings.identity.matrix,
                    ),
                    deadline=client.deadline,
                    clock_ms=self.clock_ms,
                    sleep=time.sleep,
                    dry_run=settings.dry_run,
                )
                outcome = reporter.report(manifest.outputs, Outcome(status))
        report = Report(
            manifest_path=manifest.path,
            ui_url=settings.connection.address.ui_url,
            now_ms=self.clock_ms(),
            outcome=outcome,
            warnings=manifest.warnings,
            notices=settings.warnings,
            gated=False,
        )
        failed = any(result.change is Change.FAILED for result in outcome.results)
        return Result(report, ExitCode.DATAHUB if failed else ExitCode.OK)

    def diagnose(self, manifest: Manifest | None) -> Diagnosis:
        """Look at everything that the other two depend on; None where there is no manifest yet.

        Raises:
            SettingError: The CA bundle cannot be used.
        """
        from incident_gate.doctor.checks import examine  # noqa: PLC0415 - needed by one command only

        with self._client() as client:
            return examine(self.settings, client, manifest)

    @contextmanager
    def _client(self) -> Iterator[Client]:
        """The wire, cut at the end of the block: what still waits for an answer then is given up."""
        settings = self.settings
        with closing(open_client(settings.connection, connections=PARALLEL)) as http:
            yield Client(
                http,
                settings.connection.address.graphql_url,
                Deadline.after(settings.timeout),
                on_exchange=self.on_exchange,
                secrets=settings.connection.secrets,
            )
