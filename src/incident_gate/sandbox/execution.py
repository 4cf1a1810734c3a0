"""Execution by graphql-core, shortened for answers of many thousand fields."""

from collections.abc import Callable
from typing import Any, NamedTuple

from graphql import (
    ExecutionContext,
    FieldNode,
    GraphQLEnumType,
    GraphQLError,
    GraphQLField,
    GraphQLNonNull,
    GraphQLObjectType,
    GraphQLScalarType,
    get_argument_values,
    located_error,
)
from graphql.execution.execute import get_field_def
from graphql.pyutils import Path

# What is taken as it stands; a resolver, for one, has to be called first.
_PLAIN = (str, int, bool)


class _Step(NamedTuple):
    """A field of a selection, with what does not change from one object to the next."""

    response_name: str
    name: str
    nodes: list[FieldNode]
    definition: GraphQLField
    is_nullable: bool
    serialize: Callable[[Any], Any] | None


class Execution(ExecutionContext):
    """Executes documents whose objects are dicts and whose resolvers, values of these dicts, are synchronous.

    Leaves that stand plainly in a dict are serialized on the spot, and arguments are coerced once for each field of the
    document instead of once for each object. All else is graphql-core's own doing.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._plans: dict[tuple[str, int], tuple[_Step, ...]] = {}
        self._arguments: dict[int, dict[str, Any]] = {}

    @staticmethod
    def is_awaitable(_value: object) -> bool:
        """Tell graphql-core that nothing has to be awaited."""
        return False

    def execute_fields(
        self, parent_type: GraphQLObjectType, source_value: Any, path: Path | None, fields: dict[str, list[FieldNode]]
    ) -> dict[str, Any]:
        """Execute the fields that are selected on one object."""
        if type(source_value) is not dict:
            # The schema itself, being asked for.
            return super().execute_fields(parent_type, source_value, path, fields)  # type: ignore[return-value]
        results: dict[str, Any] = {}
        for step in self._plan(parent_type, fields):
            value = source_value.get(step.name)
            if value is None and step.is_nullable:
                results[step.response_name] = None
                continue
            if step.serialize is not None and type(value) in _PLAIN:
                try:
                    results[step.response_name] = step.serialize(value)
                except GraphQLError:
                    pass  # the long way tells it with its path
                else:
                    continue
            results[step.response_name] = self._execute(parent_type, value, path, step)
        return results

    def _execute(self, parent_type: GraphQLObjectType, value: Any, path: Path | None, step: _Step) -> Any:
        path = Path(path, step.response_name, parent_type.name)
        info = self.build_resolve_info(step.definition, step.nodes, parent_type, path)
        try:
            if step.definition.resolve is not None:
                value = step.definition.resolve(None, info, **self._arguments_of(step))
            elif callable(value):
                value = value(info, **self._arguments_of(step))
            return self.complete_value(step.definition.type, step.nodes, info, path, value)
        except Exception as raw:  # noqa: BLE001 - any failure of a resolver nulls its field
            error = located_error(raw, step.nodes, path.as_list())
            self.handle_field_error(error, step.definition.type, path)
            return None

    def _plan(self, parent_type: GraphQLObjectType, fields: dict[str, list[FieldNode]]) -> tuple[_Step, ...]:
        # The context keeps every selection that it collected, so that an id is not given twice.
        key = (parent_type.name, id(fields))
        plan = self._plans.get(key)
        if plan is None:
            plan = self._plans[key] = tuple(
                self._step(definition, response_name, nodes)
                for response_name, nodes in fields.items()
                if (definition := get_field_def(self.schema, parent_type, nodes[0])) is not None
            )
        return plan

    @staticmethod
    def _step(definition: GraphQLField, response_name: str, nodes: list[FieldNode]) -> _Step:
        kind = definition.type.of_type if isinstance(definition.type, GraphQLNonNull) else definition.type
        leaf = kind if isinstance(kind, GraphQLScalarType | GraphQLEnumType) and definition.resolve is None else None
        return _Step(
            response_name=response_name,
            name=nodes[0].name.value,
            nodes=nodes,
            definition=definition,
            is_nullable=kind is definition.type and definition.resolve is None,
            serialize=None if leaf is None else leaf.serialize,
        )

    def _arguments_of(self, step: _Step) -> dict[str, Any]:
        node = step.nodes[0]
        if id(node) not in self._arguments:
            self._arguments[id(node)] = get_argument_values(step.definition, node, self.variable_values)
        return self._arguments[id(node)]
