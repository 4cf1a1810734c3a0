"""Notifications from the command line: real requests to DataHub and to stand-ins for the services."""

from __future__ import annotations

from pathlib import Path

import pytest

from incident_gate.notify.announce import Remark
from incident_gate.sandbox import Sandbox
from tests.helpers.asking import CUSTOMERS, MODEL, ORDERS
from tests.helpers.command import Ended, ask, gate
from tests.helpers.services import Reply, SlackStandIn, mentions_in, serving

ANA, BOB = "urn:li:corpuser:ana", "urn:li:corpuser:bob"


@pytest.fixture
def datahub(datahub: Sandbox) -> Sandbox:
    """The usual assets, with owners: Ana owns the input, Bob what is made from it."""
    store = datahub.store
    store.add_asset(ANA, title="Ana", profile={"email": "ana@example.com"})
    store.add_asset(BOB, title="Bob", profile={"email": "bob@example.com"})
    store.add_owner(ORDERS, ANA)
    store.add_owner(CUSTOMERS, ANA)
    store.add_asset(MODEL, owners=[BOB])
    store.add_lineage(ORDERS, MODEL)
    store.add_lineage(CUSTOMERS, MODEL)
    return datahub


@pytest.fixture
def slack() -> SlackStandIn:
    return SlackStandIn(members={"ana@example.com": "U0ANA", "bob@example.com": "U0BOB"})


def notified(datahub: Sandbox, slack: SlackStandIn, *arguments: str, **environment: str) -> Ended:
    """Run a command with a Slack app."""
    with serving(slack) as url:
        given = {"DATAHUB_GMS_URL": datahub.url, "DATAHUB_GMS_TOKEN": datahub.token, "SLACK_API_URL": f"{url}/api"}
        app = ("--slack-token", slack.token, "--slack-channel", "#data")
        return gate(*arguments, *app, environment={**given, **environment})


def test_blocked_run_mentions_owners_and_consumers(datahub: Sandbox, slack: SlackStandIn, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS, title="<!channel> Rows are missing")

    ended = notified(datahub, slack, "check", manifest, "--notify-on", "blocked")

    assert ended.code == 1
    assert ended.err == ""
    assert "Rows are missing" in slack.shown
    assert "Also for: <@U0ANA>, <@U0BOB>" in slack.shown
    assert "!channel" not in mentions_in(slack.shown)


def test_block_is_not_announced_by_default(datahub: Sandbox, slack: SlackStandIn, manifest: str) -> None:
    datahub.store.raise_incident(ORDERS, title="Rows are missing")

    assert notified(datahub, slack, "check", manifest).code == 1

    assert slack.requests == []
    # The health, and the owners for the report.
    assert len(datahub.requests) == 2


def test_raised_and_resolved_incidents_are_announced_and_a_kept_one_is_not(
    datahub: Sandbox, slack: SlackStandIn, manifest: str
) -> None:
    job = ("--incident-key", "nightly", "--downstream-hops", "0")
    for status in ("failure", "failure", "success"):
        ended = notified(datahub, slack, "report", manifest, "--job-status", status, *job)
        assert (ended.code, ended.err) == (0, "")

    headings = [message["blocks"][0]["text"]["text"] for message in slack.messages]
    assert headings == [
        "🔴 the job raised an incident on analytics.customers",
        "🟢 the job resolved the incident on analytics.customers",
    ]
    assert "Also for: <@U0ANA>" in slack.messages[0]["blocks"][-1]["text"]["text"]
    assert "BOB" not in slack.messages[0]["blocks"][-1]["text"]["text"]
    assert "may be out of date" in slack.messages[0]["blocks"][1]["text"]["text"]


def test_manifest_names_people_for_a_webhook(datahub: Sandbox, slack: SlackStandIn, tmp_path: Path) -> None:
    path = tmp_path / "gate.yml"
    path.write_text(f"inputs: ['{ORDERS}']\npeople: {{'{ANA}': U0MANUAL}}\n", encoding="utf-8")
    datahub.store.raise_incident(ORDERS, title="Rows are missing")
    with serving(slack) as url:
        webhook = ("--slack-webhook-url", url + slack.webhook_path, "--notify-on", "blocked")
        environment = {"DATAHUB_GMS_URL": datahub.url, "DATAHUB_GMS_TOKEN": datahub.token}
        ended = gate("check", str(path), *webhook, environment=environment)

    assert ended.err == ""
    assert "Also for: <@U0MANUAL>, Bob" in slack.shown


def test_service_that_fails_changes_nothing(datahub: Sandbox, slack: SlackStandIn, manifest: str) -> None:
    slack.first = [Reply.of({"ok": False, "error": "invalid_auth"}) for _ in range(9)]
    datahub.store.raise_incident(ORDERS, title="Rows are missing")

    ended = notified(datahub, slack, "check", manifest, "--notify-on", "blocked")

    assert ended.code == 1
    assert "warning: " in ended.err
    assert "invalid_auth" in ended.err
    assert slack.token not in ended.err + ended.out


def test_remarks_are_printed_by_their_level(datahub: Sandbox, manifest: str, monkeypatch: pytest.MonkeyPatch) -> None:
    remarks = [Remark("Refused", is_warning=True), Remark("Not for forks", is_warning=False)]
    monkeypatch.setattr("incident_gate.cli.online.announce", lambda *_: remarks)

    assert ask(datahub, "check", manifest).err == "warning: Refused\nnote: Not for forks\n"
