"""A process that serves one kept video over stdio, decoded as rushes does: `python -m tests.hostile.looking VIDEO`."""

import sys
from pathlib import Path

import anyio

from rushes.cache.media.decoder import Decoder
from rushes.cache.media.kept_files import KeptFiles
from rushes.domain.principal import Principal
from rushes.server.assembly import DECODING
from rushes.server.mcp.server import build_server
from rushes.server.transports.serve import serve_stdio
from rushes.tasks.previews.previews import Previews
from rushes.tasks.service import Seen
from rushes.tools import already

from ..previews.media_files import kept
from ..tools.fake_service import FakeService, record


class Looking(FakeService):
    def __init__(self, previews: Previews) -> None:
        super().__init__()
        self._previews = previews

    async def glimpse(self, task_id: str, index: int, *, principal: Principal, at_seconds: float | None = None) -> Seen:
        found = await self.get(task_id, principal=principal)
        return Seen(found, await self._previews.glimpse(found.outputs[index - 1], at_seconds))


async def main(video: Path) -> None:
    async with Decoder.opened(DECODING) as decoder:
        service = Looking(Previews(KeptFiles(video.parent), decoder))
        service.put(record(state="succeeded", phase="done", open=False, outputs=(kept(video, "video/mp4"),)))
        await serve_stdio(build_server(already(service), local_files=True))


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]))
