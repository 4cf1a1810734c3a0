"""Reading health out of an answer of any shape: what is missing or not as promised is a problem, never health."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from incident_gate.datahub.health.element import Element
from incident_gate.datahub.health.listing import MOST_TEXT, Listing
from incident_gate.datahub.health.partial_health import PartialHealth
from incident_gate.incident import Reason
from incident_gate.text import NO_SECRETS, Redactor


def read_element(
    urn: str, element: Element, *, asked: frozenset[str], size: int, redact: Redactor = NO_SECRETS
) -> PartialHealth:
    """Read the part of an answer that is about one asset.

    Args:
        urn: The asset that was asked for.
        element: What came for it.
        asked: The names of the fields that were asked for.
        size: The page size that was asked for.
        redact: Applied to every text.
    """
    draft = PartialHealth(urn, redact)
    value = element.value
    for error in element.errors:
        path = error.path if isinstance(value, dict) else ()
        followed = _followed(path, value)
        if "aspects" in path and path.index("aspects") <= followed:
            continue  # the second witness is no reason to block
        if "assertions" in path and path.index("assertions") <= followed < len(path):
            continue  # a list that failed is null, which is a problem of the assertions
        reason = Reason.REFUSED if error.is_refusal else Reason.ERROR
        draft.problem(reason, f"DataHub failed on it: {error}")
    if value is None:
        if not element.errors:
            draft.problem(
                Reason.HIDDEN, "DataHub returns nothing for it: it does not exist, or the token may not see it"
            )
        return draft
    if not isinstance(value, dict):
        draft.problem(Reason.MALFORMED, "DataHub's answer for it is not an object")
        return draft
    _read_fields(draft, value, asked, size)
    return draft


def _followed(path: Sequence[str | int], value: object) -> int:
    """How many steps of a path lead to something: an error may have taken more with it than the field that failed."""
    for count, step in enumerate(path):
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and isinstance(step, int) and 0 <= step < len(value):
            value = value[step]
        else:
            value = None
        if value is None:
            return count
    return len(path)


def _read_fields(draft: PartialHealth, value: dict[str, Any], asked: frozenset[str], size: int) -> None:
    if missing := sorted(asked - value.keys()):
        draft.problem(Reason.MALFORMED, f"DataHub's answer for it lacks {', '.join(missing)}")
    exists = value.get("exists")
    draft.exists = exists if isinstance(exists, bool) else None
    _note_removal(draft, value)
    if draft.exists is not False and is_restricted(value):
        hint = 'Its user needs the privilege "View Entity Page" on it.'
        draft.problem(Reason.HIDDEN, "It is hidden from this token", hint)
    # A list that failed has its error already.
    for name, listing in (("incidents", draft.own), ("history", draft.history)):
        if name in asked and not (value.get(name) is None and draft.problems):
            listing.add(value.get(name), size=size)
    draft.own.note_summary(value)
    if "assertions" in asked:
        draft.own.add_assertions(value, size=size)
    for sibling, listing in _siblings(draft, value):
        listing.add(sibling.get("incidents"), size=size)
        listing.note_summary(sibling)
        if "assertions" in asked:
            listing.add_assertions(sibling, size=size)


def is_restricted(value: Mapping[str, Any]) -> bool:
    """Whether this is the shell of an asset that the token may not view.

    A server with view authorization answers with the asset's URN, blanks what cannot be null, and leaves out the rest.
    An ordinary asset may lack status and siblings as well, but its platform or tool is part of its URN.
    """
    if value.get("status") is not None or value.get("siblings") is not None:
        return False
    platform = value.get("platform")
    leaves = [value.get(name) for name in ("name", "tool", "orchestrator")]
    leaves.append(platform.get("name") if isinstance(platform, dict) else None)
    return "" in leaves or ("dataFlow" in value and value["dataFlow"] is None)


def _note_removal(draft: PartialHealth, value: dict[str, Any]) -> None:
    """Note that an asset was soft-deleted: it still resolves, and only this shows it. Most assets have no status."""
    status = value.get("status")
    removed = status.get("removed") if isinstance(status, dict) else None
    if removed is True:
        hint = "Name the dataset that replaces it, or restore it."
        draft.problem(Reason.REMOVED, "It was removed (soft-deleted) in DataHub", hint)
    elif status is not None and removed is not False:
        draft.problem(Reason.MALFORMED, "DataHub does not say whether it was removed")


def _siblings(draft: PartialHealth, value: dict[str, Any]) -> Sequence[tuple[dict[str, Any], Listing]]:
    """Each sibling that is shown, with its list; one that is named and not shown may have incidents."""
    outer = value.get("siblings")
    inner = outer.get("siblings") if isinstance(outer, dict) else None
    if outer is None or (isinstance(outer, dict) and "siblings" in outer and inner is None):
        return []
    if not isinstance(inner, list):
        draft.problem(Reason.MALFORMED, "DataHub's list of its siblings is not a list")
        return []
    found: list[tuple[dict[str, Any], Listing]] = []
    for sibling in inner:
        urn = sibling.get("urn") if isinstance(sibling, dict) else None
        if not isinstance(urn, str):
            hint = "Grant view access, or set `siblings: false`."
            draft.problem(Reason.HIDDEN, "One of its siblings is not visible to the token", hint)
        elif is_restricted(sibling):
            hint = "Grant view access, or set `siblings: false`."
            draft.problem(Reason.HIDDEN, "One of its siblings is hidden from this token", hint)
        elif urn == draft.urn:
            if sibling.get("incidents") != value.get("incidents"):
                draft.problem(Reason.MALFORMED, "DataHub lists it as its own sibling, with other incidents")
        else:
            redact = draft.own.redact
            found.append((sibling, draft.siblings.setdefault(urn, Listing(urn, redact, redact(urn)[:MOST_TEXT]))))
    return found
