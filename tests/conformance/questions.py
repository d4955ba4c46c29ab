"""The suite's tools and prompt that ask the client before they answer (multi round-trip requests, 2026-07-28).

rushes asks nothing yet; these show that its extension, its `call_tool` and its `get_prompt` let questions through.
"""

from collections.abc import Mapping
from typing import Annotated

from mcp.server.mcpserver import Context, Elicit, ElicitationResult, Resolve, Sample
from mcp.server.mcpserver.tools import Tool
from mcp_types import (
    CreateMessageRequest,
    CreateMessageRequestParams,
    CreateMessageResult,
    InputRequest,
    InputRequiredResult,
    ListRootsRequest,
    SamplingMessage,
    TextContent,
)
from pydantic import BaseModel

from rushes.server.mcp.server import RushesServer

from .jobs import question

Questions = Mapping[str, InputRequest]


def sampling(prompt: str) -> CreateMessageRequest:
    message = SamplingMessage(role="user", content=TextContent(text=prompt))
    return CreateMessageRequest(params=CreateMessageRequestParams(messages=[message], max_tokens=100))


NAME = question("What is your name?", name="string")
CONFIRM = question("Please confirm", ok="boolean")
CAPITAL = sampling("What is the capital of France?")

ROUNDS: dict[str, tuple[Questions, ...]] = {
    "elicitation": ({"user_name": NAME},),
    "sampling": ({"capital_question": CAPITAL},),
    "list_roots": ({"client_roots": ListRootsRequest()},),
    "request_state": ({"confirm": CONFIRM},),
    "multiple_inputs": (
        {"user_name": NAME, "greeting": sampling("Generate a greeting"), "client_roots": ListRootsRequest()},
    ),
    "multi_round": (
        {"step1": question("Step 1: What is your name?", name="string")},
        {"step2": question("Step 2: What is your favorite color?", color="string")},
    ),
    "tampered_state": ({"confirm": CONFIRM},),
    "capabilities": ({"name": NAME, "capital": CAPITAL},),
}
"""What `test_input_required_result_NAME` asks, round by round."""


def asking_tools() -> list[Tool]:
    return [asking_tool(name, rounds) for name, rounds in ROUNDS.items()]


def asking_tool(name: str, rounds: tuple[Questions, ...]) -> Tool:
    async def call(context: Context) -> str | InputRequiredResult:
        return next_round(context, rounds) or "state-ok"

    tool = f"test_input_required_result_{name}"
    return Tool.from_function(call, name=tool, description=f"Asks: {', '.join(rounds[0])}.", structured_output=False)


def next_round(context: Context, rounds: tuple[Questions, ...]) -> InputRequiredResult | None:
    """The questions of the round that is due; `None` once all are answered. The SDK seals the state on its way."""
    answered = context.input_responses or {}
    begun = int(context.request_state or 0)
    for number in range(max(begun - 1, 0), len(rounds)):
        questions = {key: each for key, each in rounds[number].items() if can_answer(context, each)}
        if not questions.keys() <= answered.keys():
            return InputRequiredResult(input_requests=questions, request_state=str(number + 1))
    return None


def can_answer(context: Context, request: InputRequest) -> bool:
    """Whether the client declared what it takes to answer."""
    capabilities = context.client_capabilities
    declared = {
        "elicitation/create": capabilities and capabilities.elicitation,
        "sampling/createMessage": capabilities and capabilities.sampling,
        "roots/list": capabilities and capabilities.roots,
    }
    return declared[request.method] is not None


async def sample(prompt: str) -> Sample:
    return Sample([SamplingMessage(role="user", content=TextContent(text=prompt))], max_tokens=100)


class Answer(BaseModel):
    """A form."""

    username: str
    email: str


async def elicit(message: str) -> Elicit[Answer]:
    return Elicit(message, Answer)


async def sample_something() -> Sample:
    return Sample([SamplingMessage(role="user", content=TextContent(text="Say something."))], max_tokens=10)


def add_questions(server: RushesServer) -> None:
    """Tools that ask through the SDK's resolvers, on both wires, and the prompt that asks."""

    @server.tool(structured_output=False)
    async def test_missing_capability(  # pyright: ignore[reportUnusedFunction]
        said: Annotated[CreateMessageResult, Resolve(sample_something)],
    ) -> str:
        """Needs sampling."""
        return said.model

    @server.tool(structured_output=False)
    async def test_sampling(  # pyright: ignore[reportUnusedFunction]
        prompt: str, said: Annotated[CreateMessageResult, Resolve(sample)]
    ) -> str:
        """Ask the client's model."""
        return f"LLM response: {said.content} to {prompt}"

    @server.tool(structured_output=False)
    async def test_elicitation(  # pyright: ignore[reportUnusedFunction]
        message: str, answer: Annotated[ElicitationResult[Answer], Resolve(elicit)]
    ) -> str:
        """Ask the client's user."""
        return f"User response: action={answer.action} to {message}"

    @server.prompt()
    async def test_input_required_result_prompt(  # pyright: ignore[reportUnusedFunction]
        context: Context,
    ) -> str | InputRequiredResult:
        """A prompt that asks."""
        wanted = question("What context should the prompt use?", context="string")
        return next_round(context, ({"user_context": wanted},)) or "With the context."
