"""Searches over assets and along their lineage, as far as a client of incidents needs them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import Any

from .call import Call, taken_apart
from .entities import Entities
from .failure import ResolverError
from .records import Asset, IncidentFilter
from .urn import last_part, parse_urn, urn_type_of

Input = Mapping[str, Any]


class Search:
    """What one request searches."""

    def __init__(self, call: Call, entities: Entities) -> None:
        self._call = call
        self._entities = entities

    def fields(self) -> dict[str, Any]:
        """The resolvers of the searches in Query."""
        return {
            "searchAcrossEntities": lambda _info, input: self.across_entities(input),  # noqa: A006 - the schema's name
            "scrollAcrossEntities": lambda _info, input: self.scroll(input),  # noqa: A006
            "searchAcrossLineage": lambda _info, input: self.across_lineage(input),  # noqa: A006
        }

    def across_entities(self, given: Input) -> dict[str, Any]:
        """One page of the assets that match, refused beyond the search's offset limit."""
        start, count = _window(given)
        limit = self._call.generation.offset_limit
        if start + count > limit:
            raise ResolverError(f"Result window is too large, from + size must be less than or equal to: [{limit}]")
        found = self._matching(given)
        return _page(start, count, len(found), self._results(found[start : start + count]))

    def scroll(self, given: Input) -> dict[str, Any]:
        """One page of the assets that match, without an offset limit."""
        _, count = _window(given)
        start = int(given.get("scrollId") or 0)
        found = self._matching(given)
        following = start + count
        page = _page(start, count, len(found), self._results(found[start:following]))
        return page | {"nextScrollId": str(following) if following < len(found) else None}

    def across_lineage(self, given: Input) -> dict[str, Any]:
        """One page of the assets up or down the lineage, nearest first."""
        start, count = _window(given)
        degrees = self._degrees(given["urn"], downstream=given["direction"] == "DOWNSTREAM")
        assets = self._call.store.assets(degrees)
        kinds = _kinds(given)
        found = [
            (urn, degree)
            for urn, degree in degrees.items()
            if urn in assets
            and not assets[urn].removed
            and (not kinds or parse_urn(urn).kind in kinds)
            and _matches(given, partial(self._values, assets[urn], degree))
        ]
        self._entities.load(urn for urn, _ in found)
        results = [
            {"entity": self._entities.linked(urn), "degree": degree} for urn, degree in found[start : start + count]
        ]
        return _page(start, count, len(found), results)

    def _degrees(self, urn: str, *, downstream: bool) -> dict[str, int]:
        degrees: dict[str, int] = {}
        frontier, degree = [taken_apart(urn).text], 0
        while frontier:
            degree += 1
            reached = [
                neighbour
                for neighbours in self._call.store.neighbours(frontier, downstream=downstream).values()
                for neighbour in neighbours
            ]
            frontier = [found for found in dict.fromkeys(reached) if found not in degrees and found != urn]
            degrees |= dict.fromkeys(frontier, degree)
        return degrees

    def _matching(self, given: Input) -> list[str]:
        kinds = _kinds(given)
        words = given["query"].strip().lower()
        return [
            asset.urn
            for asset in self._call.store.documents()
            if not asset.removed
            and self._call.grant.may_see(asset.urn)
            and (not kinds or parse_urn(asset.urn).kind in kinds)
            and (words in {"", "*"} or words in f"{asset.urn} {asset.title or ''}".lower())
            and _matches(given, partial(self._values, asset, None))
        ]

    def _results(self, urns: Sequence[str]) -> list[dict[str, Any]]:
        self._entities.load(urns)
        return [{"entity": self._entities.linked(urn)} for urn in urns]

    def _values(self, asset: Asset, degree: int | None, field: str) -> tuple[str, ...]:
        """The values that an asset has in a search field."""
        if field == "hasActiveIncidents":
            active = self._call.store.search_incidents([asset.urn], IncidentFilter(state="ACTIVE"))
            return ("true",) if active else ("false",)
        if field == "degree":
            return () if degree is None else (f"{_FAR}+" if degree >= _FAR else str(degree),)
        key = parse_urn(asset.urn).key
        plain = {
            "urn": (asset.urn,),
            "platform": (key[0], last_part(key[0])),
            "origin": key[2:3],
            "tags": asset.tags,
            "glossaryTerms": asset.terms,
            "domains": asset.domains,
            "owners": tuple(owner.urn for owner in asset.owners),
        }
        return plain.get(field, ())


# Lineage of three steps or more is one bucket in the search's filter.
_FAR = 3


def _window(given: Input) -> tuple[int, int]:
    start, count = given.get("start"), given.get("count")
    return (0 if start is None else start, 10 if count is None else count)


def _kinds(given: Input) -> set[str | None]:
    return {urn_type_of(name) for name in given.get("types") or ()}


def _matches(given: Input, values: Callable[[str], Iterable[str]]) -> bool:
    """Whether any of the alternatives holds, each with all of its conditions."""
    alternatives = given.get("orFilters") or ()
    return not alternatives or any(
        all(_holds(condition, values) for condition in alternative.get("and") or ()) for alternative in alternatives
    )


def _holds(condition: Input, values: Callable[[str], Iterable[str]]) -> bool:
    wanted = set(condition.get("values") or ([condition["value"]] if condition.get("value") is not None else ()))
    found = not wanted.isdisjoint(values(condition["field"]))
    return found != bool(condition.get("negated"))


def _page(start: int, count: int, total: int, results: list[dict[str, Any]]) -> dict[str, Any]:
    return {"start": start, "count": count, "total": total, "searchResults": results}
