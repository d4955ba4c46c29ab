"""What all arguments of the tools have in common: pydantic models with units in the names.

A null or empty text is the same as an argument not given: hosts send both for optional arguments.
Constraints stand in the descriptions too, because some hosts strip them from the schema.
"""

from types import UnionType
from typing import Annotated, Union, get_args, get_origin

from pydantic import ConfigDict, ValidationInfo, field_validator, model_validator
from pydantic_core import PydanticCustomError

from ...domain.value import Value


class ToolInput(Value):
    """Base of every tool's arguments."""

    model_config = ConfigDict(extra="forbid", coerce_numbers_to_str=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_not_given(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        given: dict[object, object] = {**data}
        return {name: value for name, value in given.items() if value is not None and (value != "" or name == "prompt")}

    @field_validator("*", mode="before")
    @classmethod
    def _no_number_is_true_or_false(cls, value: object, info: ValidationInfo) -> object:
        """Pydantic would read true as 1, and one second would be paid for."""
        field = cls.model_fields[info.field_name or ""]
        if isinstance(value, bool) and _is_number(field.annotation):
            raise PydanticCustomError("rushes", "must be a number, not {given}", {"given": str(value).lower()})
        return value


def _is_number(annotation: object) -> bool:
    if get_origin(annotation) is Annotated or get_origin(annotation) in {Union, UnionType}:
        return any(_is_number(part) for part in get_args(annotation))
    return annotation is int or annotation is float
