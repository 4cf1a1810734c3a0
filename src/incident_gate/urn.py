"""DataHub's names for assets: their types and forms, parsing with the position of what is wrong, a name for people."""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple, Self
from urllib.parse import unquote

from incident_gate.text import control_character, quote

MAX_LENGTH = 512
"""Characters: the server stores no URN that is longer than this many bytes, those of columns excepted."""
_MAX_COLUMN_LENGTH = 4_000
_PREFIX = "urn:li:"
_PLATFORM = "urn:li:dataPlatform:"
_DELIMITER = r"[(),]"
# A dataset's URN without a character that has a meaning anywhere: nearly all of them.
_ORDINARY = r"urn:li:dataset:\(urn:li:dataPlatform:[\w.-]+,([\w.@$/:+-]+),([A-Z_]+)\)"


class EntityType(StrEnum):
    """The types of assets, as in their URNs. On which of them a server tracks incidents, the server decides.

    Each has the length of the tuple in its URNs (0 without one), and what such a URN looks like, for people.
    """

    DATASET = "dataset", 3, "(urn:li:dataPlatform:<platform>,<name>,<env>)"
    DATA_JOB = "dataJob", 2, "(urn:li:dataFlow:(<orchestrator>,<flow>,<cluster>),<job>)"
    DATA_FLOW = "dataFlow", 3, "(<orchestrator>,<flow>,<cluster>)"
    DASHBOARD = "dashboard", 2, "(<tool>,<id>)"
    CHART = "chart", 2, "(<tool>,<id>)"
    SCHEMA_FIELD = "schemaField", 2, "(<URN of a dataset>,<field path>)"
    CONTAINER = "container", 0, "<id>"
    DATA_PRODUCT = "dataProduct", 0, "<id>"
    DOMAIN = "domain", 0, "<id>"
    GLOSSARY_TERM = "glossaryTerm", 0, "<name>"
    ML_FEATURE = "mlFeature", 2, "(<namespace>,<name>)"
    ML_FEATURE_TABLE = "mlFeatureTable", 2, "(urn:li:dataPlatform:<platform>,<name>)"
    ML_MODEL = "mlModel", 3, "(urn:li:dataPlatform:<platform>,<name>,<env>)"
    ML_MODEL_GROUP = "mlModelGroup", 3, "(urn:li:dataPlatform:<platform>,<name>,<env>)"
    ML_PRIMARY_KEY = "mlPrimaryKey", 2, "(<namespace>,<name>)"
    NOTEBOOK = "notebook", 2, "(<tool>,<id>)"

    parts: int
    form: str

    def __new__(cls, word: str, parts: int, key: str) -> Self:
        """Make a member whose value is the word."""
        member = str.__new__(cls, word)
        member._value_ = word
        member.parts, member.form = parts, f"{_PREFIX}{word}:{key}"
        return member

    @property
    def pattern(self) -> str:
        """The form as a regular expression, close to what is accepted: it knows one level of inner parentheses."""
        part = r"([^(),]|\([^()]*\))+" if self.parts else r"\S.*"
        named = {
            "<platform>": "[^(),]+",
            "<env>": f"({'|'.join(FABRICS)})",
            "<URN of a dataset>": r"urn:li:dataset:\(.+\)",
        }
        pieces = re.split("(<[^>]*>)", self.form)
        return "".join(named.get(piece, part) if piece.startswith("<") else re.escape(piece) for piece in pieces)


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


class Urn(NamedTuple):
    """A well-formed asset URN. `name` is what a person calls the asset; untrusted text like all of it."""

    text: str
    entity_type: EntityType
    name: str

    def __str__(self) -> str:
        return self.text


class UrnError(ValueError):
    """A malformed URN: `offset` is the number of characters before the mistake."""

    def __init__(self, offset: int, message: str, expected: str = "") -> None:
        super().__init__(f"{message}; expected {expected}" if expected else message)
        self.offset = offset
        self.message = message
        self.expected = expected


def parse_urn(text: str) -> Urn:
    """Parse an asset's URN.

    The server splits the tuple at commas outside inner parentheses, so a name may hold balanced parentheses and commas
    inside them; a comma or parenthesis of any other kind is `%2C`, `%28` or `%29` in the URN.

    Raises:
        UrnError: It is malformed, or names no type of asset.
    """
    try:
        return _parsed(text)
    except UrnError:
        urn = extract_urn(text) if "%" in text or "://" in text else None
        if urn:
            what = "a link to an asset's page" if "://" in text else "a percent-encoded URN"
            raise UrnError(0, f"{quote(text)} is {what}", urn) from None
        if "://" in text:
            raise UrnError(0, f"{quote(text)} is a link, but not to an asset's page", "a URN") from None
        raise


def _parsed(text: str) -> Urn:
    if (ordinary := re.fullmatch(_ORDINARY, text)) and ordinary[2] in FABRICS and len(text) <= MAX_LENGTH:
        return Urn(text, EntityType.DATASET, ordinary[1])
    _check_characters(text)
    entity_type, start = _entity_type(text)
    if not entity_type.parts:
        if start == len(text):
            raise UrnError(start, "the URN ends too early", entity_type.form)
        return Urn(text, entity_type, text[start:])
    parts = _tuple_parts(text, start, entity_type)
    if "<platform>" in entity_type.form:
        _check_platform(parts[0])
    if "<env>" in entity_type.form:
        _check_fabric(parts[2])
    name = _decoded(parts[1].text)
    if entity_type is EntityType.DATA_JOB and not parts[0].text.startswith("urn:li:dataFlow:"):
        raise UrnError(parts[0].offset, f"{quote(parts[0].text)} is not a data flow", entity_type.form)
    if entity_type in {EntityType.DATA_JOB, EntityType.SCHEMA_FIELD}:
        name = f"{_inner(parts[0]).name}.{name}"
    return Urn(text, entity_type, name)


def extract_urn(text: str) -> str | None:
    """The URN that a link to an asset's page or a percent-encoded URN stands for; None if it stands for none.

    The pages of any DataHub: what is before and behind the URN does not matter. DataHub writes a percent sign of the
    URN itself as `{{encoded_percent}}`.
    """
    is_link = "://" in text
    for _ in range(3):  # a link within a link is encoded twice
        start = text.find(_PREFIX) if is_link else 0
        if start >= 0:
            for candidate in (unquote(text[start:]), text[start:]):
                urn = candidate.replace("{{encoded_percent}}", "%")
                urn = urn[: _end_of_urn(urn)] if is_link else urn
                try:
                    return _parsed(urn).text
                except UrnError:
                    continue
        text = unquote(text)
    return None


def _end_of_urn(text: str) -> int:
    """Where the URN ends that a text starts with: at its last parenthesis, or where another part of a link begins."""
    depth = 0
    for found in re.finditer(r"[()/?#&]", text):
        depth += {"(": 1, ")": -1}.get(found.group(), 0)
        if depth == 0:
            return found.end() if found.group() == ")" else found.start()
    return len(text)


class _Part(NamedTuple):
    """One element of a URN's tuple and where it begins."""

    offset: int
    text: str


def _check_characters(text: str) -> None:
    """Refuse what the server refuses anywhere (its own separator, spaces around), and control characters."""
    if not text:
        raise UrnError(0, "the URN is empty", f"for instance {EntityType.DATASET.form}")
    limit = _MAX_COLUMN_LENGTH if text.startswith("urn:li:schemaField:") else MAX_LENGTH
    if len(text) > limit:
        raise UrnError(limit, f"the URN has {len(text):,} characters", f"at most {limit:,}, the limit of DataHub")
    if (offset := control_character(text)) is not None:
        code = f"U+{ord(text[offset]):04X}"
        raise UrnError(offset, f"the URN contains the control character {code}", "a URN without control characters")
    if (offset := text.find("␟")) >= 0:
        raise UrnError(offset, 'the URN contains "␟"', "another character: DataHub reserves this one")
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
        lower = text[: len(_PREFIX)].lower() == _PREFIX
        form = f"URNs begin with lower-case {_PREFIX}" if lower else f"a URN looks like {EntityType.DATASET.form}"
        raise UrnError(offset, f"{quote(text)} is not a URN; {form}")
    word, colon, _ = text[len(_PREFIX) :].partition(":")
    end = len(_PREFIX) + len(word)
    entity_type = next((known for known in EntityType if known == word), None)
    if not entity_type:
        problem = f"{quote(word)} is not a type of asset" if colon else "the URN ends too early"
        expected = nearest(word, tuple(EntityType)) or f"one of {', '.join(EntityType)}"
        raise UrnError(len(_PREFIX), problem, expected)
    if not colon:
        raise UrnError(end, "the URN ends too early", entity_type.form)
    return entity_type, end + 1


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The known word that somebody most likely meant, quoted; empty where none is near."""
    folded = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(word[:MAX_LENGTH].casefold(), folded, n=1, cutoff=0.55)
    return f'"{folded[near[0]]}"' if near else ""


def _tuple_parts(text: str, start: int, entity_type: EntityType) -> list[_Part]:
    """Split `(a,b,c)` at the commas outside inner parentheses, as the server does."""
    form = entity_type.form
    if text[start : start + 1] != "(":
        raise UrnError(start, 'there is no "(" here', form)
    parts: list[_Part] = []
    depth, begin = 0, start + 1
    for delimiter in re.compile(_DELIMITER).finditer(text, start):
        offset, character = delimiter.start(), delimiter.group()
        depth += {"(": 1, ")": -1}.get(character, 0)
        if (depth == 1 and character == ",") or depth == 0:
            parts.append(_Part(begin, text[begin:offset]))
            begin = offset + 1
        if depth == 0:
            break
    if depth:
        raise UrnError(len(text), 'a "(" is never closed', f'{form}; a lone "(" in a name is written "%28"')
    if rest := text[begin:]:
        raise UrnError(begin, f"{quote(rest)} follows the end", f'{form}; a lone ")" in a name is written "%29"')
    _check_parts(parts, entity_type)
    return parts


def _check_parts(parts: list[_Part], entity_type: EntityType) -> None:
    """Refuse a tuple of the wrong length, and parts that are empty or begin or end with a space."""
    if len(parts) != entity_type.parts:
        odd = parts[min(entity_type.parts, len(parts) - 1)]
        comma = '; a comma in a name is written "%2C"' if len(parts) > entity_type.parts else ""
        message = f"{len(parts)} parts between the parentheses, not {entity_type.parts}"
        raise UrnError(odd.offset, message, f"{entity_type.form}{comma}")
    for part in parts:
        if not part.text:
            raise UrnError(part.offset, "a part of the URN is empty", entity_type.form)
        if (space := _outer_space(part.text)) is not None:
            raise UrnError(part.offset + space, "there is a space around a part of the URN", "no space here")


def _check_platform(platform: _Part) -> None:
    word = platform.text.removeprefix(_PLATFORM)
    if word == platform.text or not word:
        raise UrnError(platform.offset, f"{quote(platform.text)} is not a data platform", f"{_PLATFORM}<platform>")
    if delimiter := re.search(_DELIMITER, word):
        offset = platform.offset + len(_PLATFORM) + delimiter.start()
        raise UrnError(offset, f'"{delimiter.group()}" in the name of a data platform', f"{_PLATFORM}<platform>")


def _check_fabric(fabric: _Part) -> None:
    if fabric.text not in FABRICS:
        expected = nearest(fabric.text, FABRICS) or f"one of {', '.join(FABRICS)}"
        raise UrnError(fabric.offset, f"DataHub has no environment {quote(fabric.text)}", expected)


def _inner(part: _Part) -> Urn:
    """Parse the flow inside a job's URN, or the dataset inside a column's."""
    try:
        return _parsed(part.text)
    except UrnError as error:
        raise UrnError(part.offset + error.offset, error.message, error.expected) from None


def _decoded(name: str) -> str:
    """Undo the encoding of the three reserved characters, and of nothing else: any other `%` is the name's own."""
    return re.sub("%2[89Cc]", lambda code: {"8": "(", "9": ")"}.get(code.group()[-1], ","), name)
