"""What a tool is: its name, words, schemas, hints for the host, and the function behind it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Generic

from typing_extensions import TypeVar

from ..domain.request import Kind
from .answers.result import Picture, ToolResult
from .arguments.schema import Schema, input_schema
from .arguments.tool_input import ToolInput
from .context import ToolContext

InputT = TypeVar("InputT", bound=ToolInput)
AnswerT = TypeVar("AnswerT", bound=ToolResult | Picture, default=ToolResult)

Hints = dict[str, bool]
"""The protocol's annotations: `readOnlyHint` and so on. They inform a host's questions to its user."""

# What is so by default is left out: a tool that is not said to read only may change things.
GENERATES: Hints = {"destructiveHint": False}
READS: Hints = {"readOnlyHint": True}
CANCELS: Hints = {"destructiveHint": True, "idempotentHint": True}

ANSWERS: Schema = {"type": "object"}
"""The outline of every structured answer: clients check results against it and show it to no model, so it says no more
than the protocol asks for, and the list of tools stays short."""


@dataclass(frozen=True)
class ToolSpec(Generic[InputT, AnswerT]):
    """One tool."""

    name: str
    title: str
    description: str
    """Its first sentence says when to use it: some hosts search only that."""
    input_model: type[InputT]
    call: Callable[[ToolContext, InputT], Awaitable[AnswerT]] = field(repr=False)
    hints: Hints
    output_schema: Schema | None
    """None where the answer is not structured."""
    kind: Kind | None = None
    """What it generates."""
    told_in: type[ToolInput] | None = None
    """The tool that tells of the arguments that both have, and to which the description points."""

    @cached_property
    def input_schema(self) -> Schema:
        """What a host lists of its arguments."""
        return input_schema(self.input_model, self.told_in)
