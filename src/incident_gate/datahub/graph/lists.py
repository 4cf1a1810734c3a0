"""Lists of entities that come in pages, several in one request, and every sign that one is not whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType
from typing import Any, NamedTuple, TypeAlias

from incident_gate.datahub.capabilities import Capabilities, Discovery
from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import GraphqlError, RequestFailure
from incident_gate.incident import Problem, Reason
from incident_gate.json_values import at, items, mapping, text, whole
from incident_gate.text import NO_SECRETS, Redactor

PAGE = 2_000  # entities
# The fields that one request may have in all. Servers allow 2,000.
_MOST_COST = 1_600
_MOST_PAGES = 100
_MOST_COUNTED = 2**31
# Bytes of a URN. DataHub stores no more than 512, and twenty thousand long ones would fill the memory.
_LONGEST_URN = 2_048
# An entity has about fifteen values, and an answer's limits grow by 700 for each asset: so many count as one. The rest
# of a request's entities do not raise the limits further, so that no answer takes much memory.
_ENTITIES_AS_ONE_ASSET = 20
_MOST_EXPECTED = 8_000
_HINT = "Run again; if it stays, name the assets in the manifest, or set `on-unknown` on this selector."
_ACCESS_HINT = "Grant the token's user view access to it."

# The type and value of each variable, by its name.
Variables: TypeAlias = Mapping[str, tuple[str, object]]


class ListField(NamedTuple):
    """A field that returns a page: its text, and the values of its variables.

    In the text and in the variables' names, `#` stands for the number of the field in its request. The text uses
    `$count#`, and `$cursor#` for where the next page begins: a scroll id if it `scrolls`, else an offset. Beyond `most`
    entities no further page is asked for. `cost`: how many fields it has, of those that servers count. `path` leads to
    the page, and `entries` is its list.
    """

    text: str
    variables: Variables = MappingProxyType({})
    most: int = PAGE
    scrolls: bool = False
    cost: int = 15
    path: tuple[str, ...] = ()
    entries: str = "searchResults"


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


class EntityList:
    """The entities of one list as its pages come in: `found` by URN, until it is `finished`.

    `problems` are why there may be more of them, empty only while nothing shows that one is missing, and `refusal` why
    the server refused to be asked for it.
    """

    def __init__(self, redact: Redactor = NO_SECRETS, *, scrolls: bool = False, entries: str = "searchResults") -> None:
        self.found: dict[str, Found] = {}
        self.problems: dict[Problem, None] = {}
        self.finished = False
        self.refusal: RequestFailure | None = None
        self.total: int | None = None
        self.start = 0
        self.scroll: str | None = None
        self._redact = redact
        self._scrolls = scrolls
        self._entries = entries
        self._seen: set[tuple[str, str]] = set()

    @property
    def cursor(self) -> tuple[str, object]:
        """The type and value of the variable that says where the next page begins."""
        return ("String", self.scroll) if self._scrolls else ("Int", self.start)

    def problem(self, reason: Reason, message: str, hint: str = _HINT) -> None:
        """Note why the list is not known to be whole."""
        self.problems[Problem(reason, message, hint)] = None

    def stop(self, reason: Reason, message: str, hint: str = _HINT) -> None:
        """Note a problem after which no further page is asked for."""
        self.problem(reason, message, hint)
        self.finished = True

    def add(self, page: object, errors: tuple[GraphqlError, ...] = ()) -> None:
        """Take in the next page, with the errors whose path leads into it."""
        for error in errors:
            reason = Reason.REFUSED if error.is_refusal else Reason.ERROR
            self.problem(reason, f"DataHub reported an error for this asset: {error}")
        results = at(page, self._entries)
        if not isinstance(results, list):
            if not errors:
                self.problem(Reason.MALFORMED, "DataHub's answer is not a list")
            self.finished = True
            return
        if at(page, "isPartial"):
            self.problem(Reason.INCOMPLETE, "DataHub reports that it did not walk the whole lineage")
        if at(page, "filtered") not in (None, 0):
            self.problem(Reason.INCOMPLETE, "DataHub leaves out some of the entities that it found")
        self._note_total(whole(page, "total"))
        before = len(self._seen)
        for result in results:
            self._add_result(result)
        self.start += len(results)
        if not self.finished:
            self._turn(mapping(page), is_new=len(self._seen) > before)

    def _note_total(self, total: int | None) -> None:
        if total is None or not 0 <= total <= _MOST_COUNTED:
            self.problem(Reason.MALFORMED, "DataHub does not count what it found")
        elif self.total is None:
            self.total = total
        elif total != self.total:
            message = f"DataHub's list changed from {self.total:,} to {total:,} entries between two pages"
            self.problem(Reason.INCOMPLETE, message)
            self.total = max(total, self.total)

    def _add_result(self, result: object) -> None:
        entity = mapping(result, "entity")
        urn = text(entity, "urn")
        if not urn:
            self.problem(Reason.HIDDEN, "DataHub does not show one of the entities that it found")
            return
        if entity.get("type") == "RESTRICTED" or urn.startswith("urn:li:restricted:"):
            message = "One of the entities that DataHub found may not be seen with this token"
            self.problem(Reason.HIDDEN, message, _ACCESS_HINT)
            return
        if is_too_long(urn):
            self.stop(Reason.MALFORMED, f"DataHub names an entity by a URN of more than {_LONGEST_URN:,} bytes")
            return
        siblings = siblings_of(entity, urn)
        if any(self._redact(each) != each for each in (urn, *(siblings or ()))):
            # As an input, the secret would be in every report.
            self.problem(Reason.MALFORMED, "DataHub names an entity by a secret that was sent to it")
            return
        # An entity can be related to another in several ways.
        self._seen.add((urn, text(result, "type")))
        self.found[urn] = Found(
            urn,
            whole(result, "degree"),
            siblings,
            explored=at(result, "explored") is not False,
            truncated=bool(at(result, "truncatedChildren")),
            ignored_as_hop=bool(at(result, "ignoredAsHop")),
        )

    def _turn(self, page: Mapping[str, Any], *, is_new: bool) -> None:
        """Decide whether a further page is due, and note what is missing, or too much, at the end.

        A full page has a scroll id even where the total is reached: what follows is usually empty, and is asked for.
        """
        if self._scrolls:
            scroll = page.get("nextScrollId", 0)
            self.scroll = scroll if isinstance(scroll, str) and scroll else None
            if scroll is not None and self.scroll is None:
                self.problem(Reason.MALFORMED, "DataHub does not show whether its list goes on")
            elif self.scroll and not is_new:
                self.problem(Reason.INCOMPLETE, "DataHub's list goes on without showing more entities")
            self.finished = self.scroll is None or not is_new
        else:
            self.finished = self.total is None or self.start >= self.total or not is_new
        if self.finished and self.total is not None and len(self._seen) != self.total and not self.problems:
            message = f"DataHub counts {self.total:,} entities and lists {len(self._seen):,} of them"
            self.problem(Reason.INCOMPLETE, message)


def read_lists(
    client: Client, name: str, discovery: Discovery, fields_for: Callable[[Capabilities], Sequence[ListField] | None]
) -> list[EntityList] | None:
    """Read all pages of several lists, by fields for what the server has; None if it cannot be asked for them.

    A refusal that names what the server lacks changes the fields. `name` is the operation's.
    """
    while (fields := fields_for(discovery.known)) is not None:
        lists = _read_all(client, name, fields)
        refusal = next((entities.refusal for entities in lists if entities.refusal), None)
        if not refusal or not discovery.learn(refusal):
            return lists
    return None


def _read_all(client: Client, name: str, fields: Sequence[ListField]) -> list[EntityList]:
    lists = [EntityList(client.redact, scrolls=field.scrolls, entries=field.entries) for field in fields]
    for _ in range(_MOST_PAGES):
        due = [pair for pair in zip(fields, lists, strict=True) if not pair[1].finished]
        if not due:
            return lists
        for part in _parts(due):
            _read_pages(client, name, part)
        for field, entities in due:
            if not entities.finished and len(entities.found) > field.most:
                entities.stop(Reason.TOO_MANY, f"DataHub lists more than {field.most:,} entities", "Raise `at-most`.")
    for entities in lists:
        if not entities.finished:
            entities.stop(Reason.INCOMPLETE, f"DataHub's list has more than {_MOST_PAGES} pages")
    return lists


def _parts(due: Sequence[tuple[ListField, EntityList]]) -> list[list[tuple[ListField, EntityList]]]:
    """What fits into one request each."""
    parts: list[list[tuple[ListField, EntityList]]] = []
    left = 0
    for pair in due:
        left -= pair[0].cost
        if left < 0:
            parts.append([])
            left = _MOST_COST - pair[0].cost
        parts[-1].append(pair)
    return parts


def _read_pages(client: Client, name: str, part: Sequence[tuple[ListField, EntityList]]) -> None:
    """Ask for one page of each list."""
    variables: dict[str, tuple[str, object]] = {}
    texts = []
    expected = sum(min(field.most + 1, PAGE) for field, _ in part)
    assets = len(part) + min(expected, _MOST_EXPECTED) // _ENTITIES_AS_ONE_ASSET
    for number, (field, entities) in enumerate(part):
        texts.append(f"l{number}: {field.text.replace('#', str(number))}")
        count = ("Int!", min(field.most + 1, PAGE))
        for variable, value in {**field.variables, "count#": count, "cursor#": entities.cursor}.items():
            variables[variable.replace("#", str(number))] = value
    declared = ", ".join(f"${variable}: {kind}" for variable, (kind, _) in variables.items())
    operation = Operation(name, f"query {name}({declared}) {{ {' '.join(texts)} }}")
    values = {variable: value for variable, (_, value) in variables.items()}
    try:
        answer = client.execute(operation, values, assets=assets)
    except RequestFailure as failure:
        for _, entities in part:
            entities.refusal = failure
            reason = Reason.REFUSED if failure.is_refusal else Reason.ERROR
            entities.stop(reason, f"DataHub reported an error for this asset: {failure.message}")
        return
    aliases = [f"l{number}" for number in range(len(part))]
    for alias, (field, entities) in zip(aliases, part, strict=True):
        # An error that leads nowhere may concern any of them.
        errors = tuple(e for e in answer.errors if not e.path or e.path[0] == alias or e.path[0] not in aliases)
        entities.add(at(answer.data, alias, *field.path), errors)


def is_too_long(urn: str) -> bool:
    """Whether a URN has more bytes than any that DataHub stores."""
    return len(urn) > _LONGEST_URN or len(urn.encode(errors="surrogatepass")) > _LONGEST_URN


def siblings_of(entity: Mapping[str, Any], urn: str) -> tuple[str, ...] | None:
    """The URNs of an entity's siblings as its answer names them; None where one is not shown, or is no URN."""
    inner = at(entity, "siblings", "siblings")
    if inner is None:
        return ()
    shown = [text(sibling, "urn") for sibling in items(entity, "siblings", "siblings")]
    if not isinstance(inner, list) or not all(shown) or any(map(is_too_long, shown)):
        return None
    return tuple(sibling for sibling in dict.fromkeys(shown) if sibling != urn)
