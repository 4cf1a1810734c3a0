"""A DataHub that is only imagined, with a clock that costs nothing: for what no real server does on request."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, cast

from incident_gate.ci.run import Run
from incident_gate.datahub.health.answer import HealthQuery
from incident_gate.datahub.health.reader import Reader
from incident_gate.datahub.health.reading import Reading
from incident_gate.datahub.incidents import Attempt, IncidentState, NewIncident, RaiseStatus, Writer
from incident_gate.datahub.parallel import Deadline
from incident_gate.errors import GateError
from incident_gate.incident import Health, Incident, Problem, Reason, mark_in
from incident_gate.manifest.model import OutputEntry
from incident_gate.outcome.decide import report
from incident_gate.outcome.own import Context, IndexTimeouts
from incident_gate.outcome.result import Evaluation, Outcome, OutcomeReport, OutputDecision, evaluate_status
from incident_gate.outcome.wording import Wording
from tests.helpers.job_end import IDENTITY, RUN, signed

ASSET = "urn:li:dataset:(urn:li:dataPlatform:snowflake,a,PROD)"
KEY = IDENTITY.key_of(ASSET)
ERROR = Problem(Reason.ERROR, "DataHub failed on it", "Try again.")


def created(urn: str, *, has_id: bool = False) -> Attempt:
    return Attempt(RaiseStatus.CREATED, urn=urn, has_id=has_id)


def exists(urn: str) -> Attempt:
    return Attempt(RaiseStatus.EXISTS, urn=urn, has_id=True)


def lost(*, has_id: bool = False) -> Attempt:
    return Attempt(RaiseStatus.UNKNOWN, reason="the answer was lost", has_id=has_id)


@dataclass(slots=True)
class Entry:
    """An incident: when the list first shows it, and whether it is active."""

    urn: str
    listed_at: float = 0.0
    active: bool = True
    created_ms: int | None = 1_000
    description: str = signed("failed", ASSET)
    stage: str | None = None
    message: str | None = None


@dataclass(slots=True, kw_only=True)
class ImaginedDataHub:
    """Reader, writer and clock in one.

    `attempts` says what becomes of each attempt to raise; `refuses` maps URNs to what a write to them raises;
    `problems` are the asset's until `problems_until`; `archive` is what only the
    whole history shows. `on_attempt` and
    `on_read` are called before each attempt or reading with its number.
    """

    attempts: Sequence[Attempt | GateError] = ()
    entries: list[Entry] = field(default_factory=list)
    gone: set[str] = field(default_factory=set)
    refuses: dict[str, GateError] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    problems_until: float = float("inf")
    unread: int = 0
    knows_states: bool = False
    on_attempt: Callable[[int], None] = lambda _number: None
    now: float = 100.0
    raised: list[tuple[NewIncident, str]] = field(default_factory=list)
    read_at: list[float] = field(default_factory=list)
    writes: list[tuple[str, str, str]] = field(default_factory=list)
    stages: list[str | None] = field(default_factory=list)
    on_read: Callable[[int], None] = lambda _number: None
    asset: str = ASSET
    archive: list[Entry] = field(default_factory=list)
    lost_keeps: int = 0

    # What a reader and a writer do

    def read(self, questions: Sequence[HealthQuery]) -> Reading:
        """One health a question; only ASSET has incidents."""
        assert not any(question.siblings for question in questions)
        self.on_read(len(self.read_at))
        self.read_at.append(self.now)
        return Reading({question: self._health(question.urn.text) for question in questions})

    def _health(self, urn: str) -> Health:
        listed = [entry for entry in self.entries if entry.listed_at <= self.now and urn == ASSET]
        incidents = {
            active: tuple(
                Incident(
                    urn=e.urn,
                    asset=urn,
                    description=e.description,
                    mark=mark_in(e.description),
                    created_ms=e.created_ms,
                    stage=e.stage,
                    message=e.message,
                )
                for e in listed
                if e.active is active
            )
            for active in (True, False)
        }
        problems = self.problems if self.now < self.problems_until else ()
        return Health(
            urn=urn, incidents=incidents[True], resolved=incidents[False], problems=problems, unread=self.unread
        )

    def raise_incident(self, new: NewIncident, incident_id: str, *, hidden: int = 0) -> Attempt:
        """The next of the attempts."""
        assert hidden == self.unread
        self.on_attempt(len(self.raised))
        self.raised.append((new, incident_id))
        attempt = self.attempts[len(self.raised) - 1]
        if isinstance(attempt, GateError):
            raise attempt
        return attempt

    def keep(self, incident_urn: str, *, message: str, stage: str | None) -> bool | None:
        self.stages.append(stage)
        if self.lost_keeps:
            self.lost_keeps -= 1
            return None
        return self._write("keep", incident_urn, message)

    def resolve(self, incident_urn: str, message: str) -> bool:
        return self._write("resolve", incident_urn, message)

    def _write(self, what: str, urn: str, message: str) -> bool:
        if urn in self.refuses:
            raise self.refuses[urn]
        self.writes.append((what, urn, message))
        return urn not in self.gone

    def read_incident(self, incident_urn: str) -> IncidentState | None:
        known = next((entry for entry in self.entries if entry.urn == incident_urn), None)
        if known is None or not self.knows_states:
            return None
        return IncidentState(self.asset, known.active, mark_in(known.description))

    # Time

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        self.now += seconds

    def clock(self) -> float:
        return self.now

    def context(
        self, *, seconds: float = 120.0, dry_run: bool = False, run: Run = RUN, title: str = "", message: str = ""
    ) -> Context:
        """What a job reports with."""
        return Context(
            reader=cast("Reader", self),
            quick_reader=cast("Reader", self),
            full_history_reader=cast("Reader", replace(self, entries=self.archive) if self.archive else self),
            writer=cast("Writer", self),
            identity=IDENTITY,
            wording=Wording(run=run, title=title, message=message),
            deadline=Deadline.after(seconds, self.clock),
            clock_ms=lambda: 5,
            sleep=self.sleep,
            dry_run=dry_run,
            timeouts=IndexTimeouts(listed=1.0, settled=4.0, longest=10.0, first_look=0.2, longest_look=1.0),
        )

    def end(
        self, outputs: Sequence[OutputEntry], outcome: Outcome, *, decision: OutputDecision | None = None, **given: Any
    ) -> OutcomeReport:
        """Report how the job ended, or what is decided about each output; arguments as for `context`."""
        evaluation = Evaluation((decision,) * len(outputs)) if decision else evaluate_status(outputs, outcome)
        return report(self.context(**given), outputs, evaluation, outcome)
