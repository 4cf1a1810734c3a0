"""Reading settings: every option, from wherever its value comes, checked together; and the manifest that they name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from functools import partial
from pathlib import Path
from typing import TypeVar

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
from incident_gate.files import OutsideError, locate, names_outside
from incident_gate.manifest.load import EXAMPLE as MANIFEST_EXAMPLE
from incident_gate.manifest.load import load_manifest, read_content
from incident_gate.manifest.model import NOWHERE, InputEntry, Manifest, OutputEntry, Rules
from incident_gate.settings import options, parse
from incident_gate.settings.model import Notify, OverrideReason, RunSettings, Waiting
from incident_gate.settings.options import DEFAULT_MANIFEST, OPTIONS, Mode, Option
from incident_gate.settings.source import URL, Sourced, Sources, config_of, sources, token_of
from incident_gate.text import plain
from incident_gate.urn import Urn, UrnError, parse_urn

T = TypeVar("T")

SLACK_API = "https://slack.com/api"
_ON_SCHEDULE = (
    "This run is scheduled: if the workflow itself sets {}, no scheduled run ever blocks. "
    "Set it for one run only, from an input of a run that a person starts."
)


def secrets_of(get: Callable[[str], str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every value that no log may show, before anything else is read."""
    found = [get(option.name) for option in OPTIONS.values() if option.secret]
    try:
        found.append(token_of(environment).value)
    except SettingError:  # reported when the settings are read
        found.append("")
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
        mode: What the command line's command means; None reads the input of that name.
        workspace: The folder that paths must stay below, symlinks resolved; None for the command line.
        reads_manifest: Whether the manifest's file is going to be read, so that its path matters.
        command_line: Whether options are spelled `--name`, and DataHub's own configuration file may be used.
        library: Whether options are spelled `like_this`.
        needs_server: Whether a missing URL is an error.
        run: This run, where it was read before.

    Raises:
        SettingError: With every error, one a line.
    """
    spelling = Spelling.OPTION if command_line else Spelling.ARGUMENT if library else Spelling.INPUT
    values = Values(get, spelling)
    run = run or current_run(environment)
    mode = mode or values(options.MODE) or Mode.GATE
    shown = values(options.MANIFEST)
    connection, notices = _connection(values, environment, workspace, config=command_line, needs_server=needs_server)
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
        _check_identity(values, identity, run, command_line=command_line)
    notify = _notify(values, environment)
    settings = RunSettings(
        mode=mode,
        manifest=values.path(options.MANIFEST, shown, workspace if reads_manifest else None),
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
        test_results=_test_results(values, workspace),
        dry_run=values(options.DRY_RUN),
        incident_title=values(options.INCIDENT_TITLE),
        incident_message=values(options.INCIDENT_MESSAGE),
        waiting=_waiting(values),
        report_files=_report_files(values, workspace),
        notify=notify,
        timeout=values(options.TIMEOUT),
        job_status=_job_status(values, mode, run, environment),
        notices=(*notices, *_unused(values, notify)),
    )
    values.finish()
    return settings


def _connection(
    values: Values, environment: Mapping[str, str], workspace: Path | None, *, config: bool, needs_server: bool
) -> tuple[Connection, tuple[str, ...]]:
    url = Sourced(values.text(options.DATAHUB_URL), values.named(options.DATAHUB_URL))
    token = Sourced(values.text(options.DATAHUB_TOKEN), values.named(options.DATAHUB_TOKEN))
    found = values.attempt(
        lambda: sources(url, token, environment, config=config_of(environment) if config else None), Sources(url, token)
    )
    ui_url = values.text(options.DATAHUB_UI_URL)
    headers: Mapping[str, str] = values(options.HEADERS)
    bundle = values.text(options.CA_BUNDLE)
    address = Address("", "", "")
    if found.url.value or needs_server:
        address = values.attempt(lambda: _address(values, found.url, ui_url), address)
    proxy = values.attempt(lambda: proxy_for(address.graphql_url, environment), DIRECT) if address.server else DIRECT
    connection = Connection(
        address=address,
        token=values.attempt(lambda: parse.secret(found.token.value, found.token.setting), ""),
        token_setting=found.token.setting,
        headers=headers,
        ca_bundle=values.path(options.CA_BUNDLE, bundle, workspace) if bundle else None,
        certificate_file=environment.get("SSL_CERT_FILE", ""),
        certificate_folder=environment.get("SSL_CERT_DIR", ""),
        proxy=proxy,
        spelling=values.spelling,
    )
    public = [name for name, value in headers.items() if value and not header_secrets(name, value)]
    notices = (*found.notices, *proxy.notices)
    if not public:
        return connection, notices
    shown = "Not masked, as an ordinary word or a short value is no secret: the value of "
    return connection, (*notices, f"{shown}{', '.join(public)} in {values.named(options.HEADERS)}.")


def _address(values: Values, url: Sourced, ui_url: str) -> Address:
    if not url.value:
        raise SettingError(
            f"No DataHub URL: set {values.spelling.of(options.DATAHUB_URL.name, URL)}.", hint=f"For example {EXAMPLE}."
        )
    return parse_address(url.value, setting=url.setting, ui_url=ui_url, ui_setting=values.named(options.DATAHUB_UI_URL))


def _check_identity(values: Values, identity: JobIdentity, run: Run, *, command_line: bool) -> None:
    """Refuse to write where the incidents of two jobs would look alike."""
    key = values.named(options.INCIDENT_KEY)
    if not identity.is_known:
        values.add(
            "Cannot tell which job this is (no CI system detected).",
            hint=f"Set {key} to a name that only this job has, for example orders.build.",
        )
    elif command_line and run.system == GITHUB and not identity.incident_key and not values.text(options.MATRIX):
        # The action's input has the leg as its default. The environment does not show it.
        matrix = values.named(options.MATRIX)
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
            f"{named} is {status[:80]!r}." if status else f"{named} is not set, so there is nothing to report.",
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
    reason = values(options.OVERRIDE)
    actor = run.actor or environment.get("USER", "") or environment.get("USERNAME", "")
    warning = _ON_SCHEDULE.format(values.named(options.OVERRIDE)) if run.is_scheduled else ""
    return OverrideReason(reason, actor, warning) if plain(reason) else None


def _report_files(values: Values, workspace: Path | None) -> tuple[parse.ReportFile, ...]:
    reports = values(options.REPORT_FILES)
    for report in reports:
        if report.path != parse.STANDARD_OUTPUT:
            values.path(options.REPORT_FILES, report.path, workspace)
    return reports


def _test_results(values: Values, workspace: Path | None) -> tuple[str, ...]:
    return tuple(values.pattern(options.TEST_RESULTS, text, workspace) for text in values(options.TEST_RESULTS))


def _unused(values: Values, notify: Notify) -> tuple[str, ...]:
    """Notices of options of services that have no effect without another one."""
    pairs = (
        (options.SLACK_CHANNEL, notify.slack_channel, options.SLACK_TOKEN, notify.slack_token),
        (options.WEBHOOK_SECRET, notify.webhook_secret, options.WEBHOOK_URL, notify.webhook_url),
        (options.COMMENT, notify.comment, options.GITHUB_TOKEN, notify.github_token),
    )
    return tuple(
        f"{values.named(option)} has no effect without {values.named(needed)}."
        for option, is_set, needed, other in pairs
        if is_set and not other
    )


def _notify(values: Values, environment: Mapping[str, str]) -> Notify:
    webhook_url, slack_webhook_url = values(options.WEBHOOK_URL), values(options.SLACK_WEBHOOK_URL)
    slack_token, slack_channel = values(options.SLACK_TOKEN), values(options.SLACK_CHANNEL)
    comment = values(options.COMMENT)
    if slack_token and not slack_channel:
        channel = values.named(options.SLACK_CHANNEL)
        values.add(f"{values.named(options.SLACK_TOKEN)} needs {channel}.", hint=f"Set {channel} as well.")
    pull = pull_request_of(environment) if comment else NO_PULL_REQUEST
    slack_api = environment.get("SLACK_API_URL", "").strip().rstrip("/") or SLACK_API
    if slack_token:
        values.attempt(lambda: parse.service_url(slack_api, "SLACK_API_URL"), "")
    used = (webhook_url, slack_webhook_url, slack_api if slack_token else "", pull.api if pull.number else "")
    return Notify(
        events=values(options.NOTIFY_ON),
        slack_webhook_url=slack_webhook_url,
        slack_token=slack_token,
        slack_channel=slack_channel,
        slack_api=slack_api,
        webhook_url=webhook_url,
        webhook_secret=values(options.WEBHOOK_SECRET),
        downstream_hops=values(options.DOWNSTREAM_HOPS),
        comment=comment,
        pull_request=pull.number,
        github_api=pull.api,
        github_graphql=pull.graphql,
        github_token=values(options.GITHUB_TOKEN),
        proxies={url: values.attempt(partial(proxy_for, url, environment), DIRECT) for url in used if url},
    )


def manifest_of(settings: RunSettings, today: date, data: bytes | None = None) -> Manifest:
    """The manifest that the settings describe: its file, and the assets that the settings name besides.

    Args:
        settings: The file, further inputs and outputs, and the variables.
        today: The day on which waivers must be valid.
        data: The file's content, where it was read before.

    Raises:
        SettingError: `inputs` or `outputs` holds something else than URNs.
        ManifestError: The file is missing or has errors. Where the settings name assets, the default file may be
            missing and may name none.
    """
    errors: list[str] = []
    inputs = _urns(settings.named("inputs"), settings.inputs, errors)
    outputs = _urns(settings.named("outputs"), settings.outputs, errors)
    if errors:
        raise SettingError("\n".join(errors))
    alone = not inputs and not outputs
    content = content_of(settings) if data is None else data
    manifest = load_manifest(settings.manifest_shown, content, today, settings.variables, needs_assets=alone)
    # An entry of the file has rules of its own, so it comes before the same URN without any.
    read, written = ({entry.urn for entry in entries} for entries in (manifest.inputs, manifest.outputs))
    more_inputs = (InputEntry(urn, NOWHERE) for urn in dict.fromkeys(inputs) if urn not in read)
    more_outputs = (OutputEntry(urn, NOWHERE) for urn in dict.fromkeys(outputs) if urn not in written)
    return manifest._replace(
        inputs=(*manifest.inputs, *more_inputs),
        outputs=(*manifest.outputs, *more_outputs),
    )


def content_of(settings: RunSettings) -> bytes:
    """Read the manifest's file; empty where the settings name assets and the default file does not exist.

    Raises:
        ManifestError: The file is missing or cannot be read.
    """
    names_assets = settings.inputs or settings.outputs
    if names_assets and settings.manifest_shown == DEFAULT_MANIFEST and not settings.manifest.exists():
        return b""
    return read_content(settings.manifest, settings.manifest_shown, if_missing=_if_missing(settings.workspace))


def _urns(setting: str, lines: tuple[str, ...], errors: list[str]) -> list[Urn]:
    parsed: list[Urn] = []
    for number, line in enumerate(lines, start=1):
        try:
            parsed.append(parse_urn(line))
        except UrnError as error:
            errors.append(f"{setting}, URN {number}: {error}")
    return parsed


def _if_missing(workspace: Path | None) -> str:
    """What to do where the manifest's file does not exist."""
    create = f"Create it, for instance with:\n{MANIFEST_EXAMPLE}"
    if workspace and not (workspace / ".git").exists():
        checkout = "The repository is not checked out here: add a step with actions/checkout before this one."
        return f"{checkout} If the file does not exist yet: {create[0].lower()}{create[1:]}"
    return create


class Values:
    """Parses values by their options, and collects errors so that all are reported at once.

    Args:
        get: The value of an option by its name; empty where unset.
        spelling: How the user writes the names of options.
    """

    def __init__(self, get: Callable[[str], str], spelling: Spelling) -> None:
        self._get = get
        self.spelling = spelling
        self._errors: list[SettingError] = []

    def named(self, option: Option[T]) -> str:
        """The option's name as its user knows it."""
        return self.spelling.of(option.name)

    def text(self, option: Option[T]) -> str:
        """The option's value as it was given; empty where unset."""
        return self._get(option.name).strip()

    def __call__(self, option: Option[T]) -> T:
        """The option's value; that of its default after an error."""
        default = option.parse(option.default, option.name)
        return self.attempt(lambda: option.parse(self.text(option) or option.default, self.named(option)), default)

    def path(self, option: Option[T], text: str, workspace: Path | None) -> Path:
        """The path that an option names."""
        try:
            return locate(text, workspace)
        except OutsideError as error:
            self._refuse_path(option, text, error)
            return Path()

    def pattern(self, option: Option[T], text: str, workspace: Path | None) -> str:
        """A path or pattern of files that an option names."""
        if workspace is None:
            return str(self.path(option, text, None))
        if names_outside(text, workspace):
            self._refuse_path(option, text, OutsideError("leads out of the workspace"))
        return text

    def attempt(self, read: Callable[[], T], default: T) -> T:
        """What `read` returns; `default` after an error, which is collected."""
        try:
            return read()
        except SettingError as error:
            self._errors.append(error)
            return default

    def _refuse_path(self, option: Option[T], text: str, error: OutsideError) -> None:
        self.add(
            f"{self.named(option)} {error}: {parse.shown(text)}.", hint="Use a path below the repository's checkout."
        )

    def add(self, message: str, *, hint: str) -> None:
        """Add an error."""
        self._errors.append(SettingError(message, hint=hint))

    def finish(self) -> None:
        """Report the errors.

        Raises:
            SettingError: With every error, one a line, if there is any.
        """
        if self._errors:
            raise SettingError("\n".join(str(error) for error in self._errors))
