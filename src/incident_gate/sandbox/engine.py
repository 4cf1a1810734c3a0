"""The GraphQL engine: schema, limits, validation and execution in the manner of a DataHub server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import resources
from typing import Any

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    ExecutionContext,
    FieldDefinitionNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    Node,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    StringValueNode,
    Visitor,
    build_ast_schema,
    parse,
    specified_rules,
    validate,
    visit,
)

from .entities import Entities
from .failure import coercion_error, execution_error, refusal, syntax_error, validation_error
from .faults import FaultBook, Faults, Strike
from .generation import Generation, version_of
from .lineage import Lineage
from .request import ANY_TOKEN, Call, Grant, Journal, Request
from .search import Search
from .store import Store
from .writing import Writing


@dataclass(frozen=True, slots=True)
class SchemaChoice:
    """A generation, less the fields that this server does not have."""

    generation: Generation
    lacks: frozenset[str] = frozenset()


@cache
def schema_for(choice: SchemaChoice) -> GraphQLSchema:
    """Build the executable schema of `choice`, once in a process."""
    return build_ast_schema(visit(_document(), _Selection(choice)))


@cache
def _document() -> DocumentNode:
    folder = resources.files(__package__) / "sdl"
    files = sorted((file for file in folder.iterdir() if file.name.endswith(".graphql")), key=lambda file: file.name)
    return parse("\n".join(file.read_text(encoding="utf-8") for file in files), no_location=True)


class _Selection(Visitor):
    """Removes what lies outside the version, and the directives that bound it."""

    def __init__(self, choice: SchemaChoice) -> None:
        super().__init__()
        self._choice = choice

    def enter(self, node: Node, _key: Any, _parent: Any, _path: Any, ancestors: Any) -> Any:
        """Remove the node if the server lacks it."""
        if isinstance(node, DirectiveNode):
            return REMOVE if node.name.value in _BOUNDS else None
        directives = getattr(node, "directives", None) or ()
        version = self._choice.generation.schema_version
        if not all(_BOUNDS[item.name.value](item, version) for item in directives if item.name.value in _BOUNDS):
            return REMOVE
        if isinstance(node, FieldDefinitionNode):
            owner = next(item.name.value for item in reversed(ancestors) if hasattr(item, "name"))
            if not self._choice.lacks.isdisjoint({node.name.value, f"{owner}.{node.name.value}"}):
                return REMOVE
        return None


def _bound(directive: DirectiveNode) -> tuple[int, ...]:
    value = directive.arguments[0].value
    assert isinstance(value, StringValueNode)  # noqa: S101 - the SDL files are ours
    return version_of(value.value)


_BOUNDS = {
    "since": lambda directive, version: version >= _bound(directive),
    "until": lambda directive, version: version < _bound(directive),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A document that was parsed and validated, or the errors that this brought."""

    document: DocumentNode | None
    errors: tuple[dict[str, Any], ...] = ()
    root_fields: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    sizes: Mapping[str | None, tuple[int, int]]

    def size(self, operation_name: str | None) -> tuple[int, int]:
        """Number of fields and depth of the operation that would be executed."""
        if operation_name in self.sizes:
            return self.sizes[operation_name]
        return next(iter(self.sizes.values()), (0, 0))


@lru_cache(maxsize=512)
def prepare(schema: GraphQLSchema, text: str, *, introspection: bool, token_limit: int) -> Prepared:
    """Parse `text` and validate it against `schema`; clients send the same few documents again and again."""
    try:
        document = parse(text, max_tokens=token_limit)
    except GraphQLError as error:
        return Prepared(document=None, errors=(syntax_error(error, token_limit),), sizes={})
    operations = [item for item in document.definitions if isinstance(item, OperationDefinitionNode)]
    at_root = [item for operation in operations for item in operation.selection_set.selections]
    root_fields = tuple(item.name.value for item in at_root if isinstance(item, FieldNode))
    names = tuple(operation.name.value for operation in operations if operation.name)
    rules = [*specified_rules, *(() if introspection else (NoSchemaIntrospectionCustomRule,))]
    errors = validate(schema, document, rules)
    if errors:
        worded = tuple(validation_error(document, error) for error in errors)
        return Prepared(document=None, errors=worded, root_fields=root_fields, names=names, sizes={})
    fragments = {item.name.value: item for item in document.definitions if isinstance(item, FragmentDefinitionNode)}
    sizes = {
        operation.name.value if operation.name else None: _size(operation.selection_set, fragments)
        for operation in operations
    }
    return Prepared(document=document, root_fields=root_fields, names=names, sizes=sizes)


def _size(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode]) -> tuple[int, int]:
    """Number of fields and depth; a field costs one, however long its list is."""
    depths = list(_depths(selections, fragments, 1))
    return len(depths), max(depths, default=0)


def _depths(selections: SelectionSetNode, fragments: Mapping[str, FragmentDefinitionNode], depth: int) -> Iterator[int]:
    for item in selections.selections:
        if isinstance(item, FragmentSpreadNode):
            yield from _depths(fragments[item.name.value].selection_set, fragments, depth)
        elif isinstance(item, FieldNode):
            yield depth
            if item.selection_set is not None:
                yield from _depths(item.selection_set, fragments, depth + 1)
        elif (inner := getattr(item, "selection_set", None)) is not None:
            yield from _depths(inner, fragments, depth)


Payload = dict[str, Any]


def prepared(text: str, generation: Generation, faults: Faults) -> Prepared:
    """Parse and validate a document under the schema that `faults` leave of this generation's."""
    schema = schema_for(SchemaChoice(generation, faults.missing_fields))
    return prepare(schema, text, introspection=faults.introspection, token_limit=faults.token_limit)


def answer(document: Prepared, variables: Mapping[str, Any], operation_name: str | None, call: Call) -> Payload:
    """Execute a document; one that exceeds a limit is answered without being executed, and then without `data`."""
    if document.document is None:
        return {"errors": list(document.errors)}
    fields, depth = document.size(operation_name)
    faults = call.faults
    if fields > faults.complexity_limit:
        text = f"maximum query complexity exceeded {fields} > {faults.complexity_limit}"
        return {"errors": [refusal(text, "ExecutionAborted")]}
    if depth > faults.depth_limit:
        text = f"maximum query depth exceeded {depth} > {faults.depth_limit}"
        return {"errors": [refusal(text, "ExecutionAborted")]}
    entities = Entities(call)
    context = _Synchronous.build(
        schema_for(SchemaChoice(call.generation, faults.missing_fields)),
        document.document,
        root_value=entities.fields()
        | Search(call, entities).fields()
        | Lineage(call, entities).fields()
        | Writing(call).fields(),
        raw_variable_values=dict(variables),
        operation_name=operation_name,
    )
    if isinstance(context, list):
        return {"errors": [coercion_error(error) for error in context]}
    return _run(context, hides_reasons=call.generation.hides_reasons)


class _Synchronous(ExecutionContext):
    """Objects are dicts, their resolvers are functions among the values, and none is asynchronous."""

    @staticmethod
    def is_awaitable(_value: object) -> bool:
        return False


def _run(context: ExecutionContext, *, hides_reasons: bool) -> Payload:
    errors = context.collected_errors.errors
    try:
        data = context.execute_operation(context.operation, context.root_value)
    except GraphQLError as error:
        data, errors = None, [*errors, error]
    payload: Payload = {"data": data}
    if errors:
        payload["errors"] = [execution_error(error, hides_reasons=hides_reasons) for error in errors]
    return payload


class ServerState:
    """Data, faults, tokens and requests of one server."""

    def __init__(
        self,
        generation: Generation,
        grants: Sequence[Grant],
        faults: Faults,
        store: Store,
        seed: Callable[[Store], None],
    ) -> None:
        self.generation = generation
        self.store = store
        self.requests = Journal()
        self.book = FaultBook(faults)
        self.on_request: Callable[[Request], None] | None = None
        self._grants = {grant.token: grant for grant in grants}
        self._seed = seed
        self._walks: dict[Any, tuple[float, Any]] = {}

    def grant_for(self, authorization: str | None) -> Grant | None:
        """The privileges that come with an Authorization header, or None when it is not accepted."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token.strip():
            return None
        return self._grants.get(token.strip()) or self._grants.get(ANY_TOKEN)

    def prepare(self, text: str) -> Prepared:
        """Parse and validate a document."""
        return prepared(text, self.generation, self.book.faults)

    def execute(
        self, document: Prepared, variables: dict[str, Any], operation: str | None, grant: Grant, strike: Strike
    ) -> Payload:
        """Execute a document for the bearer of `grant`."""
        call = Call(
            store=self.store,
            generation=self.generation,
            grant=grant,
            book=self.book,
            strike=strike,
            walks=self._walks,
        )
        return answer(document, variables, operation, call)

    def reset(self) -> None:
        """Back to the beginning: the seed's data, no faults, no requests."""
        self.store.clear()
        self._seed(self.store)
        self.requests.clear()
        self._walks.clear()
        self.book = FaultBook(Faults())
