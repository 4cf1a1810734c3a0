"""Who is mentioned, and how: an owner in DataHub as a member of Slack."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from incident_gate.datahub.graph.owners import Owner

MOST_MENTIONS = 20
"""In one message; the others are counted."""

_MEMBER = re.compile(r"[UW][A-Z0-9]{1,30}")
_GROUP = re.compile(r"S[A-Z0-9]{1,30}")


class People(NamedTuple):
    """The people of one message.

    `mentions` are ready for Slack. `names` are those who cannot be mentioned; untrusted text. `left_out` counts the
    rest.
    """

    mentions: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    left_out: int = 0


def mention(slack_id: str) -> str | None:
    """Slack's mention of a member (`U…`, `W…`) or a user group (`S…`); None if it is the id of neither."""
    if _MEMBER.fullmatch(slack_id):
        return f"<@{slack_id}>"
    return f"<!subteam^{slack_id}>" if _GROUP.fullmatch(slack_id) else None


def find_people(
    owners: Iterable[Owner], listed: Mapping[str, str], look_up: Callable[[str], str | None] | None = None
) -> People:
    """Find out how the owners can be mentioned.

    Args:
        owners: The assets' own before those of their consumers.
        listed: `people` of the manifest: a Slack id by the owner's URN.
        look_up: Finds a member's Slack id by e-mail address; None where that is not possible.
    """
    distinct = list({owner.urn: owner for owner in owners}.values())
    mentions: dict[str, None] = {}
    names: dict[str, None] = {}
    for owner in distinct[:MOST_MENTIONS]:
        slack_id = listed.get(owner.urn) or (look_up(owner.email) if look_up and owner.email else None)
        if shown := mention(slack_id or ""):
            mentions[shown] = None
        else:
            names[owner.name] = None
    return People(tuple(mentions), tuple(names), len(distinct) - len(distinct[:MOST_MENTIONS]))
