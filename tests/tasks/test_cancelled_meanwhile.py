"""A cancel that meets a refusal, a hold or a job's end: nothing more is paid, and what is said stays true."""

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

import anyio
import anyio.lowlevel
import pytest

from rushes.domain.errors import SubmissionRefused
from rushes.domain.failure import failure
from rushes.domain.job import Observation
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.tasks.engine import Engine, Limits
from rushes.tools import task_of

from ..clocks import JumpingClock
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import ACCEPTED, DONE, PNG, RUNNING

pytestmark = pytest.mark.anyio

NO_CREDIT = SubmissionRefused("insufficient_credits", "first has no credit left")


def slow_down(seconds: float) -> SubmissionRefused:
    return SubmissionRefused("rate_limited", "first refused the request: slow down", retry_after_seconds=seconds)


@asynccontextmanager
async def cancelled_during_its_post(
    home: Path, first: ScriptedProvider, *others: ScriptedProvider, abandon: bool
) -> AsyncGenerator[tuple[Engine, TaskRecord]]:
    """The task after the answer to a POST that was under way when somebody cancelled it."""
    begun, first.hold = anyio.Event(), anyio.Event()
    first.submitted = begun.set
    with anyio.fail_after(20):
        async with an_engine(home, first, *others, clock=JumpingClock()) as engine:
            task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.01)).record.task_id
            await begun.wait()
            await engine.cancel(task_id, abandon=abandon, principal=LOCAL)
            first.hold.set()
            record = await engine.get(task_id, principal=LOCAL)
            while record.phase == "submitting":
                await anyio.lowlevel.checkpoint()
                record = await engine.get(task_id, principal=LOCAL)
            yield engine, record


@pytest.mark.parametrize("abandon", [False, True])
async def test_what_was_cancelled_while_one_gateway_refused_it_is_not_paid_at_the_next(
    tmp_path: Path, abandon: bool
) -> None:
    first = ScriptedProvider(name="first", answers=[NO_CREDIT])
    second = ScriptedProvider(name="second", answers=[ACCEPTED], looks=[RUNNING])
    async with cancelled_during_its_post(tmp_path, first, second, abandon=abandon) as (_, record):
        assert record.failure is not None
        assert (record.state, record.phase, record.failure.charged) == ("cancelled", "done", "no")
        assert "may charge" not in record.failure.message
    assert (len(first.plans), len(second.plans)) == (1, 0)


async def test_what_was_given_up_and_then_refused_by_the_only_gateway_cost_nothing(tmp_path: Path) -> None:
    first = ScriptedProvider(name="first", answers=[NO_CREDIT])
    async with cancelled_during_its_post(tmp_path, first, abandon=True) as (_, record):
        assert record.failure is not None
        assert (record.state, record.failure.charged) == ("cancelled", "no")
        assert "may charge" not in record.failure.message + record.failure.hint


@pytest.mark.parametrize(
    ("ending", "charged"),
    [(Observation(state="failed", failure=failure("provider_error", "it broke", charged="no")), "no"), (DONE, "yes")],
)
async def test_a_job_that_was_given_up_here_is_not_said_to_go_on_after_its_end(
    tmp_path: Path, ending: Observation, charged: str
) -> None:
    gateway = ScriptedProvider(name="first", answers=[ACCEPTED], looks=[RUNNING, ending], downloads=[PNG])
    with anyio.fail_after(20):
        async with an_engine(tmp_path, gateway, clock=JumpingClock()) as engine:
            task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
            record = await engine.cancel(task_id, abandon=True, principal=LOCAL)
            while record.phase != "done":
                await anyio.lowlevel.checkpoint()
                record = await engine.get(task_id, principal=LOCAL)
    assert record.failure is not None
    assert (record.state, record.failure.charged) == ("cancelled", charged)
    assert "goes on" not in record.failure.message


async def test_a_gateway_that_refused_at_first_and_made_it_later_is_not_said_to_charge_nothing(tmp_path: Path) -> None:
    first = ScriptedProvider(name="first", answers=[slow_down(2), ACCEPTED], looks=[DONE], downloads=[PNG])
    second = ScriptedProvider(name="second", answers=[NO_CREDIT])
    with anyio.fail_after(20):
        async with an_engine(tmp_path, first, second, clock=JumpingClock()) as engine:
            record = (await engine.generate(a_wish(kind="image"))).record
            record = await engine.wait(record.task_id, seconds=20, principal=LOCAL)
    assert (record.state, record.provider) == ("succeeded", "first")
    about_first, about_second = (text for text in task_of(record).warnings if "refused this" in text)
    assert "first refused this at first" in about_first
    assert "nothing was charged there" not in about_first
    assert "nothing was charged there" in about_second


@pytest.mark.parametrize(
    ("limits", "told", "hint"),
    [
        (
            Limits(shutdown_grace_seconds=0.2, hold_seconds_max=900),
            5000,
            "Call again in 5000 s, which is longer than requests are held (limits.hold_seconds_max = 900).",
        ),
        (Limits(shutdown_grace_seconds=0.2, hold_tries_max=0), 60, "Call again in 60 s."),
        (
            Limits(shutdown_grace_seconds=0.2, hold_tries_max=1),
            2,
            "Call again in 2 s; it was refused 2 times by now.",
        ),
    ],
)
async def test_a_request_that_is_not_held_any_longer_says_in_a_sentence_when_to_call_again(
    tmp_path: Path, limits: Limits, told: float, hint: str
) -> None:
    gateway = ScriptedProvider(answers=[slow_down(told)])
    with anyio.fail_after(20):
        async with an_engine(tmp_path, gateway, limits=limits, clock=JumpingClock()) as engine:
            record = (await engine.generate(a_wish(kind="image"))).record
            record = await engine.wait(record.task_id, seconds=20, principal=LOCAL)
    assert record.failure is not None
    assert record.failure.hint == hint
