"""Nobody is anonymous: each call says on whose behalf it is made, and sees their tasks alone."""

import inspect
from collections.abc import Awaitable, Callable
from dataclasses import MISSING, fields, replace
from pathlib import Path

import pytest

from rushes.domain.errors import TaskNotFound
from rushes.domain.job import Job, Observation, Submission
from rushes.domain.principal import LOCAL, Principal
from rushes.domain.record import TaskRecord
from rushes.tasks.engine import Engine
from rushes.tasks.service import Service, Wish
from rushes.tools import ToolContext

from .engines import a_wish, an_engine
from .scripted import ScriptedProvider

pytestmark = pytest.mark.anyio

ANN = Principal("ann", admin=False)

ASKED: dict[str, Callable[[Engine, str], Awaitable[object]]] = {
    "get": lambda engine, task_id: engine.get(task_id, principal=ANN),
    "answer": lambda engine, task_id: engine.answer(task_id, principal=ANN),
    "wait": lambda engine, task_id: engine.wait(task_id, seconds=0, principal=ANN),
    "cancel": lambda engine, task_id: engine.cancel(task_id, principal=ANN),
    "attach": lambda engine, task_id: engine.attach(task_id, "job:2", principal=ANN),
    "take_up": lambda engine, task_id: engine.take_up(task_id, principal=ANN),
    "glimpse": lambda engine, task_id: engine.glimpse(task_id, 1, principal=ANN),
    "content": lambda engine, task_id: engine.content(task_id, 1, bytes_max=1, principal=ANN),
}


def gateway() -> ScriptedProvider:
    jobs = [Job(job_id=f"job:{number}", model="m1") for number in (1, 2)]
    return ScriptedProvider(answers=[Submission(job=job, observation=Observation(state="queued")) for job in jobs])


async def test_nobody_else_finds_a_task_whatever_they_ask(tmp_path: Path) -> None:
    async with an_engine(tmp_path, gateway()) as engine:
        task_id = (await engine.generate(a_wish())).record.task_id
        for asked in ASKED.values():
            with pytest.raises(TaskNotFound):
                await asked(engine, task_id)
        assert (await engine.list_tasks(principal=ANN)).records == ()
        assert [record.task_id for record in (await engine.list_tasks(principal=LOCAL)).records] == [task_id]


async def test_equal_calls_of_two_principals_are_two_tasks(tmp_path: Path) -> None:
    async with an_engine(tmp_path, gateway()) as engine:
        one = await engine.generate(a_wish())
        other = await engine.generate(replace(a_wish(), principal=ANN))
        same = await engine.generate(replace(a_wish(), principal=ANN))
    assert (one.record.owner, other.record.owner) == ("local", "ann")
    assert (other.deduplicated, same.deduplicated) == (False, True)


@pytest.mark.parametrize("face", [Service, Engine])
def test_no_call_of_the_service_has_a_default_for_whose_it_is(face: type) -> None:
    carrying = {
        name: parameter.default
        for name, function in inspect.getmembers(face, inspect.isfunction)
        for parameter in inspect.signature(function).parameters.values()
        if parameter.name in ("principal", "owner")
    }
    assert carrying.keys() >= {*ASKED, "list_tasks"}
    assert set(carrying.values()) == {inspect.Parameter.empty}


def test_nor_has_what_carries_it() -> None:
    named = {"principal": [Wish, ToolContext]}
    for name, carriers in named.items():
        for carrier in carriers:
            (field,) = (field for field in fields(carrier) if field.name == name)
            assert field.default is MISSING
            assert field.default_factory is MISSING
    assert TaskRecord.model_fields["owner"].is_required()
