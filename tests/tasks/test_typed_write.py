"""A change of a record that no step makes fails in the type checker, and where somebody gets past that, at run time."""

import re
from datetime import timedelta
from pathlib import Path
from typing import cast, get_type_hints

import pytest
from mypy import api

from rushes.domain.errors import IllegalTransition
from rushes.domain.record import Changes, TaskRecord
from rushes.tasks import life
from rushes.tasks.life import ground

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
        polling().model_copy(update={"state": "succeeded"})
    assert polling().model_copy() == polling()


def test_what_a_step_may_change_has_the_types_of_the_record() -> None:
    fields = get_type_hints(TaskRecord)
    changes = cast("dict[str, object]", get_type_hints(Changes))
    assert changes == {name: fields[name] for name in changes}
