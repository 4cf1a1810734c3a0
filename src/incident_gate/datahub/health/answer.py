"""Reading health out of an answer of any shape: what is missing or not as promised is a problem, never health."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from incident_gate.datahub.failure import GraphqlError, RequestFailure
from incident_gate.datahub.health.assertions import AssertionListing
from incident_gate.datahub.health.listing import ACCESS_HINT, MOST_TEXT, Listing
from incident_gate.incident import Health, Problem, Reason
from incident_gate.text import NO_SECRETS, Redactor


class Element(NamedTuple):
    """The part of an answer that is about one asset: a value of any shape, and the errors whose path leads into it.

    The paths begin at the value.
    """

    value: object
    errors: tuple[GraphqlError, ...] = ()


@dataclass(slots=True)
class PartialHealth:
    """One asset's health as its answers come in.

    Attributes:
        urn: The asset.
        own: Its active incidents.
        history: Its incidents in all states; empty unless they are read.
        siblings: The active incidents of each sibling.
        exists: None until an answer shows it.
        has_existence: Whether the server can be asked for it.
        twin: The same URN in lower case, if that is another one and exists.
        problems: Why the health is not known.
    """

    urn: str
    own: Listing
    history: Listing
    siblings: dict[str, Listing] = field(default_factory=dict)
    exists: bool | None = None
    has_existence: bool = True
    twin: str = ""
    problems: list[Problem] = field(default_factory=list)

    @classmethod
    def of(cls, urn: str, redact: Redactor = NO_SECRETS) -> PartialHealth:
        """Nothing yet."""
        return cls(urn, Listing(urn, redact), Listing(urn, redact))

    def problem(self, reason: Reason, message: str, hint: str = ACCESS_HINT) -> None:
        """Note why the asset's health is not known."""
        self.problems.append(Problem(reason, message, hint))

    def refused(self, failure: RequestFailure) -> None:
        """Note that a request about this asset alone failed."""
        # Without GraphQL errors it is the request that failed, and the server did not answer about the asset.
        reason = Reason.REFUSED if failure.is_refusal else Reason.ERROR if failure.errors else Reason.NO_ANSWER
        self.problem(reason, f"DataHub failed on it: {failure.message}")

    def renew(self, later: PartialHealth) -> None:
        """Take in a later look at the same asset."""
        self.own.renew(later.own)
        for urn, sibling in self.siblings.items():
            if urn in later.siblings:
                sibling.renew(later.siblings[urn])

    @property
    def listings(self) -> Iterable[Listing]:
        """The lists of active incidents."""
        return (self.own, *self.siblings.values())

    @property
    def assertion_lists(self) -> Iterable[AssertionListing]:
        """The lists of assertions."""
        return [listing.assertions for listing in self.listings if listing.assertions]

    def health(self) -> Health:
        """What is established, once nothing further can be asked."""
        problems = [*self.problems]
        if self.exists is False:
            problems.insert(0, self._not_found())
        elif self.exists is None and not problems:
            message = "DataHub does not say whether it exists"
            reason = Reason.EXISTENCE_UNKNOWN if self.has_existence else Reason.EXISTENCE_NOT_SUPPORTED
            problems.append(Problem(reason, message, ACCESS_HINT))
        problems += [*self.own.problems, *self.history.problems]
        for sibling in self.siblings.values():
            problems += [
                Problem(p.reason, f"Its sibling {sibling.shown}: {p.message}", "`siblings: false` leaves siblings out.")
                for p in sibling.problems
            ]
        # An active incident that only the history shows is active: the index of active ones lags.
        own = self.history.active | self.own.active
        listed = [own, *(sibling.active for sibling in self.siblings.values())]
        unlisted = [listing.unlisted for listing in self.listings]
        return Health(
            urn=self.urn,
            incidents=tuple(incident for active in (*listed, *unlisted) for incident in active.values()),
            resolved=tuple((self.history.resolved | self.own.resolved).values()),
            unread=sum(listing.unread for listing in self.listings),
            problems=tuple(dict.fromkeys(problems)),
            siblings=tuple(sibling.shown for sibling in self.siblings.values()),
            unlisted=sum(map(len, unlisted)),
            assertions=tuple(found for listing in self.assertion_lists for found in listing.found.values()),
            assertion_problems=tuple(problem for listing in self.assertion_lists for problem in listing.problems),
            unverified=tuple(incident for listing in self.listings for incident in listing.doubtful.values()),
        )

    def _not_found(self) -> Problem:
        message = "It is not in DataHub: never ingested, or the URN is mistyped"
        hint = "Compare the URN with the one on its DataHub page."
        if self.twin:
            hint = f"DataHub has it in lower case: {self.twin}. URNs are case-sensitive."
        elif any(map(str.isupper, _name(self.urn))):
            hint += " URNs are case-sensitive, and many sources write them in lower case."
        return Problem(Reason.NOT_FOUND, message, hint)


def lower_case(urn: str) -> str:
    """A dataset's URN with its name in lower case; empty where there is nothing to change."""
    start, end = urn.find(",") + 1, urn.rfind(",")
    if not urn.startswith("urn:li:dataset:(") or not 0 < start < end:
        return ""
    lowered = f"{urn[:start]}{urn[start:end].lower()}{urn[end:]}"
    return "" if lowered == urn else lowered


def _name(urn: str) -> str:
    """The part of a URN that a person wrote: a dataset's environment is always in capitals."""
    inside = urn.partition("(")[2]
    return inside.partition(",")[2].rpartition(",")[0] if urn.startswith("urn:li:dataset:") else inside


def split_by_urn(
    urns: Sequence[str], data: Mapping[str, Any], errors: Sequence[GraphqlError], root: str
) -> list[Element]:
    """Split an answer about many assets in one field: an element for each URN.

    Matched by URN: an answer that is shorter or in another order must not lend one asset's health to another.

    Raises:
        RequestFailure: The answer is not about these assets.
    """
    values = data.get(root)
    if not isinstance(values, list):
        raise RequestFailure(str(errors[0]) if errors else "DataHub's answer has no assets in it", errors=tuple(errors))
    if len(values) > len(urns):
        raise RequestFailure(f"DataHub answers with {len(values):,} assets, where {len(urns):,} were asked for")
    by_place = _by_place(errors, [(root, place) for place in range(len(urns))])
    places: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        if urn := _urn_of(value):
            places.setdefault(urn, []).append(place)
    elements: list[Element] = []
    for asked, urn in enumerate(urns):
        match places.get(urn, []):
            case []:
                elements.append(Element(None, tuple(by_place.get(asked, ()))))
            case [place]:
                elements.append(Element(values[place], tuple(by_place.get(place, ()))))
            case several:
                # Two answers for one asset: neither is believed.
                elements.append(Element([values[place] for place in several]))
    return elements


def split_by_alias(urns: Sequence[str], data: Mapping[str, Any], errors: Sequence[GraphqlError]) -> list[Element]:
    """Split an answer of one aliased field for each URN: `a0`, `a1` and so on. An asset with another URN is none.

    Raises:
        RequestFailure: An error is about none of them.
    """
    by_place = _by_place(errors, [(f"a{place}",) for place in range(len(urns))])
    elements: list[Element] = []
    for place, urn in enumerate(urns):
        value = data.get(f"a{place}")
        # The query of DataHub's guide does not ask for the URN: there only the alias identifies the asset.
        if isinstance(value, dict) and "urn" in value and _urn_of(value) != urn:
            value = None
        elements.append(Element(value, tuple(by_place.get(place, ()))))
    return elements


def read_element(
    urn: str, element: Element, *, asked: Collection[str], size: int, redact: Redactor = NO_SECRETS
) -> PartialHealth:
    """Read the part of an answer that is about one asset.

    Args:
        urn: The asset that was asked for.
        element: What came for it.
        asked: The names of the fields that were asked for.
        size: The page size that was asked for.
        redact: Applied to every text.
    """
    draft = PartialHealth.of(urn, redact)
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


def _read_fields(draft: PartialHealth, value: dict[str, Any], asked: Collection[str], size: int) -> None:
    if missing := sorted(name for name in asked if name not in value):
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


def _by_place(
    errors: Sequence[GraphqlError], prefixes: Sequence[tuple[str | int, ...]]
) -> dict[int, list[GraphqlError]]:
    """The errors by the element that their path leads into.

    Raises:
        RequestFailure: One leads nowhere, so it may concern any of them.
    """
    places = {prefix: place for place, prefix in enumerate(prefixes)}
    length = len(prefixes[0])
    found: dict[int, list[GraphqlError]] = {}
    for error in errors:
        place = places.get(error.path[:length])
        if place is None:
            raise RequestFailure(str(error), errors=tuple(errors))
        found.setdefault(place, []).append(error._replace(path=error.path[length:]))
    return found


def _urn_of(value: object) -> str | None:
    urn = value.get("urn") if isinstance(value, dict) else None
    return urn if isinstance(urn, str) else None
