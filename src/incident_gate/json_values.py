"""Navigating untrusted JSON: what is missing or of another type than expected is absent, and never an error.

Every function takes a decoded value of any shape and the keys that lead to what is wanted. Where absence and a wrong
type mean different things, use `at` and look at what it returns.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any


def at(value: object, *path: str) -> Any:
    """The value at a path of keys; None where a step is missing or is no object."""
    for key in path:
        if not isinstance(value, dict):
            return None
        value = value.get(key)
    return value


def mapping(value: object, *path: str) -> dict[str, Any]:
    """The object at a path; empty where there is none."""
    found = at(value, *path)
    return found if isinstance(found, dict) else {}


def items(value: object, *path: str) -> list[Any]:
    """The list at a path; empty where there is none."""
    found = at(value, *path)
    return found if isinstance(found, list) else []


def mappings(value: object, *path: str) -> Iterator[dict[str, Any]]:
    """The objects of the list at a path; its other elements are left out."""
    return (item for item in items(value, *path) if isinstance(item, dict))


def text(value: object, *path: str) -> str:
    """The text at a path; empty where there is none."""
    found = at(value, *path)
    return found if isinstance(found, str) else ""


def whole(value: object, *path: str) -> int | None:
    """The whole number at a path; None where there is none. A boolean is no number."""
    found = at(value, *path)
    return found if isinstance(found, int) and not isinstance(found, bool) else None
