"""Gemini's generateContent, as Gemini CLI speaks it."""

from dataclasses import replace

from ..scripts.scenario import Document
from .conversation import SERVER, Call, Heard, Result, Words, stream

AFTER_OTHERS = "wait_for_previous"

PREFIX = f"mcp_{SERVER}_"


class GeminiContent:
    """A turn is a request that offers tools; what the host asks about itself comes without any."""

    def heard(self, path: str, request: Document) -> Heard | None:
        names = [str(each["name"]) for each in declarations(request)]
        if not names:
            return None
        return Heard(
            tools={name.removeprefix(PREFIX): name for name in names if name.startswith(PREFIX)},
            result=last_result(request["contents"][-1]["parts"]),
        )

    def said(self, path: str, request: Document, words: Words) -> Document | bytes:
        if ":countTokens" in path:
            return {"totalTokens": 1}
        said = part(ordered(words, request) if isinstance(words, Call) else words)
        candidate = {"content": {"role": "model", "parts": [said]}, "finishReason": "STOP", "index": 0}
        usage = {"promptTokenCount": 1, "candidatesTokenCount": 1, "totalTokenCount": 2}
        answer = {"candidates": [candidate], "usageMetadata": usage}
        return stream([answer]) if ":streamGenerateContent" in path else answer


def declarations(request: Document) -> list[Document]:
    return [each for tool in request.get("tools", []) for each in tool.get("functionDeclarations", [])]


def ordered(call: Call, request: Document) -> Call:
    """With the argument that the host adds to each tool, which asks to run after the calls before it."""
    schema = next(each["parametersJsonSchema"] for each in declarations(request) if each["name"] == call.tool)
    order = {AFTER_OTHERS: True} if AFTER_OTHERS in schema["properties"] else {}
    return replace(call, arguments={**call.arguments, **order})


def part(words: Words) -> Document:
    if isinstance(words, Call):
        return {"functionCall": {"id": words.id, "name": words.tool, "args": words.arguments}}
    return {"text": words}


def last_result(parts: list[Document]) -> Result | None:
    responses = [part["functionResponse"] for part in parts if "functionResponse" in part]
    if not responses:
        return None
    beside = [*parts, *responses[-1].get("parts", [])]
    pictures = sum(str(part.get("inlineData", {}).get("mimeType", "")).startswith("image/") for part in beside)
    said = responses[-1]["response"]
    return Result(responses[-1]["id"], str(said.get("error", said.get("output"))), pictures, "error" in said)
