"""Announcing a stage: every service by itself, so that none delays or hides another."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from functools import partial
from typing import NamedTuple

import httpx
from standardwebhooks.webhooks import Webhook

from incident_gate.datahub.parallel import Deadline, run_all
from incident_gate.datahub.transport import open_service_client
from incident_gate.errors import Hint, SettingError
from incident_gate.notify import comment, slack
from incident_gate.notify.delivery import SECONDS, DeliveryError, Service
from incident_gate.report.json import document
from incident_gate.report.model import Report
from incident_gate.settings.model import Notify, RunSettings

Task = Callable[[Service], None]


class Remark(NamedTuple):
    """One message that was not delivered: which service, why, and what to do.

    A notice instead of a warning where nothing can be done about it, as for a fork's read-only token.
    """

    text: str
    is_warning: bool = True


def announce(
    settings: RunSettings, people: Mapping[str, str], report: Report, *, deadline: Deadline | None = None
) -> tuple[Remark, ...]:
    """Announce a stage to the services that the settings name; nothing here changes a verdict.

    Args:
        settings: Which services and events.
        people: The manifest's: a Slack id by an owner's URN.
        report: What happened, with the owners of what is affected.
        deadline: For every service alike; `SECONDS` from now if None.

    Returns:
        A remark for each service that did not take its message.
    """
    deadline = deadline or Deadline.after(SECONDS)
    tasks = _tasks(settings, people, report)

    def open_client(address: str) -> httpx.Client:
        return open_service_client(settings.connection, settings.notify.proxies[address])

    attempts = [partial(_attempt, name, task, partial(open_client, address), deadline) for name, address, task in tasks]
    results = run_all(attempts, threads=max(len(attempts), 1), deadline=deadline)
    remarks = [
        Remark(f"{name} did not answer within {SECONDS:.0f} seconds: delivery could not be confirmed.")
        if result is None
        else result
        for (name, _, _), result in zip(tasks, results, strict=True)
    ]
    resolved = settings.connection.resolved
    return tuple(remark._replace(text=resolved(remark.text)) for remark in remarks if remark.text)


def _tasks(settings: RunSettings, people: Mapping[str, str], report: Report) -> list[tuple[str, str, Task]]:
    """Each service's name, its address, and what sends the message."""
    notify = settings.notify
    tasks: list[tuple[str, str, Task]] = []
    if events := tuple(event for event in report.events if event in notify.events):
        if notify.uses_slack:
            address = notify.slack_api if notify.slack_token else notify.slack_webhook_url
            tasks.append(("Slack", address, partial(slack.notify, notify, report, events, people)))
        if notify.webhook_url:
            text = document(report, events=events)
            tasks.append(("The webhook", notify.webhook_url, partial(post_report, notify, text)))
    if notify.keeps_comment and report.gated:
        marker = comment.marker_of(settings.identity.scope_of(""), settings.identity.key_of(""))
        keep = partial(comment.keep_comment, notify, report, marker)
        tasks.append(("GitHub", notify.github_api, keep))
    return tasks


def _attempt(name: str, task: Task, open_client: Callable[[], httpx.Client], deadline: Deadline) -> Remark:
    try:
        with open_client() as client:
            task(Service(name=name, client=client, deadline=deadline))
    except DeliveryError as error:
        text = Hint("{0}. {1}", error.message, error.hint) if error.hint else f"{error.message}."
        return Remark(text, is_warning=not error.is_expected)
    except SettingError as error:
        return Remark(f"{name} was not notified. {error}")
    return Remark("")


def post_report(
    where: Notify, text: str, service: Service, *, now: Callable[[], datetime] = lambda: datetime.now(UTC)
) -> None:
    """Send a report to a webhook of the user's own, signed by the Standard Webhooks convention where there is a secret.

    The id is the same for every try, so that the receiver can recognise a repeated message.
    """
    message_id, time = f"msg_{uuid.uuid4().hex}", now()
    headers = {
        "Content-Type": "application/json",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(time.timestamp())),
    }
    if where.webhook_secret:
        headers["webhook-signature"] = Webhook(where.webhook_secret).sign(message_id, time, text)
    answer = service.send("POST", where.webhook_url, headers=headers, body=text.encode(), repeatable=True)
    if answer.failed:
        raise DeliveryError(
            f"The webhook did not take the report: HTTP {answer.status}",
            Hint("Check {webhook-url} and {webhook-secret}, and the receiver's log."),
        )
