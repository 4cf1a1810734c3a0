"""The filters of a search: alternatives of conditions on the fields of a document."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

Input = Mapping[str, Any]
Values = Callable[[str], Iterable[str]]


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
    """Whether any of the alternatives holds, each with all of its conditions.

    Args:
        either: the alternatives; none at all match everything.
        values: finds the values of a document's field; of a field that no index has, none.
    """
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
