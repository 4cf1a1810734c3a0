"""GraphQL documents: parsed, validated and measured."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLSchema,
    NoSchemaIntrospectionCustomRule,
    OperationDefinitionNode,
    SelectionSetNode,
    parse,
    specified_rules,
    validate,
)

from .failure import syntax_error, validation_error


@dataclass(frozen=True, slots=True, kw_only=True)
class Prepared:
    """A document that was parsed and validated, or the errors that this brought.

    Args:
        document: what is executed, or None when there are errors.
        errors: why it is refused.
        root_fields: the names of the fields at the root of every operation.
        sizes: number of fields and depth of each operation, by its name.
    """

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
