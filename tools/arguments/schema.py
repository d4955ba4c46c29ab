"""Portable JSON schemas: what every host's model API takes.

Pydantic emits `$ref`, `anyOf` with null, `const`, titles and formats; some hosts reject those, others lose them.
"""

from collections.abc import Mapping
from typing import TypeGuard

from pydantic import BaseModel, JsonValue

Schema = dict[str, JsonValue]

_NOT_PORTABLE = frozenset({"title", "format", "prefixItems", "$defs", "default", "propertyNames"})
_PLAIN_FROM_THE_DESCRIPTION = frozenset(
    {"minimum", "exclusiveMinimum", "minLength", "maximum", "exclusiveMaximum", "maxLength"}
)
"""Left out, because the list of tools stands in every conversation and has to be short."""


def _is_schema(value: object) -> TypeGuard[Schema]:
    return isinstance(value, dict)


def portable(schema: Schema) -> Schema:
    """The same schema without references, unions with null, constants, titles, formats and null defaults.

    Raises:
        ValueError: A true union, or a recursive reference, which has no portable form.
    """
    definitions = schema.get("$defs", {})
    return _flat(schema, definitions if _is_schema(definitions) else {}, ())


def input_schema(model: type[BaseModel], told_in: type[BaseModel] | None = None) -> Schema:
    """The schema of a tool's arguments; unknown arguments are not allowed.

    Args:
        model: The tool's arguments.
        told_in: Another tool's: what it says of an argument in the same words is not said again.
    """
    schema = portable(model.model_json_schema())
    schema.pop("description", None)
    properties = schema.get("properties")
    if told_in is not None and _is_schema(properties):
        said = {name: field.description for name, field in told_in.model_fields.items()}
        schema["properties"] = {name: _unless_said(part, said.get(name)) for name, part in properties.items()}
    return {**schema, "additionalProperties": False}


def _unless_said(part: JsonValue, said: str | None) -> JsonValue:
    if said is None or not _is_schema(part) or part.get("description") != said:
        return part
    return {key: value for key, value in part.items() if key != "description"}


def _flat(schema: Schema, definitions: Mapping[str, JsonValue], open_refs: tuple[str, ...]) -> Schema:
    schema, open_refs = _resolved(schema, definitions, open_refs)
    flat: Schema = {}
    for key, value in schema.items():
        if key in _NOT_PORTABLE | _PLAIN_FROM_THE_DESCRIPTION:
            continue
        if key == "properties" and _is_schema(value):
            flat[key] = {name: _flatten(part, definitions, open_refs) for name, part in value.items()}
        elif key in {"items", "additionalProperties"}:
            flat[key] = _flatten(value, definitions, open_refs)
        elif key == "const":
            flat["enum"] = [value]
        else:
            flat[key] = value
    if flat.get("additionalProperties") in (True, {}):
        del flat["additionalProperties"]
    return flat


def _flatten(value: JsonValue, definitions: Mapping[str, JsonValue], open_refs: tuple[str, ...]) -> JsonValue:
    return _flat(value, definitions, open_refs) if _is_schema(value) else value


def _resolved(
    schema: Schema, definitions: Mapping[str, JsonValue], open_refs: tuple[str, ...]
) -> tuple[Schema, tuple[str, ...]]:
    """The schema behind `$ref` and optional unions; what stands beside them (a description) wins."""
    seen = list(open_refs)
    while True:
        rest = {key: value for key, value in schema.items() if key not in {"$ref", "anyOf", "oneOf", "allOf"}}
        reference = schema.get("$ref")
        if isinstance(reference, str):
            if reference in seen:
                raise ValueError(f"{reference} refers to itself")
            seen.append(reference)
            target = definitions[reference.removeprefix("#/$defs/")]
        elif (target := _only_member(schema)) is None:
            return schema, tuple(seen)
        if not _is_schema(target):
            raise ValueError(f"{target!r} is not a schema")
        schema = {**target, **rest}


def _only_member(schema: Schema) -> JsonValue:
    """The one member of a union that is not null; `None` where there is no union."""
    for key in ("anyOf", "oneOf", "allOf"):
        union = schema.get(key)
        if isinstance(union, list):
            members = [member for member in union if member != {"type": "null"}]
            if len(members) != 1:
                raise ValueError(f"{key} of {len(members)} schemas has no portable form")
            return members[0]
    return None
