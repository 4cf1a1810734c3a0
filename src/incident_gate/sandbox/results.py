"""What all lists share: filters, pages and restricted entities; and the relations of one asset."""

import base64
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from .failure import Code, ResolverError
from .faults import FaultKind
from .records import Asset, Urn, parse_urn
from .request import Call, may_view
from .views import Loader

Input = Mapping[str, Any]
Values = Callable[[str], Iterable[str]]
Item = TypeVar("Item")

_DEFAULT = 10
# A larger count is cut to the second number.
_MOST, _CUT = 10_000, 5_000


class Page(NamedTuple):
    """The part of a list that is answered, with the answer's other fields."""

    items: Sequence[Any]
    facts: dict[str, Any]


def offset_page(call: Call, given: Input, items: Sequence[Item]) -> Page:
    """One page by `start` and `count`."""
    start, size = window(call, given, _DEFAULT, call.faults.search_page_limit)
    return Page(items[start : start + size], {"start": start, "count": size, "total": len(items)})


def window(call: Call, given: Input, default: int, limit: int | None) -> tuple[int, int]:
    """The start and the size of a page."""
    start, size = given.get("start") or 0, _size(call, given, default, limit)
    most = call.faults.offset_limit
    if start + size > most:
        raise ResolverError(
            f"Result window is too large, from + size must be less than or equal to: [{most}] but was [{start + size}]"
        )
    return start, size


def scroll_page(
    call: Call, given: Input, items: Sequence[Item], key: Callable[[Item], Any], *, descending: bool = False
) -> Page:
    """One page by `scrollId` and `count`: what follows the last item of the page before, even if that is gone.

    A full page names a next one, which may turn out to be empty.
    """
    size = _size(call, given, _DEFAULT, call.faults.search_page_limit)
    rest = items
    if given.get("scrollId") is not None:
        last = _read(given["scrollId"])
        rest = [item for item in items if (key(item) < last if descending else key(item) > last)]
    page = rest[:size]
    following = _write(key(page[-1])) if page and len(page) == size else None
    return Page(page, {"nextScrollId": following, "count": size, "total": len(items)})


def _size(call: Call, given: Input, default: int, limit: int | None) -> int:
    size: int = default if given.get("count") is None else given["count"]
    if size > _MOST:
        if call.faults.strict_pages:
            raise ResolverError(f"Requested result count {size} exceeds limit {_MOST}", Code.BAD_REQUEST)
        size = _CUT
    return max(size if limit is None else min(size, limit), 0)


def _write(last: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(last).encode()).decode()


def _read(scroll_id: str) -> Any:
    try:
        last = json.loads(base64.urlsafe_b64decode(scroll_id))
    except ValueError as error:
        raise ResolverError(f"Invalid scroll id {scroll_id}", Code.BAD_REQUEST) from error
    return tuple(last) if isinstance(last, list) else last


View = dict[str, Any]

_RELATIONS_PAGE = 100


def relations(call: Call, urn: Urn, linked: Loader, given: Mapping[str, Any]) -> View:
    """The field `lineage` of an entity: what is one step away from it in the graph index.

    Without `separateSiblings` the edges of siblings count as well: those between them are dropped, as are those to
    what is there already, and `total` is the sum all the same.
    """
    store, faults = call.store, call.faults
    siblings = store.siblings([urn.text]).get(urn.text)
    others = siblings.urns if siblings and not given.get("separateSiblings") else ()
    edges = store.neighbours([urn.text, *others], downstream=given["direction"] == "DOWNSTREAM")
    ends = [end for source in (urn.text, *others) for end in edges.get(source, ())]
    start, size = window(call, given, _RELATIONS_PAGE, faults.search_page_limit)
    page = ends[start : start + size]
    known = {document.urn: document for document in store.documents()} | store.assets(page)
    existing = store.assets(page)
    shown: dict[str, View] = {}
    for end in page:
        is_ghost = end not in existing or existing[end].removed
        if others and (end in {urn.text, *others} or end in shown):
            continue
        # Before 0.15 nothing leaves them out.
        if is_ghost and call.generation.schema_version >= (0, 15) and not given.get("includeGhostEntities"):
            continue
        document = known.get(end) or Asset(urn=end)
        hidden = is_restricted(call, document) and leaves_out_restricted(call)
        if hidden or not call.grant.may_see(end) or call.strike.about(end, FaultKind.LOST_RESULT):
            continue
        shown[end] = {"type": "DownstreamOf", "entity": result_entity(call, linked, document), "degree": 1}
    return {
        "start": start,
        "count": size,
        "total": len(ends),
        "filtered": len(page) - len(shown),
        "relationships": list(shown.values()),
    }


def is_restricted(call: Call, document: Asset) -> bool:
    """Whether no view policy lets the token view an entity."""
    return not may_view(call.grant.views, parse_urn(document.urn), document)


def leaves_out_restricted(call: Call) -> bool:
    """Whether results leave out what the token may not view, instead of naming it RESTRICTED."""
    return call.faults.restricted_left_out or call.generation.schema_version < (0, 13, 3)


def result_entity(call: Call, linked: Loader, document: Asset) -> View | None:
    """An entity among the results; one that the token may not view has neither its type nor its URN."""
    if not is_restricted(call, document):
        return linked(document.urn)
    secret = base64.urlsafe_b64encode(hashlib.sha256(document.urn.encode()).digest()).decode().rstrip("=")
    return {"__typename": "Restricted", "urn": f"urn:li:restricted:{secret}", "type": "RESTRICTED"}


def alternatives(given: Input) -> list[list[Input]]:
    """The conditions of a search as alternatives of conditions that must all hold."""
    either = [list(item.get("and") or ()) for item in given.get("orFilters") or ()]
    if not either and given.get("filters"):
        either = [list(given["filters"])]
    return either


def fields_of(either: list[list[Input]]) -> set[str]:
    """Every field that any condition names."""
    return {condition["field"] for conditions in either for condition in conditions}


def matches(either: list[list[Input]], values: Values) -> bool:
    """Whether any of the alternatives holds, each with all of its conditions."""
    return not either or any(all(_holds(condition, values) for condition in conditions) for conditions in either)


def _holds(condition: Input, values: Values) -> bool:
    wanted = condition.get("values")
    if wanted is None:
        wanted = () if condition.get("value") is None else (condition["value"],)
    compare = _OPERATORS[condition.get("condition") or "EQUAL"]
    return compare(tuple(values(condition["field"])), tuple(wanted)) != bool(condition.get("negated"))


def _any(compare: Callable[[str, str], bool]) -> Callable[[tuple[str, ...], tuple[str, ...]], bool]:
    return lambda held, wanted: any(compare(value, item) for value in held for item in wanted)


_EQUAL = _any(lambda value, item: value == item)

_OPERATORS: dict[str, Callable[[tuple[str, ...], tuple[str, ...]], bool]] = {
    "EQUAL": _EQUAL,
    "IN": _EQUAL,
    "DESCENDANTS_INCL": _EQUAL,
    "ANCESTORS_INCL": _EQUAL,
    "RELATED_INCL": _EQUAL,
    "IEQUAL": _any(lambda value, item: value.lower() == item.lower()),
    "CONTAIN": _any(lambda value, item: item.lower() in value.lower()),
    "START_WITH": _any(lambda value, item: value.startswith(item)),
    "END_WITH": _any(lambda value, item: value.endswith(item)),
    "EXISTS": lambda held, _wanted: bool(held),
    "GREATER_THAN": _any(lambda value, item: value > item),
    "GREATER_THAN_OR_EQUAL_TO": _any(lambda value, item: value >= item),
    "LESS_THAN": _any(lambda value, item: value < item),
    "LESS_THAN_OR_EQUAL_TO": _any(lambda value, item: value <= item),
}
