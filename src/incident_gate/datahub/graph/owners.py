"""The owners of assets."""

from __future__ import annotations

from typing import NamedTuple

from incident_gate.datahub.client import Operation
from incident_gate.text import Redactor

MOST_ASSETS = 250
"""In one request; the others are left out, because a message names no more."""

MOST_OWNERS = 100
"""Of one asset."""

# On one line for each asset type that has owners on every generation.
OWNERS_OF_ASSET = " ".join(
    f"... on {kind} {{ ownership {{ ...owned }} }}" for kind in ("Dataset", "DataJob", "DataFlow", "Dashboard", "Chart")
)
# Users fill in `editableProperties` themselves: an address there comes before the directory's.
OWNED = (
    "fragment owned on Ownership { owners { owner { "
    "... on CorpUser { urn username properties { displayName email } editableProperties { email } } "
    "... on CorpGroup { urn name properties { displayName email } } } } }"
)
OWNERS = Operation(
    "incidentGateOwners",
    f"query incidentGateOwners($urns: [String!]!) {{ entities(urns: $urns) {{ urn {OWNERS_OF_ASSET} }} }} {OWNED}",
)


class Owner(NamedTuple):
    """A user or group that owns an asset. `name` is how people know it; all text is untrusted.

    An owner that was deleted keeps its URN and has no properties: then the name is the URN's last part.
    """

    urn: str
    name: str
    email: str = ""


def read_owners(asset: object, redact: Redactor) -> tuple[Owner, ...]:
    """The owners in an answer about one asset, selected as `OWNERS_OF_ASSET`; each once."""
    ownership = asset.get("ownership") if isinstance(asset, dict) else None
    listed = ownership.get("owners") if isinstance(ownership, dict) else None
    elements = (listed if isinstance(listed, list) else [])[:MOST_OWNERS]
    owners = (owner_in(element.get("owner"), redact) for element in elements if isinstance(element, dict))
    # One person can own an asset in several roles.
    return tuple(dict.fromkeys(owner for owner in owners if owner))


def owner_in(owner: object, redact: Redactor) -> Owner | None:
    """The user or group in an answer, without the secrets that were sent; None without a URN."""
    urn = _text(owner, "urn")
    if not urn:
        return None
    name = (
        _text(owner, "properties", "displayName")
        or _text(owner, "username")
        or _text(owner, "name")
        or urn.rsplit(":", 1)[-1]
    )
    email = _text(owner, "editableProperties", "email") or _text(owner, "properties", "email")
    return Owner(redact(urn), redact(name), redact(email))


def _text(value: object, *path: str) -> str:
    for name in path:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, str) else ""
