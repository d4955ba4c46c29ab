"""kill -9 at every boundary of a generation's life: nothing is paid twice, and nothing paid for is lost."""

import os
from pathlib import Path

import anyio
import pytest

from ..gateways.client import RunningGateways
from .crew import Crew
from .gateways import Ground, each_ground
from .scenario import Scenario
from .table import REPETITIONS_VARIABLE
from .tally import Tally

pytestmark = pytest.mark.anyio

REPETITIONS = int(os.environ.get(REPETITIONS_VARIABLE, "1"))
AT_ONCE = 8


@each_ground()
async def test_a_process_killed_anywhere_leaves_nothing_paid_twice_and_nothing_lost(
    ground: Ground, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    points = ground.points() * REPETITIONS
    slots = anyio.Semaphore(AT_ONCE)
    faults: list[str] = []

    async def try_one(scenario: Scenario) -> None:
        async with slots:
            try:
                account = await scenario.run(tmp_path / str(scenario.number), crew, gateways)
                tally.add(scenario.point.name, account, kills=len(scenario.point.kills))
                scenario.hold(account)
            except AssertionError as fault:
                faults.append(f"{scenario.name}: {fault}")

    with anyio.fail_after(180 * REPETITIONS):
        async with anyio.create_task_group() as group:
            for number, point in enumerate(points):
                group.start_soon(try_one, Scenario(point, ground, number))
    assert faults == []
