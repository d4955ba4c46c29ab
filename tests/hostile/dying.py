"""A process that dies of one of its tasks: `python -m tests.hostile.dying HOME [--hold]`; prints what became of all.

A look at the job "poison" kills it. With `--hold` a look at another job does not end before that.
"""

import json
import os
import signal
import sys
from dataclasses import dataclass
from pathlib import Path

import anyio
import anyio.lowlevel

from rushes.domain.job import Job, Observation, Plan, Submission
from rushes.domain.principal import LOCAL
from rushes.providers.provider import AnswerSink
from rushes.tasks.clock import SystemClock
from rushes.tasks.engine import Engine

from ..tasks.engines import an_engine
from ..tasks.scripted import ScriptedProvider

RUNNING = Observation(state="running", poll_after_seconds=0)


@dataclass
class PoisonedProvider(ScriptedProvider):
    """Its jobs are named as the prompts."""

    hold_others: bool = False

    async def submit(self, plan: Plan, *, sink: AnswerSink | None = None) -> Submission:
        return Submission(job=Job(job_id=str(plan.body["prompt"]), model=plan.model), observation=RUNNING)

    async def poll(self, job: Job, *, sink: AnswerSink | None = None) -> Observation:
        if job.job_id == "poison":
            while self.hold_others and not self.polls:
                await anyio.lowlevel.checkpoint()
            os.kill(os.getpid(), signal.SIGKILL)
        self.polls += 1
        if self.hold_others:
            await anyio.sleep_forever()
        return Observation(state="succeeded", outputs=())


async def _ended(engine: Engine) -> dict[str, object]:
    told: dict[str, object] = {}
    for record in (await engine.list_tasks(limit=10, principal=LOCAL)).records:
        with anyio.fail_after(10):
            seen = await engine.wait(record.task_id, seconds=9, principal=LOCAL)
        told[seen.request.prompt] = [seen.state, seen.set_aside_at is not None]
    return told


async def main(home: Path, hold_others: bool) -> None:
    provider = PoisonedProvider(hold_others=hold_others)
    async with an_engine(home, provider, clock=SystemClock()) as engine:
        print(json.dumps(await _ended(engine)))  # noqa: T201


if __name__ == "__main__":
    anyio.run(main, Path(sys.argv[1]), "--hold" in sys.argv)
