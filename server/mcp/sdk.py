"""What the SDK has no public way to, all in one place: the first to look at when its version changes."""

import sys
from collections.abc import Generator
from contextlib import AsyncExitStack, contextmanager
from typing import TYPE_CHECKING, Any, TypeVar, cast

from mcp.server.context import ServerRequestContext
from mcp.server.lowlevel.server import NotificationHandler, RequestHandler
from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.utilities.func_metadata import ArgModelBase, FuncMetadata
from mcp_types import NotificationParams, RequestParams, ServerCapabilities
from pydantic import JsonValue, ValidationError

if TYPE_CHECKING:
    from types import ModuleType

ParamsT = TypeVar("ParamsT", bound=RequestParams)
ToldT = TypeVar("ToldT", bound=NotificationParams)

_RICH = "rich.console"


class OpenServer(MCPServer[dict[str, Any]]):
    """The SDK's server with a door to the server below it."""

    def answer(self, method: str, params_type: type[ParamsT], handler: RequestHandler[dict[str, Any], ParamsT]) -> None:
        """Answer a method of the protocol ourselves, in place of what the SDK may have for it."""
        self._lowlevel_server.add_request_handler(method, params_type, handler)

    def hear(self, method: str, params_type: type[ToldT], handler: NotificationHandler[dict[str, Any], ToldT]) -> None:
        """Hear a notification of the protocol."""
        self._lowlevel_server.add_notification_handler(method, params_type, handler)

    def capabilities(self, protocol_version: str) -> ServerCapabilities:
        """What the server can do, as the SDK tells it in this version of the protocol."""
        return self._lowlevel_server.get_capabilities(protocol_version=protocol_version)

    def tool_names(self) -> list[str]:
        """In the order in which a host sees them."""
        return [tool.name for tool in self._tool_manager.list_tools()]

    async def serve_streams(self, read: Any, write: Any) -> None:
        """Serve one connection until its read side closes."""
        server = self._lowlevel_server
        await server.run(read, write, server.create_initialization_options())


class _RawArguments(FuncMetadata):
    """Hands a call's arguments through as they came: the tools validate them, with their own words."""

    def validate_arguments(self, arguments_to_validate: dict[str, Any]) -> dict[str, Any]:
        return {"arguments": arguments_to_validate}


def raw_arguments(output_schema: dict[str, JsonValue] | None) -> FuncMetadata:
    """The metadata of a function that takes `arguments` as the client sent them."""
    return _RawArguments(arg_model=ArgModelBase, output_schema=output_schema)


def of_the_connection(ctx: ServerRequestContext[Any, Any]) -> tuple[dict[str, Any], AsyncExitStack]:
    """What lasts as long as the connection: a place to keep things in, and what is called when it ends."""
    connection = ctx.session._connection  # pyright: ignore[reportPrivateUsage]
    return connection.state, connection.exit_stack


def wrong_prompt_arguments(error: ValueError) -> ValidationError | None:
    """What the validation of a prompt's arguments said; the SDK wraps it twice."""
    inner = error.__cause__.__cause__ if error.__cause__ is not None else None
    return inner if isinstance(inner, ValidationError) else None


@contextmanager
def no_rich_logs() -> Generator[None]:
    """Keep the SDK from loading rich, which it sets up logging with where it can: ours is set up, and rich is slow."""
    absent = _RICH not in sys.modules
    if absent:
        # None makes an import raise ImportError, upon which the SDK goes without.
        sys.modules[_RICH] = cast("ModuleType", None)
    try:
        yield
    finally:
        if absent:
            del sys.modules[_RICH]
