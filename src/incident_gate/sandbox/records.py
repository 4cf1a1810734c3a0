"""What the store hands out: assets and incidents as plain values."""

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An ingested asset."""

    urn: str
    removed: bool | None = None
    title: str | None = None
    owners: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    terms: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()


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
