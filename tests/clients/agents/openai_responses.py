"""OpenAI's Responses API, as Codex speaks it."""

import json
from collections.abc import Iterator

from ..scripts.scenario import Document
from .conversation import SERVER, Call, Heard, Result, Words, stream

FAILED = "tool call error:"
"""How it begins what it says instead of a result; it has no field for that."""

NAMESPACE = f"mcp__{SERVER}"


class OpenAIResponses:
    """Each request is a turn; the tools of a server are a namespace."""

    def heard(self, path: str, request: Document) -> Heard | None:
        if path != "/v1/responses":
            return None
        spaces = [tool for tool in request["tools"] if tool.get("name") == NAMESPACE]
        names = [str(tool["name"]) for space in spaces for tool in space["tools"]]
        outputs = [item for item in request["input"] if item["type"] == "function_call_output"]
        return Heard(tools={name: name for name in names}, result=result(outputs[-1]) if outputs else None)

    def said(self, path: str, request: Document, words: Words) -> Document | bytes:
        return stream(events(words))


def events(words: Words) -> Iterator[Document]:
    response = {"id": "resp_1"}
    usage = {"input_tokens": 1, "output_tokens": 1, "total_tokens": 2}
    yield {"type": "response.created", "response": response}
    yield {"type": "response.output_item.done", "output_index": 0, "item": item(words)}
    yield {"type": "response.completed", "response": {**response, "usage": usage}}


def item(words: Words) -> Document:
    if isinstance(words, Call):
        call = {"call_id": words.id, "arguments": json.dumps(words.arguments)}
        return {"type": "function_call", "namespace": NAMESPACE, "name": words.tool, **call}
    content = [{"type": "output_text", "text": words}]
    return {"type": "message", "id": "msg_1", "role": "assistant", "content": content}


def result(said: Document) -> Result:
    """From a text, or from items of which some are pictures."""
    output = said["output"]
    items = [{"type": "input_text", "text": output}] if isinstance(output, str) else output
    text = "\n".join(item["text"] for item in items if item["type"] == "input_text")
    pictures = sum(item["type"] == "input_image" for item in items)
    return Result(said["call_id"], text, pictures, FAILED in text)
