"""What two processes died of is set aside; whoever takes it up also sees it through."""

import signal
from pathlib import Path

import anyio
import pytest

from .crew import Crew
from .fuse import Burn
from .orders import Order

pytestmark = pytest.mark.anyio


async def test_what_two_processes_died_of_is_set_aside_and_then_taken_up_and_brought_to_its_end(
    crew: Crew, tmp_path: Path
) -> None:
    base = Order(order="aside", home=tmp_path, gateway="sandbox", kind="image", asked={"size": "64x64"})
    with anyio.fail_after(60):
        for turn in range(2):
            changes = {"order": f"dies {turn}", "calls": int(turn == 0), "fuse": Burn(kill_at="poll.looked")}
            worker = await crew.start(base.model_copy(update=changes))
            assert await worker.ends() == -signal.SIGKILL
        leaves_it = await crew.start(base.model_copy(update={"order": "leaves it"}))
        (left,) = (await leaves_it.ends_well()).records
        assert left.set_aside_at is not None
        takes_it_up = await crew.start(base.model_copy(update={"order": "takes it up", "takes_up": True}))
        (ended,) = (await takes_it_up.ends_well()).records
    assert (ended.task_id, ended.state, ended.phase) == (left.task_id, "succeeded", "done")
