"""Agents of servers that die under them: they ask, ask again, look, cancel, and note what they are told."""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from random import Random

import anyio
from pydantic import JsonValue

from .asking import CANCELLED, Asked, Asking
from .hosts import Host, HostGone, Told, hosted

ANSWER_SECONDS = 45.0
"""An agent does not wait longer for an answer."""


@dataclass
class Counts:
    """What happened to the servers, and what the agents did."""

    started: int = 0
    killed: int = 0
    ended: int = 0
    stalled: int = 0
    calls: int = 0
    equal_calls: int = 0
    checks: int = 0
    cancels: int = 0
    unanswered: int = 0
    peak_mib: int = 0
    wrong_ends: list[str] = field(default_factory=list[str])


class Servers:
    """So many servers on one home; one that ends is started again."""

    def __init__(self, settings: Mapping[str, str], logs: Path, random: Random, counts: Counts) -> None:
        self._settings = settings
        self._logs = logs
        self._random = random
        self.counts = counts
        self.living: list[Host] = []
        self._changed = anyio.Event()

    async def keep_one(self, over: Callable[[], bool]) -> None:
        """Have a server, and another when that ends, until it is over and somebody ends the last."""
        while not over():
            self.counts.started += 1
            log = self._logs / f"server-{self.counts.started}.log"
            async with hosted(self._settings, log) as host:
                self.living.append(host)
                self._changed.set()
                self._changed = anyio.Event()
                await host.live()
                self.living.remove(host)
            self.counts.peak_mib = max(self.counts.peak_mib, host.peak_mib)
            if not host.by_us:
                self.counts.wrong_ends.append(f"{log.name}: the server ended by itself with {host.code}")

    async def any(self) -> Host:
        """One of those that live."""
        while not self.living:
            await self._changed.wait()
        return self._random.choice(self.living)

    async def call(self, tool: str, **arguments: JsonValue) -> Told | None:
        """Call a tool of any server; `None` where no answer came, or one without a task."""
        host = await self.any()
        with suppress(HostGone), anyio.move_on_after(ANSWER_SECONDS):
            return await host.tool(tool, **arguments)
        self.counts.unanswered += 1
        return None


@dataclass
class Agent:
    """One who asks, one thing after the other."""

    servers: Servers
    asking: Asking
    random: Random
    pause_seconds: float

    async def work(self, over: Callable[[], bool]) -> None:
        """Ask until it is over."""
        while not over():
            asked = self.asking.draw()
            equal = self.random.choice([2, 3, 5]) if asked.may_be_asked_again and self.random.random() < 0.2 else 1
            async with anyio.create_task_group() as group:
                for _ in range(equal):
                    group.start_soon(self._ask, asked)
            self.servers.counts.equal_calls += equal - 1
            await self._look_after(asked)
            await anyio.sleep(self.random.uniform(0, self.pause_seconds))

    async def _ask(self, asked: Asked) -> None:
        asked.calls += 1
        self.servers.counts.calls += 1
        told = await self.servers.call(
            f"generate_{asked.ground.kind}",
            prompt=asked.prompt,
            provider=asked.ground.gateway,
            wait_seconds=self.random.choice([0, 0, 2]),
        )
        if told is not None:
            asked.answers.append(told)

    async def _look_after(self, asked: Asked) -> None:
        if asked.task_id is None:
            return
        if asked.trouble == CANCELLED:
            await anyio.sleep(self.random.uniform(0, 3))
            self.servers.counts.cancels += 1
            abandon = self.random.random() < 0.5
            await self._note(asked, "cancel_task", task_id=asked.task_id, abandon=abandon)
        elif self.random.random() < 0.5:
            self.servers.counts.checks += 1
            await self._note(asked, "check_task", task_id=asked.task_id, wait_seconds=self.random.choice([0, 3, 6]))
        elif asked.may_be_asked_again and self.random.random() < 0.3:
            self.servers.counts.equal_calls += 1
            await self._ask(asked)
        elif self.random.random() < 0.1:
            await self.servers.call("view_output", task_id=asked.task_id)

    async def _note(self, asked: Asked, tool: str, **arguments: JsonValue) -> None:
        told = await self.servers.call(tool, **arguments)
        if told is not None:
            asked.later.append(told)
