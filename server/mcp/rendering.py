"""What our tools answer, as the protocol's content blocks."""

import json
from base64 import b64encode

from mcp_types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent
from pydantic import JsonValue

from ...tasks.previews.glimpse import JPEG
from ...tools import Picture, ToolResult


def compact(document: dict[str, JsonValue]) -> str:
    """JSON without blanks: what is written here is read, and paid for, by a model."""
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def rendered(result: ToolResult | Picture) -> CallToolResult:
    """The document as structured content and, the same, as text: some hosts show only one of them."""
    if isinstance(result, Picture):
        image = ImageContent(data=b64encode(result.jpeg).decode(), mime_type=JPEG)
        return CallToolResult(content=[image, TextContent(text=result.text)])
    content: list[ContentBlock] = [TextContent(text=compact(result.document))]
    content += [
        ResourceLink(
            uri=link.uri, name=link.name, description=link.description, mime_type=link.mime_type, size=link.bytes
        )
        for link in result.links
    ]
    return CallToolResult(content=content, structured_content=result.document, is_error=result.is_error)
