"""A list of entities that comes in pages, and every sign that it is not whole."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from incident_gate.datahub.failure import GraphqlError
from incident_gate.incident import Problem, Reason
from incident_gate.text import NO_SECRETS, Redactor

MOST_COUNTED = 2**31
_HINT = "Run again; if it stays, name the assets in the manifest, or set `on-unknown` on this selector."
_SCROLL = "nextScrollId"


class Found(NamedTuple):
    """An entity in a list. `degree` is its distance in a walk, None where the server does not report it.

    `siblings` are the URNs of its siblings, None where one of them is hidden.
    """

    urn: str
    degree: int | None = None
    siblings: tuple[str, ...] | None = ()
    explored: bool = True
    truncated: bool = False
    ignored_as_hop: bool = False


@dataclass(slots=True)
class Pages:
    """The entities of one list as its pages come in.

    `redact` recognises URNs that hold a secret which was sent. `problems` is empty only while nothing shows that
    something is missing. `scroll` and `start` are where the next page begins.
    """

    redact: Redactor = NO_SECRETS
    found: dict[str, Found] = field(default_factory=dict)
    problems: dict[Problem, None] = field(default_factory=dict)
    total: int | None = None
    start: int = 0
    scroll: str | None = None
    finished: bool = False

    def problem(self, reason: Reason, message: str, hint: str = _HINT) -> None:
        """Note why the list is not known to be whole."""
        self.problems[Problem(reason, message, hint)] = None

    def stop(self, reason: Reason, message: str, hint: str = _HINT) -> None:
        """Note a problem after which no further page is asked for."""
        self.problem(reason, message, hint)
        self.finished = True

    def add(self, page: object, errors: tuple[GraphqlError, ...]) -> None:
        """Take in the next page, with the errors whose path leads into it."""
        for error in errors:
            reason = Reason.REFUSED if error.is_refusal else Reason.ERROR
            self.problem(reason, f"DataHub failed on it: {error}")
        results = page.get("searchResults") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(results, list):
            if not errors:
                self.problem(Reason.MALFORMED, "DataHub's answer is not a list")
            self.finished = True
            return
        if page.get("isPartial"):
            self.problem(Reason.INCOMPLETE, "DataHub reports that it did not walk the whole lineage")
        self._note_total(page.get("total"))
        before = len(self.found)
        for result in results:
            self._add_result(result)
        self.start += len(results)
        self._turn(page, received=len(results), new=len(self.found) - before)

    def _note_total(self, total: object) -> None:
        if isinstance(total, bool) or not isinstance(total, int) or not 0 <= total <= MOST_COUNTED:
            self.problem(Reason.MALFORMED, "DataHub does not count what it found")
        elif self.total is None:
            self.total = total
        elif total != self.total:
            message = f"DataHub's list changed from {self.total:,} to {total:,} entries between two pages"
            self.problem(Reason.INCOMPLETE, message)
            self.total = max(total, self.total)

    def _add_result(self, result: object) -> None:
        entity = result.get("entity") if isinstance(result, dict) else None
        urn = entity.get("urn") if isinstance(entity, dict) else None
        if not isinstance(result, dict) or not isinstance(entity, dict) or not isinstance(urn, str) or not urn:
            self.problem(Reason.HIDDEN, "DataHub does not show one of the entities that it found")
            return
        if entity.get("type") == "RESTRICTED" or urn.startswith("urn:li:restricted:"):
            message = "One of the entities that DataHub found may not be seen with this token"
            self.problem(Reason.HIDDEN, message, "Grant the token's user view access to it.")
            return
        siblings = siblings_of(entity, urn)
        if any(self.redact(named) != named for named in (urn, *(siblings or ()))):
            # As an input, the secret would be in every report.
            self.problem(Reason.MALFORMED, "DataHub names an entity by a secret that was sent to it")
            return
        degree = result.get("degree")
        self.found[urn] = Found(
            urn,
            degree if isinstance(degree, int) and not isinstance(degree, bool) else None,
            siblings,
            explored=result.get("explored") is not False,
            truncated=bool(result.get("truncatedChildren")),
            ignored_as_hop=bool(result.get("ignoredAsHop")),
        )

    def _turn(self, page: Mapping[str, Any], *, received: int, new: int) -> None:
        """Decide whether a further page is due, and note what is missing at the end."""
        scroll = page.get(_SCROLL)
        self.scroll = scroll if isinstance(scroll, str) and scroll else None
        complete = self.total is None or self.start >= self.total
        ended = _SCROLL in page and self.scroll is None
        self.finished = complete or ended or not received or not new
        if self.finished and self.total is not None and len(self.found) != self.total and not self.problems:
            self.problem(
                Reason.INCOMPLETE, f"DataHub counts {self.total:,} entities and lists {len(self.found):,} of them"
            )


def siblings_of(entity: Mapping[str, Any], urn: str) -> tuple[str, ...] | None:
    """The URNs of an entity's siblings as its answer names them; None where one is not shown."""
    outer = entity.get("siblings")
    inner = outer.get("siblings") if isinstance(outer, dict) else None
    if inner is None:
        return ()
    urns = (
        [sibling.get("urn") if isinstance(sibling, dict) else None for sibling in inner]
        if isinstance(inner, list)
        else [None]
    )
    shown = [sibling for sibling in urns if isinstance(sibling, str)]
    if len(shown) < len(urns):
        return None
    return tuple(sibling for sibling in dict.fromkeys(shown) if sibling != urn)
