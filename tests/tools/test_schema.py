"""The schemas are such that every host takes them, and short."""

from collections.abc import Iterator
from typing import Any, Literal

import pytest
from pydantic import BaseModel, Field, JsonValue

from rushes.tools import ALL_TOOLS, Schema, ToolSpec, input_schema, portable

NAMES = [spec.name for spec in ALL_TOOLS]
NOT_PORTABLE = {"$ref", "$defs", "anyOf", "oneOf", "allOf", "not", "const", "format", "title", "prefixItems", "default"}


def walk(schema: JsonValue, *, names: bool = False) -> Iterator[Schema]:
    """Every schema in a schema; the keys of `properties` are names, not keywords."""
    if isinstance(schema, list):
        for member in schema:
            yield from walk(member)
    if isinstance(schema, dict):
        if not names:
            yield schema
        for key, value in schema.items():
            yield from walk(value, names=not names and key == "properties")


@pytest.mark.parametrize("spec", ALL_TOOLS, ids=NAMES)
def test_a_schema_holds_only_what_every_host_takes(spec: ToolSpec[Any, Any]) -> None:
    for schema in (spec.input_schema, spec.output_schema or {}):
        for part in walk(schema):
            assert not NOT_PORTABLE & part.keys()
            assert isinstance(part.get("type", "string"), str)
            assert all(isinstance(value, str) for value in _listed(part.get("enum")))


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


@pytest.mark.parametrize("spec", ALL_TOOLS, ids=NAMES)
def test_an_input_schema_allows_no_unknown_argument_and_types_every_known_one(spec: ToolSpec[Any, Any]) -> None:
    schema = spec.input_schema
    properties = schema["properties"]

    assert schema["additionalProperties"] is False
    assert schema["type"] == "object"
    assert isinstance(properties, dict)
    assert set(properties) == set(spec.input_model.model_fields)
    assert all(isinstance(part, dict) and "type" in part for part in properties.values())


@pytest.mark.parametrize("spec", ALL_TOOLS, ids=NAMES)
def test_a_limit_stands_in_the_description_because_some_hosts_strip_all_others(spec: ToolSpec[Any, Any]) -> None:
    for name, own in spec.input_model.model_json_schema()["properties"].items():
        shown = _said_of(name, spec.input_schema) + (_said_of(name, input_schema(spec.told_in)) if spec.told_in else "")
        limits = [part[keyword] for part in walk(own) for keyword in ("maximum", "maxLength") if keyword in part]
        assert all(f"{limit:g}" in shown for limit in limits)


def _said_of(name: str, schema: Schema) -> str:
    """What a schema tells of an argument; nothing where it has none of that name."""
    properties = schema["properties"]
    assert isinstance(properties, dict)
    return str(properties.get(name, ""))


def test_what_several_tools_take_is_described_once_and_the_others_say_where() -> None:
    told = {spec.input_model: spec for spec in ALL_TOOLS}
    pointing = [spec for spec in ALL_TOOLS if spec.told_in is not None]

    assert {spec.name for spec in pointing} >= {"generate_image", "generate_audio"}
    for spec in pointing:
        teller = told[spec.told_in]  # type: ignore[index]
        assert teller.name in spec.description
        for name in teller.input_model.model_fields.keys() & spec.input_model.model_fields.keys():
            said = _said_of(name, spec.input_schema)
            assert "description" not in said or said != _said_of(name, teller.input_schema)


class Colour(BaseModel):
    name: Literal["red"] = Field("red", title="Name")
    shade: float | None = None


class Palette(BaseModel):
    main: Colour
    others: list[Colour] | None = None
    extra: dict[str, JsonValue] = Field(default_factory=dict)


class Tree(BaseModel):
    children: list["Tree"]


class Either(BaseModel):
    value: int | str


def test_references_optional_values_and_constants_are_flattened() -> None:
    colour = {
        "type": "object",
        "properties": {"name": {"type": "string", "enum": ["red"]}, "shade": {"type": "number"}},
    }

    assert portable(Palette.model_json_schema()) == {
        "type": "object",
        "properties": {
            "main": colour,
            "others": {"type": "array", "items": colour},
            "extra": {"type": "object"},
        },
        "required": ["main"],
    }


@pytest.mark.parametrize("model", [Tree, Either])
def test_what_has_no_portable_form_is_an_error_and_not_dropped(model: type[BaseModel]) -> None:
    with pytest.raises(ValueError, match=r"refers to itself|no portable form"):
        portable(model.model_json_schema())
