"""A request that a gateway refuses for now, with a time: it waits, unsent, and is sent once that time is over."""

from base64 import b64encode
from datetime import timedelta
from pathlib import Path

import anyio
import pytest

from rushes.domain.errors import SubmissionRefused
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.tasks.engine import Engine, Limits
from rushes.tasks.intake.routing import Configured
from rushes.tasks.service import MediaSource
from rushes.tools import task_of

from ..clocks import JumpingClock, SteppedClock
from .engines import QUICK, a_wish, an_engine
from .scripted import Answer, ScriptedProvider
from .test_engine import ACCEPTED, DONE, JOB, PNG, RUNNING

pytestmark = pytest.mark.anyio


def _slow_down(seconds: float | None = 60.0) -> SubmissionRefused:
    return SubmissionRefused("rate_limited", "gate refused the request: slow down", retry_after_seconds=seconds)


def _gateway(*answers: Answer, **changes: object) -> ScriptedProvider:
    gateway = ScriptedProvider(answers=[*answers, ACCEPTED], looks=[RUNNING, DONE], downloads=[PNG] * 9)
    for name, value in changes.items():
        setattr(gateway, name, value)
    return gateway


async def _ended(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(20):
        return await engine.wait(task_id, seconds=20, principal=LOCAL)


async def test_a_request_refused_with_a_time_is_queued_and_says_when_it_goes_out(tmp_path: Path) -> None:
    gateway, clock = _gateway(_slow_down(60)), SteppedClock()
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        shown = task_of(record, poll_interval_seconds=engine.poll_interval_seconds(record))
    assert (shown.state, shown.failure, record.phase) == ("queued", None, "held")
    assert shown.next is not None
    assert shown.next.tool == "check_task"
    assert 50 <= shown.next.after_seconds <= 67
    assert "unsent and unpaid" in shown.warnings[0]
    assert "slow down" in shown.warnings[0]


async def test_a_held_request_is_sent_once_its_time_is_over_and_paid_once(tmp_path: Path) -> None:
    clock = JumpingClock()
    sent_at: list[float] = []
    gateway = _gateway(_slow_down(60), _slow_down(120), submitted=lambda: sent_at.append(clock.elapsed()))
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        ended = await _ended(engine, record.task_id)
    assert (ended.state, ended.job, ended.outputs[0].keeping.status) == ("succeeded", JOB, "kept")
    assert len(sent_at) == 3
    assert sent_at[1] - sent_at[0] >= 60
    assert sent_at[2] - sent_at[1] >= 120
    assert ended.hold is not None
    assert ended.hold.tries == 2


async def test_an_equal_call_meanwhile_is_answered_with_the_task_that_waits(tmp_path: Path) -> None:
    gateway = _gateway(_slow_down())
    async with an_engine(tmp_path, gateway, clock=SteppedClock()) as engine:
        first = await engine.generate(a_wish(kind="image"))
        again = await engine.generate(a_wish(kind="image"))
    assert (again.deduplicated, again.record.task_id, len(gateway.plans)) == (True, first.record.task_id, 1)


async def test_cancelling_a_held_request_ends_it_uncharged_and_it_is_never_sent(tmp_path: Path) -> None:
    gateway, clock = _gateway(_slow_down(60)), SteppedClock()
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        cancelled = await engine.cancel(task_id, principal=LOCAL)
    assert cancelled.failure is not None
    assert (cancelled.state, cancelled.phase, cancelled.failure.charged) == ("cancelled", "done", "no")
    async with an_engine(tmp_path, gateway) as engine:
        other = (await engine.generate(a_wish("another", kind="image"))).record
        await _ended(engine, other.task_id)
    assert [plan.body["prompt"] for plan in gateway.plans] == ["a red fox", "another"]


async def test_a_cancel_while_the_refusal_is_on_its_way_leaves_nothing_held(tmp_path: Path) -> None:
    gateway = _gateway(_slow_down(60), hold=anyio.Event())
    async with an_engine(tmp_path, gateway) as engine:
        task_id = (await engine.generate(a_wish(kind="image"), answer_within_seconds=0.01)).record.task_id
        await engine.cancel(task_id, principal=LOCAL)
        assert gateway.hold is not None
        gateway.hold.set()
        ended = await _ended(engine, task_id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.charged, len(gateway.plans)) == ("cancelled", "no", 1)


async def test_the_next_process_sends_what_a_dead_one_held_once(tmp_path: Path) -> None:
    first, second, clock = _gateway(_slow_down(60)), _gateway(), SteppedClock()
    async with an_engine(tmp_path, first, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
    async with an_engine(tmp_path, second) as engine:
        assert (await _ended(engine, task_id)).state == "succeeded"
    assert (len(first.plans), len(second.plans)) == (1, 1)


async def test_a_living_process_goes_on_with_what_its_neighbour_held(tmp_path: Path) -> None:
    first, second = _gateway(_slow_down(60)), _gateway()
    async with an_engine(tmp_path, second) as survivor:
        async with an_engine(tmp_path, first, clock=SteppedClock()) as engine:
            task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
        assert (await _ended(survivor, task_id)).state == "succeeded"
    assert (len(first.plans), len(second.plans)) == (1, 1)


async def test_a_request_whose_time_came_hours_ago_is_not_sent_behind_everybodys_back(tmp_path: Path) -> None:
    first, second, clock = _gateway(_slow_down(60)), _gateway(), SteppedClock()
    async with an_engine(tmp_path, first, clock=clock) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
    clock.passed = timedelta(hours=5)
    async with an_engine(tmp_path, second, clock=clock) as engine:
        ended = await _ended(engine, task_id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.charged, ended.failure.retry_safe) == ("failed", "no", True)
    assert second.plans == []


TAKES_BYTES: dict[str, object] = {"image_forms": ["url", "data"]}


async def test_input_bytes_that_no_record_holds_are_sent_by_the_process_that_has_them_and_by_no_other(
    tmp_path: Path,
) -> None:
    media = [MediaSource("input_image", f"data:image/png;base64,{b64encode(PNG).decode()}")]
    patient, first = (_gateway(_slow_down(60), facts_changes=TAKES_BYTES) for _ in range(2))
    second = _gateway(facts_changes=TAKES_BYTES)
    async with an_engine(tmp_path, patient) as engine:
        record = (await engine.generate(a_wish(kind="image", media=media))).record
        assert (await _ended(engine, record.task_id)).state == "succeeded"
    async with an_engine(tmp_path, first, clock=SteppedClock()) as engine:
        task_id = (await engine.generate(a_wish("other", kind="image", media=media))).record.task_id
    async with an_engine(tmp_path, second) as engine:
        ended = await _ended(engine, task_id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.reason, ended.failure.charged) == ("failed", "invalid_media", "no")
    assert second.plans == []


@pytest.mark.parametrize("changed", [False, True])
async def test_a_file_is_read_again_by_the_process_that_goes_on_if_it_is_the_same(
    tmp_path: Path, *, changed: bool
) -> None:
    file = tmp_path / "in.png"
    file.write_bytes(PNG)
    first, second = (_gateway(*told, facts_changes=TAKES_BYTES) for told in ((_slow_down(60),), ()))
    async with an_engine(tmp_path, first, clock=SteppedClock()) as engine:
        wish = a_wish(kind="image", media=[MediaSource("input_image", str(file))])
        task_id = (await engine.generate(wish)).record.task_id
    if changed:
        file.write_bytes(PNG + b"another")
    async with an_engine(tmp_path, second) as engine:
        ended = await _ended(engine, task_id)
    if changed:
        assert ended.failure is not None
        assert (ended.failure.reason, ended.failure.charged, second.plans) == ("invalid_media", "no", [])
    else:
        assert [medium.data for request in second.requests for medium in request.media] == [PNG]
        assert (ended.state, len(second.plans)) == ("succeeded", 1)


async def test_what_stands_for_a_secret_is_never_sent_in_its_place(tmp_path: Path) -> None:
    first, second = _gateway(_slow_down(60)), _gateway()
    async with an_engine(tmp_path, first, clock=SteppedClock()) as engine:
        wish = a_wish(
            kind="image", provider_options={"webhook_secret": "hush-hush", "callback_url": "https://x.example"}
        )
        record = (await engine.generate(wish)).record
        assert "hush-hush" not in record.model_dump_json()
    async with an_engine(tmp_path, second) as engine:
        ended = await _ended(engine, record.task_id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.charged, second.plans) == ("failed", "no", [])
    assert "secret" in ended.failure.message


@pytest.mark.parametrize(
    ("limits", "told"),
    [
        (QUICK, 3601.0),
        (Limits(shutdown_grace_seconds=0.2, takeover_seconds=0.05, hold_seconds_max=0), 60.0),
        (Limits(shutdown_grace_seconds=0.2, takeover_seconds=0.05, hold_tries_max=0), 60.0),
    ],
)
async def test_a_wait_beyond_the_limits_fails_and_says_when_to_call_again(
    tmp_path: Path, limits: Limits, told: float
) -> None:
    gateway = _gateway(_slow_down(told))
    async with an_engine(tmp_path, gateway, limits=limits) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
    assert record.failure is not None
    assert (record.state, record.failure.reason, record.failure.charged) == ("failed", "rate_limited", "no")
    assert record.failure.retry_safe
    assert f"{told:.0f} s" in record.failure.hint


async def test_a_gateway_that_never_takes_it_is_asked_a_bounded_number_of_times(tmp_path: Path) -> None:
    gateway = ScriptedProvider(answers=[_slow_down(1)])
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        ended = await _ended(engine, record.task_id)
    assert ended.failure is not None
    assert (ended.state, ended.failure.charged, len(gateway.plans)) == ("failed", "no", 1 + QUICK.hold_tries_max)


@pytest.mark.parametrize(
    "refusal",
    [
        _slow_down(None),
        SubmissionRefused("insufficient_credits", "the daily limit is spent", retry_after_seconds=30),
        SubmissionRefused("content_violation", "no; try again in 5 s", retry_after_seconds=5),
    ],
)
async def test_a_refusal_without_a_time_or_for_another_reason_fails_at_once(
    tmp_path: Path, refusal: SubmissionRefused
) -> None:
    gateway = _gateway(refusal)
    async with an_engine(tmp_path, gateway) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
    assert record.failure is not None
    assert (record.state, record.failure.reason, record.failure.charged) == ("failed", refusal.reason, "no")
    assert len(gateway.plans) == 1


async def test_another_gateway_that_takes_it_now_is_better_than_waiting(tmp_path: Path) -> None:
    busy, free = _gateway(_slow_down()), _gateway(name="free")
    async with an_engine(tmp_path, busy, free) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        ended = await _ended(engine, record.task_id)
    assert (ended.provider, ended.state, ended.hold) == ("free", "succeeded", None)
    assert (len(busy.plans), len(free.plans)) == (1, 1)


async def test_where_every_gateway_refuses_the_one_that_is_ready_first_is_waited_for(tmp_path: Path) -> None:
    slow, quick = _gateway(_slow_down(500)), _gateway(_slow_down(30), name="quick")
    poor = _gateway(SubmissionRefused("insufficient_credits", "no credit"), name="poor")
    async with an_engine(tmp_path, slow, quick, poor) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        assert (record.provider, record.phase) == ("quick", "held")
        ended = await _ended(engine, record.task_id)
    assert (ended.state, ended.provider) == ("succeeded", "quick")
    assert (len(slow.plans), len(quick.plans), len(poor.plans)) == (1, 2, 1)


async def test_a_named_gateway_is_waited_for_although_another_could_take_it(tmp_path: Path) -> None:
    busy, free = _gateway(_slow_down()), _gateway(name="free")
    async with an_engine(tmp_path, busy, free) as engine:
        record = (await engine.generate(a_wish(kind="image", provider="gate"))).record
        assert (await _ended(engine, record.task_id)).state == "succeeded"
    assert (len(busy.plans), len(free.plans)) == (2, 0)


async def test_what_is_held_for_a_gateway_without_its_key_waits_for_a_process_that_has_it(tmp_path: Path) -> None:
    first, keyless = _gateway(_slow_down(60)), _gateway()
    async with an_engine(tmp_path, first, clock=SteppedClock()) as engine:
        task_id = (await engine.generate(a_wish(kind="image"))).record.task_id
    async with an_engine(tmp_path, Configured(keyless, "it has no key"), clock=SteppedClock()) as engine:
        assert (await engine.get(task_id, principal=LOCAL)).phase == "held"
    assert keyless.plans == []


@pytest.mark.parametrize("hours", [3, -3])
async def test_a_clock_that_is_set_makes_nobody_wait_longer_or_send_sooner(tmp_path: Path, hours: int) -> None:
    clock = JumpingClock()
    sent_at: list[float] = []
    gateway = _gateway(_slow_down(60), submitted=lambda: sent_at.append(clock.elapsed()))
    async with an_engine(tmp_path, gateway, clock=clock) as engine:
        record = (await engine.generate(a_wish(kind="image"))).record
        clock.ahead = timedelta(hours=hours)
        assert (await _ended(engine, record.task_id)).state == "succeeded"
    assert 60 <= sent_at[1] - sent_at[0] <= 70


async def test_of_two_processes_that_take_over_what_was_held_each_request_is_sent_by_one(tmp_path: Path) -> None:
    first = ScriptedProvider(answers=[_slow_down(30)])
    async with an_engine(tmp_path, first, clock=SteppedClock()) as engine:
        ids = [(await engine.generate(a_wish(f"{n}", kind="image"))).record.task_id for n in range(12)]
    gateway = _gateway(downloads=[PNG] * 12)
    async with an_engine(tmp_path, gateway) as one, an_engine(tmp_path, gateway) as two:
        for engine in (one, two):
            for task_id in ids:
                await engine.wait(task_id, seconds=0, principal=LOCAL)
        ended = [await _ended(one, task_id) for task_id in ids]
    assert {record.state for record in ended} == {"succeeded"}
    assert sorted(str(plan.body["prompt"]) for plan in gateway.plans) == sorted(f"{n}" for n in range(12))
