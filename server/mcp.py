"""The MCP server: our tools on the SDK's `MCPServer`, one for all transports and both eras of the protocol."""

import json
from base64 import b64encode
from dataclasses import replace
from importlib.metadata import version
from typing import Any

from mcp.server.caching import CacheHint
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.tools import Tool
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import CallToolResult, ContentBlock, ImageContent, ResourceLink, TextContent, ToolAnnotations

from ..tasks.looks.look import JPEG
from ..tasks.service import Service
from ..tools.call import call_tool
from ..tools.context import ToolContext
from ..tools.refusal import closest
from ..tools.result import Picture, ToolResult
from ..tools.schema import input_schema
from ..tools.toolbox import ALL_TOOLS, ToolSpec

INSTRUCTIONS = """\
rushes generates video, images and audio over paid gateways. A generation is a task that outlives the call.

1. generate_video, generate_image or generate_audio answers with a task_id as soon as the gateway has taken the job.
2. Follow `next`: check_task(task_id, wait_seconds=30) until state is succeeded, failed, cancelled or unknown.
3. Use outputs[].path (a kept file) or outputs[].url; view_output shows you what was made.

To see how a task goes, never call generate_* again: check_task does that, and list_tasks finds lost ids. The same
request while it runs, or just after, returns the same task; force_new: true makes and pays for another.
On failure read failure.charged (was money spent), retry_safe and hint. Tell the user of warnings and costs.
Without provider and model rushes chooses; list_models shows what there is; dry_run: true shows what would be sent.
Media inputs may be earlier outputs: task:<task_id>#1. Without any gateway key a free sandbox renders placeholders.
"""

LIST_TTL_MS = 300_000


class RawArguments(FuncMetadata):
    """Hands a call's arguments through as they came: the tools validate them, with their own words."""

    def validate_arguments(self, arguments_to_validate: dict[str, Any]) -> dict[str, Any]:
        return {"arguments": arguments_to_validate}


class RushesServer(MCPServer[dict[str, Any]]):
    """The SDK's server, able to serve a pair of streams that a transport of ours has opened."""

    async def serve_streams(self, read: Any, write: Any) -> None:
        """Serve one connection until its read side closes."""
        server = self._lowlevel_server
        await server.run(read, write, server.create_initialization_options())


def build_server(service: Service, *, local_files: bool) -> RushesServer:
    """The server over a service that is already running.

    Args:
        service: What the tools ask; entered and left by the caller, once a process.
        local_files: Whether the client shares this machine's files: local paths as media, links to kept files.
    """
    surroundings = ToolContext(service=service, local_files=local_files)
    return RushesServer(
        name="rushes",
        title="rushes",
        instructions=INSTRUCTIONS,
        version=version("rushes"),
        tools=[sdk_tool(spec, surroundings) for spec in ALL_TOOLS],
        cache_hints={"tools/list": CacheHint(ttl_ms=LIST_TTL_MS, scope="public")},
        middleware=[name_the_tool_that_was_meant],
        log_level="WARNING",
    )


def sdk_tool(spec: ToolSpec[Any, Any], surroundings: ToolContext) -> Tool:
    """One of our tools as the SDK's, with our own schema instead of one read from a signature."""

    async def call(arguments: dict[str, object], context: Context[Any, Any]) -> CallToolResult:
        async def report(percent: float, message: str) -> None:
            await context.report_progress(percent, 100, message)

        return rendered(await call_tool(spec, replace(surroundings, report_progress=report), arguments))

    return Tool(
        fn=call,
        name=spec.name,
        title=spec.title,
        description=spec.description,
        parameters=input_schema(spec.input_model),
        fn_metadata=RawArguments(arg_model=ArgModelBase, output_schema=spec.output_schema),
        is_async=True,
        context_kwarg="context",
        annotations=ToolAnnotations.model_validate(spec.hints),
    )


def rendered(result: ToolResult | Picture) -> CallToolResult:
    """The document as structured content and, the same, as text: some hosts show only one of them."""
    if isinstance(result, Picture):
        image = ImageContent(data=b64encode(result.jpeg).decode(), mime_type=JPEG)
        return CallToolResult(content=[image, TextContent(text=result.text)])
    content: list[ContentBlock] = [TextContent(text=json.dumps(result.document, ensure_ascii=False))]
    content += [
        ResourceLink(uri=link.uri, name=link.name, mime_type=link.mime_type, size=link.bytes) for link in result.links
    ]
    return CallToolResult(content=content, structured_content=result.document, is_error=result.is_error)


async def name_the_tool_that_was_meant(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Answer a call of a tool that does not exist with the one that was probably meant."""
    name = (ctx.params or {}).get("name")
    names = [spec.name for spec in ALL_TOOLS]
    if ctx.method != "tools/call" or name in names:
        return await call_next(ctx)
    meant = closest(str(name), names)
    asked = f" Did you mean {meant}?" if meant else ""
    text = f"There is no tool called {str(name)[:80]!r}.{asked} Nothing was done. Tools: {', '.join(names)}."
    return CallToolResult(content=[TextContent(text=text)], is_error=True)
