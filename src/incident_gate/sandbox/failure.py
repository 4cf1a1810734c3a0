"""Errors in the words and shapes of graphql-java and of DataHub's own exception handler."""

import re
from collections.abc import Iterable
from enum import Enum
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    GraphQLError,
    Node,
)


class Code(Enum):
    """DataHub's error codes."""

    BAD_REQUEST = 400
    UNAUTHORIZED = 403
    NOT_FOUND = 404
    CONFLICT = 409
    SERVER_ERROR = 500
    SERVICE_UNAVAILABLE = 503
    DEADLINE_EXCEEDED = 504


class ResolverError(Exception):
    """A resolver's failure: nulls its field, and comes with DataHub's extensions."""

    def __init__(self, message: str, code: Code = Code.SERVER_ERROR) -> None:
        super().__init__(message)
        self.extensions = {"code": code.value, "type": code.name, "classification": "DataFetchingException"}


UNKNOWN_ERROR = "An unknown error occurred."
UNAUTHORIZED = "Unauthorized to perform this action. Please contact your DataHub administrator."


def refusal(message: str, classification: str, locations: Iterable[Any] = ()) -> dict[str, Any]:
    """One error of a request that is refused before anything runs."""
    where = [{"line": location.line, "column": location.column} for location in locations]
    return {"message": message, "locations": where, "extensions": {"classification": classification}}


def syntax_error(error: GraphQLError, token_limit: int) -> dict[str, Any]:
    """A document that cannot be parsed, or is longer than `token_limit`."""
    if "tokens" in error.message:
        text = (
            f"More than {token_limit:,} 'grammar' tokens have been presented. "
            "To prevent Denial Of Service attacks, parsing has been cancelled."
        )
        return refusal(text, "InvalidSyntax")
    return refusal(f"Invalid syntax: {error.message}", "InvalidSyntax", error.locations or ())


def coercion_error(error: GraphQLError) -> dict[str, Any]:
    """Variables that do not fit their declared types."""
    return refusal(error.message, "ValidationError", error.locations or ())


def validation_error(document: DocumentNode, error: GraphQLError) -> dict[str, Any]:
    """A document that does not fit the schema."""
    kinds = (
        (name, match.expand(text)) for pattern, name, text in _WORDINGS if (match := re.match(pattern, error.message))
    )
    kind, text = next(kinds, ("InvalidDocument", error.message))
    path = "/".join(_path_to(document, error.nodes[0])) if error.nodes else ""
    at = f"@[{path}]" if path else ""
    return refusal(f"Validation error ({kind}{at}) : {text}", "ValidationError", error.locations or ())


def execution_error(error: GraphQLError, *, hides_reasons: bool) -> dict[str, Any]:
    """A field that failed while the document was executed."""
    formatted: dict[str, Any] = {"message": error.message, "locations": [], "path": error.path or []}
    formatted["locations"] = [{"line": at.line, "column": at.column} for at in error.locations or ()]
    formatted["extensions"] = dict(error.extensions or {})
    if "classification" not in formatted["extensions"]:
        is_null = error.message.startswith("Cannot return null for non-nullable")
        kind = "NullValueInNonNullableField" if is_null else "DataFetchingException"
        formatted["extensions"]["classification"] = kind
    if hides_reasons and formatted["extensions"].get("code") == Code.SERVER_ERROR.value:
        formatted["message"] = UNKNOWN_ERROR
    return formatted


# graphql-core's message -> graphql-java's kind of error and its wording.
_WORDINGS = (
    (r"Cannot query field '(.+?)' on type '(.+?)'\.", "FieldUndefined", r"Field '\1' in type '\2' is undefined"),
    (r"Unknown argument '(.+?)' on field '.+?'\.", "UnknownArgument", r"Unknown field argument '\1'"),
    (r"Unknown type '(.+?)'\.", "UnknownType", r"Unknown type '\1'"),
    (r"Unknown fragment '(.+?)'\.", "UndefinedFragment", r"Undefined fragment '\1'"),
    (r"Fragment '(.+?)' is never used\.", "UnusedFragment", r"Unused fragment '\1'"),
    (r"Variable '\$(.+?)' is never used", "UnusedVariable", r"Unused variable '\1'"),
    (r"Variable '\$(.+?)' is not defined", "UndefinedVariable", r"Undefined variable '\1'"),
    (
        r"Variable '\$(.+?)' of type '(.+?)' used in position expecting type '(.+?)'\.",
        "VariableTypeMismatch",
        r"Variable type '\2' does not match expected type '\3'",
    ),
    (
        r"Field '(.+?)' of type '(.+?)' must have a selection of subfields",
        "SubselectionRequired",
        r"Subselection required for type '\2' of field '\1'",
    ),
    (
        r"Field '(.+?)' must not have a selection since type '(.+?)'",
        "SubselectionNotAllowed",
        r"Subselection not allowed on leaf type '\2' of field '\1'",
    ),
    (r"Field '.+?' argument '(.+?)' of type", "MissingFieldArgument", r"Missing field argument '\1'"),
    (
        r"Field '(.+?)' is not defined by type '(.+?)'\.",
        "WrongType",
        r"argument 'input' contains a field not in '\2': '\1'",
    ),
    (
        r"Field '(.+?\.)(.+?)' of required type '(.+?)' was not provided\.",
        "WrongType",
        r"argument 'input' is missing required fields '[\2]'",
    ),
    (
        r"Value '(.+?)' does not exist in '(.+?)' enum",
        "WrongType",
        r"Literal value not in allowable values for enum '\2' - '\1'",
    ),
    (r"(.+ cannot represent .+)", "WrongType", r"\1"),
    (r"GraphQL introspection has been disabled", "FieldUndefined", r"introspection has been disabled on this server"),
)


def _path_to(document: DocumentNode, target: Node) -> list[str]:
    """The names of the fields that lead to a node, as graphql-java reports them."""
    for definition in document.definitions:
        start = [definition.name.value] if isinstance(definition, FragmentDefinitionNode) else []
        found = _search(definition, target, start)
        if found is not None:
            return found
    return []


def _search(node: Node, target: Node, path: list[str]) -> list[str] | None:
    if node is target:
        return path
    for key in node.keys:
        child = getattr(node, key, None)
        for item in child if isinstance(child, tuple) else (child,):
            if not isinstance(item, Node):
                continue
            step = [*path, item.name.value] if isinstance(item, FieldNode) else path
            found = _search(item, target, step)
            if found is not None:
                return found
    return None
