"""A task that still runs may be an input: the new one waits for it unpaid, and is sent once its input is there."""

from base64 import b64encode
from pathlib import Path

import anyio
import pytest

from rushes.domain.errors import RequestRefused
from rushes.domain.failure import failure
from rushes.domain.job import Job, Observation, RemoteOutput, Submission
from rushes.domain.principal import LOCAL
from rushes.domain.record import TaskRecord
from rushes.domain.request import Kind
from rushes.tasks.engine import Engine
from rushes.tasks.service import MediaSource, Wish
from rushes.tools import task_of

from ..clocks import SteppedClock
from ..previews.media_files import BLUE, RED, a_video
from .engines import a_wish, an_engine
from .scripted import ScriptedProvider
from .test_engine import PNG

pytestmark = pytest.mark.anyio

RUNNING = Observation(state="running", poll_after_seconds=0.01)
DONE = Observation(state="succeeded", outputs=(RemoteOutput(url="https://cdn.example/1.png"),))
FAILED = Observation(state="failed", failure=failure("content_violation", "no", charged="no"))


class Gateway(ScriptedProvider):
    """Its first job goes on until it is told how that ends; all others end well at once, or as they are told."""

    def __init__(self, name: str = "gate", *downloads: bytes) -> None:
        accepted = [Submission(job=Job(job_id=f"{name}:{n}", model="m1"), observation=RUNNING) for n in range(1, 9)]
        facts: dict[str, object] = {"image_forms": ("url", "data")}
        super().__init__(name, answers=[*accepted], downloads=[*downloads, *[PNG] * 9], facts_changes=facts)
        self.first_ends: Observation = RUNNING
        self.others_end: Observation = DONE

    async def poll(self, job: Job, *, sink: object = None) -> Observation:
        del sink
        self.polls += 1
        await anyio.lowlevel.checkpoint()
        return self.first_ends if job.job_id.endswith(":1") else self.others_end


async def begun(engine: Engine, kind: Kind = "image", prompt: str = "the first") -> TaskRecord:
    return (await engine.generate(a_wish(prompt, kind=kind))).record


def after(task: TaskRecord, prompt: str = "the second", reference: str = "task:{}#1", **asked: object) -> Wish:
    media = [MediaSource("input_image", reference.format(task.task_id))]
    return a_wish(prompt, kind="image", media=media, **asked)  # type: ignore[arg-type]


async def ended(engine: Engine, task_id: str) -> TaskRecord:
    with anyio.fail_after(15):
        return await engine.wait(task_id, seconds=15, principal=LOCAL)


async def test_it_is_journaled_as_queued_and_nothing_is_sent_while_the_input_is_made(tmp_path: Path) -> None:
    gateway = Gateway()
    async with an_engine(tmp_path, gateway, clock=SteppedClock()) as engine:
        first = await begun(engine)
        second = (await engine.generate(after(first))).record
        shown = task_of(second, poll_interval_seconds=engine.poll_interval_seconds(second))
    assert (second.state, second.phase, second.parents) == ("queued", "waiting", (first.task_id,))
    assert len(gateway.plans) == 1
    assert f"Waits, unsent and unpaid, for task:{first.task_id}#1" in shown.warnings[0]
    assert shown.next is not None
    assert (shown.next.tool, shown.next.after_seconds) == ("check_task", 10)


async def test_it_is_sent_once_with_the_bytes_when_its_input_is_there(tmp_path: Path) -> None:
    gateway = Gateway()
    async with an_engine(tmp_path, gateway) as engine:
        first = await begun(engine)
        second = (await engine.generate(after(first))).record
        gateway.first_ends = DONE
        done = await ended(engine, second.task_id)
    assert done.state == "succeeded"
    assert len(gateway.plans) == 2
    (medium,) = gateway.requests[-1].media
    assert (medium.data, medium.given) == (PNG, f"task:{first.task_id}#1")
    assert done.request.media[0].sha256 == medium.sha256
    assert done.job is not None and done.submitted_at is not None


async def test_a_storyboard_is_fired_in_one_turn_and_goes_through_by_itself(tmp_path: Path) -> None:
    a_video(tmp_path / "v.mp4", [RED, BLUE], seconds_each=0.5)
    gateway = Gateway("gate", PNG, (tmp_path / "v.mp4").read_bytes())
    async with an_engine(tmp_path, gateway) as engine:
        frame = await begun(engine)
        shot = a_wish("shot 1", kind="video", media=[MediaSource("image", f"task:{frame.task_id}#1")])
        first_shot = (await engine.generate(shot)).record
        handed_on = [MediaSource("image", f"task:{first_shot.task_id}#1@last")]
        second_shot = (await engine.generate(a_wish("shot 2", kind="video", media=handed_on))).record
        assert {first_shot.phase, second_shot.phase} == {"waiting"}
        gateway.first_ends = DONE
        with anyio.fail_after(15):
            while len(gateway.plans) < 3:
                await engine.wait(second_shot.task_id, seconds=0.2, principal=LOCAL)
        lineage = await engine.lineage(first_shot)
    assert gateway.requests[-1].media[0].mime_type == "image/jpeg"
    assert (lineage.parents, lineage.children) == ((frame.task_id,), (second_shot.task_id,))


async def test_it_fails_unpaid_where_its_input_never_comes(tmp_path: Path) -> None:
    gateway = Gateway()
    async with an_engine(tmp_path, gateway) as engine:
        first = await begun(engine)
        second = (await engine.generate(after(first))).record
        third = (await engine.generate(after(second, "the third"))).record
        gateway.first_ends = FAILED
        why = [(await ended(engine, task.task_id)).failure for task in (second, third)]
    for told in why:
        assert told is not None
        assert (told.reason, told.charged) == ("invalid_media", "no")
        assert "has no output: it is failed" in told.message
    assert len(gateway.plans) == 1


async def test_an_output_that_the_task_turns_out_not_to_have_ends_it_too(tmp_path: Path) -> None:
    gateway = Gateway()
    async with an_engine(tmp_path, gateway) as engine:
        first = await begun(engine)
        second = (await engine.generate(after(first, reference="task:{}#3"))).record
        gateway.first_ends = DONE
        done = await ended(engine, second.task_id)
    assert done.failure is not None
    assert (done.failure.reason, done.failure.charged) == ("invalid_media", "no")
    assert "no #3" in done.failure.message


async def test_it_can_be_cancelled_while_it_waits_and_is_never_sent(tmp_path: Path) -> None:
    gateway = Gateway()
    async with an_engine(tmp_path, gateway) as engine:
        first = await begun(engine)
        second = (await engine.generate(after(first))).record
        cancelled = await engine.cancel(second.task_id, principal=LOCAL)
        gateway.first_ends = DONE
        await ended(engine, first.task_id)
        again = await engine.get(second.task_id, principal=LOCAL)
    assert cancelled.failure is not None
    assert (cancelled.state, cancelled.phase, cancelled.failure.charged) == ("cancelled", "done", "no")
    assert (again, len(gateway.plans)) == (cancelled, 1)


async def test_the_same_call_meanwhile_and_once_the_input_is_there_is_the_same_task(tmp_path: Path) -> None:
    gateway = Gateway()
    async with an_engine(tmp_path, gateway) as engine:
        first = await begun(engine)
        second = (await engine.generate(after(first))).record
        while_it_waits = await engine.generate(after(first, reference="rushes://tasks/{}/outputs/1"))
        gateway.first_ends, gateway.others_end = DONE, RUNNING
        with anyio.fail_after(15):
            while (await engine.get(second.task_id, principal=LOCAL)).phase != "polling":
                await engine.wait(second.task_id, seconds=0.05, principal=LOCAL)
        afterwards = await engine.generate(after(first))
    for answer in (while_it_waits, afterwards):
        assert (answer.deduplicated, answer.record.task_id) == (True, second.task_id)
    assert len(gateway.plans) == 2


async def test_the_next_process_sends_what_a_dead_one_left_waiting_once(tmp_path: Path) -> None:
    gateway, image = Gateway(), tmp_path / "a.png"
    image.write_bytes(PNG)
    async with an_engine(tmp_path, gateway, clock=SteppedClock()) as engine:
        first = await begun(engine)
        media = [MediaSource("input_image", f"task:{first.task_id}"), MediaSource("input_image", str(image))]
        second = (await engine.generate(a_wish("the second", kind="image", media=media))).record
    gateway.first_ends = DONE
    async with an_engine(tmp_path, gateway) as engine:
        done = await ended(engine, second.task_id)
    assert (done.state, len(gateway.plans)) == ("succeeded", 2)
    assert [medium.data for medium in gateway.requests[-1].media] == [PNG, PNG]


async def test_what_came_as_bytes_is_sent_by_the_process_that_has_it_and_ends_a_restart_unpaid(tmp_path: Path) -> None:
    gateway = Gateway()

    def both(first: TaskRecord, prompt: str) -> Wish:
        sources = (f"task:{first.task_id}", f"data:image/png;base64,{b64encode(PNG).decode()}")
        return a_wish(prompt, kind="image", media=[MediaSource("input_image", text) for text in sources])

    async with an_engine(tmp_path, gateway) as engine:
        first = await begun(engine)
        here = (await engine.generate(both(first, "one"))).record
        gateway.first_ends = DONE
        assert (await ended(engine, here.task_id)).state == "succeeded"
    other = Gateway("gate")
    home = tmp_path / "other"
    async with an_engine(home, other, clock=SteppedClock()) as engine:
        first = await begun(engine)
        left = (await engine.generate(both(first, "two"))).record
    other.first_ends = DONE
    async with an_engine(home, other) as engine:
        lost = await ended(engine, left.task_id)
    assert lost.failure is not None
    assert (lost.failure.reason, lost.failure.charged) == ("invalid_media", "no")
    assert "started anew meanwhile" in lost.failure.message


async def test_a_file_that_has_changed_meanwhile_is_not_sent(tmp_path: Path) -> None:
    gateway, image = Gateway(), tmp_path / "a.png"
    image.write_bytes(PNG)
    async with an_engine(tmp_path, gateway) as engine:
        first = await begun(engine)
        media = [MediaSource("input_image", f"task:{first.task_id}"), MediaSource("input_image", str(image))]
        second = (await engine.generate(a_wish("the second", kind="image", media=media))).record
        image.write_bytes(PNG + b"!")
        gateway.first_ends = DONE
        done = await ended(engine, second.task_id)
    assert done.failure is not None
    assert "another file now" in done.failure.message
    assert len(gateway.plans) == 1


async def test_the_process_that_waits_sees_an_input_that_another_one_makes(tmp_path: Path) -> None:
    maker, waiter = Gateway(), Gateway("other")
    async with an_engine(tmp_path, maker) as making, an_engine(tmp_path, waiter) as waiting:
        first = await begun(making)
        waiter.answers = waiter.answers[1:]
        second = (await waiting.generate(after(first))).record
        assert second.phase == "waiting"
        maker.first_ends = DONE
        assert (await ended(waiting, second.task_id)).state == "succeeded"
    assert (len(maker.plans), len(waiter.plans)) == (1, 1)


async def test_what_no_model_takes_is_refused_before_it_waits(tmp_path: Path) -> None:
    gateway = Gateway()
    gateway.facts_changes = {"inputs": ("images",), "images_max": 1}
    async with an_engine(tmp_path, gateway, clock=SteppedClock()) as engine:
        first = await begun(engine)
        two = [MediaSource("input_image", f"task:{first.task_id}#{number}") for number in (1, 2)]
        with pytest.raises(RequestRefused, match="at most 1 for images"):
            await engine.generate(a_wish("two", kind="image", media=two))
        with pytest.raises(RequestRefused, match="is image, not video"):
            await engine.generate(a_wish(media=[MediaSource("reference_video", first.task_id)]))
        assert len((await engine.list_tasks(principal=LOCAL)).records) == 1


async def test_a_dry_run_says_what_is_still_being_made_and_journals_nothing(tmp_path: Path) -> None:
    gateway = Gateway()
    async with an_engine(tmp_path, gateway, clock=SteppedClock()) as engine:
        first = await begun(engine)
        preview = await engine.preview(after(first))
        assert len((await engine.list_tasks(principal=LOCAL)).records) == 1
    assert any(f"task:{first.task_id}#1 is still being made" in text for text in preview.warnings)


async def test_a_secret_goes_out_with_the_request_and_stands_in_no_record(tmp_path: Path) -> None:
    gateway = Gateway()
    async with an_engine(tmp_path, gateway) as engine:
        first = await begun(engine)
        second = (await engine.generate(after(first, provider_options={"callback_secret": "hush"}))).record
        gateway.first_ends = DONE
        done = await ended(engine, second.task_id)
    assert done.state == "succeeded"
    assert gateway.requests[-1].provider_options == {"callback_secret": "hush"}
    assert "hush" not in second.model_dump_json() + done.model_dump_json()
