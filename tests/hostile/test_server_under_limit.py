"""The whole server with little memory, over a gateway whose every answer would take more."""

import json
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from ..served import without_keys
from ..soak.hosts import Host, hosted
from .bombs import claimed_samples
from .compressed import twice_gzipped
from .processes import on_linux
from .server import Answer, Server, serving, whole
from .summary import PEAK_MIB

pytestmark = [pytest.mark.anyio, on_linux]

LIMIT_MIB, PEAK_MIB_MAX = 1024, 300
LIMITED = f"""
import resource, sys
resource.setrlimit(resource.RLIMIT_AS, ({LIMIT_MIB} << 20, {LIMIT_MIB} << 20))
sys.argv = ["rushes", "serve"]
from rushes.server.cli import main
main()
"""
BOMB = whole(twice_gzipped(2048), content_encoding="gzip, gzip")


def _gateway(server: Server) -> Answer:
    """The first POST, the first look at each job and each job's first output are bombs; all else is well."""
    asked = Counter[str]()

    def told(job: str, status: str) -> list[bytes]:
        output = [f"{server.url}/{job}/{number}.mp4" for number in (1, 2)] if status == "succeeded" else None
        return whole(json.dumps({"id": job, "status": status, "output": output}).encode())

    def answer(head: str) -> list[bytes]:
        what = head.partition(" HTTP")[0]
        asked[what] += 1
        if head.startswith("POST"):
            return BOMB if asked[what] == 1 else told(f"pred_{asked[what]}", "starting")
        if what.endswith(".mp4"):
            return BOMB if what.endswith("1.mp4") else whole(claimed_samples(), content_type="video/mp4")
        return BOMB if asked[what] == 1 else told(what.rpartition("/")[2], "succeeded")

    return answer


async def _made(host: Host, prompt: str) -> str:
    told = await host.tool("generate_video", prompt=prompt, provider="routeany", model="some/model")
    assert told is not None
    assert told.task_id is not None
    return told.task_id


async def _ended(host: Host, task_id: str) -> str | None:
    told = await host.tool("check_task", task_id=task_id, wait_seconds=20)
    return None if told is None else told.state


@pytest.mark.storm
async def test_a_server_with_little_memory_outlives_its_gateways_bombs(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    with serving(answers=_gateway) as server, anyio.fail_after(60):
        keys = {"ROUTEANY_BASE_URL": server.url, "ROUTEANY_API_KEY": "rk_live_0123456789"}
        environment = {**without_keys(), **keys, "RUSHES_HOME": str(tmp_path / "home"), "MALLOC_ARENA_MAX": "1"}
        async with (
            hosted(environment, tmp_path / "log", [sys.executable, "-c", LIMITED]) as host,
            anyio.create_task_group() as group,
        ):
            group.start_soon(host.live)
            lost = await _made(host, "its submission is a bomb")
            (first, second) = [await _made(host, f"its look is a bomb, {number}") for number in (1, 2)]
            assert [await _ended(host, task) for task in (first, second)] == ["succeeded", "succeeded"]
            told = await host.tool("check_task", task_id=lost)
            assert told is not None
            assert told.state in {"queued", "unknown"}
            await host.end("EOF")
        assert host.code == 0
    kept = sorted((tmp_path / "home" / "outputs").glob("*.mp4"))
    assert [file.read_bytes() for file in kept] == [claimed_samples()] * 2
    record_property(PEAK_MIB, host.peak_mib)
    assert host.peak_mib < PEAK_MIB_MAX
