"""One asset's health while its answers come in."""

from __future__ import annotations

from collections.abc import Iterable

from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.health.assertions import AssertionListing
from incident_gate.datahub.health.listing import ACCESS_HINT, Listing
from incident_gate.incident import Health, Problem, Reason
from incident_gate.text import NO_SECRETS, Redactor
from incident_gate.urn import EntityType


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

    def __init__(self, urn: str, redact: Redactor = NO_SECRETS) -> None:
        self.urn = urn
        self.own = Listing(urn, redact)
        self.history = Listing(urn, redact)
        self.siblings: dict[str, Listing] = {}
        self.exists: bool | None = None
        self.has_existence = True
        self.twin = ""
        self.problems: list[Problem] = []

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

    def kind_of(self, listing: Listing, own: str) -> str:
        """The type of a list's asset: `own` for the asset itself. Its siblings are datasets."""
        return own if listing is self.own else EntityType.DATASET.value

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
        listings, assertions = self.listings, self.assertion_lists
        unlisted = [listing.unlisted for listing in listings]
        return Health(
            urn=self.urn,
            incidents=tuple(incident for active in (*listed, *unlisted) for incident in active.values()),
            resolved=tuple((self.history.resolved | self.own.resolved).values()),
            unread=sum([listing.unread for listing in listings]),
            problems=tuple(dict.fromkeys(problems)),
            siblings=tuple(sibling.shown for sibling in self.siblings.values()),
            unlisted=sum(map(len, unlisted)),
            assertions=tuple(found for listing in assertions for found in listing.found.values()),
            assertion_problems=tuple(problem for listing in assertions for problem in listing.problems),
            unverified=tuple(
                incident for listing in listings if listing.claimed for incident in listing.doubtful.values()
            ),
        )

    def _not_found(self) -> Problem:
        message = "It is not in DataHub: never ingested, or the URN is mistyped"
        hint = "Compare the URN with the one on its DataHub page."
        if self.twin:
            hint = f"DataHub has it in lower case: {self.twin}. URNs are case-sensitive."
        elif any(map(str.isupper, _name(self.urn))):
            hint += " URNs are case-sensitive, and many sources write them in lower case."
        return Problem(Reason.NOT_FOUND, message, hint)


def _name(urn: str) -> str:
    """The part of a URN that a person wrote: a dataset's environment is always in capitals."""
    inside = urn.partition("(")[2]
    return inside.partition(",")[2].rpartition(",")[0] if urn.startswith("urn:li:dataset:") else inside
