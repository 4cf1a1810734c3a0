"""A stage is announced wherever the user wants it, and nothing of it can hurt."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import ExitStack
from typing import Any, Self

import pytest

from incident_gate.ci.run import Run
from incident_gate.datahub.connection import DIRECT
from incident_gate.datahub.graph.owners import Owner
from incident_gate.datahub.parallel import Deadline
from incident_gate.notify.announce import announce
from incident_gate.report.model import Report
from incident_gate.settings.model import Notify, RunSettings
from incident_gate.settings.read import read_settings
from tests.helpers.report_samples import decision, entry, report, unhealthy
from tests.helpers.services import GitHubStandIn, Received, ReceiverStandIn, Reply, SlackStandIn, serving

ANA = Owner("urn:li:corpuser:ana", "Ana", "ana@example.com")
BOB = Owner("urn:li:corpuser:bob", "Bob", "bob@example.com")
BLOCKED = unhealthy("orders")
OWNED = report(BLOCKED, owners={BLOCKED.entry.urn.text: (ANA,)}, consumers=(BOB,))
EVENTS = ("raised", "resolved", "blocked")


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


def settings_of(run: Run, events: tuple[str, ...], *addresses: str, **services: Any) -> RunSettings:
    proxies = dict.fromkeys(addresses, DIRECT)
    settings = read_settings(lambda name: "http://127.0.0.1:9" if name == "datahub-url" else "", {})
    return settings._replace(run=run, notify=Notify(events=frozenset(events), proxies=proxies, **services))


@pytest.fixture
def announced(slack: SlackStandIn, receiver: ReceiverStandIn, github: GitHubStandIn, run: Run) -> Announced:
    """Announces a report to all three services."""

    def play(of: Report, *wanted: str, seconds: float = 5.0) -> list[tuple[str, bool]]:
        with ExitStack() as stack:
            to_slack, to_webhook, api = (stack.enter_context(serving(it)) for it in (slack, receiver, github))
            settings = settings_of(
                run,
                wanted,
                *(f"{to_slack}/api", to_webhook, api),
                slack_token=slack.token,
                slack_channel="#data",
                slack_api=f"{to_slack}/api",
                webhook_url=to_webhook,
                comment=True,
                pull_request=3,
                github_api=api,
                github_graphql=f"{api}/graphql",
                github_token=github.token,
            )
            people = {BOB.urn: "U0BOB"}
            remarks = announce(settings, people, of._replace(run=run), deadline=Deadline.after(seconds))
            return [(remark.text, remark.is_warning) for remark in remarks]

    return play


def test_every_service_gets_its_message(
    announced: Announced, slack: SlackStandIn, receiver: ReceiverStandIn, github: GitHubStandIn
) -> None:
    assert announced(OWNED, "blocked") == []

    assert "Also for: <@U0ANA>, <@U0BOB>" in slack.shown
    assert slack.messages[0]["channel"] == "#data"
    [received] = receiver.reports
    assert (received["event"], received["conclusion"], received["run"]["job"]) == ("blocked", "block", "build")
    assert received["inputs"][0]["owners"] == [{"urn": ANA.urn, "name": "Ana"}]
    assert github.bodies[0].startswith("<!-- incident-gate ")


def test_healthy_run_is_announced_nowhere(
    announced: Announced, slack: SlackStandIn, receiver: ReceiverStandIn, github: GitHubStandIn
) -> None:
    assert announced(report(decision(entry("orders"))), *EVENTS) == []

    assert slack.requests == []
    assert receiver.requests == []
    assert github.bodies == []


def test_event_that_nobody_wants_is_not_announced(
    announced: Announced, slack: SlackStandIn, github: GitHubStandIn
) -> None:
    announced(OWNED, "raised")

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

    remarks = announced(OWNED, "blocked")

    assert [is_warning for _, is_warning in remarks] == [True, False]
    assert "not_in_channel. Invite the app to the channel." in remarks[0][0]
    assert "pull-requests: write" in remarks[1][0]
    assert len(receiver.reports) == 1


def test_message_goes_out_although_nobody_can_be_looked_up(announced: Announced, slack: SlackStandIn) -> None:
    slack.first = [Reply.of({"ok": False, "error": "missing_scope"})]

    [(warning, _)] = announced(OWNED, "blocked")

    assert "users:read.email" in warning
    assert "Also for: <@U0BOB>" in slack.shown


def test_silent_service_is_left_behind(run: Run) -> None:
    with ExitStack() as stack:
        silent = _Silent()
        url = stack.enter_context(serving(silent))
        stack.enter_context(silent)

        [remark] = announce(settings_of(run, EVENTS, url, webhook_url=url), {}, OWNED, deadline=Deadline.after(0.3))

    assert remark == ("The webhook did not answer within 20 seconds: delivery could not be confirmed.", True)


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
