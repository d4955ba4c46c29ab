"""A task says why its model was taken and what else would have done: once, to the call that left the choice open."""

from pathlib import Path

import pytest

from rushes.domain.errors import SubmissionRefused
from rushes.domain.job import Job, Observation, Submission
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.tools import CHECK_TASK, GENERATE_AUDIO, GENERATE_VIDEO, ToolContext, already, call_tool, task_of

from ..tasks.engines import an_engine
from ..tasks.scripted import ScriptedProvider
from .keys import configured

pytestmark = pytest.mark.anyio

ACCEPTED = Submission(job=Job(job_id="j1", model="m"), observation=Observation(state="running"))
REFUSED = SubmissionRefused("insufficient_credits", "no credit left")


def gates() -> tuple[ScriptedProvider, ScriptedProvider]:
    running = [Observation(state="running")]
    one = ScriptedProvider(name="one", model_name="fox-1", answers=[ACCEPTED], looks=[*running])
    two = ScriptedProvider(name="two", model_name="fox-2", answers=[ACCEPTED], looks=[*running])
    return one, two


async def test_the_answer_says_why_and_what_else_and_later_answers_do_not_repeat_it(tmp_path: Path) -> None:
    async with an_engine(tmp_path, *gates()) as engine:
        context = ToolContext(opened=already(engine), principal=LOCAL)
        made = (await call_tool(GENERATE_VIDEO, context, {"prompt": "a red fox"})).document
        checked = (await call_tool(CHECK_TASK, context, {"task_id": made["task_id"]})).document
        record = await engine.get(str(made["task_id"]), principal=LOCAL)

    assert made["chosen"] == {
        "why": "fox-1 is one's default and takes exactly this",
        "alternatives": [{"provider": "two", "model": "fox-2"}],
    }
    assert "chosen" not in checked
    assert task_of(record, whole=True).chosen == record.chosen


async def test_after_another_provider_had_to_take_it_the_warnings_tell_why_and_no_stale_choice_does(
    tmp_path: Path,
) -> None:
    one, two = gates()
    one.answers = [REFUSED]
    async with an_engine(tmp_path, one, two) as engine:
        context = ToolContext(opened=already(engine), principal=LOCAL)
        made = (await call_tool(GENERATE_VIDEO, context, {"prompt": "a red fox"})).document

    assert (made["provider"], "chosen" in made) == ("two", False)
    assert "one refused this first" in str(made["warnings"])


async def test_what_audio_was_for_stands_among_the_arguments_that_make_it_again(tmp_path: Path) -> None:
    asked = {"prompt": "rain", "purpose": "sound", "provider": "sandbox", "wait_seconds": 20}
    async with an_engine(tmp_path, *configured(())) as engine:
        context = ToolContext(opened=already(engine), principal=LOCAL)
        made = (await call_tool(GENERATE_AUDIO, context, asked)).document
        checked = (await call_tool(CHECK_TASK, context, {"task_id": made["task_id"]})).document

    arguments = checked["arguments"]
    assert isinstance(arguments, dict)
    assert arguments["purpose"] == "sound"


def test_a_record_from_before_there_was_a_choice_opens() -> None:
    assert TaskRecord.model_fields["chosen"].default is None
