"""The generations of DataHub's GraphQL schema, each put together from its SDL parts."""

from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from importlib import resources

from graphql import GraphQLSchema, build_schema


class Generation(StrEnum):
    """One of the schemas met in the field."""

    G1 = "g1"
    G2 = "g2"
    G3 = "g3"
    G4 = "g4"

    @property
    def version(self) -> str:
        """The server version that such a server reports of itself."""
        return _VERSIONS[self]

    @property
    def has_stages(self) -> bool:
        """Whether incidents have stages, assignees and named priorities."""
        return self in {Generation.G3, Generation.G4}

    @property
    def offset_limit(self) -> int:
        """The search offset beyond which results are refused."""
        return 5_000 if self is Generation.G4 else 10_000

    @property
    def incident_types(self) -> frozenset[str]:
        """URN types of the assets that an incident can be raised on."""
        common = frozenset({"dataset", "dataJob", "dataFlow", "dashboard", "chart"})
        match self:
            case Generation.G1:
                return frozenset({"dataset"})
            case Generation.G4:
                return common | {"schemaField", "mlModel", "mlFeature", "mlFeatureTable"}
            case _:
                return common


_VERSIONS = {
    Generation.G1: "v0.9.2",
    Generation.G2: "v0.15.0",
    Generation.G3: "v1.3.0",
    Generation.G4: "v1.8.0",
}

_PARTS = {
    Generation.G1: ("incidents_before_1_0", "g1"),
    Generation.G2: ("exists", "incident_types", "incidents_before_1_0", "g2"),
    Generation.G3: ("exists", "incident_types", "privileges", "g3"),
    Generation.G4: ("exists", "incident_types", "privileges", "g3", "g4"),
}


@dataclass(frozen=True, slots=True)
class SchemaChoice:
    """A generation, less the fields that this server's build does not have yet."""

    generation: Generation
    without_entities: bool = False
    without_exists: bool = False
    without_entity_exists: bool = False

    def parts(self) -> tuple[str, ...]:
        """Names of the SDL files that make up the schema."""
        left_out = {
            name
            for name, missing in (
                ("entities", self.without_entities),
                ("exists", self.without_exists),
                ("entity_exists", self.without_entity_exists),
            )
            if missing
        }
        everything = ("catalog", "entities", "entity_exists", "incidents", *_PARTS[self.generation])
        return tuple(name for name in everything if name not in left_out)


@cache
def schema_for(choice: SchemaChoice) -> GraphQLSchema:
    """Build the executable schema of `choice`, once in a process."""
    folder = resources.files(__package__) / "schema"
    texts = [(folder / f"{name}.graphql").read_text(encoding="utf-8") for name in choice.parts()]
    return build_schema("\n".join(texts))
