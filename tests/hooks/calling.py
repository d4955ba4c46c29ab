"""A scripted provider whose gateway calls back, and engines that hear it, on a clock for which nobody waits."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import anyio
import anyio.lowlevel

from rushes.cache.workers.nudges import NudgeFolder
from rushes.domain.hooks import CALLS_BACK, SECRET_STAND_IN, TOKEN_STAND_IN, HookReading, HookRequest
from rushes.domain.job import Plan, Submission
from rushes.domain.model_facts import ModelFacts
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.providers.provider import AnswerSink, Traits
from rushes.tasks.engine import Engine
from rushes.tasks.hook_desk import HookDesk
from rushes.tasks.hook_ports import HookParts
from rushes.tasks.ports import Clock

from ..clocks import StandingClock
from ..tasks.engines import an_engine
from ..tasks.scripted import ScriptedProvider

KEY = b"k" * 32
ADDRESS = "https://rushes.example/hooks/gate/"


@dataclass
class CallingProvider(ScriptedProvider):
    """Asks to be called back in two fields of its own, and believes every hook."""

    traits: Traits = field(default_factory=lambda: Traits(calls_back=True))

    def plan(self, request: GenerationRequest, facts: ModelFacts) -> Plan:
        fields = {"call": f"{ADDRESS}{TOKEN_STAND_IN}", "sign_with": SECRET_STAND_IN}
        return super().plan(request, facts).model_copy(update={"callback": fields})

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
        submission = await super().submit(plan, sink=sink)
        details = {**plan.details, **submission.job.details}
        return submission.model_copy(update={"job": submission.job.model_copy(update={"details": details})})

    def read_hook(self, hook: HookRequest, secret: str, now: datetime) -> HookReading | None:
        return HookReading()

    def token(self, index: int = -1) -> str:
        """Of one of the submissions."""
        plan = self.plans[index]
        assert plan.details[CALLS_BACK] is True
        return str(plan.body["call"]).removeprefix(ADDRESS)

    async def looked(self, count: int) -> None:
        """Wait for that many looks."""
        with anyio.fail_after(30):
            while self.polls < count:
                await anyio.lowlevel.checkpoint()


@asynccontextmanager
async def hearing(home: Path, *providers: ScriptedProvider, clock: Clock | None = None) -> AsyncGenerator[Engine]:
    """An engine in `home` that gateways can call back."""
    parts = HookParts(KEY, NudgeFolder(home / "nudges"))
    async with an_engine(home, *providers, clock=clock or StandingClock(), hooks=parts) as engine:
        yield engine


async def called(desk: HookDesk | None, token: str, provider: str = "gate") -> bool:
    """A hook arrives; whether it was taken."""
    assert desk is not None
    expected = await desk.find(provider, token)
    return expected is not None and await desk.receive(expected, HookRequest({}, b"{}"))


async def ended(engine: Engine, task_id: str) -> TaskRecord:
    """The record once nothing more comes soon, without anybody waiting for it."""
    with anyio.fail_after(30):
        while not (record := await engine.get(task_id, principal=LOCAL)).settled:
            await anyio.lowlevel.checkpoint()
    return record


async def planned(engine: Engine, task_id: str) -> float:
    """In how many seconds the next look is due."""
    seconds = await planned_or_final(engine, task_id)
    assert seconds is not None
    return seconds


async def planned_or_final(engine: Engine, task_id: str) -> float | None:
    """In how many seconds the next look is due, once it is in the queue: before, a clock that moves would move it.

    `None` where the task has ended.
    """
    queue = engine._queue  # pyright: ignore[reportPrivateUsage]
    with anyio.fail_after(30):
        while True:
            record = await engine.get(task_id, principal=LOCAL)
            if record.final:
                return None
            if record.phase == "polling" and (seconds := queue.due_in(task_id)) is not None and seconds > 0:
                return seconds
            await anyio.lowlevel.checkpoint()
