"""Reading settings: every option, from wherever its value comes, checked together; and the manifest that they name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from datetime import date
from pathlib import Path
from typing import Any, ParamSpec, TypeVar

from incident_gate.ci.github import NO_PULL_REQUEST, pull_request_of
from incident_gate.ci.github import SYSTEM as GITHUB
from incident_gate.ci.run import STATUSES, UNFINISHED, JobIdentity, Run, is_blocked
from incident_gate.ci.systems import GITLAB, current_run
from incident_gate.datahub.connection import (
    DIRECT,
    EXAMPLE,
    Address,
    Connection,
    Spelling,
    header_secrets,
    parse_address,
    proxy_for,
)
from incident_gate.errors import SettingError
from incident_gate.files import OutsideError, locate, locate_pattern
from incident_gate.manifest.load import EXAMPLE as MANIFEST_EXAMPLE
from incident_gate.manifest.load import load_manifest, read_content
from incident_gate.manifest.model import NOWHERE, InputEntry, Manifest, OutputEntry, Rules
from incident_gate.settings import options, parse
from incident_gate.settings.model import Notify, OverrideReason, RunSettings, Waiting
from incident_gate.settings.options import DEFAULT_MANIFEST, OPTIONS, Mode, Option
from incident_gate.settings.source import URL, Sourced, Sources, config_of, sources, token_of

P = ParamSpec("P")
T = TypeVar("T")

SLACK_API = "https://slack.com/api"


def secrets_of(get: Callable[[str], str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every value that no log may show, before anything else is read."""
    found = [get(option.name) for option in OPTIONS.values() if option.secret]
    with suppress(SettingError):  # reported when the settings are read
        found.append(token_of(environment).value)
    for line in get(options.HEADERS.name).splitlines():
        name, _, value = (part.strip() for part in line.partition(":"))
        found += header_secrets(name, value)
    return tuple(dict.fromkeys(value.strip() for value in found if value.strip()))


def read_settings(  # noqa: PLR0913 - what the faces differ in
    get: Callable[[str], str],
    environment: Mapping[str, str],
    *,
    mode: Mode | None = None,
    workspace: Path | None = None,
    reads_manifest: bool = True,
    command_line: bool = False,
    library: bool = False,
    needs_server: bool = True,
    run: Run | None = None,
) -> RunSettings:
    """Read and check all settings.

    Args:
        get: The value of an option by its name; empty where unset.
        environment: The process's variables, for fallbacks and what the CI system says of the run.
        mode: None reads the input of that name.
        workspace: The folder that paths must stay below, symlinks resolved; None where they may lead anywhere.
        reads_manifest: Whether the manifest's file is going to be read, so that its path matters.
        command_line: Whether options are spelled `--name`, and DataHub's own configuration file may be used.
        library: Whether options are spelled `like_this`.
        needs_server: Whether a missing URL is an error.
        run: This run, where it was read before.

    Raises:
        SettingError: With every error, one a line.
    """
    spelling = Spelling.OPTION if command_line else Spelling.ARGUMENT if library else Spelling.INPUT
    values = Values(get, spelling, workspace)
    run = run or current_run(environment)
    mode = mode or values(options.MODE) or Mode.GATE
    # GitHub relates an annotation to a file by its path from the root of the repository.
    shown = re.sub(r"^(\./+)+(?=[^/])", "", values(options.MANIFEST))
    connection = _connection(values, environment, needs_server=needs_server)
    identity = JobIdentity(
        server=connection.address.server,
        ci_server=run.server,
        repository=run.repository,
        workflow=run.workflow_file,
        job=run.job,
        matrix=values(options.MATRIX),
        incident_key=values(options.INCIDENT_KEY),
    )
    report_outcome = values(options.REPORT_OUTCOME)
    if mode is not Mode.GATE or report_outcome:
        _check_identity(values, identity, run)
    report_files = values(options.REPORT_FILES)
    for report in report_files:
        values.path(options.REPORT_FILES, report.path)
    settings = RunSettings(
        mode=mode,
        manifest=values.path(options.MANIFEST, shown) if reads_manifest else Path(shown),
        manifest_shown=shown,
        workspace=workspace,
        connection=connection,
        identity=identity,
        run=run,
        is_blocked=mode in {Mode.GATE, Mode.REPORT} and is_blocked(environment),
        inputs=values(options.INPUTS),
        outputs=values(options.OUTPUTS),
        variables=values(options.VARIABLES),
        overrides=Rules(
            on_incident=values(options.ON_INCIDENT),
            on_unknown=values(options.ON_UNKNOWN),
            on_failing_assertion=values(options.ON_FAILING_ASSERTION),
            types=values(options.TYPES) or None,
            min_priority=values(options.MIN_PRIORITY),
        ),
        override=_override(values, run, environment),
        report_outcome=report_outcome,
        report_branches=values(options.REPORT_BRANCHES),
        test_results=tuple(values.pattern(options.TEST_RESULTS, text) for text in values(options.TEST_RESULTS)),
        dry_run=values(options.DRY_RUN),
        incident_title=values(options.INCIDENT_TITLE),
        incident_message=values(options.INCIDENT_MESSAGE),
        waiting=_waiting(values),
        report_files=report_files,
        notify=_notify(values, environment),
        timeout=values(options.TIMEOUT),
        job_status=_job_status(values, mode, run, environment),
        notices=tuple(values.notices),
    )
    values.finish()
    return settings


def _connection(values: Values, environment: Mapping[str, str], *, needs_server: bool) -> Connection:
    url, token = (
        Sourced(values.text(option), values.named(option)) for option in (options.DATAHUB_URL, options.DATAHUB_TOKEN)
    )
    config = config_of(environment) if values.spelling is Spelling.OPTION else None
    url, token, notices = values.attempt(Sources(url, token), sources, url, token, environment, config)
    address, proxy = Address("", "", ""), DIRECT
    if url.value:
        ui_url, ui_setting = values.text(options.DATAHUB_UI_URL), values.named(options.DATAHUB_UI_URL)
        address = values.attempt(
            address, parse_address, url.value, setting=url.setting, ui_url=ui_url, ui_setting=ui_setting
        )
    elif needs_server:
        setting = values.spelling.of(options.DATAHUB_URL.name, URL)
        values.add(f"No DataHub URL: set {setting}.", hint=f"For example {EXAMPLE}.")
    if address.server:
        proxy = values.attempt(proxy, proxy_for, address.graphql_url, environment)
    headers: Mapping[str, str] = values(options.HEADERS)
    values.notices += [*notices, *proxy.notices]
    if public := ", ".join(name for name, value in headers.items() if value and not header_secrets(name, value)):
        why = "Not masked, as an ordinary word or a short value is no secret"
        values.notices.append(f"{why}: the value of {public} in {values.named(options.HEADERS)}.")
    bundle = values.text(options.CA_BUNDLE)
    return Connection(
        address=address,
        token=values.attempt("", parse.secret, token.value, token.setting),
        token_setting=token.setting,
        headers=headers,
        ca_bundle=values.path(options.CA_BUNDLE, bundle) if bundle else None,
        certificate_file=environment.get("SSL_CERT_FILE", ""),
        certificate_folder=environment.get("SSL_CERT_DIR", ""),
        proxy=proxy,
        spelling=values.spelling,
    )


def _check_identity(values: Values, identity: JobIdentity, run: Run) -> None:
    """Refuse to write where the incidents of two jobs would look alike."""
    key, matrix = values.named(options.INCIDENT_KEY), values.named(options.MATRIX)
    is_told = identity.incident_key or values.text(options.MATRIX)
    if not identity.is_known:
        values.add(
            "Cannot tell which job this is (no CI system detected).",
            hint=f"Set {key} to a name that only this job has, for example orders.build.",
        )
    elif values.spelling is Spelling.OPTION and run.system == GITHUB and not is_told:
        # The action's input has the leg as its default. The environment does not show it.
        values.add(
            f"{matrix} is not set, so the legs of a matrix would look alike.",
            hint=f"Use {matrix} '${{{{ toJSON(matrix) }}}}', which is null without a matrix, or {key}.",
        )


def _job_status(values: Values, mode: Mode, run: Run, environment: Mapping[str, str]) -> str:
    named, status = values.named(options.JOB_STATUS), values(options.JOB_STATUS).lower()
    if not status and run.system == GITLAB:
        named, status = "CI_JOB_STATUS", environment.get("CI_JOB_STATUS", "").strip().lower()
    # The post stage gets it from GitHub, whatever that is; a person who reports may have mistyped it.
    if mode is Mode.REPORT and status in UNFINISHED:
        values.add(
            f"{named} is {status!r}: the job has not ended.",
            hint="Report at the end of the job: in GitLab's after_script, Jenkins' post, or a last task of Airflow.",
        )
    elif mode is Mode.REPORT and status not in STATUSES:
        values.add(
            f"{named} is {parse.shown(status)}." if status else f"{named} is not set, so there is nothing to report.",
            hint="Use success, failure, cancelled, skipped, or the word of the CI system for one of them.",
        )
    return STATUSES.get(status, status)


def _waiting(values: Values) -> Waiting:
    waiting = Waiting(values(options.WAIT), values(options.WAIT_INTERVAL), values(options.WAIT_STABLE))
    if waiting.stable > waiting.longest:
        stable, wait = values.named(options.WAIT_STABLE), values.named(options.WAIT)
        values.add(f"{stable} is longer than {wait}.", hint=f"Use a longer {wait}, or a shorter {stable}.")
    return waiting


def _override(values: Values, run: Run, environment: Mapping[str, str]) -> OverrideReason | None:
    warning = (
        f"This run is scheduled: if the workflow itself sets {values.named(options.OVERRIDE)}, no scheduled run ever "
        "blocks. Set it for one run only, from an input of a run that a person starts."
    )
    actor = run.actor or environment.get("USER", "") or environment.get("USERNAME", "")
    reason = values(options.OVERRIDE)
    return OverrideReason(reason, actor, warning if run.is_scheduled else "") if reason else None


def _notify(values: Values, environment: Mapping[str, str]) -> Notify:
    token, channel = values(options.SLACK_TOKEN), values(options.SLACK_CHANNEL)
    if token and not channel:
        named = values.named(options.SLACK_CHANNEL)
        values.add(f"{values.named(options.SLACK_TOKEN)} needs {named}.", hint=f"Set {named} as well.")
    comment = values(options.COMMENT)
    pull = pull_request_of(environment) if comment else NO_PULL_REQUEST
    slack_api = environment.get("SLACK_API_URL", "").strip().rstrip("/") or SLACK_API
    if token:
        values.attempt("", parse.service_url, slack_api, "SLACK_API_URL")
    notify = Notify(
        events=values(options.NOTIFY_ON),
        slack_webhook_url=values(options.SLACK_WEBHOOK_URL),
        slack_token=token,
        slack_channel=channel,
        slack_api=slack_api,
        webhook_url=values(options.WEBHOOK_URL),
        webhook_secret=values(options.WEBHOOK_SECRET),
        downstream_hops=values(options.DOWNSTREAM_HOPS),
        comment=comment,
        pull_request=pull.number,
        github_api=pull.api,
        github_graphql=pull.graphql,
        github_token=values(options.GITHUB_TOKEN),
    )
    for option, is_set, needed, other in (
        (options.SLACK_CHANNEL, channel, options.SLACK_TOKEN, token),
        (options.WEBHOOK_SECRET, notify.webhook_secret, options.WEBHOOK_URL, notify.webhook_url),
        (options.COMMENT, comment, options.GITHUB_TOKEN, notify.github_token),
    ):
        if is_set and not other:
            values.notices.append(f"{values.named(option)} has no effect without {values.named(needed)}.")
    used = (notify.webhook_url, notify.slack_webhook_url, token and slack_api, pull.api if pull.number else "")
    proxies = {url: values.attempt(DIRECT, proxy_for, url, environment) for url in used if url}
    return notify._replace(proxies=proxies)


def manifest_of(settings: RunSettings, today: date, data: bytes | None = None) -> Manifest:
    """The manifest that the settings describe: its file, and the assets that the settings name besides.

    `ignore` rules must be valid on the day `today`. `data` is the file's content, where it was read before.

    Raises:
        ManifestError: The file is missing or has errors. Where the settings name assets, the default file may be
            missing and may name none.
    """
    content = content_of(settings) if data is None else data
    needs_assets = not settings.inputs and not settings.outputs
    manifest = load_manifest(settings.manifest_shown, content, today, settings.variables, needs_assets=needs_assets)
    # An entry of the file has rules of its own, so it comes before the same URN without any.
    read, written = ({entry.urn for entry in entries} for entries in (manifest.inputs, manifest.outputs))
    return manifest._replace(
        inputs=(*manifest.inputs, *(InputEntry(urn, NOWHERE) for urn in settings.inputs if urn not in read)),
        outputs=(*manifest.outputs, *(OutputEntry(urn, NOWHERE) for urn in settings.outputs if urn not in written)),
    )


def content_of(settings: RunSettings) -> bytes:
    """Read the manifest's file; empty where the settings name assets and the default file does not exist.

    Raises:
        ManifestError: The file is missing or cannot be read.
    """
    names_assets = settings.inputs or settings.outputs
    if names_assets and settings.manifest_shown == DEFAULT_MANIFEST and not settings.manifest.exists():
        return b""
    return read_content(settings.manifest, settings.manifest_shown, if_missing=_if_missing(settings))


def _if_missing(settings: RunSettings) -> str:
    """What to do where the manifest's file does not exist."""
    instead = f"with `incident-gate init`, or name assets with {settings.named('inputs')} instead."
    hint = f"Check the path, create the file {instead}"
    if settings.manifest_shown == DEFAULT_MANIFEST:
        hint = f"Create it {instead} A manifest looks like this:\n{MANIFEST_EXAMPLE}"
    if settings.workspace and not (settings.workspace / ".git").exists():
        return f"The repository is not checked out here: add a step with actions/checkout before this one.\n{hint}"
    return hint


class Values:
    """Parses values by their options, and collects notices and errors so that all are reported at once.

    `get` returns the value of an option by its name, empty where unset. Paths must stay below `workspace`, if any.
    """

    def __init__(self, get: Callable[[str], str], spelling: Spelling, workspace: Path | None = None) -> None:
        self._get = get
        self.spelling = spelling
        self.notices: list[str] = []
        self._workspace = workspace
        self._errors: list[str] = []

    def named(self, option: Option[T]) -> str:
        """The option's name as its user knows it."""
        return self.spelling.of(option.name)

    def text(self, option: Option[T]) -> str:
        """The option's value as it was given; empty where unset."""
        return self._get(option.name).strip()

    def __call__(self, option: Option[T]) -> T:
        """The option's value; that of its default after an error."""
        default = option.parse(option.default, option.name)
        text = self.text(option)
        return self.attempt(default, option.parse, text, self.named(option)) if text else default

    def path(self, option: Option[Any], text: str) -> Path:
        """The path that an option names."""
        return self._inside(option, text, locate, Path())

    def pattern(self, option: Option[Any], text: str) -> str:
        """A path or pattern of files that an option names."""
        return self._inside(option, text, locate_pattern, "")

    def _inside(self, option: Option[Any], text: str, find: Callable[[str, Path | None], T], default: T) -> T:
        try:
            return find(text, self._workspace)
        except OutsideError as error:
            hint = "Use a path below the repository's checkout."
            self.add(f"{self.named(option)} {error}: {parse.shown(text)}.", hint=hint)
            return default

    def attempt(self, default: T, read: Callable[P, T], *arguments: P.args, **named: P.kwargs) -> T:
        """What `read` returns; `default` after an error, which is collected."""
        try:
            return read(*arguments, **named)
        except SettingError as error:
            self._errors.append(str(error))
            return default

    def add(self, message: str, *, hint: str) -> None:
        """Add an error."""
        self._errors.append(f"{message} {hint}")

    def finish(self) -> None:
        """Report the errors.

        Raises:
            SettingError: With every error, one a line, if there is any.
        """
        if self._errors:
            raise SettingError("\n".join(self._errors))
