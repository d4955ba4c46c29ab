"""The suite's tools, resources and prompts with fixed contents, on the SDK's own decorators.

They show that our server passes on what the SDK offers: every call goes through our `call_tool`, `read_resource` and
`get_prompt`.
"""

import json
from base64 import b64decode

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError
from mcp.server.mcpserver.prompts.base import UserMessage
from mcp.server.mcpserver.tools import Tool
from mcp_types import (
    AudioContent,
    CallToolResult,
    ContentBlock,
    EmbeddedResource,
    ImageContent,
    TextContent,
    TextResourceContents,
)

from rushes.server.mcp.server import RushesServer

PNG = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mP8z8DwHwAFBQIAX8jx0gAAAABJRU5ErkJggg=="  # one pixel
WAV = "UklGRiYAAABXQVZFZm10IBAAAAABAAEAQB8AAAB9AAACABAAZGF0YQIAAAA="  # one sample

PAUSE_SECONDS = 0.05
"""The suite wants to see the notifications of one call apart."""

SCHEMA_2020_12 = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "$defs": {
        "address": {
            "$anchor": "addressDef",
            "type": "object",
            "properties": {"street": {"type": "string"}, "city": {"type": "string"}},
        }
    },
    "properties": {
        "name": {"type": "string"},
        "address": {"$ref": "#/$defs/address"},
        "contactMethod": {"type": "string", "enum": ["phone", "email"]},
        "phone": {"type": "string"},
        "email": {"type": "string"},
    },
    "allOf": [{"anyOf": [{"required": ["phone"]}, {"required": ["email"]}]}],
    "if": {"properties": {"contactMethod": {"const": "phone"}}, "required": ["contactMethod"]},
    "then": {"required": ["phone"]},
    "else": {"required": ["email"]},
    "additionalProperties": False,
}


def text(said: str) -> TextContent:
    return TextContent(text=said)


def image() -> ImageContent:
    return ImageContent(data=PNG, mime_type="image/png")


def embedded(uri: str, said: str, mime_type: str = "text/plain") -> EmbeddedResource:
    return EmbeddedResource(resource=TextResourceContents(uri=uri, mime_type=mime_type, text=said))


CONTENTS: dict[str, list[ContentBlock]] = {
    "test_simple_text": [text("This is a simple text response for testing.")],
    "test_image_content": [image()],
    "test_audio_content": [AudioContent(data=WAV, mime_type="audio/wav")],
    "test_embedded_resource": [embedded("test://embedded-resource", "This is an embedded resource content.")],
    "test_multiple_content_types": [
        text("Multiple content types test:"),
        image(),
        embedded("test://mixed-content-resource", '{"test":"data","value":123}', "application/json"),
    ],
}


def content_tools() -> list[Tool]:
    """One tool without arguments for each of `CONTENTS`, and those that do more."""
    tools = [content_tool(name, content) for name, content in CONTENTS.items()]
    schema = content_tool("json_schema_2020_12_tool", [text("seen")])
    return [*tools, schema.model_copy(update={"parameters": SCHEMA_2020_12})]


def content_tool(name: str, content: list[ContentBlock]) -> Tool:
    async def call() -> CallToolResult:
        return CallToolResult(content=content)

    return Tool.from_function(call, name=name, description=f"Answers as {name} does.", structured_output=False)


def add_contents(server: RushesServer) -> None:
    """The other tools, the resources and the prompts."""
    add_tools(server)
    add_resources(server)
    add_prompts(server)


def add_tools(server: RushesServer) -> None:
    @server.tool(structured_output=False)
    async def greet(name: str) -> str:  # pyright: ignore[reportUnusedFunction]
        """Say hello."""
        return f"Hello, {name}!"

    @server.tool()
    async def test_error_handling() -> str:  # pyright: ignore[reportUnusedFunction]
        """Fail."""
        raise ToolError("This tool intentionally returns an error for testing")

    @server.tool(structured_output=False)
    async def test_tool_with_progress(context: Context) -> str:  # pyright: ignore[reportUnusedFunction]
        """Report progress."""
        for percent in (0, 50, 100):
            await context.report_progress(percent, 100, f"{percent} %")
            await anyio.sleep(PAUSE_SECONDS)
        return "done"


def add_resources(server: RushesServer) -> None:
    @server.resource("test://static-text", mime_type="text/plain")
    def static_text() -> str:  # pyright: ignore[reportUnusedFunction]
        return "This is the content of the static text resource."

    @server.resource("test://static-binary", mime_type="image/png")
    def static_binary() -> bytes:  # pyright: ignore[reportUnusedFunction]
        return b64decode(PNG)

    @server.resource("test://watched-resource", mime_type="text/plain")
    def watched() -> str:  # pyright: ignore[reportUnusedFunction]
        return "watched"

    @server.resource("test://template/{id}/data", mime_type="application/json")
    def template(id: str) -> str:  # noqa: A002  # pyright: ignore[reportUnusedFunction]
        return json.dumps({"id": id, "templateTest": True, "data": f"Data for ID: {id}"})


def add_prompts(server: RushesServer) -> None:
    @server.prompt()
    def test_simple_prompt() -> str:  # pyright: ignore[reportUnusedFunction]
        """A simple prompt."""
        return "This is a simple prompt for testing."

    @server.prompt()
    def test_prompt_with_arguments(arg1: str, arg2: str) -> str:  # pyright: ignore[reportUnusedFunction]
        """A prompt with arguments."""
        return f"Prompt with arguments: arg1='{arg1}', arg2='{arg2}'"

    @server.prompt()
    def test_prompt_with_embedded_resource(  # pyright: ignore[reportUnusedFunction]
        resourceUri: str,  # noqa: N803  the suite's name
    ) -> list[UserMessage]:
        """A prompt with a resource."""
        resource = embedded(resourceUri, "Embedded resource content for testing.")
        return [UserMessage(resource), UserMessage("Please process the embedded resource above.")]

    @server.prompt()
    def test_prompt_with_image() -> list[UserMessage]:  # pyright: ignore[reportUnusedFunction]
        """A prompt with an image."""
        return [UserMessage(image()), UserMessage("Please analyze the image above.")]
