"""Slack messages: within its limits, and inert whatever DataHub holds."""

from __future__ import annotations

import contextlib
import json
import re
from typing import Any

import pytest

from incident_gate.ci.run import Run
from incident_gate.datahub.graph.owners import Owner
from incident_gate.errors import UnreachableError
from incident_gate.gate.policy import Conclusion
from incident_gate.incident import Priority, Problem, Reason
from incident_gate.manifest.model import OutputEntry, Position
from incident_gate.notify.delivery import DeliveryError
from incident_gate.notify.slack import (
    LONGEST_HEADER,
    LONGEST_MESSAGE,
    LONGEST_SECTION,
    MOST_BLOCKS,
    MOST_MENTIONS,
    Mentioned,
    find_people,
    look_up_member,
    message_of,
    post,
)
from incident_gate.outcome.result import Change, OutcomeReport, OutputResult
from incident_gate.report.model import Override, Report
from incident_gate.report.view import incidents_page
from incident_gate.settings.model import Notify
from tests.helpers.report_samples import HOUR, NOW, UI, dataset, decision, entry, missing, report, unhealthy
from tests.helpers.services import Reply, SlackStandIn, mentions_in, serving
from tests.server.notify.conftest import MakeService

HOSTILE = "<!channel> <@U0> **x** @octocat ![](https://evil.example/x.png) &lt;!here&gt; <https://evil.example|click> |"
ANA = Owner("urn:li:corpuser:ana", "Ana", "ana@example.com")
DATA = Owner("urn:li:corpGroup:data", "Data Platform")
ORDERS = dataset("orders")


def result(name: str, change: Change = Change.RAISED, **fields: Any) -> OutputResult:
    urns: dict[str, Any] = {change.value: ("urn:li:incident:1",)}
    entry_ = OutputEntry(dataset(name.replace("<", "")), Position(1, 1), name)
    return OutputResult(entry_, change, ("urn:li:incident:1",), **fields, **urns)


def outcome(run: Run, *results: OutputResult, **fields: Any) -> Report:
    return report(outcome=OutcomeReport("failure", results), gated=False, run=run, **fields)


def sections_of(message: dict[str, Any]) -> list[str]:
    return [block["text"]["text"] for block in message["blocks"] if block["type"] == "section"]


def test_webhook_takes_a_message(run: Run, make_service: MakeService) -> None:
    slack = SlackStandIn()
    raised = outcome(run, result("orders", title="2 of 6 checks failed", failed=(("t.amount", "12 orders"),)))
    with serving(slack) as url:
        where = Notify(slack_webhook_url=url + slack.webhook_path)
        post(where, make_service(), message_of(raised, ["raised"], Mentioned(("<@U1>",))))

    assert slack.messages[0]["text"] == "🔴 acme/shop: build raised an incident on orders"
    page = incidents_page(UI, ORDERS.text)
    assert f"*<{page}|2 of 6 checks failed>*\norders\nt.amount: 12 orders" in slack.shown
    assert slack.shown.endswith("Also for: <@U1>")
    [actions] = [block for block in slack.messages[0]["blocks"] if block["type"] == "actions"]
    assert actions["elements"][0]["url"] == run.url


SILENT = decision(entry("silent"), Conclusion.BLOCK, problems=(Problem(Reason.NO_ANSWER, "No answer"),))
LATE = unhealthy("orders", "No rows", priority=Priority.CRITICAL, created_ms=NOW - 3 * HOUR)
DOWN = UnreachableError("DataHub did not answer.")


@pytest.mark.parametrize(
    ("of", "event", "text", "shown"),
    [
        (
            report(LATE, unhealthy("b"), owners={ORDERS.text: (ANA,)}),
            "blocked",
            "⛔ acme/shop: build is blocked by 2 incidents",
            [
                f"*<{incidents_page(UI, ORDERS.text)}|No rows>*\norders · critical · operational · open for 3 h · Ana",
                f"*<{incidents_page(UI, dataset('b').text)}|Rows are missing>*\nb · operational",
            ],
        ),
        (
            report(missing("itmes"), decision(entry("fine"))),
            "blocked",
            "⛔ acme/shop: build is blocked: 1 of 2 inputs not found in DataHub",
            ["Not in DataHub: *itmes*. Check the URN for a typing mistake, or ingest it first."],
        ),
        (
            report(*[SILENT] * 60, failure=DOWN),
            "blocked",
            "⛔ acme/shop: build is blocked: DataHub did not answer, 60 inputs unchecked",
            ["DataHub did not answer: 60 inputs unchecked."],
        ),
        (
            report(LATE, SILENT, failure=DOWN),
            "blocked",
            "⛔ acme/shop: build is blocked: 1 incident on 1 input, 1 input could not be checked",
            [
                "DataHub did not answer: 1 input unchecked.",
                f"*<{incidents_page(UI, ORDERS.text)}|No rows>*\norders · critical · operational · open for 3 h",
            ],
        ),
        (
            report(LATE._replace(conclusion=Conclusion.WARN), override=Override("known <!channel>", "ana")),
            "blocked",
            "🟡 acme/shop: build overridden: 1 incident on 1 input",
            [
                "Overridden by ana: known &lt;!channel&gt;",
                f"*<{incidents_page(UI, ORDERS.text)}|No rows>*\norders · critical · operational · open for 3 h",
            ],
        ),
        (
            report(outcome=OutcomeReport("success", tuple(result(n, Change.RESOLVED) for n in "ab")), gated=False),
            "resolved",
            "🟢 acme/shop: build resolved the incident on 2 outputs",
            [f"*<{incidents_page(UI, dataset(n).text)}|{n}>*" for n in "ab"],
        ),
    ],
)
def test_first_line_says_where_and_what(run: Run, of: Report, event: str, text: str, shown: list[str]) -> None:
    message = message_of(of._replace(run=run), [event], Mentioned())

    assert message["text"] == text
    assert message["blocks"][0]["text"]["text"] == text
    assert sections_of(message) == shown


def test_owners_that_an_item_names_are_not_named_again(run: Run) -> None:
    of = report(LATE, owners={ORDERS.text: (ANA,)}, run=run)
    assert sections_of(message_of(of, ["blocked"], Mentioned(("<@U1>",), ("Ana", "Bo"))))[-1] == "Also for: <@U1>, Bo"


def test_outside_of_ci_there_is_no_repository_to_name() -> None:
    assert message_of(report(LATE), ["blocked"], Mentioned())["text"] == "⛔ the job is blocked by 1 incident"


def test_hostile_text_mentions_nobody_and_links_nowhere(run: Run, make_service: MakeService) -> None:
    of = outcome(run._replace(job=HOSTILE), result(HOSTILE, title=HOSTILE, failed=((HOSTILE, HOSTILE),)))
    of = of._replace(owners={of.outcome.results[0].entry.urn.text: (Owner("urn:li:corpuser:a", HOSTILE),)})  # type: ignore[union-attr]
    slack = SlackStandIn()
    with serving(slack) as url:
        message = message_of(of, ["raised"], Mentioned(names=(HOSTILE,)))
        post(Notify(slack_webhook_url=url + slack.webhook_path), make_service(), message)

    page = incidents_page(UI, of.outcome.results[0].entry.urn.text)  # type: ignore[union-attr]
    assert [target.partition("|")[0] for target in mentions_in("\n".join(sections_of(message)))] == [page]
    assert not re.search(r"[<>]", message["text"])
    # Without this, Slack would make links of addresses in the text.
    assert all(
        block["text"].get("verbatim", block["type"] == "header") for block in message["blocks"] if "text" in block
    )
    assert message["unfurl_links"] is False


def test_marks_format_nothing_and_names_stay_exact(run: Run) -> None:
    message = message_of(outcome(run, result("shop.orders_daily", title="**x** _y_ `z` ~w~")), ["raised"], Mentioned())

    title, asset = sections_of(message)[0].splitlines()
    assert asset == "shop.orders\u005fdaily"
    assert not re.search(r"[*_~`](?!\u2060)", title.partition("|")[2].removesuffix(">*"))


@pytest.mark.parametrize("ui", ["https://x.example/a|b", "https://x.example/>b", "https://x.example/" + 2000 * "a"])
def test_address_that_could_end_a_link_is_left_out(run: Run, ui: str) -> None:
    message = message_of(outcome(run, result("orders"), ui_url=ui), ["raised"], Mentioned())

    assert sections_of(message) == ["*orders*"]


def test_many_long_items_stay_within_the_limits(run: Run, make_service: MakeService) -> None:
    owners = tuple(Owner(f"urn:li:corpuser:{n}", 90 * "&") for n in range(60))
    results = [result(200 * "<" + str(n), title=900 * ">", failed=((99 * "&", 99 * "&"),) * 30) for n in range(300)]
    results += [result(f"{n}", Change.RESOLVED) for n in range(300)]
    people = Mentioned(tuple(f"<@U{n:010}>" for n in range(20)), tuple(90 * "&" for _ in range(20)), left_out=7)
    run = run._replace(job=90 * "&", repository=90 * "r", url=run.url)
    of = outcome(run, *results, owners={one.entry.urn.text: owners for one in results})
    slack = SlackStandIn()
    with serving(slack) as url:
        message = message_of(of, ["raised", "resolved"], people)
        post(Notify(slack_webhook_url=url + slack.webhook_path), make_service(), message)

    blocks = slack.messages[0]["blocks"]
    assert len(blocks) <= MOST_BLOCKS
    assert sum(len(json.dumps(block, ensure_ascii=False)) for block in blocks) <= LONGEST_MESSAGE
    assert max(len(text) for text in sections_of(message)) <= LONGEST_SECTION
    assert max(len(b["text"]["text"]) for b in blocks if b["type"] == "header") <= LONGEST_HEADER
    # Besides the items: two headings, two counts, the button and the people.
    left = [int(number) for number in re.findall(r"…and (\d+) more\.", slack.shown)]
    assert len(blocks) - 6 + sum(left) == 600
    assert left[1] == 299
    assert slack.shown.endswith("more")


def test_many_short_items_stay_within_the_number_of_blocks(run: Run) -> None:
    message = message_of(outcome(run, *(result(str(n)) for n in range(300)), ui_url=""), ["raised"], Mentioned())
    assert "…and 260 more." in sections_of(message)


def test_member_is_found_by_address(make_service: MakeService) -> None:
    slack = SlackStandIn(members={"ana+dwh@example.com": "U0123"})
    with serving(slack) as url:
        where = Notify(slack_token=slack.token, slack_channel="#data", slack_api=f"{url}/api")

        assert look_up_member(where, make_service(), "ana+dwh@example.com") == "U0123"
        assert look_up_member(where, make_service(), "bob@example.com") is None
    assert slack.requests[0].path == "/api/users.lookupByEmail?email=ana%2Bdwh%40example.com"


def test_people_are_mentioned_by_the_manifest_then_by_address_and_else_named() -> None:
    asked: list[str] = []

    def look_up(email: str) -> str | None:
        asked.append(email)
        return "U9"

    bob = Owner("urn:li:corpuser:bob", "Bob", "bob@example.com")
    found = find_people([ANA, bob, DATA, ANA], {ANA.urn: "U1"}, look_up)
    assert (found, asked) == (Mentioned(("<@U1>", "<@U9>"), ("Data Platform",)), ["bob@example.com"])
    assert find_people([ANA, DATA], {ANA.urn: "W1", DATA.urn: "S0123"}).mentions == ("<@W1>", "<!subteam^S0123>")
    # An id that is none mentions nobody.
    assert find_people([ANA], {ANA.urn: "U1> <!channel"}) == Mentioned(names=("Ana",))
    assert find_people([ANA], {}, lambda _: "!channel") == Mentioned(names=("Ana",))


def test_many_people_are_counted_and_not_looked_up() -> None:
    owners = [Owner(f"urn:li:corpuser:{n}", f"user {n}", "x@example.com") for n in range(MOST_MENTIONS + 5)]
    asked: list[str] = []
    people = find_people(owners, {}, asked.append)
    assert (len(people.names), people.left_out, len(asked)) == (MOST_MENTIONS, 5, MOST_MENTIONS)


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (404, b"no_service", "no_service"),
        (403, b"some_new_word", "some_new_word"),
        (500, b"<html>POST /services/T0000/B0000/secretpart failed</html>", "HTTP 500"),
        (500, b"secretpart", "HTTP 500"),
        (302, b"", "HTTP 302"),
    ],
)
def test_refusal_names_the_reason_and_no_secret(
    run: Run, make_service: MakeService, status: int, body: bytes, reason: str
) -> None:
    slack = SlackStandIn(first=[Reply(status, body, {"Location": "http://127.0.0.1:9/secretpart"})])
    message = message_of(outcome(run, result("a")), ["raised"], Mentioned())
    with serving(slack) as url, pytest.raises(DeliveryError) as refused:
        post(Notify(slack_webhook_url=url + slack.webhook_path), make_service(), message)

    assert reason in refused.value.message
    assert refused.value.hint
    assert "secretpart" not in refused.value.message + refused.value.hint
    assert len(slack.requests) == 1


@pytest.mark.parametrize(
    ("word", "advice"),
    [
        ("account_inactive", "new token"),
        ("token_expired", "new token"),
        ("missing_scope", "chat:write"),
        ("no_permission", "chat:write"),
        ("invalid_auth", "bot token"),
        ("two_factor_setup_required", "documentation"),
    ],
)
def test_word_that_slack_answers_with_a_200_is_always_named(
    run: Run, make_service: MakeService, word: str, advice: str
) -> None:
    slack = SlackStandIn(first=[Reply.of({"ok": False, "error": word})])
    message = message_of(outcome(run, result("a")), ["raised"], Mentioned())
    where = Notify(slack_token="xoxb-wrong-0123", slack_channel="#data")
    with serving(slack) as url, pytest.raises(DeliveryError, match=f": {word}$") as refused:
        post(where._replace(slack_api=f"{url}/api"), make_service(), message)

    assert advice in refused.value.hint
    assert "xoxb" not in str(refused.value) + refused.value.hint


@pytest.mark.parametrize(("pause", "requests"), [("3", 2), ("60", 1)])
def test_pause_that_slack_asks_for_is_kept_if_there_is_time(
    run: Run, make_service: MakeService, pause: str, requests: int
) -> None:
    slack = SlackStandIn(first=[Reply(429, b"", {"Retry-After": pause})])
    service = make_service()
    before = service.deadline.remaining
    message = message_of(outcome(run, result("a")), ["raised"], Mentioned())
    with serving(slack) as url:
        expected = pytest.raises(DeliveryError, match="HTTP 429") if requests == 1 else contextlib.nullcontext()
        with expected:
            post(Notify(slack_webhook_url=url + slack.webhook_path), service, message)

    assert len(slack.requests) == requests
    assert len(slack.messages) == requests - 1
    assert requests == 1 or before - service.deadline.remaining >= 3


def test_message_whose_answer_is_lost_is_not_sent_again(run: Run, make_service: MakeService) -> None:
    slack = SlackStandIn(first=[Reply(503, b"busy")])
    message = message_of(outcome(run, result("a")), ["raised"], Mentioned())
    with serving(slack) as url, pytest.raises(DeliveryError, match="busy"):
        post(Notify(slack_webhook_url=url + slack.webhook_path), make_service(), message)

    assert len(slack.requests) == 1
