"""A process that serves one running task over stdio: `python -m tests.server.serving`."""

import sys

import anyio

from rushes.domain.principal import Principal
from rushes.domain.record import TaskRecord
from rushes.server.mcp.server import build_server
from rushes.server.transports.serve import serve_stdio
from rushes.tools import already

from ..tools.fake_service import FakeService, record


class NoisyService(FakeService):
    async def get(self, task_id: str, *, principal: Principal) -> TaskRecord:
        print("a stray word of some library", flush=True)  # noqa: T201  it must not reach the host
        return await super().get(task_id, principal=principal)


async def main() -> None:
    service = NoisyService()
    service.put(record())
    await serve_stdio(build_server(already(service), local_files=True))
    sys.stderr.write("left in order\n")


if __name__ == "__main__":
    anyio.run(main)
