"""The viewer: an MCP App that shows a task in the host's own window, live, and then what came of it.

The page (`viewer.html`) is one self-contained file that talks to the host only. It may load media from the domains that
are declared with it; what lies elsewhere it asks for through the host, as a resource.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

from mcp.server.apps import Apps, ResourceCsp
from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp_types.version import HANDSHAKE_PROTOCOL_VERSIONS

from ...providers.provider import ProviderSettings
from ...providers.registry import result_hosts
from ..settings.origins import is_origin

VIEWER_URI = "ui://rushes/viewer"

VIEWED_TOOLS = frozenset({"generate_video", "generate_image", "generate_audio", "check_task"})
"""The tools whose answer is a task to look at."""

FLAT_KEY = "ui/resourceUri"
"""How hosts from before MCP Apps were settled find a tool's view."""


class Viewer(Apps):
    """The extension that serves the page and tells hosts what it may load.

    Args:
        media_domains: Origins from which the page may show media, such as `https://cdn.example`; see `media_domains`.
    """

    def __init__(self, media_domains: Iterable[str] = ()) -> None:
        super().__init__()
        self.add_html_resource(
            VIEWER_URI,
            page(),
            name="viewer",
            title="rushes viewer",
            description="Shows a task live, and then its video, pictures or sound.",
            csp=ResourceCsp(resource_domains=list(media_domains), connect_domains=[]),
            prefers_border=False,
        )


@cache
def page() -> str:
    """The page, without the indentation of its source: a host loads it anew for every card."""
    source = files(__name__.rpartition(".")[0]).joinpath("viewer.html").read_text(encoding="utf-8")
    return "".join(line.lstrip(" ") for line in source.splitlines(keepends=True))


def viewer_meta(tool: str) -> dict[str, Any] | None:
    """The `_meta` that binds a tool to the viewer; `None` for a tool whose answer is no task."""
    return {"ui": {"resourceUri": VIEWER_URI}} if tool in VIEWED_TOOLS else None


async def add_flat_key(ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
    """Middleware: bind the tools under the older key too, in answers to older hosts only, because it costs bytes."""
    result = await call_next(ctx)
    if ctx.method == "tools/list" and ctx.protocol_version in HANDSHAKE_PROTOCOL_VERSIONS and isinstance(result, dict):
        for tool in result["tools"]:
            if tool["name"] in VIEWED_TOOLS:
                tool["_meta"] = {**tool["_meta"], FLAT_KEY: VIEWER_URI}
    return result


def media_domains(providers: Iterable[ProviderSettings], extra: Iterable[str] = ()) -> list[str]:
    """The origins on which results of these providers lie, for the page's Content Security Policy; pure.

    Args:
        providers: Only those with a key count.
        extra: Further origins, checked by whoever read them.
    """
    usable = [provider for provider in providers if provider.api_key is not None]
    return list(dict.fromkeys([*(origin for provider in usable for origin in _origins(provider)), *extra]))


def _origins(provider: ProviderSettings) -> Iterator[str]:
    base = urlsplit(provider.base_url or "")
    origin = f"{base.scheme}://{base.netloc}".lower()
    if is_origin(origin):
        yield origin
    for host in result_hosts(provider.wire, base.hostname or ""):
        yield f"https://{host}"
