"""DataHub's names for assets: their types and forms, parsing with the position of what is wrong, a name for people."""

from __future__ import annotations

import re
from difflib import get_close_matches
from enum import StrEnum
from typing import NamedTuple
from urllib.parse import unquote

from incident_gate.text import control_character, quote

MAX_LENGTH = 512
"""Characters: the server stores no URN that is longer than this many bytes, those of columns excepted."""
_MAX_COLUMN_LENGTH = 4_000


class EntityType(StrEnum):
    """The types of assets, as in their URNs. On which of them a server tracks incidents, the server decides."""

    DATASET = "dataset"
    DATA_JOB = "dataJob"
    DATA_FLOW = "dataFlow"
    DASHBOARD = "dashboard"
    CHART = "chart"
    SCHEMA_FIELD = "schemaField"
    CONTAINER = "container"
    DATA_PRODUCT = "dataProduct"
    DOMAIN = "domain"
    GLOSSARY_TERM = "glossaryTerm"
    ML_FEATURE = "mlFeature"
    ML_FEATURE_TABLE = "mlFeatureTable"
    ML_MODEL = "mlModel"
    ML_MODEL_GROUP = "mlModelGroup"
    ML_PRIMARY_KEY = "mlPrimaryKey"
    NOTEBOOK = "notebook"


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


class Form(NamedTuple):
    """What a type's URN looks like, for people, and the length of its tuple; 0 without one."""

    text: str
    parts: int = 0

    def __str__(self) -> str:
        return self.text


FORMS = {
    EntityType.DATASET: Form("urn:li:dataset:(urn:li:dataPlatform:<platform>,<name>,<env>)", 3),
    EntityType.DATA_JOB: Form("urn:li:dataJob:(urn:li:dataFlow:(<orchestrator>,<flow>,<cluster>),<job>)", 2),
    EntityType.DATA_FLOW: Form("urn:li:dataFlow:(<orchestrator>,<flow>,<cluster>)", 3),
    EntityType.DASHBOARD: Form("urn:li:dashboard:(<tool>,<id>)", 2),
    EntityType.CHART: Form("urn:li:chart:(<tool>,<id>)", 2),
    EntityType.SCHEMA_FIELD: Form("urn:li:schemaField:(<URN of a dataset>,<field path>)", 2),
    EntityType.CONTAINER: Form("urn:li:container:<id>"),
    EntityType.DATA_PRODUCT: Form("urn:li:dataProduct:<id>"),
    EntityType.DOMAIN: Form("urn:li:domain:<id>"),
    EntityType.GLOSSARY_TERM: Form("urn:li:glossaryTerm:<name>"),
    EntityType.ML_FEATURE: Form("urn:li:mlFeature:(<namespace>,<name>)", 2),
    EntityType.ML_FEATURE_TABLE: Form("urn:li:mlFeatureTable:(urn:li:dataPlatform:<platform>,<name>)", 2),
    EntityType.ML_MODEL: Form("urn:li:mlModel:(urn:li:dataPlatform:<platform>,<name>,<env>)", 3),
    EntityType.ML_MODEL_GROUP: Form("urn:li:mlModelGroup:(urn:li:dataPlatform:<platform>,<name>,<env>)", 3),
    EntityType.ML_PRIMARY_KEY: Form("urn:li:mlPrimaryKey:(<namespace>,<name>)", 2),
    EntityType.NOTEBOOK: Form("urn:li:notebook:(<tool>,<id>)", 2),
}


class Urn(NamedTuple):
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
    form = FORMS[entity_type]
    if not form.parts:
        if start == len(text):
            raise UrnError(start, "the URN ends too early", form.text)
        return Urn(text, entity_type, text[start:])
    parts = _tuple_parts(text, start, len(text), form)
    if "<platform>" in form.text:
        _check_platform(parts[0])
    if "<env>" in form.text:
        _check_fabric(parts[2])
    name = _decoded(parts[1].text)
    if entity_type is EntityType.DATA_JOB:
        name = f"{_decoded(_flow_id(text, parts[0]).text)}.{name}"
    elif entity_type is EntityType.SCHEMA_FIELD:
        name = f"{_parent(parts[0]).name}.{name}"
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


_PREFIX = "urn:li:"
_PLATFORM = "urn:li:dataPlatform:"
_FLOW = "urn:li:dataFlow:"
_DELIMITER = r"[(),]"
# A dataset's URN without a character that has a meaning anywhere: nearly all of them.
_ORDINARY = r"urn:li:dataset:\(urn:li:dataPlatform:[\w.-]+,([\w.@$/:+-]+),([A-Z_]+)\)"


def _check_characters(text: str) -> None:
    """Refuse what the server refuses anywhere (its own separator, spaces around), and control characters."""
    if not text:
        raise UrnError(0, "the URN is empty", f"for instance {FORMS[EntityType.DATASET]}")
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
        form = f"URNs begin with lower-case {_PREFIX}" if lower else f"a URN looks like {FORMS[EntityType.DATASET]}"
        raise UrnError(offset, f"{quote(text)} is not a URN; {form}")
    word, colon, _ = text[len(_PREFIX) :].partition(":")
    end = len(_PREFIX) + len(word)
    try:
        entity_type = EntityType(word)
    except ValueError:
        raise UrnError(
            len(_PREFIX),
            f"{quote(word)} is not a type of asset" if colon else "the URN ends too early",
            nearest(word, tuple(EntityType)) or f"one of {', '.join(EntityType)}",
        ) from None
    if not colon:
        raise UrnError(end, "the URN ends too early", str(FORMS[entity_type]))
    return entity_type, end + 1


def nearest(word: str, known: tuple[str, ...]) -> str:
    """The known word that somebody most likely meant, quoted; empty where none is near."""
    folded = {candidate.casefold(): candidate for candidate in known}
    near = get_close_matches(word[:MAX_LENGTH].casefold(), folded, n=1, cutoff=0.55)
    return f'"{folded[near[0]]}"' if near else ""


def _tuple_parts(text: str, start: int, end: int, form: Form) -> list[_Part]:
    """Split `(a,b,c)` at the commas outside inner parentheses, as the server does."""
    if start >= end or text[start] != "(":
        raise UrnError(start, 'there is no "(" here', str(form))
    parts: list[_Part] = []
    depth, begin = 0, start + 1
    for delimiter in re.compile(_DELIMITER).finditer(text, start, end):
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


def _check_parts(parts: list[_Part], form: Form) -> None:
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
        raise UrnError(platform.offset, f"{quote(platform.text)} is not a data platform", f"{_PLATFORM}<platform>")
    if delimiter := re.search(_DELIMITER, word):
        offset = platform.offset + len(_PLATFORM) + delimiter.start()
        raise UrnError(offset, f'"{delimiter.group()}" in the name of a data platform', f"{_PLATFORM}<platform>")


def _check_fabric(fabric: _Part) -> None:
    if fabric.text not in FABRICS:
        expected = nearest(fabric.text, FABRICS) or f"one of {', '.join(FABRICS)}"
        raise UrnError(fabric.offset, f"DataHub has no environment {quote(fabric.text)}", expected)


def _flow_id(text: str, flow: _Part) -> _Part:
    """Read the flow inside a job's URN."""
    if not flow.text.startswith(_FLOW):
        raise UrnError(flow.offset, f"{quote(flow.text)} is not a data flow", str(FORMS[EntityType.DATA_JOB]))
    begin = flow.offset + len(_FLOW)
    return _tuple_parts(text, begin, flow.offset + len(flow.text), FORMS[EntityType.DATA_FLOW])[1]


def _parent(part: _Part) -> Urn:
    """Parse the dataset inside a column's URN."""
    try:
        return _parsed(part.text)
    except UrnError as error:
        raise UrnError(part.offset + error.offset, error.message, error.expected) from None


def _decoded(name: str) -> str:
    """Undo the encoding of the three reserved characters, and of nothing else: any other `%` is the name's own."""
    if "%" not in name:
        return name
    return re.sub("%2[89Cc]", lambda code: {"8": "(", "9": ")"}.get(code.group()[-1], ","), name)
