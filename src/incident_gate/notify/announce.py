"""Announcing a stage: every service by itself, so that none delays or hides another."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

import httpx

from incident_gate.ci.run import Run
from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.parallel import run_all
from incident_gate.errors import Hint
from incident_gate.gate.policy import Conclusion
from incident_gate.notify import comment, slack, webhook
from incident_gate.notify.delivery import SECONDS, DeliveryError, Service
from incident_gate.notify.event import Event, EventKind, events_of
from incident_gate.notify.people import find_people
from incident_gate.report.json import document
from incident_gate.report.model import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Channels:
    """Where a stage is announced, and which of its events are.

    `people` is the manifest's: a Slack id by an owner's URN. `marker` identifies the job's own pull request comment.
    """

    events: frozenset[EventKind]
    slack: slack.Slack | None = None
    webhook: webhook.Webhook | None = None
    pull_request: comment.PullRequest | None = None
    marker: str = ""
    people: Mapping[str, str] = field(default_factory=dict)


class Remark(NamedTuple):
    """One message that was not delivered: which service, why, and what to do.

    A notice instead of a warning where nothing can be done about it, as for a fork's read-only token.
    """

    text: str
    is_warning: bool = True


class _Stage(NamedTuple):
    """What is announced."""

    report: Report
    events: tuple[Event, ...]
    run: Run


def announce(
    channels: Channels,
    report: Report,
    *,
    run: Run,
    open_client: Callable[[str], httpx.Client],
    deadline: Deadline | None = None,
) -> tuple[Remark, ...]:
    """Announce a stage to the configured services; nothing here changes a verdict.

    Args:
        channels: Where.
        report: What happened, with the owners of what is affected.
        run: The run that is announced.
        open_client: Opens a client for an address, without any secret of DataHub's.
        deadline: For every service alike; `SECONDS` from now if None.

    Returns:
        A remark for each service that did not take its message.
    """
    deadline = deadline or Deadline.after(SECONDS)
    stage = _Stage(report, events_of(report, channels.events, report.owners), run)
    tasks: dict[str, tuple[str, Callable[[Service], None]]] = {}
    if channels.slack and stage.events:
        tasks["Slack"] = channels.slack.address, partial(_to_slack, channels.slack, channels.people, stage)
    if channels.webhook and stage.events:
        tasks["The webhook"] = channels.webhook.url, partial(webhook.post, channels.webhook, document(report))
    if channels.pull_request and report.gated:
        pull = channels.pull_request
        tasks["GitHub"] = pull.api, partial(_to_pull_request, pull, channels.marker, stage)
    attempts = [
        partial(_attempt, name, task, partial(open_client, address), deadline)
        for name, (address, task) in tasks.items()
    ]
    results = run_all(attempts, threads=max(len(attempts), 1), deadline=deadline)
    late = (
        Remark(f"{name} did not answer within {SECONDS:.0f} seconds: nothing is known of the message.")
        for name in tasks
    )
    outcomes = (remark if result is None else result for remark, result in zip(late, results, strict=True))
    return tuple(remark for remark in outcomes if remark.text)


def _attempt(
    name: str, task: Callable[[Service], None], open_client: Callable[[], httpx.Client], deadline: Deadline
) -> Remark:
    try:
        with open_client() as client:
            task(Service(name=name, client=client, deadline=deadline))
    except DeliveryError as error:
        return Remark(Hint("{0}. {1}", error.message, error.hint), is_warning=not error.is_expected)
    return Remark("")


def _to_slack(where: slack.Slack, listed: Mapping[str, str], stage: _Stage, service: Service) -> None:
    failures: list[DeliveryError] = []

    def look_up(email: str) -> str | None:
        # A message without mentions is better than none, and one refusal is enough to know of.
        if failures:
            return None
        try:
            return slack.look_up_member(where, service, email)
        except DeliveryError as error:
            failures.append(error)
            return None

    owners = [owner for event in stage.events for item in event.items for owner in item.owners]
    people = find_people([*owners, *stage.report.consumers], listed, look_up if where.token else None)
    slack.post(where, service, slack.message_of(stage.events, stage.run, people))
    if failures:
        raise DeliveryError(f"Nobody could be looked up by e-mail ({failures[0].message})", failures[0].hint)


def _to_pull_request(pull: comment.PullRequest, marker: str, stage: _Stage, service: Service) -> None:
    body = comment.body_of(stage.report, marker, stage.run.name, stage.run.url)
    create = stage.report.conclusion is not Conclusion.PASS
    comment.keep_comment(pull, service, marker, body, create=create)
