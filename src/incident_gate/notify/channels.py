"""The channels on which a stage is announced: which services the settings name, and what each receives."""

from __future__ import annotations

from collections.abc import Mapping

from incident_gate.datahub.http import open_service_client
from incident_gate.errors import SettingError
from incident_gate.notify.announce import Channels, Remark, announce
from incident_gate.notify.comment import PullRequest, marker_of
from incident_gate.notify.event import EventKind
from incident_gate.notify.slack import Slack
from incident_gate.notify.webhook import Webhook
from incident_gate.report.model import Report
from incident_gate.settings import RunSettings


def announce_on_channels(settings: RunSettings, people: Mapping[str, str], report: Report) -> tuple[Remark, ...]:
    """Notify every service that the settings name; takes and returns what `announce` of the API does."""
    notify = settings.notify
    channels = Channels(
        events=frozenset(map(EventKind, notify.events)),
        slack=_slack(settings) if notify.uses_slack else None,
        webhook=Webhook(url=notify.webhook_url, secret=notify.webhook_secret) if notify.webhook_url else None,
        pull_request=_pull_request(settings) if notify.keeps_comment else None,
        marker=marker_of(settings.identity.scope_of(""), settings.identity.key_of("")),
        people=people,
    )
    try:
        remarks = announce(
            channels,
            report,
            run=settings.run,
            open_client=lambda url: open_service_client(settings.connection, notify.proxies[url]),
        )
    except SettingError as error:
        return (Remark(f"Nobody was notified. {error}"),)
    return tuple(remark._replace(text=settings.connection.resolved(remark.text)) for remark in remarks)


def _slack(settings: RunSettings) -> Slack:
    notify = settings.notify
    # With both, the token: it can look people up.
    return Slack(
        webhook="" if notify.slack_token else notify.slack_webhook_url,
        token=notify.slack_token,
        channel=notify.slack_channel,
        api=notify.slack_api,
    )


def _pull_request(settings: RunSettings) -> PullRequest:
    notify = settings.notify
    return PullRequest(
        api=notify.github_api,
        repository=settings.run.repository,
        number=notify.pull_request,
        token=notify.github_token,
    )
