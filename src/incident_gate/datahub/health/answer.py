"""What the answers about one asset show. A question has no answer until something that came says so.

An answer may have any shape: what is missing or not as promised is a problem, never health.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from enum import Enum, auto
from typing import Any, NamedTuple

from incident_gate.datahub.capabilities import VISIBILITY_FIELDS, Selection
from incident_gate.datahub.failure import GraphqlError, RequestFailure
from incident_gate.datahub.health.listing import ACCESS_HINT, MOST_TEXT, AssertionListing, Listing, read_summary
from incident_gate.incident import Health, Problem, Question, Reason, not_asked, questions
from incident_gate.json_values import at, text
from incident_gate.text import NO_SECRETS, Redactor
from incident_gate.urn import EntityType, Urn

_SIBLING_HINT = "Grant view access, or set `siblings: false`."
# The fields that must be in an answer where their question was asked.
_FIELDS = {
    Question.EXISTS: "exists",
    Question.NOT_REMOVED: "status",
    Question.INCIDENTS: "incidents",
    Question.SIBLINGS: "siblings",
    Question.ASSERTIONS: "assertions",
}
_EXISTENCE = frozenset({Question.EXISTS, Question.NOT_REMOVED, Question.VISIBLE})


class HealthQuery(NamedTuple):
    """An asset to ask about: whether its siblings and its assertions count, or whether its existence alone matters.

    `alternate_urns` are the asset's further URNs, as a dbt node has: incidents on any of them count, and one of them
    must exist. With `must_exist`, `urn` itself must, because somebody wrote it down.
    """

    urn: Urn
    siblings: bool = True
    assertions: bool = False
    existence_only: bool = False
    alternate_urns: tuple[Urn, ...] = ()
    must_exist: bool = True

    @property
    def questions(self) -> frozenset[Question]:
        """What is asked. Only datasets have siblings and assertions."""
        if self.existence_only:
            return _EXISTENCE
        is_dataset = self.urn.entity_type is EntityType.DATASET
        return questions(siblings=self.siblings and is_dataset, assertions=self.assertions and is_dataset)

    @property
    def needed(self) -> frozenset[Question]:
        """What must be known. `entityExists` answers about what cannot be asked for itself."""
        return self.questions - {Question.VISIBLE} if self.existence_only else self.questions

    def of_each_urn(self) -> list[HealthQuery]:
        """The same question about each of the asset's URNs alone."""
        if not self.alternate_urns and self.must_exist:
            return [self]
        return [
            HealthQuery(urn, self.siblings, self.assertions, self.existence_only)
            for urn in (self.urn, *self.alternate_urns)
        ]


class History(Enum):
    """Which resolved incidents are read besides the active ones."""

    NONE = auto()
    NEWEST = auto()  # as many as the first answer has
    WHOLE = auto()  # as far as the server lists them


class Extent(NamedTuple):
    """How much is read of every asset; without summaries, lists are checked with nothing else: one request."""

    history: History = History.NONE
    summaries: bool = True

    def selection(self, query: HealthQuery) -> Selection:
        """What is read of one asset."""
        asked = query.questions if self.summaries else query.questions - {Question.WITNESS}
        return Selection(asked, history=self.history is not History.NONE and not query.existence_only)


ACTIVE_ONLY = Extent()


class Element(NamedTuple):
    """What an answer has about one asset: a value of any shape, and the errors with their paths from there."""

    value: object
    errors: tuple[GraphqlError, ...] = ()


class Asked(NamedTuple):
    """What a query asks about a type of asset, and for which questions the server has no fields."""

    questions: frozenset[Question]
    lacking: frozenset[Question] = frozenset()
    history: bool = False


class PartialHealth:
    """One asset's health as its answers come in.

    `own` are its active incidents, `siblings` those of each sibling; `history` is empty unless it is read. `exists` is
    None until an answer shows it, `has_existence` whether the server can be asked. `lower_case` is the same URN in
    lower case, if that is another one and exists. `problems` are why the health is not known, whatever is asked.
    """

    def __init__(self, query: HealthQuery, redact: Redactor = NO_SECRETS, *, needs_witness: bool = True) -> None:
        kind = query.urn.entity_type.value
        self.query = query
        self.urn = query.urn.text
        self.own = Listing(self.urn, kind, redact)
        self.history = Listing(self.urn, kind, redact)
        self.siblings: dict[str, Listing] = {}
        self.exists: bool | None = None
        self.has_existence = True
        self.lower_case = ""
        self.problems: list[Problem] = []
        self._needed = query.needed if needs_witness else query.needed - {Question.WITNESS}
        self.answered: set[Question] = set()

    def note_lacking(self, lacking: frozenset[Question]) -> None:
        """Note what the server has no fields for: there, nothing is removed or hidden, and nothing has siblings."""
        self.answered |= lacking & {Question.NOT_REMOVED, Question.VISIBLE, Question.SIBLINGS}

    def problem(self, reason: Reason, message: str, hint: str = ACCESS_HINT) -> None:
        """Note why the asset's health is not known."""
        self.problems.append(Problem(reason, message, hint))

    def refused(self, failure: RequestFailure) -> None:
        """Note that a request about this asset alone failed."""
        # Without GraphQL errors it is the request that failed, and the server did not answer about the asset.
        reason = Reason.REFUSED if failure.is_refusal else Reason.ERROR if failure.errors else Reason.NO_ANSWER
        self.problem(reason, f"DataHub reported an error for this asset: {failure.message}")

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
    def assertion_lists(self) -> list[AssertionListing]:
        """The lists of assertions."""
        return [listing.assertions for listing in self.listings if listing.assertions]

    def _unanswered(self) -> frozenset[Question]:
        """The questions that have no answer. Every list must have come, that of each sibling included."""
        answers = {
            Question.EXISTS: self.exists is True,
            Question.INCIDENTS: self.own.is_read,
            Question.SIBLINGS: Question.SIBLINGS in self.answered and all(each.is_read for each in self.listings),
            Question.WITNESS: all(each.has_summary for each in self.listings),
            Question.ASSERTIONS: all(each.assertions is not None for each in self.listings),
        }
        return frozenset(q for q in self._needed if not answers.get(q, q in self.answered))

    def health(self) -> Health:
        """What is established, once nothing further can be asked."""
        unanswered, siblings = self._unanswered(), [*self.siblings.values()]
        # An active incident that only the history shows is active: the index of active ones lags.
        listed = [self.history.active | self.own.active, *(sibling.active for sibling in siblings)]
        unlisted = [listing.unlisted for listing in self.listings]
        answered = self._needed - unanswered
        if self.own.kind != EntityType.DATASET:  # only datasets have siblings and assertions
            answered |= {Question.SIBLINGS, Question.ASSERTIONS}
        return Health(
            urn=self.urn,
            incidents=tuple(incident for active in (*listed, *unlisted) for incident in active.values()),
            resolved=tuple((self.history.resolved | self.own.resolved).values()),
            unread=sum([listing.unread for listing in self.listings]),
            problems=tuple(dict.fromkeys(self._all_problems(unanswered))),
            siblings=tuple(sibling.shown for sibling in siblings),
            unlisted=sum(map(len, unlisted)),
            assertions=tuple(found for listing in self.assertion_lists for found in listing.found.values()),
            assertion_problems=tuple(problem for listing in self.assertion_lists for problem in listing.problems),
            unverified=tuple(incident for listing in self.listings for incident in listing.unconfirmed.values()),
            answered=answered,
        )

    def _all_problems(self, unanswered: frozenset[Question]) -> Iterator[Problem]:
        if self.exists is False:
            yield self._not_found()
        elif self.exists is None and not self.problems:
            reason = Reason.EXISTENCE_UNKNOWN if self.has_existence else Reason.EXISTENCE_NOT_SUPPORTED
            yield Problem(reason, "DataHub does not say whether it exists", ACCESS_HINT)
        yield from self.problems
        # The error that took an answer away is reported already.
        if (unasked := unanswered - {Question.EXISTS}) and self.exists is not False and not self.problems:
            yield not_asked(unasked)
        yield from (*self.own.problems, *self.history.problems)
        for sibling in self.siblings.values():
            for reason, message, _ in sibling.problems:
                hint = "`siblings: false` leaves siblings out."
                yield Problem(reason, f"Its sibling {sibling.shown}: {message}", hint)
        if long := [listing for listing in self.listings if listing.summary_more]:
            whose = f"{long[0].shown}{' and of its siblings' if long[1:] else ''}"
            more = sum(listing.summary_more for listing in long)
            message = f"The summary of {whose} names {more:,} more incidents as active than are checked"
            hint = "Resolve what is over, or restore DataHub's search index."
            yield Problem(Reason.UNVERIFIED, message, hint)

    def _not_found(self) -> Problem:
        hint = "Check the spelling, or ingest it first."
        if self.lower_case:
            hint = f"DataHub has it in lower case: `{self.lower_case}`. URNs are case-sensitive."
        elif any(map(str.isupper, _name(self.urn))):
            hint += " URNs are case-sensitive, and many sources write them in lower case."
        return Problem(Reason.NOT_FOUND, "Not found in DataHub", hint)


def _name(urn: str) -> str:
    """The part of a URN that a person wrote: a dataset's environment is always in capitals."""
    inside = urn.partition("(")[2]
    return inside.partition(",")[2].rpartition(",")[0] if urn.startswith("urn:li:dataset:") else inside


# Reading an element


def read_element(partial: PartialHealth, element: Element, asked: Asked) -> None:
    """Read the part of an answer that is about one asset."""
    value = element.value
    for error in element.errors:
        path = error.path if isinstance(value, dict) else ()
        followed = _followed(path, value)
        if "aspects" in path and path.index("aspects") <= followed:
            continue  # the second witness is no reason to block
        if "assertions" in path and path.index("assertions") <= followed < len(path):
            continue  # a list that failed is null, which is a problem of the assertions
        reason = Reason.REFUSED if error.is_refusal else Reason.ERROR
        partial.problem(reason, f"DataHub reported an error for this asset: {error}")
    if value is None:
        if not element.errors:
            message = "DataHub returns nothing for it: it does not exist, or the token may not see it"
            partial.problem(Reason.HIDDEN, message)
    elif isinstance(value, dict):
        _read_fields(partial, value, asked)
    else:
        partial.problem(Reason.MALFORMED, "DataHub's answer for it is not an object")


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


def _read_fields(partial: PartialHealth, value: dict[str, Any], asked: Asked) -> None:
    """Read what was asked for; a field that a query did not ask for shows nothing, even if it came."""
    names = {name for question, name in _FIELDS.items() if question in asked.questions}
    if missing := sorted((names | ({"history"} if asked.history else set())) - value.keys()):
        partial.problem(Reason.MALFORMED, f"DataHub's answer for it lacks {', '.join(missing)}")
    partial.note_lacking(asked.lacking)
    _read_presence(partial, value, asked)
    lists = (
        (partial.own, "incidents", Question.INCIDENTS in asked.questions),
        (partial.history, "history", asked.history),
    )
    for listing, name, is_asked in lists:
        # A list that failed has its error already.
        if is_asked and not (value.get(name) is None and partial.problems):
            listing.add(value.get(name))
    claimed = _read_extras(partial.own, value, asked, 0)
    if Question.SIBLINGS in asked.questions:
        for sibling, listing in _siblings(partial, value, asked):
            listing.add(sibling.get("incidents"))
            claimed += _read_extras(listing, sibling, asked, claimed)


def _read_presence(partial: PartialHealth, value: dict[str, Any], asked: Asked) -> None:
    """Read whether the asset is there, and whether this token may view it."""
    if Question.EXISTS in asked.questions:
        exists = value.get("exists")
        partial.exists = exists if isinstance(exists, bool) else None
    if Question.NOT_REMOVED in asked.questions:
        _read_removal(partial, value.get("status"))
    if Question.VISIBLE not in asked.questions:
        return
    if not is_restricted(value, partial.own.kind):
        partial.answered.add(Question.VISIBLE)
    elif partial.exists is not False and not partial.problems:  # an error may have taken what a shell lacks
        hint = 'Its user needs the privilege "View Entity Page" on it.'
        partial.problem(Reason.HIDDEN, "It is hidden from this token", hint)


def _read_extras(listing: Listing, value: Mapping[str, Any], asked: Asked, claimed: int) -> int:
    """The summary and the assertions of an asset or a sibling; return how many incidents of it are to be checked."""
    if Question.WITNESS in asked.questions:
        listing.add_summary(*read_summary(value.get("aspects"), listing.shown, listing.redact), claimed)
    listing.has_summary |= Question.WITNESS in asked.lacking
    if Question.ASSERTIONS in asked.questions | asked.lacking:
        listing.assertions = AssertionListing(listing.shown, listing.redact)
        if value.get("assertions") is None:
            listing.assertions.fail("DataHub does not list its assertions")
        else:
            listing.assertions.add(value["assertions"])
    return len(listing.summary_active)


def is_restricted(value: Mapping[str, Any], kind: str = "dataset") -> bool:
    """Whether this may be the shell of an asset that the token may not view: nothing is in it that a shell lacks.

    A server with view authorization answers with the asset's URN, blanks what cannot be null, and leaves out the rest.
    An ordinary asset may lack status and siblings as well, but its platform or tool is part of its URN.
    """
    if value.get("status") is not None or value.get("siblings") is not None:
        return False
    field, _, inside = VISIBILITY_FIELDS[kind].partition(" ")
    # What has a name may be shown blank. A flow that is hidden is an object all the same where its job is not.
    return not (text(value, field, "name") if "name" in inside else value.get(field))


def _read_removal(partial: PartialHealth, status: object) -> None:
    """Note that an asset was soft-deleted: it still resolves, and only this shows it. Most assets have no status."""
    removed = at(status, "removed")
    if removed is True:
        hint = "Name the dataset that replaces it, or restore it."
        partial.problem(Reason.REMOVED, "It was removed (soft-deleted) in DataHub", hint)
    elif status is not None and removed is not False:
        partial.problem(Reason.MALFORMED, "DataHub does not say whether it was removed")
    else:
        partial.answered.add(Question.NOT_REMOVED)


def _siblings(partial: PartialHealth, value: dict[str, Any], asked: Asked) -> Iterator[tuple[dict[str, Any], Listing]]:
    """Each sibling that is shown, with its list; one that is named and not shown may have incidents."""
    outer = value.get("siblings")
    inner = at(outer, "siblings")
    is_none = outer is None or (isinstance(outer, dict) and "siblings" in outer and inner is None)
    if not is_none and not isinstance(inner, list):
        partial.problem(Reason.MALFORMED, "DataHub's list of its siblings is not a list")
        return
    partial.answered.add(Question.SIBLINGS)
    shown: dict[str, Any] = {partial.urn: value}
    for sibling in inner or ():
        urn = text(sibling, "urn")
        if not urn:
            partial.problem(Reason.HIDDEN, "One of its siblings is not visible to the token", _SIBLING_HINT)
        elif Question.VISIBLE in asked.questions and is_restricted(sibling):
            partial.problem(Reason.HIDDEN, "One of its siblings is hidden from this token", _SIBLING_HINT)
        elif urn not in shown:
            shown[urn] = sibling
            redact = partial.own.redact
            partial.siblings[urn] = Listing(urn, EntityType.DATASET.value, redact, redact(urn)[:MOST_TEXT])
            yield sibling, partial.siblings[urn]
        elif any(sibling.get(name) != shown[urn].get(name) for name in ("incidents", "assertions", "aspects")):
            partial.problem(Reason.MALFORMED, "DataHub lists one of its siblings twice, or itself, with other contents")
