"""Settings of one run, validated before any request."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import NamedTuple

from incident_gate.ci.run import JobIdentity, Run
from incident_gate.datahub.connection import Connection, Proxy
from incident_gate.manifest.model import NO_RULES, Rules
from incident_gate.settings.options import Mode
from incident_gate.settings.parse import ReportFile
from incident_gate.urn import Urn


class Waiting(NamedTuple):
    """How long to wait for inputs that would block, in seconds; `longest` is 0 where the gate does not wait."""

    longest: float = 0.0
    interval: float = 60.0
    stable: float = 0.0


class OverrideReason(NamedTuple):
    """Why nothing blocks in this run, who decided it if that is known, and what is wrong with it."""

    reason: str
    actor: str = ""
    warning: str = ""


class Notify(NamedTuple):
    """Which services are notified of which events; tokens and addresses are not in its repr.

    Slack has an incoming webhook, or `slack_token` with `slack_channel`; `webhook_url` is the user's own receiver.
    `downstream_hops` of 0 mention no consumers' owners. `pull_request` is 0 where the run is for none, and `proxies`
    has the proxy for each address.
    """

    events: frozenset[str] = frozenset({"raised", "resolved"})
    slack_webhook_url: str = ""
    slack_token: str = ""
    slack_channel: str = ""
    slack_api: str = ""
    webhook_url: str = ""
    webhook_secret: str = ""
    downstream_hops: int = 1
    comment: bool = False
    pull_request: int = 0
    github_api: str = ""
    github_graphql: str = ""
    github_token: str = ""
    proxies: Mapping[str, Proxy] = MappingProxyType({})

    def __repr__(self) -> str:
        """Without tokens and addresses."""
        return f"Notify({self.events!r}, pull_request={self.pull_request})"

    @property
    def uses_slack(self) -> bool:
        """Whether there is anything to post to Slack with."""
        return bool(self.slack_webhook_url or (self.slack_token and self.slack_channel))

    @property
    def keeps_comment(self) -> bool:
        """Whether there is a pull request to comment on, and a token to do it with."""
        return self.comment and bool(self.pull_request and self.github_token)

    @property
    def is_used(self) -> bool:
        """Whether any service is notified."""
        return self.uses_slack or bool(self.webhook_url) or self.keeps_comment


class RunSettings(NamedTuple):
    """Settings of one run; the connection keeps token and header values out of its repr.

    `manifest_shown` is the manifest's path as the user knows it. `timeout` is for all requests of a stage together, in
    seconds. Every path must stay below `workspace`; None where the user may name any file. `is_blocked` means that the
    gate stopped this job in an earlier step. `inputs` and `outputs` are named besides the manifest's, `overrides` are
    rules that come before its defaults, `report_branches` patterns (empty for the default branch), `notices` what the
    user should know about the settings themselves.
    """

    manifest: Path
    manifest_shown: str
    connection: Connection
    identity: JobIdentity
    run: Run
    timeout: float
    mode: Mode = Mode.GATE
    workspace: Path | None = None
    is_blocked: bool = False
    inputs: tuple[Urn, ...] = ()
    outputs: tuple[Urn, ...] = ()
    variables: Mapping[str, str] = MappingProxyType({})
    overrides: Rules = NO_RULES
    override: OverrideReason | None = None
    report_outcome: bool = False
    report_branches: tuple[str, ...] = ()
    test_results: tuple[str, ...] = ()
    dry_run: bool = False
    incident_title: str = ""
    incident_message: str = ""
    waiting: Waiting = Waiting()
    report_files: tuple[ReportFile, ...] = ()
    notify: Notify = Notify()
    job_status: str = ""
    notices: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The job status that a step of its own reports: its mode fixes it, or leaves it to `job-status`."""
        return {Mode.RAISE: "failure", Mode.RESOLVE: "success"}.get(self.mode, self.job_status)

    @property
    def warnings(self) -> tuple[str, ...]:
        """What works and should be changed, and what is known beforehand not to work."""
        address = self.connection.address
        found = list(self.notices)
        if self.connection.token and not address.is_encrypted and not address.is_local:
            found.append(f"The DataHub token travels unencrypted to {address.server}: use https in {address.setting}.")
        if not self.connection.token and self.run.why_no_secrets:
            found.append(f"This run has no DataHub token. {self.run.why_no_secrets}")
        if self.test_results and self.mode is Mode.GATE and not self.report_outcome:
            found.append(f"{self.named('test-results')} has no effect without {self.named('report-outcome')}.")
        return tuple(found)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Values that no text from outside may show."""
        notify = self.notify
        services = (notify.slack_webhook_url, notify.slack_token, notify.webhook_url, notify.webhook_secret)
        return (*self.connection.secrets, *filter(None, (*services, notify.github_token)))

    def named(self, option: str) -> str:
        """An option's name as the user sets it."""
        return self.connection.named(option)
