"""What a DataHub server can be asked: assumed of current servers, or read from one introspection of its schema."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from enum import Enum
from types import MappingProxyType
from typing import Any, NamedTuple

from incident_gate.datahub.client import Client, Operation
from incident_gate.datahub.failure import Failure, Rejection, RequestFailure
from incident_gate.errors import Hint, RefusedError, UnreachableError
from incident_gate.incident import Question
from incident_gate.json_values import at, mappings, text

# By the word in an asset's URN, which is also the field of `Query` that returns one: its GraphQL type, and what it
# shows and the shell of one does not, which is what a token gets that may not view it.
_TYPES = {
    "dataset": ("Dataset", "platform { name }"),
    "dataJob": ("DataJob", "dataFlow { orchestrator }"),
    "dataFlow": ("DataFlow", "orchestrator"),
    "dashboard": ("Dashboard", "tool"),
    "chart": ("Chart", "tool"),
    "container": ("Container", "platform { name }"),
    "dataProduct": ("DataProduct", "properties { name }"),
    "domain": ("Domain", "properties { name }"),
    "glossaryTerm": ("GlossaryTerm", "hierarchicalName"),
    "mlFeature": ("MLFeature", "featureNamespace"),
    "mlFeatureTable": ("MLFeatureTable", "platform { name }"),
    "mlModel": ("MLModel", "platform { name }"),
    "mlModelGroup": ("MLModelGroup", "platform { name }"),
    "mlPrimaryKey": ("MLPrimaryKey", "featureNamespace"),
    "notebook": ("Notebook", "tool"),
    "schemaField": ("SchemaFieldEntity", "fieldPath"),
}
TYPE_NAMES: Mapping[str, str] = MappingProxyType({kind: name for kind, (name, _) in _TYPES.items()})
VISIBILITY_FIELDS: Mapping[str, str] = MappingProxyType({kind: shown for kind, (_, shown) in _TYPES.items()})
_DATASET = "dataset"
# Refusals from which something is learned; servers name all that they lack at once, or a few.
MOST_LESSONS = 20

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
    """What is read of an asset.

    `questions`: by the fields that answer them. `history`: the incidents in all states, besides. `details`: stage and
    message of those.
    """

    questions: frozenset[Question]
    history: bool = False
    details: bool = True

    @property
    def list_name(self) -> str:
        """The name in the answer of the list, where one is selected and nothing else: for a further page of it."""
        return "history" if self.history else "assertions" if Question.ASSERTIONS in self.questions else "incidents"


class Capabilities(NamedTuple):
    """What can be asked of a server: all that is known of DataHub, but for what its schema or a refusal excludes.

    `members` are the fields, input fields and values of each type of its schema, empty where that is not known, and
    `refused` the types and fields that refusals name. `is_minimal`: the query is that of DataHub's guide of 2022, word
    for word, which asks for a dataset's incidents.
    """

    members: Mapping[str, frozenset[str]] = MappingProxyType({})
    refused: frozenset[tuple[str, str]] = frozenset()
    with_assertions: bool = True
    is_minimal: bool = False

    def has(self, type_name: str, member: str) -> bool:
        """Whether its schema has a type with a field, an input field or a value of that name."""
        return member in self.members.get(type_name, ())

    def accepts(self, type_name: str, field: str) -> bool:
        """Whether a query may name a field."""
        if (type_name, field) in self.refused or (type_name, "") in self.refused:
            return False
        return not self.members or self.has(type_name, field)

    def asks(self, kind: str, question: Question) -> bool:
        """Whether the fields that answer a question about a type of asset can be asked for."""
        if self.is_minimal:
            return kind == _DATASET and question is Question.INCIDENTS
        if question is Question.ASSERTIONS and not self.with_assertions:
            return False
        return all(self.accepts(*field) for field in fields_of(kind, question))

    def lacks(self, kind: str, question: Question) -> bool:
        """Whether it is certain that the server has no such fields, so that there is nothing to ask for."""
        if question is Question.VISIBLE and not self._is_without_restrictions(kind):
            return False  # then such an asset and its shell look the same
        return any(
            not self.has(*field) if self.members else not self.accepts(*field) for field in fields_of(kind, question)
        )

    def _is_without_restrictions(self, kind: str) -> bool:
        """Whether the server is older than the authorization of views: what is restricted has a type of its own."""
        return "Restricted" not in self.members if self.members else not self.accepts(TYPE_NAMES[kind], "exists")

    @property
    def has_entities(self) -> bool:
        """Whether many assets are asked for in one field; else in one aliased field for each asset."""
        return not self.is_minimal and self.accepts("Query", "entities")

    @property
    def incident_fields(self) -> list[str]:
        """Those of `INCIDENT_FIELDS` that it has."""
        known = ("title", "description") if self.is_minimal else INCIDENT_FIELDS
        return [name for name in known if self.accepts("Incident", name)]

    @property
    def status_field(self) -> str:
        """The field of an incident that holds its state; empty where there is none."""
        return next((name for name in ("status", "incidentStatus") if self.accepts("Incident", name)), "")

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


MINIMAL_QUERY = Capabilities(is_minimal=True)


def fields_of(kind: str, question: Question) -> tuple[tuple[str, str], ...]:
    """The types and fields that answer a question: all of them must be there."""
    own = TYPE_NAMES[kind]
    fields = {
        Question.EXISTS: ((own, "exists"),),
        Question.NOT_REMOVED: ((own, "status"), ("Status", "removed")),
        Question.VISIBLE: ((own, VISIBILITY_FIELDS[kind].partition(" ")[0]),),
        Question.INCIDENTS: ((own, "incidents"),),
        # An older server would return every aspect.
        Question.WITNESS: ((own, "aspects"), ("AspectParams", "aspectNames")),
        Question.SIBLINGS: ((own, "siblings"), (own, "incidents")),
        Question.ASSERTIONS: ((own, "assertions"), ("Assertion", "runEvents")),
    }
    return fields[question]


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
    if not isinstance(at(data, "__schema", "types"), list):
        return None
    members = {name: _members(entry) for entry in mappings(data, "__schema", "types") if (name := text(entry, "name"))}
    # A schema that does not even show datasets is not whole.
    if not members.get("Query", frozenset()) & {"dataset", "entities"} or not members.get("Dataset"):
        return None
    return Capabilities(members=members)


# How servers name what they lack: graphql-java's words since 2022, and those of other engines in front of it.
_NAMED = (
    re.compile(r"[Ff]ield '(?P<field>\w+)' in type '(?P<type>\w+)' is undefined"),
    re.compile(r"Cannot query field ['\"](?P<field>\w+)['\"] on type ['\"](?P<type>\w+)['\"]"),
    re.compile(r"contains a field not in '(?P<type>\w+)': '(?P<field>\w+)'"),
    re.compile(r"[Uu]nknown (?:field )?argument '(?P<field>\w+)'(?P<type>)"),
    re.compile(r"[Uu]nknown type '?(?P<type>\w+)'?(?P<field>)"),
)


def _named_in(failure: RequestFailure) -> frozenset[tuple[str, str]]:
    """The types and fields that a refusal names; an argument has no type, and a whole type no field."""
    found = (pattern.search(error.message) for error in failure.errors for pattern in _NAMED)
    return frozenset((match["type"], match["field"]) for match in found if match)


class Discovery:
    """Finds out what one server can be asked: assumes all that is known, and learns from refusals that name a field.

    Shared by threads. A refused field fails the whole request before anything runs, so only time is lost.
    """

    def __init__(self, client: Client, known: Capabilities | None = None) -> None:
        self.known = known or Capabilities()
        self._client = client
        self._lock = threading.Lock()
        self._introspected = known is not None
        self._lessons = 0

    def learn(self, failure: RequestFailure) -> bool:
        """Learn from a refusal. Only what it names as not there shows something about the server."""
        named = _named_in(failure) - self.known.refused if failure.rejection is Rejection.INVALID else None
        if not named or self._lessons >= MOST_LESSONS:
            return False
        self._lessons += 1
        self.known = self.known._replace(refused=self.known.refused | named)
        return True

    def next_form(self, refused: Capabilities, failure: RequestFailure) -> Capabilities:
        """The form in which to ask after one was refused: by what is known now, or a poorer one for once.

        What a poorer form does not ask stays without an answer.
        """
        with self._lock:
            is_poorer = refused.is_minimal or not refused.with_assertions
            if not is_poorer and self.known is not refused:  # another thread has learned meanwhile
                return self.known
            if failure.rejection is Rejection.INVALID and not self._introspected:
                self._introspected = True
                if learned := introspect(self._client):
                    self.known = learned
                    return learned
            if self.learn(failure):
                return self.known
        if refused.is_minimal:
            raise RefusedError(
                f"The server answers GraphQL but refuses the simplest query for a dataset's incidents: {failure}.",
                hint=Hint("Check that {datahub-url} is DataHub's, of 2022 or later."),
            ) from None
        return refused._replace(with_assertions=False) if refused.with_assertions else MINIMAL_QUERY


def _members(entry: Mapping[str, Any]) -> frozenset[str]:
    lists = ("fields", "inputFields", "enumValues")
    return frozenset(text(member, "name") for name in lists for member in mappings(entry, name))
