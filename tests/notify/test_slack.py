"""Slack messages: within its limits, and inert whatever DataHub holds."""

from __future__ import annotations

import json
import re

import pytest

from incident_gate.ci.run import Run
from incident_gate.datahub.graph.owners import Owner
from incident_gate.notify.delivery import DeliveryError
from incident_gate.notify.event import Event, EventKind, Item
from incident_gate.notify.people import People
from incident_gate.notify.slack import LONGEST_SECTION, MOST_BLOCKS, Slack, look_up_member, message_of, post
from tests.helpers.services import Reply, SlackStandIn, mentions_in, serving
from tests.notify.conftest import MakeService

HOSTILE = "<!channel> <@U0> **x** @octocat ![](https://evil.example/x.png) &lt;!here&gt; <https://evil.example|click> |"
PAGE = "https://datahub.example.com/dataset/urn%3Ali/Incidents"


def raised(*items: Item) -> Event:
    return Event(kind=EventKind.RAISED, items=items or (Item(asset="urn:li:dataset:1", name="orders", page=PAGE),))


def test_webhook_takes_a_message(run: Run, make_service: MakeService) -> None:
    slack = SlackStandIn()
    with serving(slack) as url:
        post(Slack(webhook=url + slack.webhook_path), make_service(), message_of([raised()], run, People(("<@U1>",))))

    assert f"*<{PAGE}|orders>*" in slack.shown
    assert "For <@U1>" in slack.shown
    assert "Job build of <https://github.com/acme/shop/actions/runs/4711|Nightly #12> in acme/shop" in slack.shown


def test_token_posts_to_the_channel(run: Run, make_service: MakeService) -> None:
    slack = SlackStandIn()
    with serving(slack) as url:
        where = Slack(token=slack.token, channel="#data", api=f"{url}/api")
        post(where, make_service(), message_of([raised()], run, People()))

    assert slack.messages[0]["channel"] == "#data"


def test_hostile_text_mentions_nobody_and_links_nowhere(run: Run, make_service: MakeService) -> None:
    item = Item(asset="x", name=HOSTILE, detail=HOSTILE, page=PAGE, owners=(Owner("urn:li:corpuser:a", HOSTILE),))
    slack = SlackStandIn()
    with serving(slack) as url:
        message = message_of([raised(item)], run, People(names=(HOSTILE,)))
        post(Slack(webhook=url + slack.webhook_path), make_service(), message)

    assert [target.partition("|")[0] for target in mentions_in(slack.shown)] == [PAGE, run.url]
    # Without this, Slack would make links of addresses in the text.
    sections = [block["text"] for block in slack.messages[0]["blocks"] if block["type"] == "section"]
    assert all(text["verbatim"] is True for text in sections)
    assert "evil" not in slack.messages[0]["text"]
    assert slack.messages[0]["unfurl_links"] is False


def test_marks_format_nothing_and_names_stay_exact(run: Run) -> None:
    message = message_of([raised(Item(asset="x", name="shop.orders_daily", detail="**x** _y_ `z` ~w~"))], run, People())

    shown = message["blocks"][1]["text"]["text"]
    assert shown.splitlines()[0] == "*shop.orders_daily*"
    assert not re.search(r"[*_~`](?!\u2060)", shown.splitlines()[1])


@pytest.mark.parametrize("page", ["https://x.example/a|b", "https://x.example/>b", "https://x.example/" + 2000 * "a"])
def test_address_that_could_end_a_link_is_left_out(run: Run, page: str) -> None:
    message = message_of([raised(Item(asset="x", name="orders", page=page))], run, People())

    assert message["blocks"][1]["text"]["text"] == "*orders*"


def test_many_long_items_stay_within_the_limits(run: Run, make_service: MakeService) -> None:
    owners = tuple(Owner(f"urn:li:corpuser:{n}", 90 * "&") for n in range(60))
    items = tuple(Item(asset=str(n), name=200 * "<", detail=900 * ">", page=PAGE, owners=owners) for n in range(300))
    people = People(tuple(f"<@U{n:010}>" for n in range(20)), tuple(90 * "&" for _ in range(20)), left_out=7)
    slack = SlackStandIn()
    with serving(slack) as url:
        message = message_of([raised(*items), Event(kind=EventKind.RESOLVED, items=items)], run, people)
        post(Slack(webhook=url + slack.webhook_path), make_service(), message)

    blocks = slack.messages[0]["blocks"]
    assert len(blocks) <= MOST_BLOCKS
    assert max(len(block["text"]["text"]) for block in blocks) <= LONGEST_SECTION
    assert "…and 260 more." in slack.shown
    assert "…and 299 more." in slack.shown
    assert slack.shown.endswith("more")


def test_member_is_found_by_address(make_service: MakeService) -> None:
    slack = SlackStandIn(members={"ana+dwh@example.com": "U0123"})
    with serving(slack) as url:
        where = Slack(token=slack.token, channel="#data", api=f"{url}/api")

        assert look_up_member(where, make_service(), "ana+dwh@example.com") == "U0123"
        assert look_up_member(where, make_service(), "bob@example.com") is None


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"no_service", "no_service"),
        (410, b"channel_is_archived", "channel_is_archived"),
        (403, b"action_prohibited", "action_prohibited"),
        (500, b"<html>POST /services/T0000/B0000/secretpart failed</html>", "HTTP 500"),
        (302, b"", "HTTP 302"),
    ],
)
def test_refusal_names_the_reason_and_no_secret(
    run: Run, make_service: MakeService, status: int, body: bytes, reason: str
) -> None:
    slack = SlackStandIn(first=[Reply(status, body, {"Location": "http://127.0.0.1:9/secretpart"})])
    with serving(slack) as url, pytest.raises(DeliveryError) as refused:
        post(Slack(webhook=url + slack.webhook_path), make_service(), message_of([raised()], run, People()))

    assert reason in refused.value.message
    assert refused.value.hint
    assert "secretpart" not in refused.value.message + refused.value.hint
    assert len(slack.requests) == 1


def test_wrong_token_is_explained(run: Run, make_service: MakeService) -> None:
    message = message_of([raised()], run, People())
    with serving(SlackStandIn()) as url, pytest.raises(DeliveryError, match="invalid_auth") as refused:
        post(Slack(token="xoxb-wrong-0123", channel="#data", api=f"{url}/api"), make_service(), message)

    assert "bot token" in refused.value.hint
    assert "xoxb" not in str(refused.value) + refused.value.hint


def test_pause_that_slack_asks_for_is_kept(run: Run, make_service: MakeService) -> None:
    slack = SlackStandIn(first=[Reply(429, b"", {"Retry-After": "3"})])
    service = make_service()
    before = service.deadline.remaining
    with serving(slack) as url:
        post(Slack(webhook=url + slack.webhook_path), service, message_of([raised()], run, People()))

    assert len(slack.messages) == 1
    assert before - service.deadline.remaining >= 3


def test_pause_beyond_the_time_ends_it(run: Run, make_service: MakeService) -> None:
    slack = SlackStandIn(first=[Reply(429, b"", {"Retry-After": "60"})])
    with serving(slack) as url, pytest.raises(DeliveryError, match="HTTP 429"):
        post(Slack(webhook=url + slack.webhook_path), make_service(), message_of([raised()], run, People()))

    assert len(slack.requests) == 1


def test_message_whose_answer_is_lost_is_not_sent_again(run: Run, make_service: MakeService) -> None:
    slack = SlackStandIn(first=[Reply(503, b"busy")])
    with serving(slack) as url, pytest.raises(DeliveryError, match="HTTP 503"):
        post(Slack(webhook=url + slack.webhook_path), make_service(), message_of([raised()], run, People()))

    assert len(slack.requests) == 1


def test_repr_holds_no_secret() -> None:
    shown = repr(Slack(webhook="https://hooks.slack.com/services/T/B/X", token="xoxb-1"))

    assert "hooks" not in shown
    assert "xoxb" not in shown


def test_message_is_json(run: Run) -> None:
    assert json.loads(json.dumps(message_of([raised()], run, People())))["blocks"]


def test_override_is_shown_with_its_reason_and_mentions_nobody(run: Run) -> None:
    event = Event(kind=EventKind.BLOCKED, items=raised().items, override=f"Overridden by ana: {HOSTILE}")

    message = message_of([event], run, People())

    assert message["text"] == "⚠️ 1 input would have blocked a job"
    shown = message["blocks"][1]["text"]["text"]
    assert shown.startswith("Overridden by ana: ")
    assert not re.search(r"<[!@#h]", shown)
