"""Several real processes on one home: equal calls pay once, one process polls, none undoes another's work."""

import signal
from collections.abc import Sequence
from pathlib import Path

import anyio
import pytest

from ..gateways.client import RunningGateways
from .account import account_of
from .crew import Crew, Worker
from .fuse import Burn
from .gateways import GROUNDS, Ground, address_of, each_ground
from .orders import Order
from .tally import Tally

pytestmark = pytest.mark.anyio

BEATS = {"beat_seconds": 0.2}
IMPATIENT = {"beat_seconds": 0.2, "silent_seconds": 1.0}
"""Takes a process for dead that was silent for a second. Only one is so, or a busy machine would make it mutual."""

ONLY_READS = {"takeover_seconds": 3600.0}

LISTING = next(ground for ground in GROUNDS if "lists" in ground.abilities)


def _order(ground: Ground, home: Path, gateways: RunningGateways, name: str, **more: object) -> Order:
    prompt = f"a red fox ({home.name})"
    order = Order(
        order=f"{home.name}-{name}",
        home=home,
        gateway=ground.gateway,
        kind=ground.kind,
        prompt=prompt,
        asked=ground.asked,
    )
    return address_of(order.model_copy(update=more), gateways)


async def _go(workers: Sequence[Worker]) -> None:
    for worker in workers:
        await worker.says("ready")
    for worker in workers:
        worker.send(signal.SIGUSR1)


@each_ground("paid")
async def test_ten_equal_calls_at_once_in_two_processes_pay_once(
    ground: Ground, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    with anyio.fail_after(60):
        workers = [
            await crew.start(_order(ground, tmp_path, gateways, name, calls=5, on_signal=True)) for name in ("a", "b")
        ]
        await _go(workers)
        reports = [await worker.ends_well() for worker in workers]
    account = await account_of(workers[0].order, reports[-1], gateways)
    tally.add("ten equal calls at once in two processes", account)
    calls = [called for report in reports for called in report.calls]
    assert len(calls) == 10
    assert len({called.task_id for called in calls}) == 1
    assert [called.deduplicated for called in calls].count(False) == 1
    assert (len(account.jobs), len(account.posts), account.came) == (1, 1, "kept")


async def test_equal_calls_with_a_kill_in_between_pay_once(
    crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    dying = Burn(kill_at="answer.head")
    with anyio.fail_after(60):
        first = await crew.start(_order(LISTING, tmp_path, gateways, "a", calls=5, on_signal=True, fuse=dying))
        second = await crew.start(_order(LISTING, tmp_path, gateways, "b", calls=5, on_signal=True))
        await _go([first, second])
        # Either may submit: the one that dies of it, or the other.
        report = await second.ends_well()
        first.send(signal.SIGKILL)
        await first.ends()
    account = await account_of(second.order, report, gateways)
    tally.add("equal calls at once, one process killed", account, kills=1)
    assert len({called.task_id for called in report.calls}) == 1
    assert (len(account.jobs), len(account.posts), account.came) == (1, 1, "kept")


@each_ground("paid", "polls")
async def test_a_stalled_process_that_wakes_up_changes_nothing_that_its_successor_wrote(
    ground: Ground, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    async def stall(place: str) -> None:
        home = tmp_path / place
        stalling = _order(ground, home, gateways, "stalled", calls=1, fuse=Burn(stall_at=place), **BEATS)
        stalled = await crew.start(stalling)
        await stalled.says("stalling")
        successor = await crew.start(_order(ground, home, gateways, "successor", **IMPATIENT))
        (before,) = (await successor.ends_well()).records
        stalled.send(signal.SIGCONT)
        report = await stalled.ends_well()
        account = await account_of(stalled.order, report, gateways)
        tally.add("stalled, taken over, woken up", account)
        assert account.records == (before,), place
        assert (before.worker or "").startswith(f"{successor.pid}-"), place
        assert (len(account.jobs), account.came) == (1, "kept"), place

    with anyio.fail_after(60):
        async with anyio.create_task_group() as group:
            for place in ("poll.looked", "poll.before", "download.inside", "sidecar.after"):
                group.start_soon(stall, place)


@each_ground("paid", "polls")
async def test_the_answer_that_a_stalled_process_has_in_hand_when_it_wakes_up_is_not_lost(
    ground: Ground, crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    with anyio.fail_after(60):
        stalling = _order(ground, tmp_path, gateways, "stalled", calls=1, fuse=Burn(stall_at="submit.after"), **BEATS)
        stalled = await crew.start(stalling)
        await stalled.says("stalling")
        watching = Burn(tell_at="lost.after")
        order = _order(ground, tmp_path, gateways, "successor", until="told", fuse=watching, **IMPATIENT)
        successor = await crew.start(order)
        await successor.says("lost.after 1")
        stalled.send(signal.SIGCONT)
        await stalled.ends_well()
        report = await (await crew.start(_order(ground, tmp_path, gateways, "reader", **ONLY_READS))).ends_well()
    account = await account_of(stalled.order, report, gateways)
    (record,) = account.records
    assert len(account.jobs) == len(account.posts) == 1
    assert (record.worker or "").startswith(f"{successor.pid}-")
    assert record.job is not None
    assert record.job.job_id == account.jobs[0].job_id
    tally.add("stalled in the submission, taken over, woken up", account)
    assert account.came == "kept" if "lists" in ground.abilities else "kept late"


async def test_a_living_neighbour_takes_over_when_a_process_is_killed(
    crew: Crew, gateways: RunningGateways, tally: Tally, tmp_path: Path
) -> None:
    with anyio.fail_after(60):
        watching = Burn(tell_at="takeover.after")
        neighbour = await crew.start(_order(LISTING, tmp_path, gateways, "neighbour", until="told", fuse=watching))
        await neighbour.says("answered")
        for number in range(1, 4):
            dying = Burn(kill_at="poll.looked")
            order = _order(LISTING, tmp_path, gateways, f"{number}", calls=1, prompt=f"fox {number}", fuse=dying)
            assert await (await crew.start(order)).ends() == -signal.SIGKILL
            await neighbour.says(f"takeover.after {number}")
        report = await (await crew.start(_order(LISTING, tmp_path, gateways, "reader", **ONLY_READS))).ends_well()
    assert len(report.records) == 3
    for record in report.records:
        assert (record.worker or "").startswith(f"{neighbour.pid}-")
        order = neighbour.order.model_copy(update={"prompt": record.request.prompt})
        account = await account_of(order, report, gateways)
        tally.add("killed beside a living neighbour", account, kills=1)
        assert (len(account.jobs), account.came) == (1, "kept")
