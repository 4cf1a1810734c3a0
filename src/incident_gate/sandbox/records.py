"""Assets and incidents as plain values."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, NamedTuple


class OwnerRecord(NamedTuple):
    """One owner of an asset, and as what."""

    urn: str
    type: str = "urn:li:ownershipType:__system__technical_owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asset:
    """An ingested entity.

    Args:
        urn: the entity.
        removed: soft-deleted or not; None is an entity without a status.
        title: the name that DataHub shows.
        description: its documentation.
        owners: its owners, in order.
        tags: URNs of tags.
        terms: URNs of glossary terms.
        domains: URNs of domains.
        containers: URNs of containers, the innermost first.
        data_products: URNs of data products.
        subtypes: subtypes, as `Table` or `View`.
        platform_instance: URN of a platform instance.
        profile: of a user or group: `displayName`, `email`, `title`, `slack` and so on.
        editable_profile: what users wrote of themselves: `slack`, `email`, `teams` and so on.
    """

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
