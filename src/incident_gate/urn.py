"""DataHub's names for assets: parsing, with the position of what is wrong, and a name for people."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from incident_gate.text import quote


class EntityType(StrEnum):
    """The asset types that can have incidents on every server since 0.13; the value is the word in the URN."""

    DATASET = "dataset"
    DATA_JOB = "dataJob"
    DATA_FLOW = "dataFlow"
    DASHBOARD = "dashboard"
    CHART = "chart"


FABRICS = (
    "PROD",
    "DEV",
    "TEST",
    "QA",
    "UAT",
    "EI",
    "PRE",
    "STG",
    "NON_PROD",
    "CORP",
    "RVW",
    "PRD",
    "TST",
    "SIT",
    "SBX",
    "SANDBOX",
    "CERT",
)
"""DataHub's environments of a dataset (`FabricType`): the server cannot read a URN with any other."""

MAX_LENGTH = 512
"""Characters: the server refuses to store an entity whose URN is longer than this many bytes."""


@dataclass(frozen=True, slots=True)
class Urn:
    """A well-formed asset URN. `name` is what a person calls the asset; untrusted text like all of it."""

    text: str
    entity_type: EntityType
    name: str

    def __str__(self) -> str:
        return self.text


class UrnError(ValueError):
    """A malformed URN.

    Args:
        offset: Characters of the text before the mistake.
        message: What is wrong.
        expected: What would be right.
    """

    def __init__(self, offset: int, message: str, expected: str) -> None:
        super().__init__(f"{message}; expected {expected}")
        self.offset = offset
        self.message = message
        self.expected = expected


def parse_urn(text: str) -> Urn:
    """Take an asset's URN apart.

    The server splits the tuple at commas outside inner parentheses, so a name may hold balanced parentheses and commas
    inside them; a comma or parenthesis of any other kind stands in the URN as `%2C`, `%28` or `%29`.

    Raises:
        UrnError: It is malformed, or names an entity type that cannot have incidents.
    """
    _check_characters(text)
    entity_type, start = _entity_type(text)
    form = _FORMS[entity_type]
    parts = _tuple_parts(text, start, len(text), form)
    if entity_type is EntityType.DATASET:
        platform, name, fabric = parts
        _check_platform(platform)
        _check_fabric(fabric)
        return Urn(text, entity_type, _decoded(name.text))
    if entity_type is EntityType.DATA_JOB:
        flow, job = parts
        flow_id = _flow_id(text, flow)
        return Urn(text, entity_type, f"{_decoded(flow_id.text)}.{_decoded(job.text)}")
    return Urn(text, entity_type, _decoded(parts[1].text))


class _Part(NamedTuple):
    """One element of a URN's tuple and where it begins."""

    offset: int
    text: str


class _Form(NamedTuple):
    """What a type's tuple looks like, for people, and how many parts it has."""

    text: str
    parts: int

    def __str__(self) -> str:
        return self.text


_PREFIX = "urn:li:"
_PLATFORM = "urn:li:dataPlatform:"
_FLOW = "urn:li:dataFlow:"
_FORMS = {
    EntityType.DATASET: _Form("urn:li:dataset:(urn:li:dataPlatform:<platform>,<name>,<env>)", 3),
    EntityType.DATA_JOB: _Form("urn:li:dataJob:(urn:li:dataFlow:(<orchestrator>,<flow>,<cluster>),<job>)", 2),
    EntityType.DATA_FLOW: _Form("urn:li:dataFlow:(<orchestrator>,<flow>,<cluster>)", 3),
    EntityType.DASHBOARD: _Form("urn:li:dashboard:(<tool>,<id>)", 2),
    EntityType.CHART: _Form("urn:li:chart:(<tool>,<id>)", 2),
}
_DELIMITER = re.compile(r"[(),]")


def _check_characters(text: str) -> None:
    """Refuse what the server refuses anywhere (its own separator, spaces around), or what nobody could see."""
    if not text:
        raise UrnError(0, "the URN is empty", f"for instance {_FORMS[EntityType.DATASET]}")
    if len(text) > MAX_LENGTH:
        raise UrnError(MAX_LENGTH, f"the URN has {len(text):,} characters", f"at most {MAX_LENGTH}, as DataHub's store")
    if not text.isprintable():
        offset = next(index for index, character in enumerate(text) if not character.isprintable())
        code = f"U+{ord(text[offset]):04X}"
        raise UrnError(offset, f"the URN contains the invisible character {code}", "a URN of visible characters")
    if (offset := text.find("␟")) >= 0:
        raise UrnError(offset, 'the URN contains "␟"', "another character: DataHub keeps this one for itself")
    if (space := _outer_space(text)) is not None:
        raise UrnError(space, "the URN has a space around it", "no space before or after a URN")


def _outer_space(text: str) -> int | None:
    """Where spaces begin that the server would cut away."""
    if text.startswith(" "):
        return 0
    return len(text.rstrip(" ")) if text.endswith(" ") else None


def _entity_type(text: str) -> tuple[EntityType, int]:
    """Read up to the tuple: the entity type, and where the rest begins."""
    if not text.startswith(_PREFIX):
        offset = next((i for i, (a, b) in enumerate(zip(text, _PREFIX, strict=False)) if a != b), len(text))
        raise UrnError(offset, f"{quote(text)} is not a URN", f"for instance {_FORMS[EntityType.DATASET]}")
    word, colon, _ = text[len(_PREFIX) :].partition(":")
    end = len(_PREFIX) + len(word)
    try:
        entity_type = EntityType(word)
    except ValueError:
        supported = ", ".join(EntityType)
        raise UrnError(
            len(_PREFIX),
            f"the gate reads no incidents of entities of type {quote(word)}" if colon else "the URN ends too early",
            nearest(word, tuple(EntityType)) or f"one of {supported}",
        ) from None
    if not colon:
        raise UrnError(end, "the URN ends too early", str(_FORMS[entity_type]))
    return entity_type, end + 1


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The known word that somebody most likely meant, quoted; empty where none is near."""
    import difflib  # noqa: PLC0415 - only a mistake needs it

    folded = {candidate.casefold(): candidate for candidate in known}
    near = difflib.get_close_matches(word[:MAX_LENGTH].casefold(), folded, n=1, cutoff=0.55)
    return f'"{folded[near[0]]}"' if near else ""


def _tuple_parts(text: str, start: int, end: int, form: _Form) -> list[_Part]:
    """Split `(a,b,c)` at the commas outside inner parentheses, as the server does."""
    if start >= end or text[start] != "(":
        raise UrnError(start, 'there is no "(" here', str(form))
    parts: list[_Part] = []
    depth, begin = 0, start + 1
    for delimiter in _DELIMITER.finditer(text, start, end):
        offset, character = delimiter.start(), delimiter.group()
        if character == "(":
            depth += 1
        elif character == ")":
            depth -= 1
        if (depth == 1 and character == ",") or depth == 0:
            parts.append(_Part(begin, text[begin:offset]))
            begin = offset + 1
        if depth == 0:
            break
    if depth:
        raise UrnError(end, 'a "(" is never closed', f'{form}; a lone "(" in a name is written "%28"')
    if begin < end:
        rest = quote(text[begin:end])
        raise UrnError(begin, f"{rest} follows the end", f'{form}; a lone ")" in a name is written "%29"')
    _check_parts(parts, form)
    return parts


def _check_parts(parts: list[_Part], form: _Form) -> None:
    """Refuse a tuple of the wrong length, and parts that are empty or begin or end with a space."""
    if len(parts) != form.parts:
        odd = parts[min(form.parts, len(parts) - 1)]
        comma = '; a comma in a name is written "%2C"' if len(parts) > form.parts else ""
        raise UrnError(odd.offset, f"{len(parts)} parts between the parentheses, not {form.parts}", f"{form}{comma}")
    for part in parts:
        if not part.text:
            raise UrnError(part.offset, "a part of the URN is empty", str(form))
        if (space := _outer_space(part.text)) is not None:
            raise UrnError(part.offset + space, "there is a space around a part of the URN", "no space here")


def _check_platform(platform: _Part) -> None:
    word = platform.text.removeprefix(_PLATFORM)
    if word == platform.text or not word:
        raise UrnError(platform.offset, f"{quote(platform.text)} is no data platform", f"{_PLATFORM}<platform>")
    if delimiter := _DELIMITER.search(word):
        offset = platform.offset + len(_PLATFORM) + delimiter.start()
        raise UrnError(offset, f'"{delimiter.group()}" in the name of a data platform', f"{_PLATFORM}<platform>")


def _check_fabric(fabric: _Part) -> None:
    if fabric.text not in FABRICS:
        expected = nearest(fabric.text, FABRICS) or f"one of {', '.join(FABRICS)}"
        raise UrnError(fabric.offset, f"DataHub has no environment {quote(fabric.text)}", expected)


def _flow_id(text: str, flow: _Part) -> _Part:
    """Read the flow inside a job's URN."""
    if not flow.text.startswith(_FLOW):
        raise UrnError(flow.offset, f"{quote(flow.text)} is no data flow", str(_FORMS[EntityType.DATA_JOB]))
    begin = flow.offset + len(_FLOW)
    return _tuple_parts(text, begin, flow.offset + len(flow.text), _FORMS[EntityType.DATA_FLOW])[1]


def _decoded(name: str) -> str:
    """Undo the encoding of the three reserved characters, and of nothing else: any other `%` is the name's own."""
    if "%" not in name:
        return name
    return re.sub("%2[89Cc]", lambda code: {"8": "(", "9": ")"}.get(code.group()[-1], ","), name)
