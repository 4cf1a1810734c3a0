"""URNs as the server parses them, and the rows of the store."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, NamedTuple

_URN = re.compile(r"urn:li:([A-Za-z0-9]+):(.+)", re.DOTALL)

# URN type -> (GraphQL object type, value of the enum EntityType). What is missing here is a type that is not mapped.
_TYPES = {
    "dataset": ("Dataset", "DATASET"),
    "dataJob": ("DataJob", "DATA_JOB"),
    "dataFlow": ("DataFlow", "DATA_FLOW"),
    "dashboard": ("Dashboard", "DASHBOARD"),
    "chart": ("Chart", "CHART"),
    "corpuser": ("CorpUser", "CORP_USER"),
    "corpGroup": ("CorpGroup", "CORP_GROUP"),
    "dataPlatform": ("DataPlatform", "DATA_PLATFORM"),
    "incident": ("Incident", "INCIDENT"),
    "schemaField": ("SchemaFieldEntity", "SCHEMA_FIELD"),
    "mlModel": ("MLModel", "MLMODEL"),
    "mlFeature": ("MLFeature", "MLFEATURE"),
    "mlFeatureTable": ("MLFeatureTable", "MLFEATURE_TABLE"),
    "mlModelGroup": ("MLModelGroup", "MLMODEL_GROUP"),
    "mlPrimaryKey": ("MLPrimaryKey", "MLPRIMARY_KEY"),
    "assertion": ("Assertion", "ASSERTION"),
    "tag": ("Tag", "TAG"),
    "glossaryTerm": ("GlossaryTerm", "GLOSSARY_TERM"),
    "domain": ("Domain", "DOMAIN"),
    "container": ("Container", "CONTAINER"),
    "dataPlatformInstance": ("DataPlatformInstance", "DATA_PLATFORM_INSTANCE"),
    "query": ("QueryEntity", "QUERY"),
    "dataProduct": ("DataProduct", "DATA_PRODUCT"),
    "ownershipType": ("OwnershipTypeEntity", "CUSTOM_OWNERSHIP_TYPE"),
}

# The schema version since which a type is mapped.
_SINCE = {"query": (0, 10), "dataProduct": (0, 10, 3), "ownershipType": (0, 10, 4)}

# How many parts the key of a type has; a dataset's key with two parts cannot be read by any server.
_KEY_PARTS = {"dataset": 3, "dataJob": 2, "dataFlow": 3, "dashboard": 2, "chart": 2}


class MalformedUrnError(ValueError):
    """A text that the server cannot parse as a URN."""


@dataclass(frozen=True, slots=True)
class Urn:
    """A URN with its type and the parts of its key."""

    text: str
    kind: str
    key: tuple[str, ...]

    @property
    def name(self) -> str:
        """The name that the key gives the entity."""
        return self.key[1] if len(self.key) > 1 else self.key[0]

    def is_mapped(self, schema_version: tuple[int, ...]) -> bool:
        """Whether a server with this schema maps the type."""
        return self.kind in _TYPES and schema_version >= _SINCE.get(self.kind, (0,))

    @property
    def object_type(self) -> str | None:
        """The GraphQL object type, or None when the server maps none."""
        known = _TYPES.get(self.kind)
        return known[0] if known else None

    @property
    def entity_type(self) -> str | None:
        """The value of the enum EntityType, or None when the server maps none."""
        known = _TYPES.get(self.kind)
        return known[1] if known else None


@lru_cache(maxsize=20_000)
def parse_urn(text: str) -> Urn:
    """Parse `text`."""
    match = _URN.fullmatch(text)
    if match is None:
        raise MalformedUrnError(f"Failed to retrieve entity: Urn doesn't start with 'urn:li:'. Urn: {text} at index 0")
    kind, rest = match.groups()
    key = _split_key(rest)
    if len(key) != _KEY_PARTS.get(kind, len(key)):
        raise MalformedUrnError(f"Failed to convert urn string {text} into an Urn: wrong number of parts for {kind}")
    return Urn(text, kind, key)


def is_urn(text: str) -> bool:
    """Whether the server can parse `text`."""
    try:
        parse_urn(text)
    except MalformedUrnError:
        return False
    return True


def last_part(text: str) -> str:
    """The last segment of a simple URN, as `kafka` of `urn:li:dataPlatform:kafka`."""
    return text.rsplit(":", 1)[-1]


def urn_type_of(entity_type: str) -> str | None:
    """URN type for a value of the enum EntityType."""
    return next((kind for kind, (_, value) in _TYPES.items() if value == entity_type), None)


def _split_key(rest: str) -> tuple[str, ...]:
    """Split at the commas that no inner parenthesis encloses: keys contain URNs."""
    if not (rest.startswith("(") and rest.endswith(")")):
        return (rest,)
    if rest.count("(") == 1:
        return tuple(rest[1:-1].split(","))
    parts, depth, begin = [], 0, 1
    for position, char in enumerate(rest[:-1]):
        if char == "(":
            depth += 1
        elif char == ")":
            depth -= 1
        elif char == "," and depth == 1:
            parts.append(rest[begin:position])
            begin = position + 1
    parts.append(rest[begin:-1])
    return tuple(parts)


class OwnerRecord(NamedTuple):
    """One owner of an asset, and as what."""

    urn: str
    type: str = "urn:li:ownershipType:__system__technical_owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An ingested entity."""

    urn: str
    removed: bool | None = None
    title: str | None = None
    description: str | None = None
    owners: tuple[OwnerRecord, ...] = ()
    tags: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    data_products: tuple[str, ...] = ()
    subtypes: tuple[str, ...] = ()
    platform_instance: str | None = None
    profile: Mapping[str, Any] = field(default_factory=dict)
    editable_profile: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Siblings:
    """The assets that are shown as one with another, and whether that one leads."""

    is_primary: bool
    urns: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentRecord:
    """An incident as the primary store holds it; `priority` is 0 (critical) to 3 (low)."""

    urn: str
    entities: tuple[str, ...]
    type: str
    custom_type: str | None = None
    title: str | None = None
    description: str | None = None
    priority: int | None = None
    state: str = "ACTIVE"
    stage: str | None = None
    message: str | None = None
    assignees: tuple[str, ...] = ()
    started_ms: int | None = None
    created_ms: int
    created_by: str
    updated_ms: int
    updated_by: str


@dataclass(frozen=True, slots=True, kw_only=True)
class IncidentFilter:
    """The arguments of an asset's `incidents` field."""

    state: str | None = None
    stage: str | None = None
    priority: int | None = None
    assignees: tuple[str, ...] = ()
    start: int = 0
    count: int = 20


@dataclass(frozen=True, slots=True)
class IncidentPage:
    """One page of the search index: the count of all hits and the URNs of this page's."""

    total: int
    urns: tuple[str, ...] = field(default=())
