"""Several lists of entities in one request, each a field of its own with an alias."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple, TypeAlias

from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import RequestFailure
from incident_gate.datahub.graph.pages import Pages
from incident_gate.incident import Reason

PAGE = 1_000
"""Entities in one page."""
MOST_FIELDS = 40
"""Lists in one request: each costs about fifteen of the 2,000 fields that servers allow."""
_MOST_PAGES = 100
# An entity has about fifteen values, and an answer's limits grow by 700 for each asset: so many count as one. The rest
# of a request's entities do not raise the limits further, so that no answer takes much memory.
_ENTITIES_AS_ONE_ASSET = 20
_MOST_EXPECTED = 8_000


Variables: TypeAlias = Mapping[str, tuple[str, object]]
"""The type and value of each variable, by its name."""


class ListField(NamedTuple):
    """A field that returns a page: its text, and the values of its variables.

    In the text and in the variables' names, `#` stands for the number of the field in its request. The text uses
    `$count#`, and `$cursor#` for where the next page begins.
    """

    text: str
    variables: Variables = MappingProxyType({})
    most: int = PAGE
    """No further page is asked for beyond so many entities."""


def read_lists(client: Client, name: str, fields: Sequence[ListField], *, scrolls: bool) -> list[Pages]:
    """Read all pages of several lists.

    Args:
        client: Where to ask.
        name: The operation's name.
        fields: The lists.
        scrolls: Whether a page begins at a scroll id; else it begins at an offset.

    Raises:
        UnreachableError: Nothing usable came in time.
        RefusedError: Token, address, proxy or certificate are wrong.
    """
    lists = [Pages(client.redact) for _ in fields]
    for _ in range(_MOST_PAGES):
        open_lists = [number for number, pages in enumerate(lists) if not pages.finished]
        if not open_lists:
            return lists
        for start in range(0, len(open_lists), MOST_FIELDS):
            part = open_lists[start : start + MOST_FIELDS]
            _read_pages(client, name, [(fields[i], lists[i]) for i in part], scrolls=scrolls)
        for field, pages in zip(fields, lists, strict=True):
            if not pages.finished and len(pages.found) > field.most:
                pages.stop(Reason.TOO_MANY, f"DataHub lists more than {field.most:,} entities", "Raise `at-most`.")
    for pages in lists:
        if not pages.finished:
            pages.stop(Reason.INCOMPLETE, f"DataHub's list has more than {_MOST_PAGES} pages")
    return lists


def _read_pages(
    client: Client,
    name: str,
    part: Sequence[tuple[ListField, Pages]],
    *,
    scrolls: bool,
) -> None:
    """Ask for one page of each list."""
    variables: dict[str, tuple[str, object]] = {}
    texts = []
    expected = sum(min(field.most + 1, PAGE) for field, _ in part)
    assets = len(part) + min(expected, _MOST_EXPECTED) // _ENTITIES_AS_ONE_ASSET
    for number, (field, pages) in enumerate(part):
        texts.append(f"l{number}: {field.text.replace('#', str(number))}")
        cursor: tuple[str, object] = ("String", pages.scroll) if scrolls else ("Int", pages.start)
        count = ("Int!", min(field.most + 1, PAGE))
        for variable, value in {**field.variables, "count#": count, "cursor#": cursor}.items():
            variables[variable.replace("#", str(number))] = value
    declared = ", ".join(f"${variable}: {kind}" for variable, (kind, _) in variables.items())
    operation = Operation(name, f"query {name}({declared}) {{ {' '.join(texts)} }}")
    try:
        answer = client.execute(
            operation, {variable: value for variable, (_, value) in variables.items()}, assets=assets
        )
    except RequestFailure as failure:
        for _, pages in part:
            reason = Reason.REFUSED if failure.is_refusal else Reason.ERROR
            pages.stop(reason, f"DataHub failed on it: {failure.message}")
        return
    aliases = [f"l{number}" for number in range(len(part))]
    for alias, (_, pages) in zip(aliases, part, strict=True):
        # An error that leads nowhere may concern any of them.
        errors = tuple(e for e in answer.errors if not e.path or e.path[0] == alias or e.path[0] not in aliases)
        pages.add(answer.data.get(alias), errors)


def inline(members: Mapping[str, str]) -> str:
    """An inline input object."""
    return "{" + ", ".join(f"{name}: {value}" for name, value in members.items()) + "}"
