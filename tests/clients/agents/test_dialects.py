"""Each model API as its host speaks it: requests in the shape that hosts were seen to send, and what is answered."""

import json
from typing import Any

import pytest

from ..scripts.scenario import Document
from .anthropic_messages import AnthropicMessages
from .conversation import LAST_WORDS, Call, Dialect, Heard, Result
from .gemini_content import GeminiContent
from .openai_responses import OpenAIResponses

MESSAGES = "/v1/messages?beta=true"
RESPONSES = "/v1/responses"
GENERATE = "/v1beta/models/gemini-2.5-pro:streamGenerateContent?alt=sse"

TASK = '{"task_id":"01TASK","state":"queued"}'

CHECK = Call("check_task", {"task_id": "01TASK"}, "call_2")

HELD_BACK: Document = {
    "model": "claude",
    "stream": True,
    "tools": [{"name": "Bash"}, {"name": "ToolSearch"}],
    "messages": [
        {"role": "user", "content": "Make a picture"},
        {"role": "system", "content": [{"type": "text", "text": "Deferred:\nmcp__rushes__check_task\nWebFetch"}]},
    ],
}

FOUND: Document = {
    **HELD_BACK,
    "messages": [
        *HELD_BACK["messages"],
        {"role": "assistant", "content": [{"type": "tool_use", "id": "call_1", "name": "ToolSearch", "input": {}}]},
        {
            "role": "user",
            "content": [
                {
                    "type": "tool_result",
                    "tool_use_id": "call_1",
                    "content": [{"type": "tool_reference", "tool_name": "mcp__rushes__check_task"}],
                },
                {"type": "text", "text": "Tool loaded."},
            ],
        },
    ],
}


def claude(*content: Document, **result: Any) -> Document:
    """A request after a call of a tool of rushes."""
    told = {"type": "tool_result", "tool_use_id": "call_2", "content": list(content), **result}
    later = {"role": "user", "content": [told, {"type": "text", "text": "Tool loaded."}]}
    return {**FOUND, "messages": [*FOUND["messages"], later]}


def codex(*items: Document) -> Document:
    mine = {"type": "namespace", "name": "mcp__rushes", "tools": [{"type": "function", "name": "check_task"}]}
    others = [{"type": "function", "name": "exec_command"}, {"type": "web_search"}]
    return {"stream": True, "tools": [*others, mine], "input": [{"type": "message", "role": "user"}, *items]}


def codex_told(output: Any) -> Document:
    return codex({"type": "function_call_output", "call_id": "call_2", "output": output})


def gemini(*parts: Document) -> Document:
    def declared(name: str) -> Document:
        properties = {"task_id": {"type": "string"}, "wait_for_previous": {"type": "boolean"}}
        return {"name": name, "parametersJsonSchema": {"type": "object", "properties": properties}}

    tools = [{"functionDeclarations": [declared("read_file"), declared("mcp_rushes_check_task")]}]
    return {"tools": tools, "contents": [{"role": "user", "parts": list(parts)}]}


def gemini_told(response: Document, *beside: Document) -> Document:
    told = {"id": "call_2", "name": "mcp_rushes_check_task", "response": response}
    return gemini({"functionResponse": told}, *beside)


def events(said: Document | bytes) -> list[Any]:
    assert isinstance(said, bytes)
    return [json.loads(line[6:]) for line in said.decode().splitlines() if line.startswith("data: ")]


@pytest.mark.parametrize(
    ("dialect", "path", "request_", "own_name"),
    [
        (AnthropicMessages(), MESSAGES, FOUND, "mcp__rushes__check_task"),
        (OpenAIResponses(), RESPONSES, codex(), "check_task"),
        (GeminiContent(), GENERATE, gemini({"text": "Make a picture"}), "mcp_rushes_check_task"),
    ],
)
def test_the_model_hears_of_the_tools_of_rushes_only(
    dialect: Dialect, path: str, request_: Document, own_name: str
) -> None:
    heard = dialect.heard(path, request_)

    assert heard is not None
    assert heard.tools == {"check_task": own_name}
    assert heard.search is None


def test_tools_that_claude_code_holds_back_are_searched_for_by_name() -> None:
    heard = AnthropicMessages().heard(MESSAGES, HELD_BACK)

    search = Call("ToolSearch", {"query": "select:mcp__rushes__check_task", "max_results": 20})
    assert heard == Heard(tools={}, search=search, result=None)


PICTURE = {"inlineData": {"mimeType": "image/jpeg", "data": "…"}}


@pytest.mark.parametrize(
    ("dialect", "path", "request_", "result"),
    [
        (AnthropicMessages(), MESSAGES, claude({"type": "text", "text": TASK}), Result("call_2", TASK)),
        (
            AnthropicMessages(),
            MESSAGES,
            claude({"type": "text", "text": "a sheet"}, {"type": "image", "source": {}}),
            Result("call_2", "a sheet", 1),
        ),
        (
            AnthropicMessages(),
            MESSAGES,
            claude({"type": "text", "text": "timed out"}, is_error=True),
            Result("call_2", "timed out", failed=True),
        ),
        (OpenAIResponses(), RESPONSES, codex_told(f"Output:\n{TASK}"), Result("call_2", f"Output:\n{TASK}")),
        (
            OpenAIResponses(),
            RESPONSES,
            codex_told([{"type": "input_text", "text": "Output:"}, {"type": "input_image", "image_url": "data:…"}]),
            Result("call_2", "Output:", 1),
        ),
        (
            OpenAIResponses(),
            RESPONSES,
            codex_told([{"type": "input_text", "text": "tool call error: timed out"}]),
            Result("call_2", "tool call error: timed out", failed=True),
        ),
        (GeminiContent(), GENERATE, gemini_told({"output": TASK}), Result("call_2", TASK)),
        (GeminiContent(), GENERATE, gemini_told({"output": "a sheet"}, PICTURE), Result("call_2", "a sheet", 1)),
        (GeminiContent(), GENERATE, gemini_told({"error": "timed out"}), Result("call_2", "timed out", failed=True)),
    ],
)
def test_the_model_hears_what_came_of_its_last_call(
    dialect: Dialect, path: str, request_: Document, result: Result
) -> None:
    heard = dialect.heard(path, request_)

    assert heard is not None
    assert heard.result == result


@pytest.mark.parametrize(
    ("dialect", "path", "request_"),
    [
        (AnthropicMessages(), "/v1/messages/count_tokens?beta=true", FOUND),
        (AnthropicMessages(), MESSAGES, {"model": "claude", "messages": [{"role": "user", "content": "A title?"}]}),
        (GeminiContent(), "/v1beta/models/gemini-2.5-pro:countTokens", {"contents": [{"parts": [{"text": "…"}]}]}),
        (GeminiContent(), "/v1beta/models/gemini-2.5-pro:generateContent", {"contents": [{"parts": [{"text": "…"}]}]}),
    ],
)
def test_what_a_host_asks_beside_the_conversation_is_no_turn_of_it_and_is_answered(
    dialect: Dialect, path: str, request_: Document
) -> None:
    assert dialect.heard(path, request_) is None
    assert isinstance(dialect.said(path, request_, LAST_WORDS), dict)


def test_a_call_reaches_claude_code_as_a_block_whose_arguments_are_streamed() -> None:
    start, begun, delta, *_, ended, stop = events(AnthropicMessages().said(MESSAGES, FOUND, CHECK))

    assert (start["type"], stop["type"]) == ("message_start", "message_stop")
    assert begun["content_block"] == {"type": "tool_use", "id": "call_2", "name": "check_task", "input": {}}
    assert json.loads(delta["delta"]["partial_json"]) == CHECK.arguments
    assert ended["delta"]["stop_reason"] == "tool_use"


def test_a_call_reaches_codex_as_an_item_in_the_namespace_of_the_server() -> None:
    created, done, completed = events(OpenAIResponses().said(RESPONSES, codex(), CHECK))

    assert (created["type"], completed["type"]) == ("response.created", "response.completed")
    item = done["item"]
    assert (item["type"], item["namespace"], item["name"]) == ("function_call", "mcp__rushes", "check_task")
    assert (item["call_id"], json.loads(item["arguments"])) == ("call_2", CHECK.arguments)


def test_a_call_reaches_gemini_cli_with_the_argument_that_it_adds_to_each_tool() -> None:
    call = Call("mcp_rushes_check_task", {"task_id": "01TASK"}, "call_2")

    [answer] = events(GeminiContent().said(GENERATE, gemini({"text": "…"}), call))

    [part] = answer["candidates"][0]["content"]["parts"]
    arguments = {"task_id": "01TASK", "wait_for_previous": True}
    assert part == {"functionCall": {"id": "call_2", "name": "mcp_rushes_check_task", "args": arguments}}


@pytest.mark.parametrize(
    ("dialect", "path", "request_"),
    [
        (AnthropicMessages(), MESSAGES, FOUND),
        (OpenAIResponses(), RESPONSES, codex()),
        (GeminiContent(), GENERATE, gemini({"text": "…"})),
    ],
)
def test_last_words_are_streamed_as_text_without_a_call(dialect: Dialect, path: str, request_: Document) -> None:
    told = json.dumps(events(dialect.said(path, request_, LAST_WORDS)))

    assert LAST_WORDS in told
    assert not any(word in told for word in ("tool_use", "function_call", "functionCall"))
