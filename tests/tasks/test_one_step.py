"""One step moves a task, from the journal to its kept output: a queue that never runs shows that nothing else does."""

from collections.abc import Awaitable, Callable, Collection, Mapping
from pathlib import Path

import anyio
import pytest

from rushes.domain.principal import LOCAL
from rushes.tasks.ports import Clock, Lane

from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, PNG

pytestmark = pytest.mark.anyio


class ByHand:
    """A queue that notes what is due, and leaves it to the test to do it."""

    def __init__(self) -> None:
        self.planned: dict[str, float] = {}
        self._step: Callable[[str], Awaitable[float | None]] | None = None

    def __call__(
        self,
        step: Callable[[str], Awaitable[float | None]],
        clock: Clock,
        *,
        at_once: Mapping[str, int],
        shares: Collection[str],
        lane_of: Callable[[str], Lane],
    ) -> "ByHand":
        self._step = step
        return self

    def __contains__(self, task_id: str) -> bool:
        return task_id in self.planned

    def schedule(self, task_id: str, after_seconds: float = 0.0) -> None:
        self.planned[task_id] = after_seconds

    def due_in(self, task_id: str) -> float | None:
        return self.planned.get(task_id)

    async def run(self) -> None:
        await anyio.sleep_forever()

    async def step(self, task_id: str) -> float | None:
        """Take the one step that is due."""
        assert self._step is not None
        due = await self._step(task_id)
        if due is None:
            del self.planned[task_id]
        return due


async def test_a_task_is_sent_looked_at_and_kept_by_its_steps_alone(tmp_path: Path) -> None:
    gateway, queue = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG]), ByHand()
    async with an_engine(tmp_path, gateway, queue=queue) as engine:
        record = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.0)).record
        assert (record.phase, queue.planned, gateway.plans) == ("submitting", {record.task_id: 0.0}, [])
        phases = [record.phase]
        with anyio.fail_after(20):
            while await queue.step(record.task_id) is not None:
                phases.append((await engine.get(record.task_id, principal=LOCAL)).phase)
        last = await engine.get(record.task_id, principal=LOCAL)
    assert list(dict.fromkeys([*phases, last.phase])) == ["submitting", "polling", "keeping", "done"]
    assert (len(gateway.plans), gateway.polls, last.outputs[0].path is not None) == (1, 1, True)
