"""Pages of search results: by offset, which has a limit, and by scrolling, which has none."""

import base64
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple, TypeVar

from .call import Call
from .failure import Code, ResolverError

Input = Mapping[str, Any]
Item = TypeVar("Item")

_DEFAULT = 10
# A larger count is cut to the second number.
_MOST, _CUT = 10_000, 5_000


class Page(NamedTuple):
    """The part of a list that is answered, with the answer's other fields."""

    items: Sequence[Any]
    facts: dict[str, Any]


def offset_page(call: Call, given: Input, items: Sequence[Item]) -> Page:
    """One page by `start` and `count`.

    Raises:
        ResolverError: it lies beyond the limit of the search.
    """
    start, size = window(call, given, _DEFAULT, call.faults.search_page_limit)
    return Page(items[start : start + size], {"start": start, "count": size, "total": len(items)})


def window(call: Call, given: Input, default: int, limit: int | None) -> tuple[int, int]:
    """The start and the size of a page.

    Args:
        call: the request.
        given: its `start` and `count`.
        default: the size of a page for which no count is given.
        limit: the size that larger pages are cut to, if there is one.

    Raises:
        ResolverError: the page lies beyond the limit of the search, or is larger than a strict server allows.
    """
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

    Args:
        call: the request.
        given: its input.
        items: everything that was found, in the order of `key`.
        key: what the items are ordered by.
        descending: whether the greatest comes first.

    Raises:
        ResolverError: the scroll id is none of ours.
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
