"""One request about several assets, and its answer taken apart: what stands there for each of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from incident_gate.datahub import queries
from incident_gate.datahub.capabilities import Capabilities
from incident_gate.datahub.client import Client
from incident_gate.datahub.failure import GraphqlError, RequestFailure
from incident_gate.datahub.health.answer import Element
from incident_gate.datahub.queries import Operation
from incident_gate.urn import EntityType

# Aliased fields in one request: each field costs complexity, of which servers allow 2,000, and an asset has about ten.
ALIASES = 40


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """Which incidents are wanted of each asset, and whether its siblings' as well."""

    start: int = 0
    count: int
    siblings: bool = False


class Elements:
    """Asks about assets in the form that a schema knows.

    Args:
        client: Where to ask.
        history: Ask for resolved incidents as well as active ones.
    """

    def __init__(self, client: Client, *, history: bool) -> None:
        self._client = client
        self._history = history
        self._understood: set[str] = set()

    def of_assets(self, schema: Capabilities, kind: EntityType, urns: Sequence[str], page: Page) -> list[Element]:
        """Ask for assets' health; an element for each URN, and nothing that is another asset's."""
        variables: dict[str, object] = {"start": page.start, "count": page.count, "siblings": page.siblings}
        if not schema.entities:
            operation = queries.health_of_each(schema, kind, len(urns), history=self._history)
            return self.named(operation, urns, variables)
        operation = queries.health_of_many(schema, history=self._history)
        data, errors = self._execute(operation, urns, {**variables, "urns": urns})
        values = data.get("entities")
        if not isinstance(values, list):
            reason = str(errors[0]) if errors else "DataHub's answer has no assets in it"
            raise RequestFailure(reason, errors=errors)
        return _by_urn(urns, values, _by_place(errors, [("entities", place) for place in range(len(urns))]))

    def understood(self, schema: Capabilities, kind: EntityType) -> bool:
        """Whether the server takes the question of `of_assets`, whomever it is about."""
        if schema.entities:
            operation = queries.health_of_many(schema, history=self._history)
        else:
            operation = queries.health_of_each(schema, kind, 1, history=self._history)
        if operation.text not in self._understood:
            if not self._client.takes(operation, {"urns": [], "u0": "", "siblings": False, "start": 0, "count": 1}):
                return False
            self._understood.add(operation.text)
        return True

    def named(
        self, operation: Operation, urns: Sequence[str], variables: Mapping[str, object] | None = None
    ) -> list[Element]:
        """As `aliased`, for fields that return the asset with its URN; an asset that is another one counts as none."""
        elements = self.aliased(operation, urns, variables)
        for place, (urn, element) in enumerate(zip(urns, elements, strict=True)):
            # The barest form does not ask for the URN: there the alias alone says whose it is.
            if isinstance(element.value, dict) and "urn" in element.value and _urn_of(element.value) != urn:
                elements[place] = element._replace(value=None)
        return elements

    def aliased(
        self, operation: Operation, urns: Sequence[str], variables: Mapping[str, object] | None = None
    ) -> list[Element]:
        """Ask one aliased field for each URN: `a0` about `$u0`, `a1` about `$u1` and so on."""
        given = {**(variables or {}), **{f"u{place}": urn for place, urn in enumerate(urns)}}
        data, errors = self._execute(operation, urns, given)
        places = _by_place(errors, [(f"a{place}",) for place in range(len(urns))])
        return [Element(data.get(f"a{place}"), tuple(places.get(place, ()))) for place in range(len(urns))]

    def _execute(
        self, operation: Operation, urns: Sequence[str], variables: Mapping[str, object]
    ) -> tuple[Mapping[str, Any], tuple[GraphqlError, ...]]:
        answer = self._client.execute(operation, variables, divisible=len(urns) > 1, assets=len(urns))
        return answer.data, answer.errors


def _by_urn(
    urns: Sequence[str], values: Sequence[object], errors: Mapping[int, Sequence[GraphqlError]]
) -> list[Element]:
    """Matched by URN: an answer that is shorter or sorted otherwise must not lend one asset's health to another."""
    places: dict[str, list[int]] = {}
    for place, value in enumerate(values):
        if urn := _urn_of(value):
            places.setdefault(urn, []).append(place)
    elements: list[Element] = []
    for asked, urn in enumerate(urns):
        match places.get(urn, []):
            case []:
                elements.append(Element(None, tuple(errors.get(asked, ()))))
            case [place]:
                elements.append(Element(values[place], tuple(errors.get(place, ()))))
            case several:
                # Two answers for one asset: neither is believed.
                elements.append(Element([values[place] for place in several]))
    return elements


def _urn_of(value: object) -> str | None:
    urn = value.get("urn") if isinstance(value, dict) else None
    return urn if isinstance(urn, str) else None


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
        found.setdefault(place, []).append(error)
    return found
