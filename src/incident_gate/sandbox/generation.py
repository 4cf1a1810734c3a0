"""The generations of DataHub's servers, with what each of them can do."""

from enum import StrEnum

_BEARERS = frozenset({"dataset", "dataJob", "dataFlow", "dashboard", "chart"})
_NEWEST = "1.8.0"


def version_of(text: str) -> tuple[int, ...]:
    """The numbers of a version."""
    return tuple(map(int, text.split(".")))


class Generation(StrEnum):
    """A generation of servers that is met in the field."""

    G1 = "g1"
    G2_EARLY = "g2-early"
    G2 = "g2"
    G3_EARLY = "g3-early"
    G3 = "g3"
    G4 = "g4"
    CLOUD = "cloud"

    @property
    def version(self) -> str:
        """The version that such a server reports of itself."""
        return "v0.3.17-acryl" if self is Generation.CLOUD else f"v{_VERSIONS[self]}"

    @property
    def schema_version(self) -> tuple[int, ...]:
        """The version of open-source DataHub whose schema the server has."""
        return _SCHEMA_VERSIONS[self]

    @property
    def is_cloud(self) -> bool:
        """Whether it is DataHub Cloud."""
        return self in {Generation.G1, Generation.CLOUD}

    @property
    def has_stages(self) -> bool:
        """Whether incidents have stages, assignees and named priorities."""
        return self.schema_version >= (1, 0)

    @property
    def has_ids(self) -> bool:
        """Whether the caller may choose an incident's id."""
        return self.schema_version >= (1, 8)

    @property
    def hides_reasons(self) -> bool:
        """Whether all failures but those with a code of their own read `An unknown error occurred.`."""
        return (1, 0) <= self.schema_version < (1, 3)

    @property
    def destinations(self) -> frozenset[str]:
        """URN types of the assets that an incident can be raised on."""
        if self.has_ids:
            return _BEARERS | _LATE_BEARERS
        return frozenset({"dataset"}) if self is Generation.G1 else _BEARERS | {"schemaField"}

    @property
    def missing_custom_type(self) -> str | None:
        """The refusal of a CUSTOM incident without a custom type; None where it is accepted."""
        if self.has_ids:
            return "Failed to raise incident: customType is required when type is CUSTOM"
        return "customType is required: Failed to create incident." if self.has_stages else None


# What incidents can be raised on since the newest versions.
_LATE_BEARERS = frozenset(
    {
        *("schemaField", "container", "dataProduct", "glossaryTerm"),
        *("mlModel", "mlModelGroup", "mlFeature", "mlFeatureTable", "mlPrimaryKey"),
    }
)

_VERSIONS = {
    Generation.G1: "0.9.2",
    Generation.G2_EARLY: "0.13.0",
    Generation.G2: "0.15.0",
    Generation.G3_EARLY: "1.2.0",
    Generation.G3: "1.3.0",
    Generation.G4: _NEWEST,
    Generation.CLOUD: _NEWEST,
}

_SCHEMA_VERSIONS = {generation: version_of(version) for generation, version in _VERSIONS.items()}
