"""kill -9 at every boundary of a generation's life: nothing is paid twice, and nothing paid for is lost."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import anyio
import pytest

from ..gateways.client import RunningGateways
from .crew import Crew
from .gateways import GROUNDS, Ground
from .points import POINTS, FaultPoint
from .scenario import Scenario
from .table import REPETITIONS_VARIABLE
from .tally import Tally

REPETITIONS = int(os.environ.get(REPETITIONS_VARIABLE, "1"))
AT_ONCE = 8


@dataclass(frozen=True)
class Round:
    """Fault points of one ground. A plain run tries each where its end is shown first, the storm also on the others."""

    ground: Ground
    points: Sequence[FaultPoint]


ROUNDS = [
    *(pytest.param(Round(each, each.shown_here_first()), id=each.name) for each in GROUNDS if each.shown_here_first()),
    *(
        pytest.param(Round(each, each.shown_before()), id=f"{each.name}, again", marks=pytest.mark.storm)
        for each in GROUNDS
        if each.shown_before()
    ),
]


def test_a_plain_run_comes_to_every_fault_point_and_every_end_that_it_may_have() -> None:
    plain = {(point.name, point.decided_by(ground.abilities)) for ground in GROUNDS for point in ground.points()}
    first = [
        (point.name, point.decided_by(ground.abilities)) for ground in GROUNDS for point in ground.shown_here_first()
    ]
    assert len(first) == len(plain)
    assert set(first) == plain
    assert {name for name, _ in first} == {point.name for point in POINTS}


@pytest.mark.anyio
@pytest.mark.parametrize("tried", ROUNDS)
async def test_a_process_killed_anywhere_leaves_nothing_paid_twice_and_nothing_lost(
    tried: Round, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    ground, points = tried.ground, [*tried.points] * REPETITIONS
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
