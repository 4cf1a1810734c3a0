"""What a DataHub server can be asked: assumed of current servers, or read from one introspection of its schema."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Failure, RequestFailure
from incident_gate.errors import Hint, RefusedError, UnreachableError

# The GraphQL type of each type of asset, by the word in its URN, which is also the field of `Query` that returns one.
TYPE_NAMES: Mapping[str, str] = MappingProxyType(
    {
        "dataset": "Dataset",
        "dataJob": "DataJob",
        "dataFlow": "DataFlow",
        "dashboard": "Dashboard",
        "chart": "Chart",
        "container": "Container",
        "dataProduct": "DataProduct",
        "domain": "Domain",
        "glossaryTerm": "GlossaryTerm",
        "mlFeature": "MLFeature",
        "mlFeatureTable": "MLFeatureTable",
        "mlModel": "MLModel",
        "mlModelGroup": "MLModelGroup",
        "mlPrimaryKey": "MLPrimaryKey",
        "notebook": "Notebook",
        "schemaField": "SchemaFieldEntity",
    }
)
_DATASET = "dataset"

# A field of each type that is never blank, but in the shell of an asset that the token may not view.
MARKERS: Mapping[str, str] = MappingProxyType(
    {
        "dataset": "platform { name }",
        "mlModel": "platform { name }",
        "dashboard": "tool",
        "chart": "tool",
        "dataFlow": "orchestrator",
        "dataJob": "dataFlow { orchestrator }",
    }
)

# What the gate reads of an incident besides its URN and state, where the server has it.
INCIDENT_FIELDS = ("title", "description", "incidentType", "customType", "priority", "created")

# Each field of the introspection system once: graphql-java refuses a query that repeats one. `includeDeprecated`
# because `Incident.status` is deprecated since 1.0.
INTROSPECTION = Operation(
    "incidentGateSchema",
    "query incidentGateSchema { __schema { types { name fields(includeDeprecated: true) { name } "
    "inputFields { name } enumValues(includeDeprecated: true) { name } } } }",
)


class Generation(Enum):
    """The generations of schemas in the field; the value names the servers that have it."""

    G1 = "DataHub Cloud of 2022"
    G2 = "DataHub 0.13 to 0.15"
    G3_EARLY = "DataHub 1.0 to 1.2"
    G3 = "DataHub 1.3 to 1.7"
    G4 = "DataHub after August 2026"


class Selection(NamedTuple):
    """What is read of an asset besides its existence.

    `incidents`: the active ones. `history`: those in all states, besides. `siblings`: their active ones as well.
    `summary`: the second witness of the active ones. `assertions`: those of the asset and of its siblings. `page`: a
    further page of one list, and nothing else. `details`: stage and message of those in the history.
    """

    incidents: bool = True
    history: bool = False
    siblings: bool = False
    assertions: bool = False
    summary: bool = True
    page: bool = False
    details: bool = True

    @property
    def list_name(self) -> str:
        """The name in the answer of the one list that is selected."""
        return "history" if self.history else "assertions" if self.assertions else "incidents"


class AssetFields(NamedTuple):
    """Which of an asset type's fields a server has."""

    incidents: bool = True
    exists: bool = True
    removed: bool = True
    siblings: bool = False
    summary: bool = True
    marker: bool = True
    assertions: bool = False

    def names(self, selection: Selection) -> frozenset[str]:
        """The names of the fields that an answer to this selection has."""
        has = {
            "exists": self.exists,
            "status": self.removed,
            "incidents": self.incidents and selection.incidents,
            "history": self.incidents and selection.history,
            "siblings": self.siblings and selection.siblings,
            "assertions": self.assertions and selection.assertions,
        }
        return frozenset(name for name, there in has.items() if there)


_CURRENT = MappingProxyType(
    {kind: AssetFields(siblings=kind == _DATASET, assertions=kind == _DATASET) for kind in TYPE_NAMES}
)


class Capabilities(NamedTuple):
    """What can be asked of a server.

    Attributes:
        entities: Many assets in one field; else one aliased field for each asset.
        entity_exists: The field `Query.entityExists`.
        assets: The fields of each type of asset, by the word in its URN.
        incident_fields: Those of `INCIDENT_FIELDS` that it has.
        status_field: The field of an incident that holds its state.
        has_stages: Incidents have stages.
        has_removed_assertions: The list of assertions can include soft-deleted ones, which its count includes anyway.
        is_guide: The query is that of DataHub's guide of 2022, word for word.
        members: Fields, input fields and values of each type of its schema; empty where it was not introspected.
    """

    entities: bool = True
    entity_exists: bool = True
    assets: Mapping[str, AssetFields] = _CURRENT
    incident_fields: frozenset[str] = frozenset(INCIDENT_FIELDS)
    status_field: str = "status"
    has_stages: bool = True
    has_removed_assertions: bool = True
    is_guide: bool = False
    members: Mapping[str, frozenset[str]] = MappingProxyType({})

    def has(self, type_name: str, member: str) -> bool:
        """Whether its schema has a type with a field, an input field or a value of that name."""
        return member in self.members.get(type_name, ())

    @property
    def generation(self) -> Generation | None:
        """The generation of an introspected schema; None if it knows no incidents."""
        if not self.has("Dataset", "incidents"):
            return None
        if self.has("RaiseIncidentInput", "id"):
            return Generation.G4
        if "IncidentStage" in self.members or self.has("RaiseIncidentInput", "assigneeUrns"):
            return Generation.G3 if self.has("Incident", "incidentStatus") else Generation.G3_EARLY
        return Generation.G2 if self.has("DataJob", "incidents") else Generation.G1


# For servers that hide their schema: those that cannot name aspects, Cloud of 2022 with what datasets had then, and the
# query of DataHub's own guide.
WITHOUT_SUMMARY = Capabilities(
    assets={
        kind: AssetFields(siblings=kind == _DATASET, summary=False, assertions=kind == _DATASET) for kind in TYPE_NAMES
    },
    has_stages=False,
)
OF_2022 = Capabilities(
    entities=False,
    assets={_DATASET: AssetFields(exists=False, siblings=True, summary=False, marker=False, assertions=True)},
    has_stages=False,
    has_removed_assertions=False,
)
GUIDE = Capabilities(
    entities=False,
    assets={_DATASET: AssetFields(exists=False, removed=False, summary=False, marker=False)},
    incident_fields=frozenset({"title", "description"}),
    has_stages=False,
    is_guide=True,
)


def introspect(client: Client) -> Capabilities | None:
    """Read the server's schema; None if it hides it."""
    try:
        # Not repeatable, so that a proxy that lets no introspection through does not cost the time for retries.
        return capabilities_of(client.execute(INTROSPECTION, {}, repeatable=False, assets=0).data)
    except (Failure, RefusedError, UnreachableError):
        # It can be switched off in many ways. A server that refuses the token has refused other queries before.
        return None


def capabilities_of(data: Mapping[str, Any]) -> Capabilities | None:
    """Decode the answer to `INTROSPECTION`; None if it does not show the schema."""
    root = data.get("__schema")
    types = root.get("types") if isinstance(root, dict) else None
    if not isinstance(types, list):
        return None
    members = {
        entry["name"]: _members(entry)
        for entry in types
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }
    query = members.get("Query", frozenset())
    incident = members.get("Incident", frozenset())
    # A schema that does not even show datasets is not whole.
    if not query & {"dataset", "entities"} or not members.get("Dataset"):
        return None
    return Capabilities(
        entities="entities" in query,
        entity_exists="entityExists" in query,
        assets={
            kind: AssetFields(
                incidents="incidents" in own,
                exists="exists" in own,
                removed="status" in own and "removed" in members.get("Status", ()),
                siblings="siblings" in own and kind == _DATASET,
                summary="aspects" in own and "aspectNames" in members.get("AspectParams", ()),
                marker=MARKERS.get(kind, "").partition(" ")[0] in own,
                assertions="assertions" in own and kind == _DATASET,
            )
            for kind, name in TYPE_NAMES.items()
            if (own := members.get(name)) and (kind in query or "entities" in query)
        },
        incident_fields=incident & frozenset(INCIDENT_FIELDS),
        status_field="status" if "status" in incident else "incidentStatus" if "incidentStatus" in incident else "",
        # The argument came with the field that names them.
        has_removed_assertions="status" in members.get("Assertion", ()),
        has_stages="stage" in members.get("IncidentStatus", ()),
        members=members,
    )


class Discovery:
    """Finds out what one server can be asked: assumes a current one, and learns when a query is refused.

    Shared by threads. A refused field fails the whole request before anything runs, so only time is lost.

    Args:
        client: Where to ask.
        known: What is known of the server already.
    """

    def __init__(self, client: Client, known: Capabilities | None = None) -> None:
        self.known = known or Capabilities()
        self._client = client
        self._lock = threading.Lock()
        self._introspected = known is not None
        self._fallbacks = [WITHOUT_SUMMARY, OF_2022, GUIDE]

    def learn(self, refused: Capabilities, failure: RequestFailure) -> None:
        """Change what is known, after a query by it was refused.

        Raises:
            RefusedError: Nothing is left to try.
        """
        with self._lock:
            if self.known is not refused:  # another thread has learned meanwhile
                return
            if not self._introspected:
                self._introspected = True
                learned = introspect(self._client)
                if learned and learned != refused:
                    self.known = learned
                    return
            if self._fallbacks:
                self.known = self._fallbacks.pop(0)
            else:
                raise RefusedError(
                    f"The server answers GraphQL but refuses the simplest query for a dataset's incidents: {failure}.",
                    hint=Hint("Check that {datahub-url} is DataHub's, of 2022 or later."),
                ) from None


def _members(entry: Mapping[str, Any]) -> frozenset[str]:
    return frozenset(
        str(member.get("name"))
        for name in ("fields", "inputFields", "enumValues")
        for member in _list(entry.get(name))
        if isinstance(member, dict)
    )


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []
