"""Every option once: its name, parser, default and help, and where it exists.

The action's inputs, the command line and the tables of the documentation are derived from this table or compared with
it. To add an option, add it here and a field to `RunSettings`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from incident_gate.incident import INCIDENT_TYPES, Priority
from incident_gate.manifest.model import OnFailingAssertion, OnIncident, OnUnknown
from incident_gate.settings import parse

T_co = TypeVar("T_co", covariant=True)

DEFAULT_MANIFEST = ".github/incident-gate.yml"
LONGEST_TIMEOUT = 6 * 3600  # the longest job that GitHub's own runners allow


class Mode(StrEnum):
    """What a stage does."""

    GATE = "gate"
    RAISE = "raise"
    RESOLVE = "resolve"
    REPORT = "report"


class Scope(StrEnum):
    """Where an option exists, besides the commands that connect to DataHub."""

    CHECK = "check"
    RAISE = "raise"
    RESOLVE = "resolve"
    REPORT = "report"
    DOCTOR = "doctor"
    SELECT = "select"
    VALIDATE = "validate"
    ACTION = "action"


_OUTCOME = frozenset({Scope.RAISE, Scope.RESOLVE, Scope.REPORT, Scope.ACTION})
_JOB = _OUTCOME | {Scope.CHECK}
_ASSETS = _JOB | {Scope.DOCTOR, Scope.SELECT}
_MANIFEST = _ASSETS | {Scope.VALIDATE}
_CHECK = frozenset({Scope.CHECK, Scope.ACTION})
_ACTION = frozenset({Scope.ACTION})


class Option(NamedTuple, Generic[T_co]):
    """One option.

    `default` is text like any other value, so the parser accepts it. `metavar` is empty for a flag. Each use of a
    `repeatable` one on the command line adds a line.
    """

    name: str
    parse: Callable[[str, str], T_co]
    help: str
    default: str = ""
    metavar: str = "TEXT"
    exists: frozenset[Scope] = _MANIFEST
    repeatable: bool = False
    secret: bool = False

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return f"--{self.name}"


def _choices(words: type[StrEnum], *, but: str = "") -> str:
    return f"{{{','.join(word for word in words if word != but)}}}"


DATAHUB_URL = Option("datahub-url", parse.text, "address of DataHub's server, UI or GraphQL endpoint", metavar="URL")
DATAHUB_TOKEN = Option(
    "datahub-token",
    parse.secret,
    "personal access token; prefer DATAHUB_GMS_TOKEN, which no list of processes shows",
    metavar="TOKEN",
    secret=True,
)
MANIFEST = Option(
    "manifest", parse.text, "path of the manifest", default=DEFAULT_MANIFEST, metavar="FILE", exists=_ACTION
)
INPUTS = Option(
    "inputs",
    parse.lines,
    "an input's URN, besides those of the manifest",
    metavar="URN",
    exists=_ASSETS,
    repeatable=True,
)
OUTPUTS = Option(
    "outputs",
    parse.lines,
    "an output's URN, besides those of the manifest",
    metavar="URN",
    exists=_ASSETS,
    repeatable=True,
)
VARIABLES = Option(
    "variables",
    parse.variables,
    "value for ${NAME} in the manifest",
    metavar="NAME=VALUE",
    exists=_MANIFEST,
    repeatable=True,
)
MODE = Option("mode", parse.choice(Mode), "what the step does", default="gate", metavar=_choices(Mode), exists=_ACTION)
REPORT_OUTCOME = Option(
    "report-outcome",
    parse.flag,
    "raise or resolve incidents on the outputs when the job ends",
    metavar="",
    exists=_ACTION,
)
REPORT_BRANCHES = Option(
    "report-branches",
    parse.items,
    "branches whose runs report outcomes (default: the default branch)",
    metavar="PATTERNS",
    exists=_OUTCOME,
    repeatable=True,
)
ON_INCIDENT = Option(
    "on-incident",
    parse.choice(OnIncident),
    "what an active incident does; overrides the manifest's defaults, an entry overrides both",
    metavar=_choices(OnIncident, but="ignore"),
    exists=_CHECK,
)
ON_UNKNOWN = Option(
    "on-unknown",
    parse.choice(OnUnknown),
    "what an asset of unknown health does; overrides as --on-incident",
    metavar=_choices(OnUnknown),
    exists=_CHECK,
)
ON_FAILING_ASSERTION = Option(
    "on-failing-assertion",
    parse.choice(OnFailingAssertion),
    "what a failing assertion does; overrides as --on-incident",
    metavar=_choices(OnFailingAssertion),
    exists=_CHECK,
)
TYPES = Option(
    "types",
    parse.items_of(INCIDENT_TYPES),
    "only incidents of these types count; overrides as --on-incident",
    metavar="TYPES",
    exists=_CHECK,
    repeatable=True,
)
MIN_PRIORITY = Option(
    "min-priority",
    parse.choice(Priority, attrgetter("name")),
    "incidents of a lower priority do not count; overrides as --on-incident",
    metavar=f"{{{','.join(Priority.__members__)}}}",
    exists=_CHECK,
)
OVERRIDE = Option(
    "override",
    parse.bounded(500),
    "a reason: what would block only warns, and the report names the reason",
    metavar="REASON",
    exists=_CHECK,
)
INCIDENT_KEY = Option(
    "incident-key", parse.text, "separates incidents of environments that share a job", metavar="KEY", exists=_JOB
)
INCIDENT_TITLE = Option("incident-title", parse.bounded(500), "title of raised incidents", exists=_OUTCOME)
INCIDENT_MESSAGE = Option(
    "incident-message",
    parse.bounded(20_000),
    "description of raised incidents, or the message of resolved ones",
    exists=_OUTCOME,
)
DATAHUB_UI_URL = Option("datahub-ui-url", parse.text, "base URL of links to DataHub's UI", metavar="URL")
HEADERS = Option("headers", parse.headers, "an extra request header", metavar="'NAME: VALUE'", repeatable=True)
CA_BUNDLE = Option("ca-bundle", parse.text, "PEM file with certificate authorities", metavar="FILE")
TIMEOUT = Option(
    "timeout",
    parse.seconds(LONGEST_TIMEOUT),
    "time limit for all requests to DataHub, like 90s or 2m",
    default="120",
    metavar="TIME",
)
DRY_RUN = Option(
    "dry-run", parse.flag, "show what would be raised or resolved, and write nothing", metavar="", exists=_OUTCOME
)
TEST_RESULTS = Option(
    "test-results",
    parse.lines,
    "file or pattern of files with results of dbt, JUnit, Great Expectations or Soda",
    metavar="PATH",
    exists=_OUTCOME,
    repeatable=True,
)
WAIT = Option(
    "wait",
    parse.duration,
    "wait up to this long for inputs that would block, like 30m",
    default="0",
    metavar="TIME",
    exists=_CHECK,
)
WAIT_INTERVAL = Option(
    "wait-interval", parse.interval, "time between checks while waiting", default="60s", metavar="TIME", exists=_CHECK
)
WAIT_STABLE = Option(
    "wait-stable",
    parse.duration,
    "how long inputs must stay healthy before waiting ends",
    default="0",
    metavar="TIME",
    exists=_CHECK,
)
REPORT_FILES = Option(
    "report-files",
    parse.report_files,
    "write a report; formats are json, junit and markdown, - is standard output",
    metavar="FORMAT=PATH",
    exists=_JOB,
    repeatable=True,
)
NOTIFY_ON = Option(
    "notify-on",
    parse.items_of(("raised", "resolved", "blocked")),
    "events that services are notified of",
    default="raised, resolved",
    metavar="EVENTS",
    exists=_JOB,
    repeatable=True,
)
SLACK_WEBHOOK_URL = Option(
    "slack-webhook-url", parse.service_url, "incoming webhook of Slack", metavar="URL", exists=_JOB, secret=True
)
SLACK_TOKEN = Option("slack-token", parse.secret, "token of a Slack bot", metavar="TOKEN", exists=_JOB, secret=True)
SLACK_CHANNEL = Option("slack-channel", parse.text, "channel for the Slack bot", metavar="CHANNEL", exists=_JOB)
WEBHOOK_URL = Option(
    "webhook-url", parse.service_url, "address that receives the JSON report", metavar="URL", exists=_JOB, secret=True
)
WEBHOOK_SECRET = Option(
    "webhook-secret",
    parse.webhook_secret,
    "secret that signs what the webhook receives",
    metavar="SECRET",
    exists=_JOB,
    secret=True,
)
DOWNSTREAM_HOPS = Option(
    "downstream-hops",
    parse.count(3),
    "how far downstream owners are mentioned besides the asset's own",
    default="1",
    metavar="COUNT",
    exists=_JOB,
)
COMMENT = Option("comment", parse.flag, "keep a comment on the pull request up to date", metavar="", exists=_ACTION)
GITHUB_TOKEN = Option(
    "github-token", parse.secret, "token for the comment", metavar="TOKEN", exists=_ACTION, secret=True
)
JOB_STATUS = Option(
    "job-status",
    parse.text,
    "how the job ended; the words of GitLab, Jenkins and Airflow too (default on GitLab: CI_JOB_STATUS)",
    metavar="STATUS",
    exists=frozenset({Scope.REPORT, Scope.ACTION}),
)
MATRIX = Option("matrix", parse.matrix, "the matrix leg as JSON", metavar="JSON", exists=_JOB)

OPTIONS: Mapping[str, Option[Any]] = MappingProxyType(
    {option.name: option for option in tuple(globals().values()) if isinstance(option, Option)}
)
"""All of the above by their names, in their order, which is that of action.yml and of the help."""

DEFAULT_TIMEOUT = float(TIMEOUT.default)


def options_of(scope: Scope) -> tuple[Option[Any], ...]:
    """The options that exist in one place, in their order."""
    return tuple(option for option in OPTIONS.values() if scope in option.exists)
