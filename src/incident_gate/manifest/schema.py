"""The manifest's JSON Schema, for editors."""

from __future__ import annotations

import re
from typing import Any

from incident_gate.manifest.decode import MAX_ITEMS, AssetUrn, Choice, Key, ListOf, Record, Shape, Table, Text, Variants
from incident_gate.manifest.grammar import INPUTS, MANIFEST
from incident_gate.manifest.yaml import Kind
from incident_gate.urn import FABRICS, EntityType

Schema = dict[str, Any]

_VARIABLE = {"type": "string", "pattern": r"\$\{"}


def manifest_schema() -> Schema:
    """Describe the format as the decoder reads it: draft 7, which every editor's YAML support knows.

    Alternatives are `if` and `else`, not `anyOf`: then a validator reports what is wrong in the one that was written.
    """
    definitions: Schema = {}
    schema: Schema = {
        "$schema": "http://json-schema.org/draft-07/schema#",
        "title": "DataHub Incident Gate manifest",
        "description": "The DataHub assets that a job reads (inputs) and writes (outputs). A plain list is all inputs.",
        "if": {"type": "array"},
        "then": _schema(INPUTS, definitions) | {"minItems": 1},
        "else": _object(MANIFEST, definitions)
        | {"if": {"not": _names("outputs")}, "then": _names("inputs")},  # one of the two is not empty
    }
    return schema | {"definitions": dict(sorted(definitions.items()))}


def _names(key: str) -> Schema:
    return {"required": [key], "properties": {key: {"minItems": 1}}}


def _schema(shape: Shape, definitions: Schema) -> Schema:
    """Describe one shape; records add themselves to `definitions`."""
    schema: Schema
    match shape:
        case Text():
            schema = _text(shape)
        case Choice():
            options = [value if type(value) in {bool, int} else word for word, value in shape.options.items()]
            schema = _or_variable({"enum": options})
        case AssetUrn():
            pattern = f"^({'|'.join(map(_pattern, EntityType))})$"
            definitions["AssetUrn"] = _or_variable({"type": "string", "pattern": pattern})
            schema = {"$ref": "#/definitions/AssetUrn"}
        case ListOf():
            schema = _list(shape, definitions)
        case Table():
            values = _text(shape.value)
            schema = {"type": "object", "propertyNames": {"pattern": shape.key.pattern}, "additionalProperties": values}
        case Record():
            schema = _record(shape, definitions)
        case Variants():
            schema = _variants(shape, definitions)
        case _:
            raise TypeError(shape)
    return schema


def _or_variable(schema: Schema) -> Schema:
    """Accept a value with a variable, of which an editor knows nothing."""
    return {"if": _VARIABLE, "else": schema}


def _text(rule: Text) -> Schema:
    if rule.kind is Kind.NUMBER:
        return _or_variable({"type": "integer", "minimum": 1, "maximum": MAX_ITEMS})
    schema: Schema = {"type": "string", "maxLength": rule.max_length, "pattern": rule.pattern}
    return _or_variable(schema | ({"format": "date"} if rule.kind is Kind.DATE else {}))


def _pattern(entity_type: EntityType) -> str:
    """The form of a type's URNs as a regular expression.

    It comes close to what the decoder accepts: of parentheses within parentheses it knows one level.
    """
    part = r"([^(),]|\([^()]*\))+" if entity_type.parts else r"\S.*"
    named = {
        "<platform>": "[^(),]+",
        "<env>": f"({'|'.join(FABRICS)})",
        "<URN of a dataset>": r"urn:li:dataset:\(.+\)",
    }
    pieces = re.split("(<[^>]*>)", entity_type.form)
    return "".join(named.get(piece, part) if piece.startswith("<") else re.escape(piece) for piece in pieces)


def _list(shape: ListOf, definitions: Schema) -> Schema:
    item = _schema(shape.item, definitions)
    schema: Schema = {"type": "array", "items": item, "maxItems": MAX_ITEMS}
    if shape.min_items:
        schema["minItems"] = shape.min_items
    if shape.single:
        schema = {"if": {"type": "array"}, "then": schema, "else": item}
    if shape.word:
        schema = {"if": {"enum": [shape.word]}, "else": schema}
    return schema


def _record(record: Record, definitions: Schema) -> Schema:
    """A reference to the record's own definition, with the shorthand beside it."""
    definitions[record.name] = _object(record, definitions)
    reference = {"$ref": f"#/definitions/{record.name}"}
    if record.shorthand:
        short = record.keys[record.shorthand].shape
        forms = ["string", "array"] if isinstance(short, ListOf) else ["string"]
        return {"if": {"type": forms}, "then": _schema(short, definitions), "else": reference}
    return reference


def _object(record: Record, definitions: Schema) -> Schema:
    schema: Schema = {
        "type": "object",
        "properties": {name: _key(key, definitions) for name, key in record.keys.items()},
        "additionalProperties": False,
    }
    if required := [name for name, key in record.keys.items() if key.required]:
        schema["required"] = required
    if record.one_of:
        schema["oneOf"] = [{"required": [name]} for name in record.one_of]
    if record.not_empty:
        schema["minProperties"] = 1
    for name, key in record.keys.items():
        if key.only_with:
            other, word = key.only_with
            schema["if"] = {"properties": {other: {"const": word}}, "required": [other]}
            schema["then"] = {"required": [name]}
            schema["else"] = {"properties": {name: False}}
    return schema


def _key(key: Key, definitions: Schema) -> Schema:
    """Add a description; around a reference, because draft 7 ignores what is beside one."""
    schema = _schema(key.shape, definitions)
    return {"description": key.doc} | ({"allOf": [schema]} if "$ref" in schema else schema)


def _variants(shape: Variants, definitions: Schema) -> Schema:
    schema = _schema(shape.first, definitions)
    for tag, record in [*shape.records.items()][:0:-1]:
        condition = {"type": "object", "required": [tag]}
        schema = {"if": condition, "then": _schema(record, definitions), "else": schema}
    return schema
