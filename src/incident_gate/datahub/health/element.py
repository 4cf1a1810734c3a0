"""Splitting an answer about many assets into an element for each: by URN, or by alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from incident_gate.datahub.failure import GraphqlError, RequestFailure


class Element(NamedTuple):
    """The part of an answer that is about one asset: a value of any shape, and the errors whose path leads into it.

    The paths begin at the value.
    """

    value: object
    errors: tuple[GraphqlError, ...] = ()


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
