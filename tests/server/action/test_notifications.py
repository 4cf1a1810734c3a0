"""Notifications from the action: the pull request comment, and Slack at the end of the job."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from incident_gate.sandbox import Sandbox
from tests.helpers.asking import ORDERS
from tests.helpers.services import GitHubStandIn, Reply, SlackStandIn, serving
from tests.helpers.step import Ended, Step


@pytest.fixture
def github() -> GitHubStandIn:
    return GitHubStandIn()


@pytest.fixture
def pull_request(step: Step, github: GitHubStandIn) -> Iterator[Step]:
    """A step of a job that runs for pull request 3."""
    event = step.folder / "workflow" / "event.json"
    event.write_text(json.dumps({"number": 3, "pull_request": {"number": 3}}), encoding="utf-8")
    with serving(github) as url:
        step.environment |= {
            "GITHUB_EVENT_NAME": "pull_request",
            "GITHUB_EVENT_PATH": str(event),
            "GITHUB_REF": "refs/pull/3/merge",
            "GITHUB_API_URL": url,
        }
        step.inputs |= {"comment": "true", "github-token": github.token}
        yield step


def blocked(step: Step, datahub: Sandbox) -> Ended:
    datahub.store.raise_incident(ORDERS, title="Rows are missing")
    ended = step.main(datahub)
    assert ended.code == 1
    return ended


def test_comment_follows_the_verdict(pull_request: Step, datahub: Sandbox, github: GitHubStandIn) -> None:
    ended = blocked(pull_request, datahub)
    assert "Rows are missing" in github.bodies[0]

    for incident in datahub.store.incidents(ORDERS, "ACTIVE"):
        datahub.store.resolve(incident.urn)
    assert pull_request.main(datahub).code == 0

    assert len(github.bodies) == 1
    assert "🟢" in github.bodies[0]
    assert ended.said("warning") == []


def test_read_only_token_is_a_notice(pull_request: Step, datahub: Sandbox, github: GitHubStandIn) -> None:
    github.can_write = False
    ended = blocked(pull_request, datahub)

    assert any("pull-requests: write" in notice for notice in ended.said("notice"))
    assert ended.said("warning") == []


def test_without_the_input_the_token_is_not_used(pull_request: Step, datahub: Sandbox, github: GitHubStandIn) -> None:
    pull_request.inputs["comment"] = "false"
    blocked(pull_request, datahub)

    assert github.requests == []


def test_every_secret_is_masked_before_anything_is_printed(
    pull_request: Step, datahub: Sandbox, github: GitHubStandIn, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("incident_gate.notify.announce.SECONDS", 5.0)
    secrets = {
        "slack-webhook-url": "https://127.0.0.1:9/services/T0/B0/secretpart",
        "webhook-url": "https://127.0.0.1:9/another-secret",
        "webhook-secret": "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    }
    pull_request.inputs |= {**secrets, "notify-on": "blocked"}
    ended = blocked(pull_request, datahub)

    masked = [command.data for command in ended.commands if command.name == "add-mask"]
    assert {*secrets.values(), github.token, datahub.token} <= set(masked)
    rest = "".join(line for line in ended.log.splitlines(keepends=True) if not line.startswith("::add-mask::"))
    assert not any(secret in rest + ended.summary for secret in masked)
    # Two services that cannot be reached: two warnings, and the verdict stands.
    assert len(ended.said("warning")) == 2
    assert ended.outputs["conclusion"] == "block"


def test_post_stage_announces_what_it_raised(step: Step, datahub: Sandbox) -> None:
    slack = SlackStandIn()
    with serving(slack) as url:
        step.inputs |= {"slack-webhook-url": url + slack.webhook_path, "report-outcome": "true"}
        assert step.main(datahub).code == 0
        step.post(datahub, status="failure")
        step.post(datahub, status="failure")

    assert len(slack.messages) == 1
    assert slack.messages[0]["text"] == "🔴 acme/shop: build raised an incident on analytics.customers"
    assert "https://github.com/acme/shop/actions/runs/4711/attempts/1" in json.dumps(slack.messages[0]["blocks"])


def test_service_that_fails_does_not_fail_the_job(step: Step, datahub: Sandbox) -> None:
    slack = SlackStandIn(first=[Reply(404, b"no_service")])
    with serving(slack) as url:
        step.inputs |= {"slack-webhook-url": url + slack.webhook_path, "report-outcome": "true"}
        step.main(datahub)
        ended = step.post(datahub, status="failure")

    assert ended.code == 0
    assert any("no_service" in warning for warning in ended.said("warning"))
