"""Anthropic's Messages API, as Claude Code speaks it."""

import json
import re
from collections.abc import Iterable, Iterator
from typing import Any

from ..scripts.scenario import Document
from .conversation import SERVER, Call, Heard, Result, Words, stream

PREFIX = f"mcp__{SERVER}__"
SEARCH = "ToolSearch"


class AnthropicMessages:
    """A turn is a request that offers tools; titles and counts are asked for without any."""

    def heard(self, path: str, request: Document) -> Heard | None:
        offered = {str(tool["name"]) for tool in request.get("tools", [])}
        if not path.startswith("/v1/messages?") or not offered:
            return None
        known = set(re.findall(rf"{PREFIX}\w+", " ".join(texts(request["messages"]))))
        callable_now = {name for name in offered if name.startswith(PREFIX)} | found(request["messages"])
        held_back = ",".join(sorted(known - callable_now))
        return Heard(
            tools={name.removeprefix(PREFIX): name for name in callable_now},
            search=Call(SEARCH, {"query": f"select:{held_back}", "max_results": 20}) if held_back else None,
            result=last_result(request["messages"]),
        )

    def said(self, path: str, request: Document, words: Words) -> Document | bytes:
        if path.startswith("/v1/messages/count_tokens"):
            return {"input_tokens": 1}
        message = {**empty(request), "content": [block(words)], "stop_reason": stop_reason(words)}
        return stream(events(empty(request), words)) if request.get("stream") else message


def events(message: Document, words: Words) -> Iterator[Document]:
    begun: Document = {"input": {}} if isinstance(words, Call) else {"text": ""}
    yield {"type": "message_start", "message": message}
    yield {"type": "content_block_start", "index": 0, "content_block": {**block(words), **begun}}
    yield {"type": "content_block_delta", "index": 0, "delta": delta(words)}
    yield {"type": "content_block_stop", "index": 0}
    ended = {"stop_reason": stop_reason(words), "stop_sequence": None}
    yield {"type": "message_delta", "delta": ended, "usage": {"output_tokens": 1}}
    yield {"type": "message_stop"}


def empty(request: Document) -> Document:
    head: Document = {"id": "msg_1", "type": "message", "role": "assistant", "model": request["model"], "content": []}
    return {**head, "stop_reason": None, "stop_sequence": None, "usage": {"input_tokens": 1, "output_tokens": 1}}


def block(words: Words) -> Document:
    if isinstance(words, Call):
        return {"type": "tool_use", "id": words.id, "name": words.tool, "input": words.arguments}
    return {"type": "text", "text": words}


def delta(words: Words) -> Document:
    if isinstance(words, Call):
        return {"type": "input_json_delta", "partial_json": json.dumps(words.arguments)}
    return {"type": "text_delta", "text": words}


def stop_reason(words: Words) -> str:
    return "tool_use" if isinstance(words, Call) else "end_turn"


def blocks(content: Any) -> list[Document]:
    """Of a message or of a tool's result, which may be given as a text."""
    return [{"type": "text", "text": content}] if isinstance(content, str) else list(content)


def results(messages: Iterable[Document]) -> Iterator[Document]:
    for message in messages:
        yield from (each for each in blocks(message["content"]) if each["type"] == "tool_result")


def texts(messages: Iterable[Document]) -> Iterator[str]:
    """What is said, outside of tools' results."""
    for message in messages:
        yield from (each["text"] for each in blocks(message["content"]) if each["type"] == "text")


def found(messages: Iterable[Document]) -> set[str]:
    """The tools that searches made callable."""
    references = (each for result in results(messages) for each in blocks(result["content"]))
    return {str(each["tool_name"]) for each in references if each["type"] == "tool_reference"}


def last_result(messages: Iterable[Document]) -> Result | None:
    last = list(results(messages))[-1:]
    if not last:
        return None
    content = blocks(last[0]["content"])
    text = "\n".join(each["text"] for each in content if each["type"] == "text")
    pictures = sum(each["type"] == "image" for each in content)
    return Result(last[0]["tool_use_id"], text, pictures, bool(last[0].get("is_error")))
