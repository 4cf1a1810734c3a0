"""View policies: what the bearer of a token may see where a server has view authorization on."""

from dataclasses import dataclass

from .records import Asset
from .urn import Urn, last_part

# Entities that a view policy can hide; users, tags, platforms and the like are seen by everyone.
_HIDEABLE = frozenset(
    {"dataset", "dataJob", "dataFlow", "dashboard", "chart", "mlModel", "mlFeature", "mlFeatureTable", "container"}
)


@dataclass(frozen=True, slots=True, kw_only=True)
class ViewPolicy:
    """A policy that lets its bearer view what all of its conditions match; without conditions, everything.

    Args:
        urns: URNs; a `*` at the end of one matches any rest.
        types: URN types, as `dataset`.
        tags: URNs of tags.
        domains: URNs of domains.
        containers: URNs of containers.
        platforms: names or URNs of platforms.
        platform_instances: URNs of platform instances.
    """

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
