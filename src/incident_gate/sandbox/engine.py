"""The GraphQL engine: limits, validation and execution in the manner of a DataHub server."""

from collections.abc import Mapping
from typing import Any

from graphql import ExecutionContext, GraphQLError

from .call import Call
from .document import Prepared, Shelf
from .execution import Execution
from .failure import coercion_error, execution_error, refusal
from .faults import Faults
from .generation import Generation, SchemaChoice, schema_for
from .reading import Reading
from .search import Search
from .writing import Writing

Payload = dict[str, Any]


class Engine:
    """Answers GraphQL requests of one generation."""

    def __init__(self, generation: Generation) -> None:
        self._generation = generation
        self._shelf = Shelf()

    def prepare(self, text: str, faults: Faults) -> Prepared:
        """Parse and validate a document under the schema that `faults` leave of this generation's."""
        return self._shelf.prepare(
            schema_for(self._choice(faults)),
            text,
            introspection=faults.introspection,
            token_limit=faults.token_limit,
        )

    def answer(
        self, prepared: Prepared, variables: Mapping[str, Any], operation_name: str | None, call: Call
    ) -> Payload:
        """Execute a document; what it may not do is answered without being executed, and then without `data`."""
        if prepared.document is None:
            return {"errors": list(prepared.errors)}
        fields, depth = prepared.size(operation_name)
        faults = call.faults
        if fields > faults.complexity_limit:
            text = f"maximum query complexity exceeded {fields} > {faults.complexity_limit}"
            return {"errors": [refusal(text, "ExecutionAborted")]}
        if depth > faults.depth_limit:
            text = f"maximum query depth exceeded {depth} > {faults.depth_limit}"
            return {"errors": [refusal(text, "ExecutionAborted")]}
        reading = Reading(call)
        context = Execution.build(
            schema_for(self._choice(faults)),
            prepared.document,
            root_value=reading.fields() | Search(call, reading).fields() | Writing(call).fields(),
            raw_variable_values=dict(variables),
            operation_name=operation_name,
        )
        if isinstance(context, list):
            return {"errors": [coercion_error(error) for error in context]}
        return _run(context)

    def _choice(self, faults: Faults) -> SchemaChoice:
        return SchemaChoice(
            self._generation,
            without_entities=faults.no_entities,
            without_exists=faults.no_exists,
            without_entity_exists=faults.no_entity_exists,
        )


def _run(context: ExecutionContext) -> Payload:
    errors = context.collected_errors.errors
    try:
        # No resolver is asynchronous, so neither is what comes back.
        data = context.execute_operation(context.operation, context.root_value)
    except GraphQLError as error:
        data, errors = None, [*errors, error]
    payload: Payload = {"data": data}
    if errors:
        payload["errors"] = [execution_error(error) for error in errors]
    return payload
