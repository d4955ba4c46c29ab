"""A change of a record that no step makes fails in the type checker, and where somebody gets past that, at run time."""

import re
from datetime import timedelta
from pathlib import Path
from typing import cast, get_type_hints

import pytest
from mypy import api
from pydantic import BaseModel

from rushes.cache.embedded.store import TaskStore
from rushes.domain.errors import IllegalTransition
from rushes.domain.record import SCHEMA, Changes, Output, TaskRecord
from rushes.tasks import life
from rushes.tasks.clock import SystemClock
from rushes.tasks.journal import TaskJournal
from rushes.tasks.life import ground

from ..altered import altered
from ..house.checkout import ROOT
from .makers import SUCCEEDED, polling

NOW = polling().created_at + timedelta(minutes=1)

SNIPPETS = {
    "a misspelt field": "ground.same_state(record, now, strated_at=now)",
    "a value of another type": 'ground.same_state(record, now, polls="three")',
    "a state among the changes": 'ground.same_state(record, now, state="succeeded")',
    "a phase that there is not": 'ground.same_state(record, now, phase="sleeping")',
    "a state that there is not": 'ground.moved(open_record, "finished", "done", now)',
    "a way back to the queue": 'ground.moved(open_record, "queued", "polling", now)',
    "a record that may be final": 'ground.moved(record, "failed", "done", now)',
    "a misspelt field of an output": "Output(kep=None)",
    "an end that nothing comes after": 'ground.moved(open_record, "running", "done", now)',
    "a way back that leads nowhere": 'ground.reopened(record, "done", now)',
    "a copy that is changed": 'record.model_copy(update={"strated_at": now})',
    "a field that is set": 'record.state = "succeeded"',
}
HEAD = """
from datetime import datetime
from rushes.domain.record import Output, TaskRecord, UnfinishedRecord
from rushes.tasks.life import ground

def change(record: TaskRecord, open_record: UnfinishedRecord, now: datetime) -> None:
    ground.same_state(record, now, started_at=now)
    ground.moved(open_record, "failed", "done", now)
"""


def test_the_type_checker_refuses_each_wrong_change_and_no_right_one(tmp_path: Path) -> None:
    file = tmp_path / "snippets.py"
    body = "".join(f"    {statement}\n" for statement in SNIPPETS.values())
    file.write_text(HEAD + body, encoding="utf-8")
    first = HEAD.count("\n") + 1
    told, problem, _ = api.run(["--config-file", str(ROOT / "pyproject.toml"), "--follow-imports=silent", str(file)])
    refused = {int(line) for line in re.findall(r"snippets\.py:(\d+): error:", told)}
    assert refused == set(range(first, first + len(SNIPPETS))), told + problem


@pytest.mark.parametrize(
    ("state", "phase", "changes"),
    [
        ("failed", "done", {"strated_at": NOW}),
        ("failed", "done", {"state": "succeeded"}),
        ("failed", "sleeping", {}),
        ("finished", "done", {}),
        ("queued", "polling", {}),
        ("running", "done", {}),
    ],
)
def test_a_change_that_got_past_the_type_checker_is_refused_at_run_time(
    state: str, phase: str, changes: dict[str, object]
) -> None:
    with pytest.raises((IllegalTransition, TypeError)):
        ground.moved(polling(), state, phase, NOW, **changes)  # type: ignore  # noqa: PGH003 - this is what it is about


def test_a_final_record_is_moved_by_nobody() -> None:
    final = life.observed(polling(), SUCCEEDED, NOW)
    with pytest.raises(IllegalTransition, match="succeeded cannot become failed"):
        ground.moved(final, "failed", "done", NOW)  # type: ignore  # noqa: PGH003 - this is what it is about


def test_a_record_is_not_changed_past_the_life_of_a_task() -> None:
    with pytest.raises(IllegalTransition, match="tasks/life"):
        polling().model_copy(update={"state": "succeeded"})  # type: ignore  # noqa: PGH003 - this is what it is about
    assert polling().model_copy() == polling()


def test_a_task_that_can_still_change_is_never_in_a_phase_that_does_not_end_it() -> None:
    with pytest.raises(IllegalTransition, match="phase done"):
        ground.same_state(polling(), NOW, phase="done")
    assert ground.same_state(life.observed(polling(), SUCCEEDED, NOW), NOW, phase="done").phase == "done"


def test_a_copy_of_an_output_takes_no_field_that_outputs_do_not_have() -> None:
    with pytest.raises(TypeError, match="Output has no kep"):
        Output().model_copy(update={"kep": None})


def misspelt(record: TaskRecord) -> TaskRecord:
    copied = BaseModel.model_copy(record, update={"strated_at": NOW})
    assert isinstance(copied, TaskRecord)
    return copied


WAYS_AROUND: dict[str, life.Transition] = {
    "a state that there is not": lambda record: altered(record, {"state": "finished"}),
    "a way back to the queue": lambda record: altered(record, {"state": "queued"}),
    "an end that nothing comes after": lambda record: altered(record, {"phase": "done"}),
    "a misspelt field": misspelt,
}


@pytest.mark.anyio
@pytest.mark.parametrize("way", WAYS_AROUND)
async def test_the_journal_writes_no_record_that_a_step_in_a_tasks_life_does_not_make(tmp_path: Path, way: str) -> None:
    async with TaskStore.opened(tmp_path, schema=SCHEMA, migrations={}) as store:
        journal = TaskJournal(store, "w1", SystemClock())
        running, _ = await journal.create(polling(state="running"), force_new=True)
        with pytest.raises(IllegalTransition):
            await journal.change(running.task_id, WAYS_AROUND[way])
        assert await journal.read(running.task_id) == running


def test_what_a_step_may_change_has_the_types_of_the_record() -> None:
    fields = get_type_hints(TaskRecord)
    changes = cast("dict[str, object]", get_type_hints(Changes))
    assert changes == {name: fields[name] for name in changes}
