"""A stage is announced wherever the user wants it, and nothing of it can hurt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Self

import httpx
import pytest

from incident_gate.ci.run import Run
from incident_gate.datahub.deadline import Deadline
from incident_gate.datahub.graph.owners import Owner
from incident_gate.notify.announce import Channels, announce
from incident_gate.notify.comment import PullRequest, marker_of
from incident_gate.notify.event import EventKind
from incident_gate.notify.slack import Slack
from incident_gate.notify.webhook import Webhook
from incident_gate.report.model import Report
from tests.helpers.asking import plain_client
from tests.helpers.report_samples import decision, entry, report, unhealthy
from tests.helpers.services import GitHubStandIn, Received, ReceiverStandIn, Reply, SlackStandIn, serving

ANA = Owner("urn:li:corpuser:ana", "Ana", "ana@example.com")
BOB = Owner("urn:li:corpuser:bob", "Bob", "bob@example.com")
BLOCKED = unhealthy("orders")
OWNED = report(BLOCKED, owners={BLOCKED.entry.urn.text: (ANA,)}, consumers=(BOB,))
MARKER = marker_of("scope", "key")


def client(_url: str) -> httpx.Client:
    return plain_client()


@pytest.fixture
def slack() -> SlackStandIn:
    return SlackStandIn(members={"ana@example.com": "U0ANA"})


@pytest.fixture
def receiver() -> ReceiverStandIn:
    return ReceiverStandIn()


@pytest.fixture
def github() -> GitHubStandIn:
    return GitHubStandIn()


Announced = Callable[..., list[tuple[str, bool]]]


@pytest.fixture
def announced(slack: SlackStandIn, receiver: ReceiverStandIn, github: GitHubStandIn, run: Run) -> Announced:
    """Announces a report to all three services."""

    def play(of: Report, *wanted: EventKind, seconds: float = 5.0) -> list[tuple[str, bool]]:
        with ExitStack() as stack:
            channels = Channels(
                events=frozenset(wanted),
                slack=Slack(token=slack.token, channel="#data", api=stack.enter_context(serving(slack)) + "/api"),
                webhook=Webhook(url=stack.enter_context(serving(receiver))),
                pull_request=PullRequest(
                    api=stack.enter_context(serving(github)), repository="acme/shop", number=3, token=github.token
                ),
                marker=MARKER,
                people={BOB.urn: "U0BOB"},
            )
            remarks = announce(channels, of, run=run, open_client=client, deadline=Deadline.after(seconds))
            return [(remark.text, remark.is_warning) for remark in remarks]

    return play


def test_every_service_gets_its_message(
    announced: Announced, slack: SlackStandIn, receiver: ReceiverStandIn, github: GitHubStandIn
) -> None:
    assert announced(OWNED, EventKind.BLOCKED) == []

    assert "For <@U0ANA>, <@U0BOB>" in slack.shown
    assert receiver.reports[0]["conclusion"] == "block"
    assert github.bodies[0].startswith(MARKER)


def test_healthy_run_is_announced_nowhere(
    announced: Announced, slack: SlackStandIn, receiver: ReceiverStandIn, github: GitHubStandIn
) -> None:
    assert announced(report(decision(entry("orders"))), *EventKind) == []

    assert slack.requests == []
    assert receiver.requests == []
    assert github.bodies == []


def test_event_that_nobody_wants_is_not_announced(
    announced: Announced, slack: SlackStandIn, github: GitHubStandIn
) -> None:
    announced(OWNED, EventKind.RAISED)

    assert slack.requests == []
    assert len(github.bodies) == 1


def test_one_service_that_fails_hides_no_other(
    announced: Announced, slack: SlackStandIn, receiver: ReceiverStandIn, github: GitHubStandIn
) -> None:
    slack.members = {}
    slack.first = [
        Reply.of({"ok": False, "error": "missing_scope"}),
        Reply.of({"ok": False, "error": "not_in_channel"}),
    ]
    github.can_write = False

    remarks = announced(OWNED, EventKind.BLOCKED)

    assert [is_warning for _, is_warning in remarks] == [True, False]
    assert "not_in_channel. Invite the app to the channel." in remarks[0][0]
    assert "pull-requests: write" in remarks[1][0]
    assert len(receiver.reports) == 1


def test_message_goes_out_although_nobody_can_be_looked_up(announced: Announced, slack: SlackStandIn) -> None:
    slack.first = [Reply.of({"ok": False, "error": "missing_scope"})]

    [(warning, _)] = announced(OWNED, EventKind.BLOCKED)

    assert "users:read.email" in warning
    assert "For <@U0BOB>, Ana" in slack.shown


def test_silent_service_is_left_behind(run: Run) -> None:
    with ExitStack() as stack:
        silent = _Silent()
        channels = Channels(events=frozenset(EventKind), webhook=Webhook(url=stack.enter_context(serving(silent))))
        stack.enter_context(silent)

        [remark] = announce(channels, OWNED, run=run, open_client=client, deadline=Deadline.after(0.3))

    assert remark.is_warning
    assert "webhook" in remark.text.lower()


class _Silent:
    """A service that does not answer before the test ends."""

    def __init__(self) -> None:
        self._over = threading.Event()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()

    def __call__(self, _request: Received) -> Reply:
        self._over.wait(10)
        return Reply()
