"""The folders that a host has open, where it offers them: roots of the protocol."""

import logging
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import anyio
from mcp.server.mcpserver import Context
from mcp.shared.exceptions import MCPError
from mcp_types import ListRootsRequest, ListRootsResult

from ..settings.settings import is_project

logger = logging.getLogger(__name__)

ANSWER_WITHIN_SECONDS = 3.0
"""A host that does not answer has none."""

ROOTS_MAX = 50


async def host_roots(context: Context[Any, Any]) -> Sequence[Path]:
    """What the host answers; nothing where it offers no roots, or the connection has no way back to it.

    One that is no project (`/`, a home folder) is passed over: it would open everything to a prompt.
    """
    capabilities = context.client_capabilities
    if capabilities is None or capabilities.roots is None:
        return ()
    try:
        with anyio.fail_after(ANSWER_WITHIN_SECONDS):
            told = await context.session.send_request(ListRootsRequest(), ListRootsResult)
    except (MCPError, TimeoutError) as error:
        logger.info("the host tells no roots", extra={"problem": str(error)})
        return ()
    return [path for path in _paths(str(root.uri) for root in told.roots[:ROOTS_MAX]) if is_project(path)]


def _paths(uris: Iterable[str]) -> Iterator[Path]:
    for uri in uris:
        parts = urlsplit(uri)
        if parts.scheme == "file" and parts.netloc in ("", "localhost"):
            yield Path(unquote(parts.path))
