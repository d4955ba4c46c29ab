"""A server for the browser tests: our tools and viewer over a service that plays scenes, on loopback.

`python -m tests.viewer.scripted_server FOLDER DECLARED UNDECLARED` renders media into the folder (somebody else serves
them under the two origins), says its URL on standard error and serves until its standard input closes.
"""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import anyio
from anyio.to_thread import run_sync

from rushes.domain.errors import StoreBusy
from rushes.domain.principal import Principal
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest, Kind
from rushes.server.mcp.server import build_server
from rushes.server.transports.serve import serve_http
from rushes.tasks.service import Answer, Wish
from rushes.tools import already

from ..altered import altered
from ..sandbox.driving import generated
from ..tools.fake_service import FakeService, record
from .scenes import FILES, LARGE, Place, Step, scenes

PROMPTS: dict[Kind, str] = {
    "video": "A red fox running through fresh snow at first light",
    "image": "A lighthouse at dusk, long exposure",
    "audio": "Rain on a tin roof",
}


class ScriptedService(FakeService):
    """Plays the scene that the argument `model` names: every look shows its next step."""

    def __init__(self, place: Place) -> None:
        super().__init__()
        self._scenes = scenes(place)
        self._ahead: dict[str, list[Step]] = {}
        self._faults: dict[str, int] = {}

    async def generate(self, wish: Wish, *, answer_within_seconds: float = 20.0) -> Answer:
        for known in self.records.values():
            if known.request == wish.request and not wish.force_new:
                return Answer(known, deduplicated=True)
        task_id = f"01J8X{len(self.records):021}"
        scene = wish.request.model
        first, *self._ahead[task_id] = self._scenes[scene]
        self._faults[task_id] = 2 if scene == "faltering" else 0
        kind = wish.request.kind
        started = datetime.now(UTC) - timedelta(seconds=14)
        made = record(task_id=task_id, kind=kind, request=wish.request, provider="sandbox", model=f"sandbox-{kind}")
        return Answer(self.put(after(altered(made, {"created_at": started}), first)), deduplicated=False)

    async def get(self, task_id: str, *, principal: Principal) -> TaskRecord:
        found = await super().get(task_id, principal=principal)
        if self._faults[task_id]:
            self._faults[task_id] -= 1
            raise StoreBusy("another process held the store for 10 s")
        if self._ahead[task_id]:
            found = self.put(after(found, self._ahead[task_id].pop(0)))
        return found

    async def cancel(self, task_id: str, *, principal: Principal, abandon: bool = False) -> TaskRecord:
        if self.records[task_id].request.model == "stubborn":
            return await super().cancel(task_id, principal=principal, abandon=abandon)
        return self.put(after(self.records[task_id], {"state": "cancelled", "phase": "done", "open": False}))

    def poll_interval_seconds(self, record: TaskRecord) -> float | None:
        return None if record.final else 1.0


def after(task: TaskRecord, step: Step) -> TaskRecord:
    """The task once it has taken this step, now."""
    now = datetime.now(UTC)
    moved = altered(task, {**step, "updated_at": now})
    return altered(moved, {"finished_at": now}) if moved.final else moved


SIZES: dict[Kind, dict[str, object]] = {
    "video": {"duration_seconds": 5, "resolution": "480p"},
    "image": {"size": "1024x768"},
    "audio": {"duration_seconds": 4},
}
LARGE_BYTES = 900_000


async def render_media(folder: Path) -> None:
    """One real medium of each kind, and a video that is larger than what is sent as it is."""
    for kind, name in FILES.items():
        request = GenerationRequest.model_validate({"kind": kind, "prompt": PROMPTS[kind], **SIZES[kind]})
        (content,) = await generated(request)
        await anyio.Path(folder / name).write_bytes(content)
        if kind == "video":
            free_box = LARGE_BYTES.to_bytes(4, "big") + b"free" + bytes(LARGE_BYTES - 8)
            await anyio.Path(folder / LARGE).write_bytes(content + free_box)


async def main(folder: Path, declared: str, undeclared: str) -> None:
    """Serve until standard input closes."""
    await render_media(folder)
    service = ScriptedService(Place(declared, undeclared, folder))
    server = build_server(already(service), local_files=False, media_domains=[declared])
    async with anyio.create_task_group() as group:
        group.start_soon(lambda: serve_http(server, port=0))
        await run_sync(sys.stdin.read)
        group.cancel_scope.cancel()


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), sys.argv[2], sys.argv[3])
