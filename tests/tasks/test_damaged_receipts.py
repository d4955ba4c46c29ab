"""A receipt that is none keeps no process from starting, and no other receipt from its task."""

import json
import shutil
from pathlib import Path

import anyio
import pytest
from pydantic import JsonValue

from rushes.domain.principal import LOCAL

from ..clocks import StandingClock
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, JOB, PNG

pytestmark = pytest.mark.anyio

WRONG: dict[str, dict[str, JsonValue]] = {
    "an id that is no text": {"task_id": "\ud800"},
    "an id that is a path": {"task_id": "../../outside"},
    "an id without an end": {"task_id": "A" * 100_000},
    "a time without a zone": {"task_id": "01K0000000000000000000000A", "deadline_at": "2026-11-20T10:00:00"},
    "a job that is no text": {"task_id": "01K0000000000000000000000B", "job_id": {"a": [1]}},
}


@pytest.mark.parametrize("wrong", WRONG.values(), ids=WRONG)
async def test_it_is_left_out_and_the_lost_tasks_of_all_others_come_back(
    wrong: dict[str, JsonValue], tmp_path: Path
) -> None:
    gateway = ScriptedProvider(answers=[ACCEPTED], looks=[DONE], downloads=[PNG])
    async with an_engine(tmp_path, gateway, clock=StandingClock()) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
    (file,) = (tmp_path / "receipts").glob("*.jsonl")
    (line,) = [line for line in file.read_bytes().splitlines() if line]
    file.write_bytes(json.dumps({**json.loads(line), **wrong}).encode() + b"\n" + line + b"\n")
    shutil.rmtree(tmp_path / "cache")

    async with an_engine(tmp_path, gateway) as engine:
        with anyio.fail_after(20):
            back = await engine.wait(task_id, seconds=20, principal=LOCAL)
        listed = await engine.list_tasks(principal=LOCAL)
    assert (back.state, back.job, len(gateway.plans)) == ("succeeded", JOB, 1)
    assert [record.task_id for record in listed.records] == [task_id]
