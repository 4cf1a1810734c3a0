"""One request: what came in, what its bearer may do, and what goes wrong."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from .failure import Code, ResolverError
from .faults import FaultBook, Faults, Strike
from .generation import Generation
from .records import Asset, MalformedUrnError, Urn, last_part, parse_urn
from .store import Store

# Entities that a view policy can hide; users, tags, platforms and the like are seen by everyone.
_HIDEABLE = frozenset(
    {
        *("dataset", "dataJob", "dataFlow", "dashboard", "chart", "container", "schemaField", "dataProduct"),
        *("mlModel", "mlModelGroup", "mlFeature", "mlFeatureTable", "mlPrimaryKey", "glossaryTerm"),
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPolicy:
    """A policy that lets its bearer view what all of its conditions match; without conditions, everything."""

    urns: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    containers: tuple[str, ...] = ()
    platforms: tuple[str, ...] = ()
    platform_instances: tuple[str, ...] = ()

    @property
    def is_limited(self) -> bool:
        """Whether the policy has any condition: an incident's own document then never matches it."""
        return self != ViewPolicy()

    def covers(self, urn: Urn, asset: Asset) -> bool:
        """Whether the policy lets an asset be viewed."""
        held = (
            (self.tags, asset.tags),
            (self.domains, asset.domains),
            (self.containers, asset.containers),
            (self.types, (urn.kind,)),
            (self.platforms, (urn.key[0], last_part(urn.key[0]))),
            (self.platform_instances, (asset.platform_instance or "",)),
        )
        return (not self.urns or matches(self.urns, urn.text)) and all(
            not wanted or not set(wanted).isdisjoint(values) for wanted, values in held
        )


def may_view(policies: tuple[ViewPolicy, ...] | None, urn: Urn, asset: Asset | None) -> bool:
    """Whether any policy lets an entity be viewed; None is a server without view authorization."""
    if policies is None or urn.kind not in _HIDEABLE:
        return True
    return any(policy.covers(urn, asset or Asset(urn=urn.text)) for policy in policies)


def matches(patterns: tuple[str, ...], urn: str) -> bool:
    """Whether a URN is among `patterns`; a `*` at the end of one matches any rest."""
    return any(urn.startswith(item[:-1]) if item.endswith("*") else urn == item for item in patterns)


# The token of a grant for every token that no other grant names.
ANY_TOKEN = "*"  # noqa: S105 - matches every token


@dataclass(frozen=True, slots=True, kw_only=True)
class Grant:
    """A token with its privileges: docs/sandbox.md describes each. None covers everything, an empty tuple nothing."""

    token: str
    actor: str = "urn:li:corpuser:datahub"
    edits: tuple[str, ...] | None = None
    edits_entities: tuple[str, ...] | None = ()
    sees: tuple[str, ...] | None = None
    views: tuple[ViewPolicy, ...] | None = None
    manages_policies: bool = False

    def __repr__(self) -> str:
        """Without the token."""
        return f"Grant(actor={self.actor!r}, edits={self.edits!r}, sees={self.sees!r}, views={self.views!r})"

    def may_edit(self, urn: str) -> bool:
        """Whether incidents of this asset may be raised and changed: Edit Entity suffices."""
        return _covers(self.edits, urn) or _covers(self.edits_entities, urn)

    def may_see(self, urn: str) -> bool:
        """Whether this asset may be viewed; platforms are seen by everyone."""
        return urn.startswith("urn:li:dataPlatform:") or _covers(self.sees, urn)

    def privileges(self, urn: str | None, *, may_view: bool) -> list[str]:
        """Names of the privileges on an asset, or of those that belong to no asset."""
        if urn is None:
            return ["MANAGE_POLICIES"] if self.manages_policies else []
        held = {
            ("VIEW_ENTITY_PAGE", "VIEW_ENTITY", "GET_ENTITY"): may_view and self.may_see(urn),
            ("EDIT_ENTITY_INCIDENTS",): _covers(self.edits, urn),
            ("EDIT_ENTITY",): _covers(self.edits_entities, urn),
        }
        return [name for names, is_held in held.items() if is_held for name in names]


def _covers(patterns: tuple[str, ...] | None, urn: str) -> bool:
    return patterns is None or matches(patterns, urn)


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One GraphQL request as it came in; `at` is monotonic time in seconds."""

    operation: str | None
    query: str
    variables: Mapping[str, Any]
    headers: Mapping[str, str]
    path: str
    at: float


class Journal(list[Request]):
    """Requests in the order of their arrival."""

    @property
    def operations(self) -> list[str | None]:
        """The operation names, in order."""
        return [request.operation for request in self]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """The server, the token's privileges and what goes wrong; `walks` caches walks along the lineage."""

    store: Store
    generation: Generation
    grant: Grant
    book: FaultBook
    strike: Strike
    walks: dict[Any, tuple[float, Any]]

    @property
    def faults(self) -> Faults:
        """What the server gets wrong."""
        return self.book.faults


def requested_urn(text: str) -> Urn:
    """Parse a URN that a client sent."""
    try:
        return parse_urn(text)
    except MalformedUrnError as error:
        raise ResolverError(str(error), Code.SERVER_ERROR) from error
