"""The end of a job against a running stand-in: real requests, and waits as short as a test can bear."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event
from typing import cast

from incident_gate.ci.run import JobIdentity, Run
from incident_gate.datahub.client import Client
from incident_gate.datahub.connection import Connection, parse_address
from incident_gate.datahub.health.answer import Extent, HealthQuery, History
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.health.reading import Reading
from incident_gate.datahub.incidents import Writer
from incident_gate.datahub.parallel import Deadline
from incident_gate.datahub.transport import open_client
from incident_gate.incident import sign
from incident_gate.manifest.model import IncidentTemplate, OutputEntry, Position
from incident_gate.outcome.decide import report, skip_reason
from incident_gate.outcome.own import Context, IndexTimeouts
from incident_gate.outcome.result import Change, Outcome, OutcomeReport, evaluate_status
from incident_gate.outcome.wording import Wording
from incident_gate.sandbox import Sandbox
from incident_gate.urn import parse_urn

# Real seconds for one second of the real thing.
SCALE = 1 / 20
IDENTITY = JobIdentity(server="datahub", repository="acme/pipelines", workflow=".github/workflows/b.yml", job="build")


def signed(text: str, asset: str, *, run: str = "1007", identity: JobIdentity = IDENTITY) -> str:
    """A description that this job signed."""
    return sign(text, identity.mark_of(asset, run=run))


RUN = Run(
    repository="acme/pipelines",
    workflow="nightly",
    workflow_file=".github/workflows/b.yml",
    job="build",
    run_id="1007",
    number="7",
    attempt="1",
    commit="c0ffee",
    branch="main",
    default_branch="main",
    has_branches=True,
    is_ordered=True,
    actor="ana",
    url="https://github.com/acme/pipelines/actions/runs/1007/attempts/1",
)


def timeouts(scale: float = SCALE) -> IndexTimeouts:
    """The program's own waits, compressed."""
    return IndexTimeouts(*(seconds * scale for seconds in IndexTimeouts()))


def output(urn: str, template: IncidentTemplate | None = None) -> OutputEntry:
    """An output as a manifest would name it."""
    return OutputEntry(urn=parse_urn(urn), position=Position(1, 1), incident=template or IncidentTemplate())


@dataclass(frozen=True, slots=True, kw_only=True)
class Job:
    """A job and its outputs; every `end` is a run of its own, as a process of its own would be."""

    server: Sandbox
    outputs: Sequence[OutputEntry]
    identity: JobIdentity = IDENTITY
    token: str = ""
    seconds: float = 100.0
    scale: float = SCALE
    dry_run: bool = False
    title: str = ""
    message: str = ""
    before_look: Callable[[], None] | None = None

    def end(self, outcome: str, number: int = 7, *, branch: str = "main") -> OutcomeReport:
        """Report how run `number` ended."""
        run = self.run_of(number)._replace(branch=branch)
        if nothing := skip_reason(outcome, run=run, branches=(), blocked=False, outputs=self.outputs):
            return OutcomeReport(outcome=outcome, nothing=nothing)
        address = parse_address(self.server.url, setting="datahub-url")
        connection = Connection(address=address, token=self.token or self.server.token)
        with open_client(connection, connections=8) as http:
            client = Client(http, address.graphql_url, Deadline.after(self.seconds))
            reader = Reader(client, Extent(History.NEWEST), sleep=lambda seconds: time.sleep(seconds * self.scale))
            context = Context(
                reader=reader,
                quick_reader=self._looks(reader.variant(Extent(History.NEWEST, summaries=False))),
                full_history_reader=reader.variant(Extent(History.WHOLE)),
                writer=Writer(client),
                identity=self.identity,
                wording=Wording(run=run, title=self.title, message=self.message),
                deadline=client.deadline,
                clock_ms=lambda: time.time_ns() // 1_000_000,
                sleep=time.sleep,
                dry_run=self.dry_run,
                timeouts=timeouts(self.scale),
            )
            return report(context, self.outputs, evaluate_status(self.outputs, Outcome(outcome)), Outcome(outcome))

    def _looks(self, reader: Reader) -> Reader:
        """A reader before whose first look something happens: what a run sees just before it writes is new to it."""
        if self.before_look is None:
            return reader
        happen, happened = self.before_look, Event()

        class Looking:
            def read(self, queries: Sequence[HealthQuery]) -> Reading:
                if not happened.is_set():
                    happened.set()
                    happen()
                return reader.read(queries)

        return cast("Reader", Looking())

    def run_of(self, number: int) -> Run:
        """Run `number` of the job: its id grows with it."""
        return RUN._replace(number=str(number), run_id=str(1000 + number))

    def changes(self, outcome: str, number: int = 7) -> list[Change]:
        """What became of each output."""
        return [result.change for result in self.end(outcome, number).results]
