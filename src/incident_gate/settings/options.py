"""Every option once: its name, parser, default and help, and where it exists.

The action's inputs, the command line and the tables of the documentation are derived from this table or compared with
it. To add an option, add it here and a field to `RunSettings`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import partial
from types import MappingProxyType
from typing import Any, Generic, NamedTuple, TypeVar

from incident_gate.incident import INCIDENT_TYPES, Priority
from incident_gate.manifest.model import OnFailingAssertion, OnIncident, OnUnknown
from incident_gate.settings import parse

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

DEFAULT_MANIFEST = ".github/incident-gate.yml"
LONGEST_TIMEOUT = 6 * 3600  # the longest job that GitHub's own runners allow


class Mode(StrEnum):
    """What a stage does."""

    GATE = "gate"
    RAISE = "raise"
    RESOLVE = "resolve"
    REPORT = "report"


class OptionScope(StrEnum):
    """Where an option exists, besides the commands that connect to DataHub."""

    CHECK = "check"
    RAISE = "raise"
    RESOLVE = "resolve"
    REPORT = "report"
    DOCTOR = "doctor"
    SELECT = "select"
    VALIDATE = "validate"
    ACTION = "action"


_OUTCOME = frozenset({OptionScope.RAISE, OptionScope.RESOLVE, OptionScope.REPORT, OptionScope.ACTION})
_JOB = _OUTCOME | {OptionScope.CHECK}
_ASSETS = _JOB | {OptionScope.DOCTOR, OptionScope.SELECT}
_MANIFEST = _ASSETS | {OptionScope.VALIDATE}
_CHECK = frozenset({OptionScope.CHECK, OptionScope.ACTION})
_ACTION = frozenset({OptionScope.ACTION})


class Option(NamedTuple, Generic[T_co]):
    """One option.

    `metavar` is empty for a flag. `exists` is where it exists. `default` is text like any other value, so the parser
    accepts it. Each use of a `repeatable` one on the command line adds a line.
    """

    name: str
    parse: Callable[[str, str], T_co]
    metavar: str
    help: str
    exists: frozenset[OptionScope] = _MANIFEST
    default: str = ""
    repeatable: bool = False
    secret: bool = False

    @property
    def flag(self) -> str:
        """The name on the command line."""
        return f"--{self.name}"


def _choice(
    name: str, members: Mapping[str, T], what: str, exists: frozenset[OptionScope] = _CHECK, default: str = ""
) -> Option[T | None]:
    return Option(name, partial(parse.choice, members), f"{{{','.join(members)}}}", what, exists, default)


def _words(members: Iterable[T]) -> dict[str, T]:
    return {str(member): member for member in members}


# Connection
DATAHUB_URL = Option("datahub-url", parse.text, "URL", "address of DataHub's server, UI or GraphQL endpoint")
DATAHUB_TOKEN = Option(
    "datahub-token", parse.secret, "TOKEN", "access token; prefer DATAHUB_GMS_TOKEN: `ps` shows options", secret=True
)
DATAHUB_UI_URL = Option("datahub-ui-url", parse.text, "URL", "base URL of links to DataHub's UI")
HEADERS = Option("headers", parse.headers, "'NAME: VALUE'", "an extra request header", repeatable=True)
CA_BUNDLE = Option("ca-bundle", parse.text, "FILE", "PEM file with certificate authorities")
TIMEOUT = Option(
    "timeout",
    partial(parse.timeout, LONGEST_TIMEOUT),
    "TIME",
    "time limit for all requests to DataHub, like 90s or 2m",
    default="120",
)

# What is checked
MANIFEST = Option("manifest", parse.text, "FILE", "path of the manifest", _ACTION, DEFAULT_MANIFEST)
INPUTS = Option("inputs", parse.urns, "URN", "an input's URN, besides those of the manifest", _ASSETS, repeatable=True)
OUTPUTS = Option(
    "outputs", parse.urns, "URN", "an output's URN, besides those of the manifest", _ASSETS, repeatable=True
)
VARIABLES = Option("variables", parse.variables, "NAME=VALUE", "value for ${NAME} in the manifest", repeatable=True)
ON_INCIDENT = _choice(
    "on-incident",
    # For a whole run an incident cannot be ignored: that would let every run pass.
    _words([OnIncident.BLOCK, OnIncident.WARN]),
    "what an open incident does; an entry of the manifest comes first, its defaults last",
)
ON_UNKNOWN = _choice(
    "on-unknown", _words(OnUnknown), "what happens if an input cannot be checked; order as for --on-incident"
)
ON_FAILING_ASSERTION = _choice(
    "on-failing-assertion",
    _words(OnFailingAssertion),
    "what a failing assertion does; order as for --on-incident",
)
TYPES = Option(
    "types",
    partial(parse.items_of, INCIDENT_TYPES),
    "TYPES",
    "only incidents of these types count; order as for --on-incident",
    _CHECK,
    repeatable=True,
)
MIN_PRIORITY = _choice(
    "min-priority",
    Priority.__members__,
    "incidents of a lower priority do not count; order as for --on-incident",
)
OVERRIDE = Option(
    "override", parse.reason, "REASON", "a reason to let this run pass: every problem becomes a warning", _CHECK
)

# Waiting
WAIT = Option("wait", parse.duration, "TIME", "wait up to this long for inputs that would block, like 30m", _CHECK, "0")
WAIT_INTERVAL = Option("wait-interval", parse.interval, "TIME", "time between checks while waiting", _CHECK, "60s")
WAIT_STABLE = Option(
    "wait-stable", parse.duration, "TIME", "how long inputs must pass before waiting ends", _CHECK, "0"
)

# Reporting back
REPORT_OUTCOME = Option(
    "report-outcome", parse.flag, "", "raise or resolve incidents on the outputs when the job ends", _ACTION
)
REPORT_BRANCHES = Option(
    "report-branches",
    parse.items,
    "PATTERNS",
    "branches whose runs report (default: the default branch)",
    _OUTCOME,
    repeatable=True,
)
TEST_RESULTS = Option(
    "test-results",
    parse.lines,
    "PATH",
    "file or pattern of files with results of dbt, JUnit, Great Expectations or Soda",
    _OUTCOME,
    repeatable=True,
)
INCIDENT_KEY = Option("incident-key", parse.text, "KEY", "distinguishes jobs that look alike", _JOB)
INCIDENT_TITLE = Option("incident-title", partial(parse.bounded, 500), "TEXT", "title of raised incidents", _OUTCOME)
INCIDENT_MESSAGE = Option(
    "incident-message",
    partial(parse.bounded, 20_000),
    "TEXT",
    "description of raised incidents, or the message of resolved ones",
    _OUTCOME,
)
MODE = _choice("mode", _words(Mode), "what the step does", _ACTION, "gate")
DRY_RUN = Option("dry-run", parse.flag, "", "show what would be raised or resolved, and write nothing", _OUTCOME)

# Notifications
NOTIFY_ON = Option(
    "notify-on",
    partial(parse.items_of, ("raised", "resolved", "blocked")),
    "EVENTS",
    "events that services are notified of",
    _JOB,
    "raised, resolved",
    repeatable=True,
)
SLACK_WEBHOOK_URL = Option(
    "slack-webhook-url", parse.service_url, "URL", "incoming webhook of Slack", _JOB, secret=True
)
SLACK_TOKEN = Option("slack-token", parse.secret, "TOKEN", "token of a Slack bot", _JOB, secret=True)
SLACK_CHANNEL = Option("slack-channel", parse.text, "CHANNEL", "channel for the Slack bot", _JOB)
WEBHOOK_URL = Option(
    "webhook-url", parse.service_url, "URL", "address that receives the JSON report", _JOB, secret=True
)
WEBHOOK_SECRET = Option(
    "webhook-secret", parse.webhook_secret, "SECRET", "secret that signs what the webhook receives", _JOB, secret=True
)
DOWNSTREAM_HOPS = Option(
    "downstream-hops",
    partial(parse.count, 3),
    "COUNT",
    "also mention the owners of downstream assets, up to this many hops",
    _JOB,
    "1",
)
COMMENT = Option("comment", parse.flag, "", "keep a comment on the pull request up to date", _ACTION)
GITHUB_TOKEN = Option("github-token", parse.secret, "TOKEN", "token for the comment", _ACTION, secret=True)

# Files, and what GitHub sets
REPORT_FILES = Option(
    "report-files",
    parse.report_files,
    "FORMAT=PATH",
    "write a report; formats are json, junit and markdown, - is standard output",
    _JOB,
    repeatable=True,
)
JOB_STATUS = Option(
    "job-status",
    parse.text,
    "STATUS",
    "how the job ended; the words of GitLab, Jenkins and Airflow too (default on GitLab: CI_JOB_STATUS)",
    frozenset({OptionScope.REPORT, OptionScope.ACTION}),
)
MATRIX = Option("matrix", parse.matrix, "JSON", "the values of the matrix job as JSON", _JOB)

OPTIONS: Mapping[str, Option[Any]] = MappingProxyType(
    {option.name: option for option in tuple(globals().values()) if isinstance(option, Option)}
)
"""All of the above by their names, in their order, which is that of action.yml and of the help."""

DEFAULT_TIMEOUT = float(TIMEOUT.default)


def options_of(scope: OptionScope) -> tuple[Option[Any], ...]:
    """The options that exist in one place, in their order."""
    return tuple(option for option in OPTIONS.values() if scope in option.exists)
