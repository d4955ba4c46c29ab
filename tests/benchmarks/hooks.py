"""`python -m tests.benchmarks hooks [--jobs N] [--seconds S] [--write]`: looks and lag where gateways call back.

The simulated gateways run in a process of their own and end each job by a clock, around `--seconds`; engine, store,
HTTP and the place for hooks are real. All gateways work at once, first without hooks, then with them.
"""

import argparse
import json
import math
import os
import platform
import random
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import anyio
from anyio.abc import SocketStream

from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.server.assembly import open_engine
from rushes.server.preparation import prepared_settings
from rushes.server.transports.http import bound, hooks_app, serve_app
from rushes.server.web.hooks import HookDoor
from rushes.tasks.engine import Engine
from rushes.tasks.service import Wish

from ..gateways.client import RunningGateways, running_gateways
from .pages import rewritten

MODELS: Mapping[str, str] = {
    "routeany": "veo-3.1",
    "shuyou": "veo-3.1",
    "llmgateway": "veo-3.1",
    "apixo": "veo-3.1",
    "replicate": "google/veo-3.1",
}
SPREAD = 0.3
"""Of the logarithm of the jobs' times."""
AT_ONCE = 32
PER_SECOND = 200
ELSEWHERE_JOBS, ELSEWHERE_SECONDS = 60, 4.0
LISTENED_SECONDS = 5.0

SETTINGS = """
[limits]
keep_outputs = false

[providers.replicate]
wire = "routeany"
api_key_env = "REPLICATE_API_TOKEN"
requests_per_minute = 1000000
options = { webhook_events = ["completed"] }
"""
FASTER = "[providers.{}]\nrequests_per_minute = 1000000\n"
"""No documented rate is to be measured here."""


@dataclass(frozen=True)
class Seen:
    """One job: how often it was looked at, and how long after its end that was known."""

    looks: int
    lag: float


def _percentile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, math.ceil(share * len(ordered)) - 1)]


@asynccontextmanager
async def _engine(
    gateways: RunningGateways, *, with_hooks: bool, public_url: str | None = None
) -> AsyncGenerator[Engine]:
    """With a `public_url` hooks come in elsewhere."""
    async with AsyncExitStack() as stack:
        home = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        listener = bound("127.0.0.1", 0)
        stack.callback(listener.close)
        url = public_url or f"http://127.0.0.1:{listener.getsockname()[1]}"
        known = "".join(FASTER.format(name) for name in MODELS if name != "replicate")
        (home / "rushes.toml").write_text(SETTINGS + known, encoding="utf-8")
        own = {**gateways.only(*MODELS), "RUSHES_HOME": str(home)}
        os.environ.pop("RUSHES_PUBLIC_URL", None)
        os.environ.update({**own, "RUSHES_PUBLIC_URL": url} if with_hooks else own)
        engine = await stack.enter_async_context(open_engine(prepared_settings()))
        group = await stack.enter_async_context(anyio.create_task_group())
        if engine.hook_desk is not None and public_url is None:
            await group.start(serve_app, hooks_app(HookDoor(engine.hook_desk)), listener, "/hooks")
        yield engine
        group.cancel_scope.cancel()


async def _lives(
    engine: Engine, gateways: RunningGateways, jobs: int, seconds: float, names: Sequence[str] = tuple(MODELS)
) -> dict[str, list[Seen]]:
    """So many jobs at each gateway, from their submission to the moment at which rushes knows of their end."""
    draw = random.Random(7)
    ended: dict[str, dict[str, TaskRecord]] = {name: {} for name in names}
    slots = anyio.CapacityLimiter(AT_ONCE)

    async def live(name: str, number: int, takes: float) -> None:
        prompt = f"[ends-in:{takes:.2f}] a fox, {number}"
        request = GenerationRequest(kind="video", prompt=prompt, model=MODELS[name])
        async with slots:
            record = (await engine.generate(Wish(request, principal=LOCAL, provider=name))).record
        while not record.final:
            await anyio.sleep(1.0)
            record = await engine.get(record.task_id, principal=LOCAL)
        assert record.job is not None, record
        ended[name][record.job.job_id] = record

    async with anyio.create_task_group() as group:
        for number in range(jobs):
            for name in names:
                group.start_soon(live, name, number, seconds * math.exp(SPREAD * draw.gauss(0, 1)))
    found: dict[str, list[Seen]] = {}
    for name in names:
        views = {view.job_id: view for view in await gateways.jobs(name)}
        found[name] = [
            Seen(views[job_id].polls, record.finished_at.timestamp() - (views[job_id].finished_at or 0.0))
            for job_id, record in ended[name].items()
            if record.finished_at is not None
        ]
    return found


async def _answer_times(engine: Engine, gateways: RunningGateways, seconds: float) -> tuple[list[float], float]:
    """How long hooks take that another process sends, `PER_SECOND` of them, and processor time of each here."""
    request = GenerationRequest(kind="video", prompt="[stuck] a fox that goes on", model=MODELS["apixo"])
    await engine.generate(Wish(request, principal=LOCAL, provider="apixo"))
    body = (await gateways.jobs("apixo"))[-1].body
    assert isinstance(body, dict)
    command = [sys.executable, "-m", "tests.benchmarks", "hooks", "--to", str(body["callback_url"])]
    worked = time.process_time()
    done = await anyio.run_process([*command, "--seconds", str(seconds)], stderr=None)
    times = [float(line) for line in done.stdout.split()]
    return times, (time.process_time() - worked) / len(times)


async def sent(address: str, seconds: float) -> list[float]:
    """Seconds until each of many hooks was answered; they go out at a pace, whether or not others are answered.

    Bare sockets: an HTTP client's own work would be most of what is measured.
    """
    url, body = urlsplit(address), json.dumps({"code": 200, "data": {"state": "success"}})
    head = f"POST {url.path} HTTP/1.1\r\nHost: {url.netloc}\r\nContent-Type: application/json"
    hook = f"{head}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode()
    times: list[float] = []
    free: list[SocketStream] = []

    async def send() -> None:
        begun = time.perf_counter()
        stream = free.pop() if free else await anyio.connect_tcp(url.hostname or "", url.port or 80)
        await stream.send(hook)
        answer = b""
        while not answer.endswith(b"\r\n\r\nok"):
            answer += await stream.receive()
        assert answer.startswith(b"HTTP/1.1 200 ")
        times.append(time.perf_counter() - begun)
        free.append(stream)

    async with AsyncExitStack() as stack:
        for _ in range(10):
            await send()
        times.clear()
        async with anyio.create_task_group() as group:
            begun = time.perf_counter()
            for number in range(int(PER_SECOND * seconds)):
                await anyio.sleep(max(0.0, begun + number / PER_SECOND - time.perf_counter()))
                group.start_soon(send)
        for stream in free:
            await stack.enter_async_context(stream)
    return times


async def _from_another_process(gateways: RunningGateways) -> tuple[list[Seen], float]:
    """Jobs of which the hooks come to another process, and the processor time a second that listening for word of them
    takes here."""
    with bound("127.0.0.1", 0) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with _engine(gateways, with_hooks=True, public_url=url) as engine:
        command = [sys.executable, "-m", "rushes", "hooks", "--port", url.rpartition(":")[2]]
        async with await anyio.open_process(command, stdin=None, stdout=None, stderr=subprocess.PIPE) as door:
            assert door.stderr is not None
            while b"listening" not in await door.stderr.receive():
                pass
            found = await _lives(engine, gateways, ELSEWHERE_JOBS, ELSEWHERE_SECONDS, ("apixo",))
            request = GenerationRequest(kind="video", prompt="[stuck] a fox that waits", model=MODELS["apixo"])
            await engine.generate(Wish(request, principal=LOCAL, provider="apixo"))
            await anyio.sleep(1.0)
            worked = time.process_time()
            await anyio.sleep(LISTENED_SECONDS)
            worked = time.process_time() - worked
            door.terminate()
    return found["apixo"], worked / LISTENED_SECONDS


async def measured(jobs: int, seconds: float) -> list[str]:
    """The rows of the table."""
    async with running_gateways() as gateways:
        async with _engine(gateways, with_hooks=False) as engine:
            without = await _lives(engine, gateways, jobs, seconds)
        await gateways.reset()
        async with _engine(gateways, with_hooks=True) as engine:
            hooked = await _lives(engine, gateways, jobs, seconds)
            taken = [hook.seconds for hook in await gateways.hooks() if hook.seconds is not None]
            times, each = await _answer_times(engine, gateways, min(10.0, seconds))
        await gateways.reset()
        elsewhere, listening = await _from_another_process(gateways)
    rows = [
        f"| {name} | {_looks(without[name])} | {_looks(hooked[name])} | {_lag(without[name])} | {_lag(hooked[name])} |"
        for name in MODELS
    ]
    told = f"{1000 * _percentile(times, 0.99):.1f} ms (goal: < 50 ms); {1000 * each:.2f} ms"
    late = [each.lag for each in elsewhere]
    return [
        *rows,
        f"| apixo, hooks at another process ({ELSEWHERE_JOBS} jobs) | | {_looks(elsewhere)} | | "
        f"{_lag(elsewhere)}, at most {max(late):.2f} s (goal: < 1 s) |",
        f"| the {len(taken)} hooks of these jobs are answered, p99 | | {1000 * _percentile(taken, 0.99):.1f} ms | | |",
        f"| a hook is answered, {PER_SECOND} a second, p99; processor time of each | | {told} | | |",
        f"| listening for word from other processes | | {1000 * listening:.2f} ms of processor a second | | |",
    ]


def _looks(seen: Sequence[Seen]) -> str:
    return f"{statistics.fmean(each.looks for each in seen):.1f}, at most {max(each.looks for each in seen)}"


def _lag(seen: Sequence[Seen]) -> str:
    lags = [each.lag for each in seen]
    return f"{statistics.fmean(lags):.2f} s, p95 {_percentile(lags, 0.95):.2f} s"


def main(arguments: Sequence[str]) -> int:
    """Measure and print, and write if asked."""
    parser = argparse.ArgumentParser(prog="python -m tests.benchmarks hooks")
    parser.add_argument("--jobs", type=int, default=200, help="at each gateway")
    parser.add_argument("--seconds", type=float, default=120.0, help="that a job takes, about")
    parser.add_argument("--write", action="store_true", help="write the table into docs/benchmarks.md")
    parser.add_argument("--to", help=argparse.SUPPRESS)
    asked = parser.parse_args(arguments)
    if asked.to is not None:
        print("\n".join(map(str, anyio.run(sent, asked.to, asked.seconds))))  # noqa: T201
        return 0
    load = os.getloadavg()[0]
    rows = anyio.run(measured, asked.jobs, asked.seconds)
    head = "| | looks a job, without | looks a job, with hooks | lag without | lag with hooks |\n|---|---|---|---|---|"
    table = "\n".join([head, *rows])
    print(table)  # noqa: T201
    if asked.write:
        where = f"Python {platform.python_version()}, {platform.system()} {platform.machine()}, {os.cpu_count()} cores"
        what = f"{asked.jobs} jobs at each gateway, of {asked.seconds:g} s about (sigma {SPREAD})"
        rewritten("hooks", f"One run, {what}. {where}, load before it {load:.1f}.\n\n{table}")
    return 0
