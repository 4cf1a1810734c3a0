"""The GraphQL engine: limits, validation and execution in the manner of a DataHub server."""

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionContext, GraphQLError

from .call import Call
from .document import Prepared, prepare
from .entities import Entities
from .failure import coercion_error, execution_error, refusal
from .faults import Faults
from .generation import Generation
from .lineage import Lineage
from .schema import SchemaChoice, schema_for
from .search import Search
from .writing import Writing

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
