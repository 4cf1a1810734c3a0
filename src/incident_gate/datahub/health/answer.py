"""Reading health out of an answer of any shape: what is not there or not as promised is a problem, never health."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from incident_gate.datahub.failure import GraphqlError
from incident_gate.incident import Health, Incident, Priority, Problem, Reason, mark_in

_SUPPORT_HINT = "Take it out of the manifest, or check that this DataHub version tracks incidents on this asset type."
_ACCESS_HINT = "Check that the token's user may view it, and that DataHub is healthy; then run again."


class Element(NamedTuple):
    """What an answer says of one asset: a value of any shape, and the errors whose path leads into it."""

    value: object
    errors: tuple[GraphqlError, ...] = ()


# A search index holds at most 2,147,483,519 documents in a shard; more is no count.
MOST_COUNTED = 2**31


@dataclass(slots=True)
class Listing:
    """The incidents of one URN as they come in, page by page.

    `total` is the greatest count that the server's search index gave; it is counted apart from the list, which drops
    what the primary store does not load. `reached` is the offset up to which the list was asked for, and `answered`
    whether any page came.
    """

    urn: str
    active: dict[str, Incident] = field(default_factory=dict)
    resolved: dict[str, Incident] = field(default_factory=dict)
    total: int = 0
    reached: int = 0
    unreadable: int = 0
    answered: bool = False
    problems: list[Problem] = field(default_factory=list)

    @property
    def unread(self) -> int:
        """Active incidents that are counted but not shown."""
        return max(self.total - len(self.active.keys() | self.resolved.keys()), self.unreadable)

    @property
    def incomplete(self) -> bool:
        """Whether a further page may show more."""
        return self.total > self.reached

    def add(self, page: object, *, size: int) -> bool:
        """Take in one `EntityIncidentsResult`.

        Args:
            page: As it came.
            size: How many incidents were asked for.

        Returns:
            Whether it brought anything new.
        """
        if page is None:
            # An entity type whose field is declared but not wired returns null: that is not "none".
            self._problem(Reason.NO_INCIDENTS_FIELD, "DataHub does not say whether it has incidents", _SUPPORT_HINT)
            return False
        listed = page.get("incidents") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(listed, list):
            self._problem(Reason.MALFORMED, "DataHub's list of its incidents is not a list", _ACCESS_HINT)
            return False
        total = page.get("total")
        if isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= MOST_COUNTED:
            self._problem(Reason.MALFORMED, "DataHub does not count its incidents", _ACCESS_HINT)
            total = 0
        self.answered = True
        self.total = max(self.total, total)
        before = len(self.active) + len(self.resolved)
        for element in listed:
            self._element(element)
        # The server may cut the page below what was asked, and the list may be shorter still where elements do not
        # load; only an empty list says nothing about where the next one starts.
        self.reached += len(listed) or size
        return len(self.active) + len(self.resolved) > before

    def _element(self, element: object) -> None:
        urn = element.get("urn") if isinstance(element, dict) else None
        if not isinstance(element, dict) or not isinstance(urn, str) or not urn:
            self.unreadable += 1
            return
        if _state(element) == "RESOLVED":
            # Asked for or not: the index may still list it as active, and the primary store, from which this was
            # loaded, knows better.
            self.resolved[urn] = _incident(urn, self.urn, element)
            return
        self.active[urn] = _incident(urn, self.urn, element)

    def _problem(self, reason: Reason, message: str, hint: str) -> None:
        self.problems.append(Problem(reason, message, hint))


@dataclass(slots=True)
class PartialHealth:
    """One asset's health as its answers come in; `exists` is None until somebody says."""

    urn: str
    own: Listing
    siblings: dict[str, Listing] = field(default_factory=dict)
    exists: bool | None = None
    problems: list[Problem] = field(default_factory=list)

    def problem(self, reason: Reason, message: str, hint: str = _ACCESS_HINT) -> None:
        """Note why the asset's health is not known."""
        self.problems.append(Problem(reason, message, hint))

    @property
    def listings(self) -> Iterable[Listing]:
        """Its own list and its siblings'."""
        return (self.own, *self.siblings.values())

    def health(self) -> Health:
        """What is established, once nothing further can be asked."""
        problems = [*self.problems]
        if self.exists is False:
            message = "It is not in DataHub: never ingested, or the URN is mistyped"
            problems.insert(0, Problem(Reason.NOT_FOUND, message, "Compare the URN with the one on its DataHub page."))
        elif self.exists is None and not problems:
            message = "DataHub does not say whether it exists"
            problems.append(Problem(Reason.EXISTENCE_UNKNOWN, message, _ACCESS_HINT))
        problems += self.own.problems
        for sibling in self.siblings.values():
            problems += [
                Problem(p.reason, f"Its sibling {sibling.urn}: {p.message}", "`siblings: false` leaves siblings out.")
                for p in sibling.problems
            ]
        return Health(
            urn=self.urn,
            incidents=tuple(incident for listing in self.listings for incident in listing.active.values()),
            resolved=tuple(self.own.resolved.values()),
            unread=sum(listing.unread for listing in self.listings),
            problems=tuple(dict.fromkeys(problems)),
            siblings=tuple(self.siblings),
        )


def unanswered(urn: str, reason: Reason, message: str, hint: str = _ACCESS_HINT) -> Health:
    """The health of an asset that nothing was said about."""
    return Health(urn=urn, problems=(Problem(reason, message, hint),))


def read_element(urn: str, element: Element, *, asked: Collection[str], size: int) -> PartialHealth:
    """Take in what an answer says of one asset.

    Args:
        urn: The asset that was asked for.
        element: What stands in its place.
        asked: The names of the fields that were asked for.
        size: The page size that was asked for.
    """
    draft = PartialHealth(urn, Listing(urn))
    value = _taken(draft, element)
    if value is None:
        return draft
    if missing := sorted(name for name in asked if name not in value):
        draft.problem(Reason.MALFORMED, f"DataHub's answer for it lacks {', '.join(missing)}")
    exists = value.get("exists")
    draft.exists = exists if isinstance(exists, bool) else None
    _note_removal(draft, value)
    if not (value.get("incidents") is None and draft.problems):
        draft.own.add(value.get("incidents"), size=size)
    for sibling, listing in _siblings(draft, value):
        listing.add(sibling.get("incidents"), size=size)
    return draft


def read_removal(draft: PartialHealth, element: Element) -> None:
    """Take in an answer to the question for `status { removed }` alone."""
    if value := _taken(draft, element):
        _note_removal(draft, value)


def read_siblings(draft: PartialHealth, element: Element) -> Sequence[Listing]:
    """Take in an answer to the question for the siblings alone.

    Returns:
        The siblings' lists, still empty.
    """
    value = _taken(draft, element)
    return [listing for _, listing in _siblings(draft, value)] if value else []


def _taken(draft: PartialHealth, element: Element) -> dict[str, Any] | None:
    """The asset as an object, if the answer holds one; every error in it is a problem, and so is silence."""
    for error in element.errors:
        draft.problem(Reason.ERROR, f"DataHub failed on it: {error}")
    if element.value is None:
        if not element.errors:
            draft.problem(
                Reason.HIDDEN, "DataHub returns nothing for it: it does not exist, or the token may not see it"
            )
        return None
    if not isinstance(element.value, dict):
        draft.problem(Reason.MALFORMED, "DataHub's answer for it is not an object")
        return None
    return element.value


def _note_removal(draft: PartialHealth, value: dict[str, Any]) -> None:
    """Note that an asset was soft-deleted: it still resolves, and only this tells. Most assets have no status."""
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
        elif urn != draft.urn:
            found.append((sibling, draft.siblings.setdefault(urn, Listing(urn))))
    return found


def _state(element: dict[str, object]) -> object:
    for name in ("status", "incidentStatus"):
        status = element.get(name)
        if isinstance(status, dict):
            return status.get("state")
    return None


def _incident(urn: str, asset: str, element: dict[str, object]) -> Incident:
    created = element.get("created")
    time = created.get("time") if isinstance(created, dict) else None
    description = _text(element.get("description"))
    return Incident(
        urn=urn,
        asset=asset,
        type=_text(element.get("incidentType")),
        custom_type=_text(element.get("customType")),
        title=_text(element.get("title")),
        description=description,
        mark=mark_in(description),
        priority=read_priority(element.get("priority")),
        created_ms=time if isinstance(time, int) and not isinstance(time, bool) else None,
    )


def _text(value: object) -> str | None:
    return value if isinstance(value, str) and value else None


def read_priority(value: object) -> Priority | None:
    """A priority as either kind of server sends it: an int (0 is the most severe) up to 0.15, a name since 1.0."""
    if isinstance(value, int) and not isinstance(value, bool):
        return Priority(min(max(value, Priority.CRITICAL), Priority.LOW))
    if isinstance(value, str):
        return Priority.__members__.get(value)
    return None
