"""What all arguments of the tools have in common: pydantic models with units in the names.

A null or empty text is the same as an argument not given: hosts send both for optional arguments.
Constraints stand in the descriptions too, because some hosts strip them from the schema.
"""

from pydantic import BaseModel, ConfigDict, model_validator


class ToolInput(BaseModel):
    """Base of every tool's arguments."""

    model_config = ConfigDict(extra="forbid", frozen=True, coerce_numbers_to_str=True, allow_inf_nan=False)

    @model_validator(mode="before")
    @classmethod
    def _leave_out_what_is_not_given(cls, data: object) -> object:
        if not isinstance(data, dict):
            return data
        given: dict[object, object] = {**data}
        return {name: value for name, value in given.items() if value is not None and (value != "" or name == "prompt")}
