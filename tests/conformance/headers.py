"""A tool with an argument that a header repeats (`x-mcp-header`), through our own schemas."""

from mcp.server.mcpserver.tools import Tool
from pydantic import Field

from rushes.server.mcp.server import sdk_tool
from rushes.tools import READS, ToolContext, ToolInput, ToolResult, ToolSpec


class CustomHeaders(ToolInput):
    """Arguments of `test_custom_headers`."""

    region: str = Field("", json_schema_extra={"x-mcp-header": "Region"})
    query: str = Field("")


async def repeat(_: ToolContext, arguments: CustomHeaders) -> ToolResult:
    return ToolResult(document={"region": arguments.region, "query": arguments.query})


SPEC = ToolSpec(
    "test_custom_headers", "Custom headers", "Repeats its arguments.", CustomHeaders, repeat, READS, {"type": "object"}
)


def header_tool(surroundings: ToolContext) -> Tool:
    return sdk_tool(SPEC, surroundings)
