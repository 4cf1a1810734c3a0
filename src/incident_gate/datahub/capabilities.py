"""What a DataHub server's schema can say, learned from one look at it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any, NamedTuple

from incident_gate.urn import EntityType

# The GraphQL type of each asset type; the field of `Query` that returns one is the word in its URN.
TYPE_NAMES = MappingProxyType(
    {
        EntityType.DATASET: "Dataset",
        EntityType.DATA_JOB: "DataJob",
        EntityType.DATA_FLOW: "DataFlow",
        EntityType.DASHBOARD: "Dashboard",
        EntityType.CHART: "Chart",
    }
)

# What the gate reads of an incident besides its URN and state, where the server has it.
INCIDENT_FIELDS = ("title", "description", "incidentType", "customType", "priority", "created")


class AssetFields(NamedTuple):
    """Which of an asset type's fields a server has."""

    incidents: bool = True
    exists: bool = True
    removed: bool = True
    siblings: bool = False

    def names(self, *, siblings: bool) -> frozenset[str]:
        """The names of the fields that an answer must have, siblings only if they are asked for."""
        has = {
            "exists": self.exists,
            "status": self.removed,
            "incidents": self.incidents,
            "siblings": self.siblings and siblings,
        }
        return frozenset(name for name, there in has.items() if there)


@dataclass(frozen=True, slots=True, kw_only=True)
class Capabilities:
    """What can be asked of a server.

    `entities`: many assets in one field. `entity_exists`: `Query.entityExists`. `status_field`: the field of an
    incident that holds its state. `probe`: nothing is known for sure (introspection is off), so what is missing here
    is asked for in requests of its own. `names`: an asset says its own URN, which is checked.
    """

    entities: bool = True
    entity_exists: bool = True
    assets: Mapping[EntityType, AssetFields] = field(
        default_factory=lambda: {kind: AssetFields(siblings=kind is EntityType.DATASET) for kind in TYPE_NAMES}
    )
    incident_fields: frozenset[str] = frozenset(INCIDENT_FIELDS)
    status_field: str = "status"
    probe: bool = False
    names: bool = True

    @property
    def has_siblings(self) -> bool:
        """Whether datasets have siblings here."""
        return any(fields.siblings for fields in self.assets.values())

    @classmethod
    def seed(cls) -> Capabilities:
        """The oldest question, with all that is known of an incident on every generation."""
        return cls(
            entities=False,
            assets={kind: AssetFields(exists=False, removed=False) for kind in TYPE_NAMES},
            probe=True,
        )

    @classmethod
    def barest(cls) -> Capabilities:
        """The oldest question as DataHub first documented it, word for word."""
        return replace(cls.seed(), incident_fields=frozenset({"title", "description"}), names=False)


def schema_from_introspection(data: Mapping[str, Any]) -> Capabilities | None:
    """Read the answer to `queries.INTROSPECTION`.

    Returns:
        What the server has, or None if the answer does not tell (introspection is switched off).
    """
    root = data.get("__schema")
    types = root.get("types") if isinstance(root, dict) else None
    if not isinstance(types, list):
        return None
    fields = {
        entry["name"]: frozenset(str(f.get("name")) for f in _list(entry.get("fields")) if isinstance(f, dict))
        for entry in types
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }
    query = fields.get("Query", frozenset())
    incident = fields.get("Incident", frozenset())
    # A look that does not even show datasets was not let through whole.
    if not query & {"dataset", "entities"} or not fields.get(TYPE_NAMES[EntityType.DATASET]):
        return None
    return Capabilities(
        entities="entities" in query,
        entity_exists="entityExists" in query,
        assets={
            kind: AssetFields(
                incidents="incidents" in own,
                exists="exists" in own,
                removed="status" in own,
                siblings="siblings" in own and kind is EntityType.DATASET,
            )
            for kind, name in TYPE_NAMES.items()
            if (own := fields.get(name, frozenset())) and (kind.value in query or "entities" in query)
        },
        incident_fields=incident & frozenset(INCIDENT_FIELDS),
        status_field="status" if "status" in incident else "incidentStatus" if "incidentStatus" in incident else "",
        names="urn" in fields[TYPE_NAMES[EntityType.DATASET]],
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
