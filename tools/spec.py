"""What a tool is: its name, words, schemas, hints for the host, and the function behind it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Generic

from typing_extensions import TypeVar

from ..domain.request import Kind
from .answers.result import Picture, ToolResult
from .arguments.schema import Schema
from .arguments.tool_input import ToolInput
from .context import ToolContext

InputT = TypeVar("InputT", bound=ToolInput)
AnswerT = TypeVar("AnswerT", bound=ToolResult | Picture, default=ToolResult)

Hints = dict[str, bool]
"""The protocol's annotations: `readOnlyHint` and so on. They inform a host's questions to its user."""

GENERATES: Hints = {"readOnlyHint": False, "destructiveHint": False}
READS: Hints = {"readOnlyHint": True, "openWorldHint": False}
CANCELS: Hints = {"readOnlyHint": False, "destructiveHint": True, "idempotentHint": True}


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
    """None where the answer is not structured.

    It is an outline: clients check results against it, so what may be null has no type, nothing is required (a dry run
    has none of a task's fields), and the whole list of tools stays short.
    """
    kind: Kind | None = None
    """What it generates."""
