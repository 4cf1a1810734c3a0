"""The GraphQL schema of one server: the SDL files, less what its version lacks."""

from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

from graphql import (
    REMOVE,
    DirectiveNode,
    DocumentNode,
    FieldDefinitionNode,
    GraphQLSchema,
    Node,
    StringValueNode,
    Visitor,
    build_ast_schema,
    parse,
    visit,
)

from .generation import Generation, version_of


@dataclass(frozen=True, slots=True)
class SchemaChoice:
    """A generation, less the fields that this server does not have.

    Args:
        generation: the server's generation.
        lacks: fields to leave out, as `exists` (of every type) or `Query.entities`.
    """

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
