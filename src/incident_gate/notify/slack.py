"""Slack: a message in a channel, by an incoming webhook or by a bot's token.

Three kinds of POST are all that is needed, so they go through the HTTP client that is there already, with its proxies
and certificates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from incident_gate.ci.run import Run
from incident_gate.errors import Hint
from incident_gate.notify.delivery import Answer, DeliveryError, Service
from incident_gate.notify.event import Event, EventKind, Item
from incident_gate.notify.people import People
from incident_gate.report.amounts import count
from incident_gate.text import plain

WEB_API = "https://slack.com/api"
# Slack refuses a message beyond these as a whole.
MOST_BLOCKS, LONGEST_SECTION, LONGEST_HEADER = 50, 3_000, 150
# Blocks besides those of the assets: the headings, the run, the people and the count of what is left out.
_MOST_ITEMS = 40
_LONGEST_URL = 1_000
_FORMATTING = re.compile(r"(?<!\w)[*_~`]|[*_~`](?!\w)")
_HEADINGS = {
    EventKind.RAISED: ("🔴", "incident", "raised"),
    EventKind.RESOLVED: ("✅", "incident", "resolved"),
    EventKind.BLOCKED: ("⛔", "input", "blocked a job"),
}
_OVERRIDDEN = ("⚠️", "input", "would have blocked a job")
_ADVICE = {
    "invalid_payload": "Internal error: report it.",
    "invalid_blocks": "Internal error: report it.",
    "ratelimited": "Another run may be posting at the same time.",
    "invalid_auth": Hint("Check {slack-token}: it must be a bot token of this workspace."),
    "not_authed": Hint("Check {slack-token}: it must be a bot token of this workspace."),
    "token_revoked": Hint("Create a new token, and store it as {slack-token}."),
    "missing_scope": "Give the app the scopes chat:write and users:read.email.",
    "not_in_channel": "Invite the app to the channel.",
    "channel_not_found": Hint("Check {slack-channel}, and invite the app to a private channel."),
    "channel_is_archived": "Name another channel.",
    "is_archived": "Name another channel.",
    "no_service": Hint("The webhook was removed: create a new one, and store it as {slack-webhook-url}."),
    "no_team": Hint("Check {slack-webhook-url}."),
    "invalid_token": Hint("Check {slack-webhook-url}."),
    "action_prohibited": "An administrator of the workspace restricted webhooks.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Slack:
    """Where messages go: `webhook`, or `token` with `channel`. `api` is the base of the Web API."""

    webhook: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    channel: str = ""
    api: str = WEB_API

    @property
    def address(self) -> str:
        """What is connected to."""
        return self.api if self.token else self.webhook


def look_up_member(slack: Slack, service: Service, email: str) -> str | None:
    """The id of the member with this e-mail address; None if there is none.

    Raises:
        DeliveryError: Slack does not answer, or refuses the token.
    """
    query = urlencode({"email": email})
    answer = service.send("GET", f"{slack.api}/users.lookupByEmail?{query}", headers=_bearer(slack), repeatable=True)
    value = _json(answer)
    user = value.get("user")
    if value.get("ok") is True and isinstance(user, dict):
        return user.get("id") if isinstance(user.get("id"), str) else None
    if value.get("error") == "users_not_found":
        return None
    raise _refused(answer, value.get("error"))


def post(slack: Slack, service: Service, message: Mapping[str, Any]) -> None:
    """Post a message.

    Raises:
        DeliveryError: Slack did not take it.
    """
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if slack.token:
        body = json.dumps({"channel": slack.channel, **message}).encode()
        answer = service.send("POST", f"{slack.api}/chat.postMessage", headers=headers | _bearer(slack), body=body)
        value = _json(answer)
        if value.get("ok") is not True:
            raise _refused(answer, value.get("error"))
        return
    answer = service.send("POST", slack.webhook, headers=headers, body=json.dumps(message).encode())
    if answer.failed:
        raise _refused(answer, answer.body[:100].decode("ascii", "replace").strip())


def message_of(events: Sequence[Event], run: Run, people: People) -> dict[str, Any]:
    """The message for one stage, within Slack's limits, with a count of what is left out.

    Titles and names are escaped, so that nothing in them can mention or link, and `verbatim` stops Slack from looking
    for addresses in them. `text`, which notifications show, holds nothing of them.
    """
    blocks: list[dict[str, Any]] = []
    room = _MOST_ITEMS
    for event in events:
        heading = _heading(event)
        blocks.append({"type": "header", "text": {"type": "plain_text", "text": heading[:LONGEST_HEADER]}})
        if event.override:
            blocks.append(_section(_shown(event.override, 600)))
        shown = event.items[: max(room, 1)]
        room -= len(shown)
        blocks += [_section(_item(item)) for item in shown]
        if len(shown) < len(event.items):
            blocks.append(_section(f"…and {len(event.items) - len(shown):,} more."))
    blocks.append(_section(_run(run)))
    parts = [*people.mentions, *(_shown(name) for name in people.names)]
    if parts:
        blocks.append(_section(_listed("For ", parts, LONGEST_SECTION, people.left_out)))
    return {"text": "; ".join(map(_heading, events)), "blocks": blocks, "unfurl_links": False}


def _heading(event: Event) -> str:
    sign, noun, done = _OVERRIDDEN if event.override else _HEADINGS[event.kind]
    return f"{sign} {count(len(event.items), noun)} {done}"


def _item(item: Item) -> str:
    text = f"*{_link(item.name, item.page)}*"
    if item.detail:
        text += f"\n{_shown(item.detail, 200)}"
    if item.owners:
        owners = [_shown(owner.name) for owner in item.owners]
        text += _listed("\nOwned by ", owners, LONGEST_SECTION - len(text))
    return text


def _run(run: Run) -> str:
    job = f"Job {_shown(run.job)} of " if run.job else ""
    where = f" in {_shown(run.repository)}" if run.repository else ""
    return f"{job}{_link(run.name, run.url)}{where}"


def _listed(start: str, parts: Sequence[str], room: int, left_out: int = 0) -> str:
    """As many parts as fit, whole, and the number of the others: half an entity or a mention is neither."""
    text = start
    for index, part in enumerate(parts):
        rest = len(parts) - index + left_out
        if len(text) + len(part) + len(f", and {rest:,} more") > room:
            return f"{text} and {rest:,} more"
        text += f"{', ' if index else ''}{part}"
    return f"{text} and {left_out:,} more" if left_out else text


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}}


def _link(label: str, url: str | None) -> str:
    # A bar would end the address.
    shown = _shown(label).replace("|", "¦") or "…"
    # An address with one of these could end the link early; too long a one would cost the section its text.
    if not url or len(url) > _LONGEST_URL or re.search(r"[<>|\s]", url):
        return shown
    return f"<{url.replace('&', '&amp;')}|{shown}>"


def _shown(text: str, limit: int = 80) -> str:
    """Untrusted text as Slack shows it: each character that could begin something becomes an entity of up to five."""
    # A word joiner is invisible and keeps a mark from formatting; within a word, as in table names, none does.
    text = _FORMATTING.sub(lambda mark: f"{mark[0]}\u2060", plain(text, limit))
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _bearer(slack: Slack) -> dict[str, str]:
    return {"Authorization": f"Bearer {slack.token}"}


def _json(answer: Answer) -> dict[str, Any]:
    try:
        value = json.loads(answer.body)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _refused(answer: Answer, reason: object) -> DeliveryError:
    # Only words of Slack's that are known here are shown: what a proxy answers may quote the request.
    if isinstance(reason, str) and reason in _ADVICE:
        return DeliveryError(f"Slack did not take the message: {reason}", _ADVICE[reason])
    return DeliveryError(f"Slack did not take the message: HTTP {answer.status}", "Look at Slack's status page.")
