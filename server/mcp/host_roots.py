"""The folders that a host has open, where it offers them: roots of the protocol."""

from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from mcp.server.context import ServerRequestContext
from mcp.server.mcpserver import Context
from mcp_types import NotificationParams

from ..settings.settings import is_project
from .asking import Asking
from .sdk import of_the_connection

_TOLD = "rushes/host_roots"


async def host_roots(context: Context[Any, Any], asking: Asking) -> Sequence[Path] | None:
    """The host's folders; nothing where it offers none, and `None` where its answer comes with the next call.

    One that is no project (`/`, a home folder) is passed over: it would open everything to a prompt. They are
    remembered where the host promises to tell of changes, as long as its connection lasts.
    """
    kept, _ = of_the_connection(context.request_context)
    if _TOLD in kept:
        known: Sequence[Path] = kept[_TOLD]
        return known
    told = await asking.roots()
    if told is None:
        return None
    folders = [path for path in _paths(told) if is_project(path)]
    declared = context.client_capabilities
    if declared is not None and declared.roots is not None and declared.roots.list_changed:
        kept[_TOLD] = folders
    return folders


async def roots_changed(ctx: ServerRequestContext[Any, Any], _: NotificationParams) -> None:
    """The host has opened or closed a folder."""
    kept, _exit = of_the_connection(ctx)
    kept.pop(_TOLD, None)


def _paths(uris: Iterable[str]) -> Iterator[Path]:
    for uri in uris:
        parts = urlsplit(uri)
        if parts.scheme == "file" and parts.netloc in ("", "localhost"):
            yield Path(unquote(parts.path))
