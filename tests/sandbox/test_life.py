"""A sandbox job's life: the same as that of a paid one."""

import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import cast

import anyio
import pytest
from pydantic import JsonValue

from rushes.domain.errors import OutputExpired, RequestRefused, SubmissionLost, SubmissionRefused
from rushes.domain.job import Job, Observation
from rushes.domain.request import GenerationRequest, Kind, MediaInput
from rushes.providers.sandbox import SandboxProvider
from rushes.providers.sandbox.jobs import InputFolder
from rushes.providers.sandbox.steering import GATEWAY_REASONS

from .driving import Clock, ended, plan_of, submitted

pytestmark = pytest.mark.anyio


@pytest.fixture
async def provider() -> AsyncIterator[SandboxProvider]:
    provider = SandboxProvider()
    yield provider
    await provider.aclose()


def small(prompt: str = "a fox", **asked: object) -> GenerationRequest:
    """An image: the quickest to draw."""
    return GenerationRequest.model_validate({"kind": "image", "prompt": prompt, "size": "96x64", **asked})


async def test_a_submission_is_queued_under_an_id_of_its_own(provider: SandboxProvider) -> None:
    plan = plan_of(provider, small())
    first, second = await provider.submit(plan), await provider.submit(plan)
    assert first.observation.state == "queued"
    assert first.job.job_id != second.job.job_id
    assert first.job.details == second.job.details


async def test_a_job_ends_with_one_output_held_as_content(provider: SandboxProvider) -> None:
    observation = await ended(provider, await submitted(provider, small()))
    assert (observation.state, observation.progress) == ("succeeded", 1.0)
    assert [(output.mime_type, output.url) for output in observation.outputs] == [("image/jpeg", None)]


@pytest.mark.parametrize("reason", GATEWAY_REASONS)
async def test_a_prompt_can_ask_to_be_refused_for_any_reason(provider: SandboxProvider, reason: str) -> None:
    with pytest.raises(SubmissionRefused) as refused:
        await submitted(provider, small(f"a fox [refuse:{reason}]"))
    assert (refused.value.reason, refused.value.charged) == (reason, "no")


@pytest.mark.parametrize("reason", GATEWAY_REASONS)
@pytest.mark.parametrize("kind", ["image", "audio"])
async def test_a_prompt_can_ask_to_fail_for_any_reason(provider: SandboxProvider, reason: str, kind: Kind) -> None:
    request = GenerationRequest(kind=kind, prompt=f"a fox [fail:{reason}]")
    observation = await ended(provider, await submitted(provider, request))
    assert observation.state == "failed"
    assert observation.failure is not None
    assert (observation.failure.reason, observation.failure.charged) == (reason, "no")
    assert observation.outputs == ()


async def test_a_prompt_can_ask_for_a_lost_answer(provider: SandboxProvider) -> None:
    with pytest.raises(SubmissionLost):
        await submitted(provider, small("a fox [lost]"))


async def test_a_prompt_can_ask_for_more_outputs_than_were_counted(provider: SandboxProvider) -> None:
    observation = await ended(provider, await submitted(provider, small("a fox [outputs:3]", count=1)))
    assert len({output.content for output in observation.outputs}) == 3


async def test_a_prompt_can_ask_for_no_outputs_at_all(provider: SandboxProvider) -> None:
    observation = await ended(provider, await submitted(provider, small("a fox [outputs:0]")))
    assert (observation.state, observation.outputs) == ("succeeded", ())


async def test_a_prompt_can_ask_for_outputs_whose_address_has_expired(provider: SandboxProvider) -> None:
    (output,) = (await ended(provider, await submitted(provider, small("a fox [expire]")))).outputs
    assert output.content is None
    assert output.expires_at is not None
    with pytest.raises(OutputExpired):
        provider.open_output(output)


async def test_a_slow_job_shows_moving_progress_until_its_time_is_over() -> None:
    clock = Clock()
    provider = SandboxProvider(clock=clock)
    job = await submitted(provider, small("a fox [slow:20]"))
    await provider.poll(job)
    drawn = await submitted(provider, small("another fox"))
    await ended(provider, drawn)
    shown: list[float | None] = []
    for _ in range(4):
        clock.now += 4.0
        observation = await provider.poll(job)
        assert observation.state == "running"
        shown.append(observation.progress)
    assert shown == sorted(shown, key=lambda progress: progress or 0)
    assert shown[-1] is not None
    assert shown[-1] <= 0.8
    clock.now += 4.0
    assert (await ended(provider, job)).state == "succeeded"


async def test_a_slow_failure_comes_when_two_fifths_of_the_time_are_over() -> None:
    clock = Clock()
    provider = SandboxProvider(clock=clock)
    job = await submitted(provider, small("a fox [slow:10] [fail:timeout]"))
    await provider.poll(job)
    await ended(provider, await submitted(provider, small("another fox")))
    clock.now += 3.9
    assert (await provider.poll(job)).state == "running"
    clock.now += 0.2
    assert (await ended(provider, job)).state == "failed"


async def test_a_job_goes_on_in_another_process_from_what_its_record_holds(tmp_path: Path) -> None:
    first = SandboxProvider(tmp_path / "work")
    picture = _jpeg(await ended(first, await submitted(first, small("a shore"))))
    request = small("a fox", media=[_first_frame(picture)])
    job = await submitted(first, request)
    expected = await ended(first, job)
    restored = Job.model_validate_json(job.model_dump_json())
    second = SandboxProvider(tmp_path / "work")
    observation = await ended(second, restored)
    assert [output.content for output in observation.outputs] == [output.content for output in expected.outputs]
    assert observation.state == "succeeded"


async def test_the_bytes_of_an_input_are_in_the_plan_but_never_in_the_job(provider: SandboxProvider) -> None:
    picture = _jpeg(await ended(provider, await submitted(provider, small("a shore"))))
    plan = plan_of(provider, small("a fox", media=[_first_frame(picture)]))
    job = (await provider.submit(plan)).job
    assert "data:image/jpeg;base64," in str(plan.body)
    assert "base64" not in job.model_dump_json()


async def test_input_bytes_that_are_gone_fail_the_job_as_invalid_media(tmp_path: Path) -> None:
    provider = SandboxProvider(tmp_path / "work")
    job = await submitted(provider, small("a fox", media=[_first_frame(b"\xff\xd8\xff anything")]))
    for file in (tmp_path / "work").iterdir():
        file.unlink()
    failure = (await ended(provider, job)).failure
    assert failure is not None
    assert failure.reason == "invalid_media"


async def test_unreadable_input_bytes_fail_the_job_as_invalid_media(provider: SandboxProvider) -> None:
    failure = (await ended(provider, await submitted(provider, small(media=[_first_frame(b"no picture")])))).failure
    assert failure is not None
    assert (failure.reason, failure.charged) == ("invalid_media", "no")


async def test_a_job_that_nobody_knows_fails_as_not_found(provider: SandboxProvider) -> None:
    stranger = Job(job_id="sbx_0", model="sandbox-image")
    for observation in (await provider.poll(stranger), await provider.cancel(stranger)):
        assert observation.failure is not None
        assert observation.failure.reason == "not_found"


async def test_a_cancelled_job_stays_cancelled_and_its_thread_is_free_for_others(provider: SandboxProvider) -> None:
    long = GenerationRequest(kind="video", prompt="a fox", resolution="480p", duration_seconds=10)
    jobs = [await submitted(provider, long) for _ in range(3)]
    for job in jobs:
        await provider.poll(job)
    assert {(await provider.cancel(job)).state for job in jobs} == {"cancelled"}
    assert (await ended(provider, await submitted(provider, small()))).state == "succeeded"
    assert {(await provider.poll(job)).state for job in jobs} == {"cancelled"}


async def test_a_job_cancelled_before_its_first_look_never_starts(provider: SandboxProvider) -> None:
    job = await submitted(provider, small())
    assert (await provider.cancel(job)).state == "cancelled"
    assert (await provider.poll(job)).state == "cancelled"


async def test_cancelling_a_job_that_has_ended_changes_nothing(provider: SandboxProvider) -> None:
    job = await submitted(provider, small())
    await ended(provider, job)
    assert (await provider.cancel(job)).state == "succeeded"


async def test_old_content_is_not_kept_once_it_was_handed_out_and_is_drawn_again_if_asked_for(
    provider: SandboxProvider,
) -> None:
    jobs = [await submitted(provider, small(f"fox {n}")) for n in range(7)]
    first, *_ = [_jpeg(await ended(provider, job)) for job in jobs]
    states = [(await provider.poll(job)).state for job in jobs]
    assert states[-1] == "succeeded"
    assert states[0] in ("queued", "running")
    assert _jpeg(await ended(provider, jobs[0])) == first


async def test_closing_stops_every_drawing(provider: SandboxProvider) -> None:
    long = GenerationRequest(kind="video", prompt="a fox", resolution="480p", duration_seconds=10)
    for job in [await submitted(provider, long) for _ in range(2)]:
        await provider.poll(job)
    await provider.aclose()
    fresh = SandboxProvider()
    assert (await ended(fresh, await submitted(fresh, small()))).state == "succeeded"


async def test_a_fault_while_drawing_fails_the_job_and_is_logged(
    provider: SandboxProvider, caplog: pytest.LogCaptureFixture
) -> None:
    job = await submitted(provider, small())
    spec = {**cast("dict[str, JsonValue]", job.details["spec"]), "width": -2}
    failure = (await ended(provider, job.model_copy(update={"details": {"spec": spec}}))).failure
    assert failure is not None
    assert (failure.reason, failure.charged) == ("provider_error", "no")
    assert "sandbox render failed" in caplog.text


async def test_what_a_sandbox_cannot_do_it_says(provider: SandboxProvider) -> None:
    plan = plan_of(provider, small())
    assert (provider.traits.free, provider.traits.repeatable, provider.traits.cancels) == (True, True, True)
    assert await provider.find_job(plan, timedelta(0)) is None
    assert await provider.refresh_models() is None
    assert provider.unlisted_model("veo", "video") is None
    assert (await provider.check_account()).ok
    assert {provider.default_model(model.kind) for model in provider.models()} == {m.id for m in provider.models()}


@pytest.mark.parametrize(
    ("asked", "named"),
    [
        ({"kind": "image", "size": "512x512", "aspect_ratio": "16:9"}, "give only one"),
        ({"kind": "video", "duration_seconds": 90}, "1 to 60"),
        ({"kind": "video", "aspect_ratio": "7:5"}, "16:9"),
        ({"kind": "audio", "speed": 9.0}, "0.25 to 4"),
        ({"kind": "image", "prompt": "[fail:boredom]"}, "content_violation"),
    ],
)
def test_what_is_not_offered_is_refused_with_what_is(asked: dict[str, object], named: str) -> None:
    provider = SandboxProvider()
    with pytest.raises(RequestRefused) as refused:
        plan_of(provider, GenerationRequest.model_validate({"prompt": "a fox", **asked}))
    assert named in refused.value.message


def test_a_plan_warns_that_the_sandbox_cannot_speak() -> None:
    request = GenerationRequest(kind="audio", prompt="hello", voice="alloy", instructions="whisper")
    assert "voice and instructions change nothing" in plan_of(SandboxProvider(), request).warnings[0]


def test_input_media_are_forgotten_a_week_after_their_last_use(tmp_path: Path) -> None:
    folder = InputFolder(tmp_path)
    folder.write("old", b"1")
    folder.write("used again", b"2")
    for name in ("old", "used again"):
        os.utime(tmp_path / name, (0, 0))
    folder.write("used again", b"2")
    assert (folder.read("old"), folder.read("used again")) == (None, b"2")


async def test_the_event_loop_goes_on_while_a_film_is_drawn(provider: SandboxProvider) -> None:
    job = await submitted(provider, GenerationRequest(kind="video", prompt="a fox", duration_seconds=10))
    with anyio.fail_after(60):
        while (await provider.poll(job)).state == "queued":
            await anyio.lowlevel.checkpoint()
        for _ in range(20):
            # Were the drawing done in the loop, the first turn would come when it is over.
            await anyio.lowlevel.checkpoint()
            assert (await provider.poll(job)).state == "running"
        await provider.cancel(job)


def _jpeg(observation: Observation) -> bytes:
    content = observation.outputs[0].content
    assert content is not None
    return content


def _first_frame(data: bytes) -> MediaInput:
    return MediaInput(role="input_image", source="shore.jpg", mime_type="image/jpeg", data=data)
