"""What a run is to do, as its user said it: one frozen value, checked before anything is asked."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TypeVar

from incident_gate.ci.detect import current_run
from incident_gate.ci.identity import JobIdentity, canonical_matrix
from incident_gate.ci.run import Run
from incident_gate.datahub.address import EXAMPLE, Address, parse_address
from incident_gate.datahub.connection import Connection
from incident_gate.errors import SettingError
from incident_gate.manifest.model import NO_RULES, OnIncident, OnUnknown, Rules

E = TypeVar("E", bound=StrEnum)
T = TypeVar("T")

DEFAULT_MANIFEST = ".github/incident-gate.yml"
DEFAULT_TIMEOUT = 120.0
LONGEST_TIMEOUT = 6 * 3600.0  # the longest job that GitHub's own runners allow
LONGEST_TITLE, LONGEST_MESSAGE = 500, 20_000
_JOB_STATUSES = ("success", "failure", "cancelled", "skipped")

_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
# These belong to the request itself; a second value would change what is asked, or where.
_RESERVED_HEADERS = {
    "accept-encoding",
    "authorization",
    "connection",
    "content-length",
    "content-type",
    "host",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
}


class Mode(StrEnum):
    """What a stage does."""

    GATE = "gate"
    RAISE = "raise"
    RESOLVE = "resolve"
    REPORT = "report"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that a run was told; the connection keeps token and header values out of its repr.

    `manifest` is the file, `manifest_shown` the path as the user knows it. `timeout` is in seconds, for all requests
    of a stage together.
    """

    mode: Mode = Mode.GATE
    manifest: Path
    manifest_shown: str
    connection: Connection
    identity: JobIdentity
    run: Run
    overrides: Rules = NO_RULES
    report_outcome: bool = False
    dry_run: bool = False
    title: str = ""
    message: str = ""
    timeout: float = DEFAULT_TIMEOUT
    job_status: str = ""

    @property
    def status(self) -> str:
        """The job status that a step of its own reports: its mode says it, or leaves it to `job-status`."""
        return {Mode.RAISE: "failure", Mode.RESOLVE: "success"}.get(self.mode, self.job_status)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What works and should not stay so, and what cannot work as far as can be told beforehand."""
        address = self.connection.address
        if self.connection.token and not address.is_encrypted and not address.is_local:
            return (f"The DataHub token travels unencrypted to {address.server}: use https in datahub-url.",)
        if not self.connection.token and self.run.why_no_secrets:
            return (f"This run has no DataHub token. {self.run.why_no_secrets}",)
        return ()


def secrets_of(get: Callable[[str], str], environment: Mapping[str, str]) -> tuple[str, ...]:
    """Every value that no log may show, before anything else is looked at."""
    headers = (line.partition(":")[2].strip() for line in get("headers").splitlines())
    return tuple(value for value in (_token(get, environment), *headers) if value)


def read_settings(
    get: Callable[[str], str],
    environment: Mapping[str, str],
    *,
    mode: Mode | None = None,
    workspace: Path | None = None,
    reads_manifest: bool = True,
) -> Settings:
    """Check everything that was said.

    Args:
        get: The value of an input or option by its name in `action.yml`; empty where unset.
        environment: The process's variables, for fallbacks and what GitHub says of the run.
        mode: What the command line's command means; None reads the input of that name.
        workspace: The folder that paths must stay below, symlinks resolved; None for the command line.
        reads_manifest: Whether the manifest's file is going to be read, so that its path matters.

    Raises:
        SettingError: With every mistake, one a line.
    """
    check = _Check()
    run = current_run(environment)
    url = get("datahub-url") or environment.get("DATAHUB_GMS_URL", "").strip()
    address = check(lambda: _address(url, get("datahub-ui-url")), Address("", "", ""))
    token = check(lambda: _checked_token(_token(get, environment)), "")
    headers: Mapping[str, str] = check(lambda: _headers(get("headers")), {})
    ca_bundle = check(lambda: _path("ca-bundle", get("ca-bundle"), workspace) if get("ca-bundle") else None, None)
    shown = get("manifest") or DEFAULT_MANIFEST
    manifest = check(lambda: _path("manifest", shown, workspace if reads_manifest else None), Path())
    mode = mode or check(lambda: _choice("mode", get("mode"), Mode), None) or Mode.GATE
    job_status = check(lambda: _job_status(mode, get("job-status").lower()), "")
    overrides = Rules(
        on_incident=check(lambda: _on_incident(get("on-incident")), None),
        on_unknown=check(lambda: _choice("on-unknown", get("on-unknown"), OnUnknown), None),
    )
    timeout = check(lambda: _seconds(get("timeout")), DEFAULT_TIMEOUT)
    report_outcome = check(lambda: _flag("report-outcome", get("report-outcome")), default=False)
    dry_run = check(lambda: _flag("dry-run", get("dry-run")), default=False)
    title = check(lambda: _bounded("title", get("title"), LONGEST_TITLE), "")
    message = check(lambda: _bounded("message", get("message"), LONGEST_MESSAGE), "")
    check.finish()
    return Settings(
        mode=mode,
        manifest=manifest,
        manifest_shown=shown,
        connection=Connection(address=address, token=token, headers=headers, ca_bundle=ca_bundle),
        identity=JobIdentity(
            server=address.server,
            repository=run.repository,
            workflow=run.workflow_file,
            job=run.job,
            matrix=canonical_matrix(get("matrix")),
            incident_key=get("incident-key"),
        ),
        run=run,
        overrides=overrides,
        report_outcome=report_outcome,
        dry_run=dry_run,
        title=title,
        message=message,
        timeout=timeout,
        job_status=job_status,
    )


class _Check:
    """Carries on after a mistake, so that one never hides the others."""

    def __init__(self) -> None:
        self._mistakes: list[SettingError] = []

    def __call__(self, read: Callable[[], T], default: T) -> T:
        try:
            return read()
        except SettingError as mistake:
            self._mistakes.append(mistake)
            return default

    def finish(self) -> None:
        if self._mistakes:
            raise SettingError("\n".join(str(mistake) for mistake in self._mistakes))


def _address(url: str, ui_url: str) -> Address:
    if not url:
        raise SettingError(
            "There is no DataHub to ask: neither datahub-url nor DATAHUB_GMS_URL is set.",
            hint=f"Give the server's address, like {EXAMPLE}.",
        )
    return parse_address(url, setting="datahub-url", ui_url=ui_url)


def _token(get: Callable[[str], str], environment: Mapping[str, str]) -> str:
    return get("datahub-token").strip() or environment.get("DATAHUB_GMS_TOKEN", "").strip()


def _checked_token(token: str) -> str:
    if re.search(r"[^\x21-\x7e]", token):
        # Not quoted: it is the secret.
        raise SettingError(
            "datahub-token holds a character that no token has: a space, a line break or a letter outside ASCII.",
            hint="Copy the token into the secret again, without quotes or line breaks.",
        )
    return token


def _headers(text: str) -> Mapping[str, str]:
    headers: dict[str, str] = {}
    for number, line in enumerate(text.splitlines(), start=1):
        if not line.strip():
            continue
        name, colon, value = line.partition(":")
        name, value = name.strip(), value.strip()
        # The line is not quoted: its value may be a secret.
        if not colon or not _HEADER_NAME.fullmatch(name):
            raise SettingError(f"headers, line {number}: no header in it.", hint="Write `Name: value`, one a line.")
        if name.lower() in _RESERVED_HEADERS:
            raise SettingError(f"headers, line {number}: {name} is set by the request itself.", hint="Leave it out.")
        if re.search(r"[^\x20-\x7e]", value):
            raise SettingError(
                f"headers, line {number}: the value of {name} holds a character that no header can carry.",
                hint="Use printable ASCII.",
            )
        headers[name] = value
    return headers


def _path(setting: str, text: str, workspace: Path | None) -> Path:
    path = Path(text)
    if "\0" in text:
        raise SettingError(f"{setting} is not a path.", hint="Give a path below the workspace.")
    if workspace is None:
        return path
    root = workspace.resolve()
    try:
        resolved = (root / path).resolve()
        resolved.stat()  # Python 3.13 leaves a loop of symlinks as it is; what is not there is told by who reads it
    except FileNotFoundError:
        pass
    except (OSError, RuntimeError):  # a loop of symlinks
        raise SettingError(f"{setting} cannot be resolved: {text!r}.", hint="Check the symlinks on the way.") from None
    if not resolved.is_relative_to(root):
        raise SettingError(
            f"{setting} leads out of the workspace: {text!r}.", hint="Give a path below the repository's checkout."
        )
    return resolved


def _choice(setting: str, text: str, words: type[E]) -> E | None:
    try:
        return words(text) if text else None
    except ValueError:
        known = ", ".join(words)
        raise SettingError(f"{setting} is {text[:80]!r}.", hint=f"Write one of: {known}.") from None


def _job_status(mode: Mode, text: str) -> str:
    # The post stage takes what GitHub says, whatever that is; a person who reports may have mistyped it.
    if mode is Mode.REPORT and text not in _JOB_STATUSES:
        said = f"job-status is {text[:80]!r}." if text else "There is nothing to report: job-status is not set."
        raise SettingError(said, hint=f"Write one of: {', '.join(_JOB_STATUSES)}.")
    return text


def _on_incident(text: str) -> OnIncident | None:
    chosen = _choice("on-incident", text, OnIncident)
    if chosen is OnIncident.IGNORE:
        raise SettingError(
            "on-incident is 'ignore'.", hint="For a whole run it is block or warn; one entry may ignore."
        )
    return chosen


def _flag(setting: str, text: str) -> bool:
    # The words of YAML 1.2's core schema, as GitHub's own toolkit takes them.
    if text in {"", "false", "False", "FALSE"}:
        return False
    if text in {"true", "True", "TRUE"}:
        return True
    raise SettingError(f"{setting} is {text[:80]!r}.", hint="Write true or false.")


def _seconds(text: str) -> float:
    try:
        seconds = float(text) if text else DEFAULT_TIMEOUT
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= LONGEST_TIMEOUT:
        raise SettingError(f"timeout is {text[:80]!r}.", hint=f"Write seconds, up to {LONGEST_TIMEOUT:.0f}.")
    return seconds


def _bounded(setting: str, text: str, limit: int) -> str:
    if len(text) > limit:
        raise SettingError(f"{setting} has {len(text):,} characters.", hint=f"Up to {limit:,} are sent.")
    return text
