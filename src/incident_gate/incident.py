"""Incidents and the health of assets, independent of the form of DataHub's answers."""

from __future__ import annotations

import re
from enum import IntEnum, StrEnum
from typing import NamedTuple


class Priority(IntEnum):
    """Severity on the one scale that both forms share: servers before 1.0 send the int, later ones the name."""

    CRITICAL = 0
    HIGH = 1
    MEDIUM = 2
    LOW = 3


def read_priority(value: object) -> Priority | None:
    """A priority as either kind of server sends it."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Priority(min(max(value, Priority.CRITICAL), Priority.LOW))
    if isinstance(value, str):
        return Priority.__members__.get(value)
    return None


# Every value of `IncidentType` that some generation of server knows: the last three only the 2022 beta.
INCIDENT_TYPES = (
    "FRESHNESS",
    "VOLUME",
    "FIELD",
    "SQL",
    "DATA_SCHEMA",
    "OPERATIONAL",
    "CUSTOM",
    "SLA",
    "DATASET_COLUMN",
    "DATASET_ROWS",
)


class Reason(StrEnum):
    """Why an asset's health could not be established."""

    NOT_FOUND = "not-found"  # never ingested: DataHub resolves any well-formed URN, only `exists` shows it
    REMOVED = "removed"  # soft-deleted: still resolves
    EXISTENCE_UNKNOWN = "existence-unknown"  # the server did not answer whether it exists
    EXISTENCE_NOT_SUPPORTED = "existence-not-supported"  # servers before 2023 cannot be asked whether it exists
    NO_INCIDENTS_FIELD = "no-incidents-field"  # null or missing: the server does not track incidents of this
    NOT_ASKED = "not-asked"  # the server refused a query that asks for all that health needs
    HIDDEN = "hidden"  # a null element: missing, or not visible to the token
    REFUSED = "refused"  # the server refuses to answer: the token may not, or it is not DataHub that answers
    ERROR = "error"  # the server failed on this asset
    NO_ANSWER = "no-answer"  # the request that carried it failed or ran out of time
    UNVERIFIED = "unverified"  # an incident that a second source names as active, and that nothing shows
    ASSERTIONS = "assertions"  # assertions that cannot be read, have no result, or one that is too old
    MALFORMED = "malformed"  # the answer is not what the schema promises
    UNSTEADY = "unsteady"  # it passes, but not yet for as long as the settings ask
    INCOMPLETE = "incomplete"  # a selector's list has more entries than the server shows
    NOTHING_SELECTED = "nothing-selected"  # a selector selects nothing: the same as a mistyped one
    TOO_MANY = "too-many"  # a selector selects more than `at-most`
    UNREADABLE_FILE = "unreadable-file"  # a selector's file is missing, too large or another kind of file


class Question(StrEnum):
    """What must be known of an asset before it can be healthy. A message names what is not known by the values."""

    EXISTS = "whether it exists"
    NOT_REMOVED = "whether it was removed"
    VISIBLE = "whether this token may view it"
    INCIDENTS = "all of its incidents"
    WITNESS = "whether its summary names more incidents"
    SIBLINGS = "its siblings and their incidents"
    ASSERTIONS = "its assertions"


_ALWAYS = frozenset({Question.EXISTS, Question.NOT_REMOVED, Question.VISIBLE, Question.INCIDENTS, Question.WITNESS})


def questions(*, siblings: bool, assertions: bool) -> frozenset[Question]:
    """The questions whose answers health needs under a rule."""
    optional = {Question.SIBLINGS: siblings, Question.ASSERTIONS: assertions}
    return _ALWAYS | {question for question, is_needed in optional.items() if is_needed}


class Problem(NamedTuple):
    """One reason why an asset is `unknown`, with a sentence for the person who must act."""

    reason: Reason
    message: str
    hint: str = ""


def not_asked(unanswered: frozenset[Question]) -> Problem:
    """The problem of questions that no accepted query had in it."""
    missing = ", ".join(question for question in Question if question in unanswered)
    hint = "Check the DataHub server's log for the refused query, and that its schema can be queried; then run again."
    return Problem(Reason.NOT_ASKED, f"DataHub accepts no query that shows {missing}", hint)


class Cause(StrEnum):
    """Why an incident was raised, which decides what resolves it."""

    JOB = "job"  # the job failed
    CHECKS = "checks"  # checks of the output failed
    BUILD = "build"  # the output's build failed


class Mark(NamedTuple):
    """The gate's mark on an incident it raised: the last line of the description.

    `key` identifies the job on this asset and `scope` the workflow, each as 32 hexadecimal digits. `run` is the id of
    the run that raised it, empty where the run had none.
    """

    key: str
    scope: str
    run: str = ""
    cause: Cause = Cause.JOB

    @property
    def line(self) -> str:
        """The mark as text."""
        return f"Incident Gate: key {self.key}, scope {self.scope}, run {run_word(self.run)}, cause {self.cause}"


def run_word(run: str) -> str:
    """A run's id as one word without markup: it comes from the CI system, or from the person who started the run."""
    return re.sub(r"[^\w.:+~@/-]", "-", run, flags=re.ASCII)[:200] or _NO_RUN


_NO_RUN = "none"
_MARK_LABEL = "Incident Gate: key "
_MARK = r"Incident Gate: key ([0-9a-f]{32}), scope ([0-9a-f]{32}), run (\S{1,250}), cause (job|checks|build)"


def sign(description: str, mark: Mark) -> str:
    """A description with the mark as its last line."""
    return f"{description.rstrip()}\n\n{mark.line}"


def mark_in(description: str | None) -> Mark | None:
    """The mark in an incident's whole description as it came: the last line that is one, or None.

    A person may have written below it. A quoted line is not a mark, so quoting an incident does not claim it.
    """
    if not description or _MARK_LABEL not in description:
        return None
    for line in reversed(description.splitlines()):
        if match := re.fullmatch(_MARK, line.strip()):
            key, scope, run, cause = match.groups()
            # DataHub's editor escapes underscores when a person saves the description.
            run = run.replace("\\", "")
            return Mark(key, scope, "" if run == _NO_RUN else run, Cause(cause))
    return None


class Incident(NamedTuple):
    """An incident as read; all text is untrusted, and what the server left out is None.

    `asset` is the URN on which it is listed: the entry's own, or a sibling's. `created_ms` is Unix time in
    milliseconds. `stage` and `message` are those of its status. `assignees` are names of people.
    """

    urn: str
    asset: str
    type: str | None = None
    custom_type: str | None = None
    title: str | None = None
    description: str | None = None
    mark: Mark | None = None
    priority: Priority | None = None
    created_ms: int | None = None
    stage: str | None = None
    message: str | None = None
    assignees: tuple[str, ...] = ()


def severity(incident: Incident) -> tuple[int, int]:
    """Sorts incidents, the most severe first: by priority, then the longest active. What is not known comes last."""
    priority = len(Priority) if incident.priority is None else incident.priority
    return priority, 2**63 if incident.created_ms is None else incident.created_ms


class AssertionResult(StrEnum):
    """The latest result of an assertion."""

    SUCCESS = "SUCCESS"
    FAILURE = "FAILURE"
    ERROR = "ERROR"
    INIT = "INIT"  # a first run without anything to compare with: no result
    UNREADABLE = "UNREADABLE"  # there is none that can be read
    NEVER = "NEVER"  # it has not run yet


class Assertion(NamedTuple):
    """An assertion as read; all text is untrusted. Times are Unix time in milliseconds.

    `asset` is the URN on which it is listed. `since_ms` is the time of the first failure after any other result.
    """

    urn: str
    asset: str
    type: str | None = None
    description: str | None = None
    url: str | None = None
    result: AssertionResult = AssertionResult.NEVER
    run_ms: int | None = None
    since_ms: int | None = None


class Health(NamedTuple):
    """The health of one asset, as DataHub answered. It is healthy only by `problems_of`.

    `unread` counts active incidents that the server's index counts and its list does not show: they are real until
    shown otherwise. `left_out` of them were listed, and not kept. `problems` are reasons why the health is not known,
    and `answered` the questions that have an answer. `siblings` are the URNs whose incidents are included. `resolved`
    are the asset's own incidents that came along and are over. `unlisted` counts those of `incidents` that the list
    lacks; `unverified` are incidents that the asset's summary names as active, and that nothing shows. `assertions` are
    read only where they count, and `assertion_problems` are why they are not complete. `of_each_urn` is the health of
    each URN of an asset that has several, in the order of the query.
    """

    urn: str
    incidents: tuple[Incident, ...] = ()
    unread: int = 0
    left_out: int = 0
    problems: tuple[Problem, ...] = ()
    siblings: tuple[str, ...] = ()
    resolved: tuple[Incident, ...] = ()
    unlisted: int = 0
    unverified: tuple[Incident, ...] = ()
    assertions: tuple[Assertion, ...] = ()
    assertion_problems: tuple[Problem, ...] = ()
    of_each_urn: tuple[Health, ...] = ()
    answered: frozenset[Question] = frozenset()

    def problems_of(self, needed: frozenset[Question]) -> tuple[Problem, ...]:
        """Why it is not known whether the asset is healthy; empty only where all that is needed has its answer."""
        unanswered = needed - self.answered
        return self.problems or ((not_asked(unanswered),) if unanswered else ())

    @property
    def parts(self) -> tuple[Health, ...]:
        """The health of each of the asset's URNs; of one with a single URN, this."""
        return self.of_each_urn or (self,)
