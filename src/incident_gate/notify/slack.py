"""Slack: a message in a channel, by an incoming webhook or by a bot's token.

Three kinds of POST are all that is needed, so they go through the HTTP client that is there already, with its proxies
and certificates.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple
from urllib.parse import urlencode

from incident_gate.datahub.graph.owners import Owner
from incident_gate.errors import Hint
from incident_gate.gate.policy import Conclusion
from incident_gate.json_values import at, mapping, text
from incident_gate.notify.delivery import DeliveryError, Service, ServiceAnswer
from incident_gate.report.headline import grounds
from incident_gate.report.model import Report
from incident_gate.report.view import NOT_READ, Row, SectionKind, sections
from incident_gate.settings.model import Notify
from incident_gate.text import count, plain, plain_prose

# Slack refuses a message beyond these as a whole.
MOST_BLOCKS, LONGEST_SECTION, LONGEST_HEADER = 50, 3_000, 150
LONGEST_MESSAGE = 13_000
"""Characters of all blocks together, about: nowhere documented, but `chat.postMessage` refuses more (bolt-js#2509)."""
MOST_MENTIONS = 20
"""In one message; the others are counted."""

# Blocks besides those of the assets: the headings, the override, the button, the people and what is left out.
_MOST_ITEMS = 40
_LONGEST_ITEM, _LONGEST_ITEMS, _LONGEST_PEOPLE = 1_500, 7_500, 1_200
_LONGEST_URL = 1_000
_MOST_DETAILS = 5
_MEMBER = re.compile(r"[UW][A-Z0-9]{1,30}")
_GROUP = re.compile(r"S[A-Z0-9]{1,30}")
_FORMATTING = re.compile(r"(?<!\w)[*_~`]|[*_~`](?!\w)")
_NEW_TOKEN = Hint("Create a new token, and store it as {slack-token}.")
_BOT_TOKEN = Hint("Check {slack-token}: it must be a bot token of this workspace.")
_SCOPES = "Give the app the scopes chat:write and users:read.email."
_WEBHOOK = Hint("Check {slack-webhook-url}.")
_ADVICE = {
    **dict.fromkeys(("invalid_payload", "invalid_blocks", "msg_too_long"), "Internal error: report it."),
    **dict.fromkeys(("ratelimited", "rate_limited"), "Another run may be posting at the same time."),
    **dict.fromkeys(("invalid_auth", "not_authed", "not_allowed_token_type"), _BOT_TOKEN),
    **dict.fromkeys(("account_inactive", "token_expired", "token_revoked"), _NEW_TOKEN),
    **dict.fromkeys(("missing_scope", "no_permission"), _SCOPES),
    **dict.fromkeys(("channel_is_archived", "is_archived"), "Name another channel."),
    **dict.fromkeys(("no_service_id", "no_team", "team_disabled", "invalid_token"), _WEBHOOK),
    "not_in_channel": "Invite the app to the channel.",
    "channel_not_found": Hint("Check {slack-channel}, and invite the app to a private channel."),
    "restricted_action": "An administrator of the workspace restricted posting to this channel.",
    "access_denied": "An administrator of the workspace restricted the app.",
    "ekm_access_denied": "An administrator of the workspace suspended posting.",
    "org_login_required": "The workspace is being moved: try again later.",
    "team_access_not_granted": "Install the app in this workspace.",
    "no_service": Hint("The webhook was removed: create a new one, and store it as {slack-webhook-url}."),
    "action_prohibited": "An administrator of the workspace restricted webhooks.",
}


class Mentioned(NamedTuple):
    """The people of one message: mentions ready for Slack, names of others (untrusted), and how many are left out."""

    mentions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    left_out: int = 0


def notify(where: Notify, report: Report, events: Sequence[str], listed: Mapping[str, str], service: Service) -> None:
    """Post what happened, and mention those whom it concerns."""
    failures: list[DeliveryError] = []

    def look_up(email: str) -> str | None:
        # A message without mentions is better than none, and one refusal is enough to know of.
        if failures:
            return None
        try:
            return look_up_member(where, service, email)
        except DeliveryError as error:
            failures.append(error)
            return None

    owners = [owner for of_asset in report.owners.values() for owner in of_asset]
    people = find_people([*owners, *report.consumers], listed, look_up if where.slack_token else None)
    post(where, service, message_of(report, events, people))
    if failures:
        raise DeliveryError(f"Nobody could be looked up by e-mail ({failures[0].message})", failures[0].hint)


def find_people(
    owners: Iterable[Owner], listed: Mapping[str, str], look_up: Callable[[str], str | None] | None = None
) -> Mentioned:
    """Find out how owners can be mentioned: by the manifest's `people`, else by their e-mail addresses."""
    distinct = list({owner.urn: owner for owner in owners}.values())
    mentions: dict[str, None] = {}
    names: dict[str, None] = {}
    for owner in distinct[:MOST_MENTIONS]:
        slack_id = listed.get(owner.urn) or (look_up(owner.email) if look_up and owner.email else None) or ""
        if _MEMBER.fullmatch(slack_id):
            mentions[f"<@{slack_id}>"] = None
        elif _GROUP.fullmatch(slack_id):
            mentions[f"<!subteam^{slack_id}>"] = None
        else:
            names[owner.name] = None
    return Mentioned(tuple(mentions), tuple(names), len(distinct) - len(distinct[:MOST_MENTIONS]))


def look_up_member(where: Notify, service: Service, email: str) -> str | None:
    """The id of the member with this e-mail address; None if there is none."""
    query = urlencode({"email": email})
    answer = service.send(
        "GET", f"{where.slack_api}/users.lookupByEmail?{query}", headers=_bearer(where), repeatable=True
    )
    value = answer.json
    if mapping(value).get("ok") is True:
        return text(value, "user", "id") or None
    if at(value, "error") == "users_not_found":
        return None
    raise _refused(where, answer, at(value, "error"))


def post(where: Notify, service: Service, message: Mapping[str, Any]) -> None:
    """Post a message. With a token and a webhook, the token is used: it can look people up."""
    headers = {"Content-Type": "application/json; charset=utf-8"}
    if where.slack_token:
        body = json.dumps({"channel": where.slack_channel, **message}).encode()
        url = f"{where.slack_api}/chat.postMessage"
        answer = service.send("POST", url, headers=headers | _bearer(where), body=body)
        if mapping(answer.json).get("ok") is not True:
            raise _refused(where, answer, at(answer.json, "error"))
        return
    answer = service.send("POST", where.slack_webhook_url, headers=headers, body=json.dumps(message).encode())
    if answer.failed:
        raise _refused(where, answer, answer.body[:100].decode("ascii", "replace").strip())


def message_of(report: Report, events: Sequence[str], people: Mentioned) -> dict[str, Any]:
    """The message for one stage, within Slack's limits, with a count of what is left out.

    Titles and names are escaped, so that nothing in them can mention or link, and `verbatim` stops Slack from looking
    for addresses in them. `text` is what notifications and lock screens show.
    """
    blocks: list[dict[str, Any]] = []
    headings: list[str] = []
    room, characters = _MOST_ITEMS, _LONGEST_ITEMS
    named: set[str] = set()
    for event in events:
        rows, total = _rows(report, event)
        heading = _heading(report, event, rows)
        headings.append(heading)
        blocks.append({"type": "header", "text": {"type": "plain_text", "text": plain(heading, LONGEST_HEADER)}})
        if event == "blocked" and report.is_overridden:
            blocks.append(_section(_shown(str(report.override), 600)))
        if event == "blocked" and (failure := _failure(report)):
            blocks.append(_section(failure))
        number = 0
        for row in rows[: max(room, 1)]:
            item = _section(_item(row))
            characters -= len(json.dumps(item, ensure_ascii=False))
            if number and characters < 0:
                break
            blocks.append(item)
            named.update(row.owners)
            number += 1
        room -= number
        if number < total:
            blocks.append(_section(f"…and {total - number:,} more."))
    if report.run.url and len(report.run.url) <= _LONGEST_URL:
        button = {"type": "button", "text": {"type": "plain_text", "text": "Open the run"}, "url": report.run.url}
        blocks.append({"type": "actions", "elements": [button]})
    parts = [*people.mentions, *(_shown(name) for name in people.names if name not in named)]
    if parts:
        blocks.append(_section(_listed("Also for: ", parts, _LONGEST_PEOPLE, people.left_out)))
    return {"text": _escaped("; ".join(headings)), "blocks": blocks, "unfurl_links": False}


def _rows(report: Report, event: str) -> tuple[Sequence[Row], int]:
    """What a message about an event lists, and how many of these there are."""
    found = {section.kind: section for section in sections(report)}
    if event == "blocked":
        overridden = report.conclusion is not Conclusion.BLOCK
        section = found.get(SectionKind.WARNS if overridden else SectionKind.BLOCKS)
        return (section.rows, section.total) if section else ((), 0)
    rows = found[SectionKind.OUTPUTS].rows if SectionKind.OUTPUTS in found else ()
    changed = [r for r in rows if r.result and (r.result.raised if event == "raised" else r.result.resolved)]
    return changed, len(changed)


def _heading(report: Report, event: str, rows: Sequence[Row]) -> str:
    """Where and what, in one line: a lock screen shows no more. Untrusted text, in which nothing is escaped yet."""
    run = report.run
    job = run.job or (run.name if run.run_id or run.workflow else "")
    where = f"{plain(run.repository, 60)}: " if run.repository else ""
    subject = f"{where}{plain(job, 60)}" if job else f"{where}the job"
    if event == "blocked":
        if report.is_overridden:
            return f"🟡 {subject} overridden: {grounds(report, others=False)}"
        alike = report.unchecked
        if report.failure and len(alike) == len(report.decisions):
            message = plain(report.failure.message.rstrip("."), 80)
            return f"⛔ {subject} is blocked: {message}, {count(len(alike), 'input')} unchecked"
        blocking = [d for d in report.decisions if d.conclusion is Conclusion.BLOCK]
        if all(d.incident_count and not d.failing for d in blocking):
            return f"⛔ {subject} is blocked by {count(sum(d.incident_count for d in blocking), 'incident')}"
        return f"⛔ {subject} is blocked: {grounds(report, others=False)}"
    sign, verb = ("🔴", "raised an incident on") if event == "raised" else ("🟢", "resolved the incident on")
    on = plain(rows[0].asset, 80) if len(rows) == 1 else count(len(rows), "output")
    return f"{sign} {subject} {verb} {on}"


def _failure(report: Report) -> str:
    """An outage, once for all inputs that it leaves unchecked."""
    alike = report.unchecked
    if not (alike and report.failure):
        return ""
    return _shown(f"{report.failure.message.rstrip('.')}: {count(len(alike), 'input')} unchecked.", 600)


def _item(row: Row) -> str:
    if row.is_asset:
        notes = _shown(plain_prose(" ".join(row.notes)), 300)
        return f"{NOT_READ[row.tag]}: *{_link(row.title, row.page)}*{f'. {notes}' if notes else ''}"
    title = row.title or row.asset
    head = f"*{_link(title, row.page)}*"
    details = [f"{_shown(name, 100)}{f': {_shown(message, 150)}' if message else ''}" for name, message in row.details]
    facts = [_shown(fact, 60) for fact in ("" if title == row.asset else row.asset, row.priority, *row.facts) if fact]
    known = " · ".join(facts)
    if row.owners:
        owners = [_shown(owner) for owner in row.owners]
        known += _listed(" · " if facts else "", owners, _LONGEST_ITEM - len(head) - len(known) - 1)
    # What does not fit is left out whole: half an entity is none.
    lines = [head]
    for line in (known, *details[:_MOST_DETAILS]):
        if line and len("\n".join((*lines, line))) <= _LONGEST_ITEM:
            lines.append(line)
    return "\n".join(lines)


def _listed(start: str, parts: Sequence[str], room: int, left_out: int = 0) -> str:
    """As many parts as fit, whole, and the number of the others: half an entity or a mention is neither."""
    listed = start
    for index, part in enumerate(parts):
        rest = len(parts) - index + left_out
        if len(listed) + len(part) + len(f", and {rest:,} more") > room:
            return f"{listed} and {rest:,} more"
        listed += f"{', ' if index else ''}{part}"
    return f"{listed} and {left_out:,} more" if left_out else listed


def _section(mrkdwn: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": mrkdwn, "verbatim": True}}


def _link(label: str, url: str | None) -> str:
    # A bar would end the address.
    shown = _shown(label, 150).replace("|", "¦") or "…"
    # An address with one of these could end the link early; too long a one would cost the section its text.
    if not url or len(url) > _LONGEST_URL or re.search(r"[<>|\s]", url):
        return shown
    return f"<{url.replace('&', '&amp;')}|{shown}>"


def _shown(untrusted: str, limit: int = 80) -> str:
    """Untrusted text as Slack shows it: each character that could begin something becomes an entity of up to five."""
    # A word joiner is invisible and keeps a mark from formatting; within a word, as in table names, none does.
    return _escaped(_FORMATTING.sub(lambda mark: f"{mark[0]}\u2060", plain(untrusted, limit)))


def _escaped(untrusted: str) -> str:
    return untrusted.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _bearer(where: Notify) -> dict[str, str]:
    return {"Authorization": f"Bearer {where.slack_token}"}


def _refused(where: Notify, answer: ServiceAnswer, reason: object) -> DeliveryError:
    # Words of Slack's are shown. Anything else is what a proxy answers, which may quote the request.
    word = reason if isinstance(reason, str) and re.fullmatch(r"[a-z][a-z_]{2,60}", reason) else ""
    if not word or word in f"{where.slack_webhook_url} {where.slack_token}":
        return DeliveryError(f"Slack did not take the message: HTTP {answer.status}", "Look at Slack's status page.")
    advice = _ADVICE.get(word, "Look the word up in the documentation of Slack's API.")
    return DeliveryError(f"Slack did not take the message: {word}", advice)
